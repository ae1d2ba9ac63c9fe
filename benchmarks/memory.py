"""What a phone costs in memory: listeners of more and more phones, each in a process of its own.

    python -m benchmarks.memory                       # 10, 100 and 1,000 phones, and what of it is whose
    python -m benchmarks.memory --dashboard           # with the signals that a dashboard draws

Phones send 25 samples every half a second, each at its own moment, for longer than anything is remembered by seconds;
predictions are published, and taken away at once. Messages are worked off as a listener that keeps up does: all that
came since the last batch of windows together. *Resident* is the process's, at its largest over the last two windows of
every phone; *allocated* is what Python and numpy have asked for, by the part of the program that did.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import psutil

from benchmarks.load.payloads import FIRST_SEQ, encode_bodies
from benchmarks.load.schedule import STRIDE
from model.signals import SAMPLING_RATE
from streamer.inbox import Message
from streamer.listener import Listener, ListenerOptions
from streamer.publishing.publisher import Publisher, PublisherOptions
from streamer.publishing.topics import Topics
from streamer.recognition.loading import EngineOptions, load_engine
from streamer.runtime import tune

BATCH, RECORDINGS = 25, 12
SLOT_S = BATCH / SAMPLING_RATE
RAMP = 13
"""Slots in which phones begin, so that their windows do not end together."""

SECONDS = 45.0
"""Longer than traces are."""

LAST_S = 2.6
ROOT = Path(__file__).parents[1]

PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("windows: held, ready, compared", ("model/windows", "streamer/phone_stream")),
    ("signal chain", ("model/signals", "model/sections")),
    ("traces", ("streamer/phone_memory/traces",)),
    ("decoded messages", ("streamer/formats", "streamer/readings", "streamer/wire")),
    ("intake: order, clock, grid, figures", ("streamer/intake", "streamer/labels")),
    ("smoothing and answers", ("model/smoothing", "model/changes", "model/decision", "streamer/recognition")),
    ("account", ("streamer/tally", "streamer/counts", "streamer/phone_memory", "streamer/account")),
    ("published", ("streamer/publishing",)),
)
"""Whose files ask for what; what none of them does is the rest."""


class Fed:
    """A listener of so many phones, and messages for it, a gathering's worth at a time."""

    def __init__(self, phones: int, *, dashboard: bool) -> None:
        self._phones, self._bodies = phones, encode_bodies("json", batch=BATCH, recordings=RECORDINGS)
        options = PublisherOptions(Topics("har", "homeassistant", None), 30.0, 100_000)
        self._publisher = Publisher(options)
        engine = load_engine(EngineOptions())
        self._gather_s = engine.gather_s(0)
        settings = ListenerOptions(max_phones=100_000, has_traces=dashboard)
        self._listener = Listener(settings, engine, [self._publisher])
        tune()

    @property
    def windows(self) -> int:
        """Windows that were recognised."""
        return self._listener.tally.totals.windows

    def run(self, seconds: float) -> Iterator[float]:
        """Work off what comes in so many seconds; gives the time after each batch."""
        began_s, waiting, next_s = time.monotonic(), list[Message](), self._gather_s
        for position in range(round(seconds / SLOT_S) * self._phones):
            at_s = position * SLOT_S / self._phones
            if at_s >= next_s:
                self._work_off(waiting)
                waiting, next_s = [], at_s + self._gather_s
                yield at_s
            slot, phone = divmod(position, self._phones)
            seq = slot - phone * STRIDE % RAMP
            if seq >= 0:
                waiting.append(self._message(phone, seq, began_s + at_s))
        self._work_off(waiting)

    def _work_off(self, messages: list[Message]) -> None:
        self._listener.work(messages)
        self._listener.work_off()
        while self._publisher.outbox.take(1000):
            pass

    def _message(self, phone: int, seq: int, arrived_s: float) -> Message:
        tails = self._bodies.tails[phone % len(self._bodies.tails)]
        time_s = 1.7e9 + seq * SLOT_S
        payload = self._bodies.head(FIRST_SEQ + seq, time_s) + tails[(seq + phone) % len(tails)]
        return Message(f"har/phone-{phone:07d}/imu", payload, arrived_s)


def resident(phones: int, *, dashboard: bool) -> dict[str, Any]:
    """Bytes of this process with so many phones: at most, and at the end."""
    fed, process, largest = Fed(phones, dashboard=dashboard), psutil.Process(), 0
    for at_s in fed.run(SECONDS):
        if at_s > SECONDS - LAST_S:
            largest = max(largest, process.memory_info().rss)
    return {"phones": phones, "windows": fed.windows, "largest": largest, "end": process.memory_info().rss}


def allocated(phones: int, *, dashboard: bool) -> dict[str, float]:
    """Bytes a phone by part, of what this many have."""
    fed = Fed(phones, dashboard=dashboard)
    tracemalloc.start()
    for _ in fed.run(SECONDS):
        pass
    found = dict.fromkeys([name for name, _ in PARTS] + ["rest"], 0.0)
    for statistic in tracemalloc.take_snapshot().statistics("filename"):
        path = statistic.traceback[0].filename
        name = next((name for name, files in PARTS if any(file in path for file in files)), "rest")
        found[name] += statistic.size / phones
    return found


def measured(kind: str, phones: int, *, dashboard: bool) -> Any:
    """What one of the two gives in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--only", kind, "--phones", str(phones)]
    command += ["--dashboard"] if dashboard else []
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT).stdout)


@click.command()
@click.option("--phones", "numbers", type=int, multiple=True, default=(10, 100, 1000), show_default=True)
@click.option("--dashboard", is_flag=True, help="Keep the signals that a dashboard draws, too.")
@click.option("--only", type=click.Choice(["resident", "allocated"]), help="In this process, of the first number.")
def main(numbers: tuple[int, ...], dashboard: bool, only: str | None) -> None:
    """Run it, and print two tables."""
    if only:
        click.echo(json.dumps((resident if only == "resident" else allocated)(numbers[0], dashboard=dashboard)))
        return
    click.echo("| phones | windows | MB at most | KiB a phone more |\n| ---: | ---: | ---: | ---: |")
    before: dict[str, Any] | None = None
    for number in numbers:
        now = measured("resident", number, dashboard=dashboard)
        more = f"{(now['largest'] - before['largest']) / (number - before['phones']) / 1024:.1f}" if before else ""
        click.echo(f"| {number:,} | {now['windows']:,} | {now['largest'] / 1e6:.1f} | {more} |")
        before = now
    click.echo(f"\n| part, of {numbers[-1]:,} phones | KiB a phone |\n| --- | ---: |")
    for name, size in measured("allocated", numbers[-1], dashboard=dashboard).items():
        click.echo(f"| {name} | {size / 1024:.2f} |")


if __name__ == "__main__":
    main()
