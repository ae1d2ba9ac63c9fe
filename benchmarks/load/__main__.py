"""``python -m benchmarks.load --port 1883 --phones 1000``: sends, hears, and prints the result as JSON."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict

import click

from benchmarks.load.generator import Generator
from benchmarks.load.payloads import encode_bodies
from benchmarks.load.result import LoadResult, result_of
from benchmarks.load.schedule import Cut, Schedule
from model.windows import HOP, WINDOW_LENGTH
from streamer.wire import Encoding

PATIENCE_S = 3.0
"""How long the last predictions may keep one waiting, each for the next."""


def run(
    port: int,
    schedule: Schedule,
    cut: Cut,
    *,
    encoding: Encoding = "json",
    qos: int = 0,
    connections: int = 8,
    recordings: int = 24,
) -> LoadResult:
    """Send a schedule to a broker on this machine, and hear what comes of it."""
    bodies = encode_bodies(encoding, batch=schedule.batch, recordings=recordings)
    generator = Generator(port, schedule, bodies, qos=qos, connections=connections)
    wall_s, cpu_s = time.monotonic(), time.process_time()
    generator.run()
    share = (time.process_time() - cpu_s) / (time.monotonic() - wall_s)
    generator.drain(len(schedule.expected(cut).phone), PATIENCE_S)
    generator.close()
    return result_of(generator, cut, share)


@click.command()
@click.option("--port", type=int, required=True, help="The broker's, on this machine.")
@click.option("--phones", type=click.IntRange(1, 100_000), default=1000)
@click.option("--seconds", type=float, default=15.0, help="After all phones have had a window.")
@click.option("--ramp", "ramp_s", type=float, default=11.5, help="Seconds within which they begin.")
@click.option("--encoding", type=click.Choice(["json", "msgpack"]), default="json")
@click.option("--batch", type=click.IntRange(1, 1000), default=25, help="Samples a message, at 50 Hz.")
@click.option("--qos", type=click.IntRange(0, 1), default=0)
@click.option("--length", default=WINDOW_LENGTH, help="Samples of a window.")
@click.option("--hop", default=HOP, help="Samples from window to window.")
@click.option("--look-ahead", default=1, help="Samples that a window waits for after its last.")
@click.option("--connections", type=click.IntRange(1), default=8)
@click.option("--recordings", type=click.IntRange(1, 61), default=24, help="Of those in the box, a minute each.")
def main(
    port: int,
    phones: int,
    seconds: float,
    ramp_s: float,
    encoding: Encoding,
    batch: int,
    qos: int,
    length: int,
    hop: int,
    look_ahead: int,
    connections: int,
    recordings: int,
) -> None:
    """Send as many phones would, in real time."""
    slot_s = Schedule(1, 1, batch=batch).slot_s
    ramp = max(1, math.ceil(ramp_s / slot_s))
    cut = Cut(length, hop, look_ahead)
    slots = ramp + cut.first_slots(batch) + math.ceil(seconds / slot_s)
    schedule = Schedule(phones, slots, ramp, batch)
    result = run(port, schedule, cut, encoding=encoding, qos=qos, connections=connections, recordings=recordings)
    click.echo(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
