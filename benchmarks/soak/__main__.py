"""``python -m benchmarks.soak --hours 4``: lets it run, and tells whether anything grows. Exit status 1 if so."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from benchmarks.soak.run import Plan, Soaked, soak


@click.command()
@click.option("--hours", type=click.FloatRange(0.01), default=4.0, show_default=True)
@click.option("--phones", type=click.IntRange(1), default=100, show_default=True, help="That send all the time.")
@click.option("--passing", type=click.IntRange(0), default=200, show_default=True, help="That come and vanish a round.")
@click.option("--round", "round_s", type=click.FloatRange(1), default=60.0, show_default=True, help="Seconds of one.")
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
def main(hours: float, phones: int, passing: int, round_s: float, more: tuple[str, ...]) -> None:
    """Let a listener run for HOURS under load and faults; MORE arguments are its own."""
    plan = Plan(hours * 3600, phones, round_s, passing, every_s=max(1.0, hours * 10))
    with tempfile.TemporaryDirectory() as folder:
        soaked = soak(plan, Path(folder), _told, *more)
    click.echo(table(soaked))
    click.echo(soaked.said or "It said nothing on stderr.")
    sys.exit(0 if soaked.is_steady else 1)


def _told(number: int, metrics: dict[str, float]) -> None:
    windows, memory = metrics["har_stream_windows_total"], metrics["process_resident_memory_bytes"] / 1e6
    click.echo(f"round {number}: {windows:.0f} windows, {memory:.1f} MB", err=True)


def table(soaked: Soaked) -> str:
    """The verdicts in Markdown."""
    lines = ["| figure | median | grown by | may grow by | |", "|---|---|---|---|---|"]
    for each in soaked.verdicts:
        word = "steady" if each.is_steady else "**grows**"
        lines.append(f"| {each.name} | {each.median:.1f} | {each.growth:+.2f} | {each.allowed:.2f} | {word} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
