"""``python -m benchmarks.throughput``: what is measured, by command."""

from __future__ import annotations

import os

import click

from benchmarks.throughput.machine import describe, share_cores
from benchmarks.throughput.report import machine_lines, whole_table
from benchmarks.throughput.systems import SYSTEMS
from benchmarks.throughput.whole import Load, Measured, measure, search
from streamer.wire import Encoding


@click.group()
def cli() -> None:
    """Throughput, latency, CPU and memory of the listener."""


@cli.command()
@click.option("--system", type=click.Choice(list(SYSTEMS)), default="window")
@click.option("--phones", default="10,100,1000", help="Numbers of phones, with commas.")
@click.option("--search", "searching", is_flag=True, help="Look for the most that are sustained, from the first on.")
@click.option("--encoding", type=click.Choice(["json", "msgpack"]), default="json")
@click.option("--qos", type=click.IntRange(0, 1), default=0, help="That phones publish with.")
@click.option("--seconds", type=float, default=18.0, help="After all phones have begun.")
@click.option("--ramp", "ramp_s", type=float, default=11.5, help="Seconds within which they begin.")
def whole(
    system: str, phones: str, searching: bool, encoding: Encoding, qos: int, seconds: float, ramp_s: float
) -> None:
    """A whole system at these numbers of phones."""
    cores, machine = share_cores(), describe()
    os.sched_setaffinity(0, cores.rest)
    load = Load(encoding, qos, seconds=seconds, ramp_s=ramp_s)
    numbers = [int(each) for each in phones.split(",")]

    def try_out(number: int) -> Measured:
        found = measure(SYSTEMS[system], number, load, cores)
        click.echo(f"{number} phones: p99 {found.load.latency_ms['p99']} ms, {found.cpu_share:.0%} of a core", err=True)
        return found

    runs = list(search(try_out, numbers[0]) if searching else map(try_out, numbers))
    click.echo(f"{machine_lines(machine)}\n\n{whole_table(runs)}")


if __name__ == "__main__":
    cli()
