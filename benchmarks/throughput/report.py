"""A run's figures as tables, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks.throughput.bounds import Bounds
from benchmarks.throughput.run import Found
from benchmarks.throughput.stages import Stage
from benchmarks.throughput.whole import P99_MS, Measured
from streamer.wire import Encoding

FEW = 10
"""Memory per phone is told against the run with the least phones of at least so many."""

_WHOLE = (
    "phones",
    "messages/s",
    "lost",
    "p50 ms",
    "p99 ms",
    "of a core",
    "core full at",
    "CPU ms/phone/s",
    "µs/message",
    "µs/window",
)

INTRODUCTION = f"""\
Made by `make bench` (the listener alone on one core; broker and load generator on the other). Phones send the
recordings in the box as they were recorded, 25 samples a message, 50 Hz, in real time, each at a moment of its own.
*Sustained* means: every window of every phone was predicted and published, nothing dropped, and p99 of the latency
below {P99_MS:.0f} ms; latency is from the sending of the message that completes a window until the published prediction
is heard, broker twice and generator included. Costs are CPU time of the whole process, shared out to phones, messages
or windows, while all phones send; *core full at* is how many phones would take a whole core at that cost."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; numbers are aligned to the right."""
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def number(value: float, digits: int = 1) -> str:
    """With thousands' commas."""
    return f"{value:,.{digits}f}"


def whole_table(runs: Iterable[Measured]) -> str:
    """Every run of a whole system."""
    return table(("system", *_WHOLE, "MB", "generator", "sustained"), map(_whole_row, runs))


def _whole_row(measured: Measured) -> list[str]:
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
        number(measured.phones / max(measured.cpu_share, 1e-3), 0),
        number(measured.cpu_ms_per_phone_s, 3),
        number(measured.cpu_us_per_message, 0),
        number(measured.cpu_us_per_window, 0),
        number(measured.resident_bytes / 1e6, 0),
        f"{load.cpu_share:.0%}{', too slow' if load.is_limit else ''}",
        "yes" if measured.is_sustained else "no",
    ]


def machine_lines(machine: dict[str, Any]) -> str:
    """What was measured on, in two sentences."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    load = ", ".join(f"{value:.2f}" for value in machine["load_average"])
    return (
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, {machine['system']}; load average "
        f"before the run {load}. Versions: {versions}."
    )


def stages_table(stages: dict[Encoding, list[Stage]]) -> str:
    """What each stage costs, and its share of their sum, by encoding."""
    head = ["stage", "per", *(f"{name}, {what}" for name in stages for what in ("µs", "ms/phone/s", "share"))]
    rows = []
    for number_, first in enumerate(next(iter(stages.values()))):
        row = [first.name, first.unit]
        for of_encoding in stages.values():
            stage = of_encoding[number_]
            total = sum(each.per_phone_s for each in of_encoding if each.is_part)
            share = f"{stage.per_phone_s / total:.0%}" if stage.is_part else ""
            row += [number(1e6 * stage.seconds), number(1e3 * stage.per_phone_s, 3), share]
        rows.append(row)
    return table(head, rows)


def bounds_lines(bounds: Bounds) -> str:
    """The engine alone, and the matrix product."""
    best = min(bounds.window_s, key=bounds.window_s.__getitem__)
    by_batch = table(
        ("batch", *(str(size) for size in bounds.window_s)),
        [("CPU µs/window", *(number(1e6 * value, 0) for value in bounds.window_s.values()))],
    )
    return (
        f"{by_batch}\n\nAt the best batch ({best}) the network alone makes {number(1 / bounds.engine_s, 0)} windows a "
        f"second. It has {bounds.flop / 1e6:.1f} million operations a window; numpy's product of single-precision "
        f"matrices makes {max(bounds.flop_per_s.values()) / 1e9:.0f} thousand million a second, so that a window "
        f"would take {1e6 * bounds.sgemm_s:.0f} µs: the network runs at {bounds.sgemm_s / bounds.engine_s:.0%} of that."
    )


def most_table(found: Found) -> str:
    """The most phones of each system, and the ratios."""
    baseline = next((run for name in found.searches if name.startswith("base") and (run := found.most(name))), None)
    rows = []
    for name in found.searches:
        most = found.most(name)
        if most is None:
            rows.append([name, "none", "", "", "", ""])
            continue
        times = f"{most.phones / baseline.phones:.0f}" if baseline else ""
        engine = "" if "window" not in name else f"{most.cpu_us_per_window / (1e6 * found.bounds.engine_s):.2f}"
        p99_ms, cpu = number(most.load.latency_ms["p99"]), number(most.cpu_ms_per_phone_s, 3)
        rows.append([name, number(most.phones, 0), p99_ms, cpu, times, engine])
    head = (
        "system",
        "phones sustained",
        "p99 ms",
        "CPU ms/phone/s",
        "times the baseline",
        "CPU/window to engine alone",
    )
    return table(head, rows)


def memory_table(growth: Sequence[Measured]) -> str:
    """Memory per phone against the smallest run."""
    few = [run for run in growth if run.phones >= FEW]
    rows = [
        [
            number(run.phones, 0),
            number(run.resident_bytes / 1e6),
            number((run.resident_bytes - few[0].resident_bytes) / (run.phones - few[0].phones) / 1024),
            f"{run.cpu_us_per_window / few[0].cpu_us_per_window:.2f}",
        ]
        for run in few[1:]
    ]
    return table(("phones", "MB in all", "KiB a phone more", f"CPU/window to that of {few[0].phones} phones"), rows)


def page(found: Found) -> Iterator[str]:
    """The whole report, paragraph by paragraph."""
    yield "# Throughput"
    yield INTRODUCTION
    yield machine_lines(found.machine)
    if found.searches:
        yield "## Phones on one core"
        yield most_table(found)
    yield "## Growth"
    yield whole_table(found.growth)
    yield memory_table(found.growth)
    yield "## Stages alone"
    yield stages_table(found.stages)
    yield "## The machine's own limits"
    yield bounds_lines(found.bounds)
    if found.searches:
        yield "## The searches"
        yield whole_table(run for runs in found.searches.values() for run in runs)
