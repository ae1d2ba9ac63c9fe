"""A run's figures as tables, Markdown for people and JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.throughput.whole import Measured

WHOLE = ("system", "phones", "messages/s", "lost", "p50 ms", "p99 ms", "core", "ms/phone/s", "µs/message", "µs/window")
WHOLE_REST = ("MB", "generator", "sustained")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; numbers are aligned to the right."""
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def number(value: float, digits: int = 1) -> str:
    """With thousands' commas."""
    return f"{value:,.{digits}f}"


def whole_row(measured: Measured) -> list[str]:
    """One run's cells below :data:`WHOLE` and :data:`WHOLE_REST`."""
    load = measured.load
    qos = f", QoS {measured.qos}" if measured.qos else ""
    return [
        f"{measured.system}, {measured.encoding}{qos}",
        number(load.phones, 0),
        number(load.messages_per_s, 0),
        number(load.missing + measured.dropped, 0),
        number(load.latency_ms["p50"]),
        number(load.latency_ms["p99"]),
        f"{measured.cpu_share:.0%}",
        number(measured.cpu_ms_per_phone_s, 3),
        number(measured.cpu_us_per_message, 0),
        number(measured.cpu_us_per_window, 0),
        number(measured.resident_bytes / 1e6, 0),
        f"{load.cpu_share:.0%}{', too slow' if load.is_limit else ''}",
        "yes" if measured.is_sustained else "no",
    ]


def whole_table(runs: Iterable[Measured]) -> str:
    """Every run of a whole system."""
    return table((*WHOLE, *WHOLE_REST), map(whole_row, runs))


def machine_lines(machine: dict[str, Any]) -> str:
    """What was measured on, in two sentences."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    load = ", ".join(f"{value:.2f}" for value in machine["load_average"])
    return (
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, {machine['system']}; load average "
        f"before the run {load}. Versions: {versions}."
    )
