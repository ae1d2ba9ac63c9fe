"""``python -m benchmarks.throughput``: what is measured, by command."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict, replace
from pathlib import Path

import click

from benchmarks.throughput.bounds import measure_bounds
from benchmarks.throughput.machine import describe, share_cores
from benchmarks.throughput.report import machine_lines, page, stages_table, whole_table
from benchmarks.throughput.run import QUICK, Plan, run
from benchmarks.throughput.stages import stages as measure_stages
from benchmarks.throughput.systems import ROOT, SYSTEMS
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
@click.option("--seconds", type=float, default=15.0, help="Measured, after all phones have had a window.")
@click.option("--ramp", "ramp_s", type=float, default=11.5, help="Seconds within which they begin.")
@click.option("--flags", default="", help="Further ones of har-stream listen, as a shell would take them.")
def whole(
    system: str, phones: str, searching: bool, encoding: Encoding, qos: int, seconds: float, ramp_s: float, flags: str
) -> None:
    """A whole system at these numbers of phones."""
    cores, machine = share_cores(), describe()
    os.sched_setaffinity(0, cores.rest)
    load = Load(encoding, qos, seconds=seconds, ramp_s=ramp_s)
    tried = replace(SYSTEMS[system], arguments=(*SYSTEMS[system].arguments, *shlex.split(flags)))
    numbers = [int(each) for each in phones.split(",")]

    def try_out(number: int) -> Measured:
        found = measure(tried, number, load, cores)
        click.echo(f"{number} phones: p99 {found.load.latency_ms['p99']} ms, {found.cpu_share:.0%} of a core", err=True)
        return found

    runs = list(search(try_out, numbers[0]) if searching else map(try_out, numbers))
    click.echo(f"{machine_lines(machine)}\n\n{whole_table(runs)}")


@cli.command()
@click.option("--encoding", type=click.Choice(["json", "msgpack"]), default="json")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def stages(encoding: Encoding, as_json: bool) -> None:
    """Each stage alone, here and now."""
    found = list(measure_stages(encoding))
    click.echo(json.dumps([asdict(stage) for stage in found]) if as_json else stages_table({encoding: found}))


@cli.command()
def bounds() -> None:
    """The network alone and the matrix product, as JSON."""
    click.echo(json.dumps(asdict(measure_bounds())))


@cli.command(name="all")
@click.option("--quick", is_flag=True, help="A minute; shows that everything works, its figures say little.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=ROOT / "docs" / "benchmarks" / "throughput",
    help="Written as .md and .json; with --quick nothing is unless this is given.",
)
@click.pass_context
def everything(context: click.Context, quick: bool, output: Path) -> None:
    """All of it, some ten minutes."""
    cores = share_cores()
    os.sched_setaffinity(0, cores.rest)
    found = run(QUICK if quick else Plan(), cores, lambda words: click.echo(words, err=True))
    text = "\n\n".join(page(found)) + "\n"
    click.echo(text)
    if not quick or context.get_parameter_source("output") is not click.core.ParameterSource.DEFAULT:
        output.with_suffix(".md").write_text(text, encoding="utf-8")
        output.with_suffix(".json").write_text(json.dumps(found.fields(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    cli()
