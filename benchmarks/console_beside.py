"""What drawing costs the listener: throughput and latency with the dashboard against without, in turns in one run.

``python -m benchmarks.console_beside`` prints both ratios. The listener is the real one, with the model in the box;
recordings of the training subjects come as messages of many phones: all at once (throughput), and in real time
(latency). In every second stretch of two seconds the dashboard is drawn at 200x60 on the main thread, as the program
does, onto a terminal that throws it away; neighbouring stretches are compared, so that other work on the machine
counts on both sides.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import takewhile
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from model.bundled import load_recordings
from model.classifier import Classifier
from model.smoothing import FilterSettings
from replay.phone import Manner, Outgoing, make_phones
from replay.source import prepare
from streamer.console.app import pause_after
from streamer.console.frame import draw
from streamer.console.painter import Painter
from streamer.console.source import ListenerSource
from streamer.console.theme import UNICODE
from streamer.console.view import View
from streamer.inbox import Message
from streamer.listener import Listener, ListenerOptions
from streamer.outputs import Recent
from streamer.recognition.prediction import Prediction
from streamer.recognition.window_engine import WindowEngine

SIZE = (200, 60)
SUBJECTS = (1, 3, 5, 6)

STRETCH_S = 2.0
"""How long it is drawn, and then not."""


class Timed(Recent):
    """Keeps when each prediction came, and its latency [ms]."""

    def __init__(self) -> None:
        super().__init__()
        self.start_s = time.monotonic()
        self.values: list[tuple[float, float]] = []

    def prediction(self, prediction: Prediction) -> None:
        """Keep it."""
        self.values.append((time.monotonic() - self.start_s, prediction.latency_ms))


@dataclass(frozen=True)
class Result:
    """Latencies [ms] of each stretch with drawing, between those of the two without; and drawing's CPU time."""

    triples: list[tuple[list[float], list[float], list[float]]]
    drawing_s: float

    @property
    def plain(self) -> list[float]:
        """All latencies without drawing."""
        return [latency for before, _, _ in self.triples for latency in before]

    @property
    def share(self) -> float:
        """Of one core, while it is drawn."""
        return self.drawing_s / (STRETCH_S * len(self.triples))

    def told(self, figure: Callable[[list[float]], float]) -> str:
        """Ratio of a figure, drawn against the mean of the neighbours: the middle one, and the middle half."""
        ratios = [2 * figure(drawn) / (figure(before) + figure(after)) for before, drawn, after in self.triples]
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        return f"{middle:.3f} (half of {len(ratios)} stretches: {low:.2f} to {high:.2f})"


def messages_for(n_phones: int, seconds: float) -> list[Outgoing]:
    """What so many phones send in that time, in order."""
    recordings = [(r.name, (prepare(r),)) for r in load_recordings(SUBJECTS)]
    phones = make_phones(recordings, n_phones=n_phones, start_time_s=time.time(), batch=25)
    streams = (takewhile(lambda m: m.due_s <= seconds, phone.messages(Manner(labels=False))) for phone in phones)
    return list(merge(*streams, key=lambda message: message.due_s))


def run(classifier: Classifier, messages: Sequence[Outgoing], *, in_real_time: bool) -> Result:
    """Recognise all messages; draw in every second stretch."""
    timed = Timed()
    listener = Listener(ListenerOptions(max_phones=1000), WindowEngine(classifier, FilterSettings()), [timed])
    feeder = threading.Thread(target=_feed, args=(listener, messages, in_real_time))
    if not in_real_time:
        _feed(listener, messages, in_real_time)
    timed.start_s = time.monotonic()
    listener.start()
    if in_real_time:
        feeder.start()

    def is_over() -> bool:
        return listener.tally.totals.messages == len(messages) and not listener.n_queued

    drawing_s = _draw_in_turns(is_over, ListenerSource(listener, timed, "x:1883", lambda: "connected"), timed.start_s)
    end_s = time.monotonic() - timed.start_s
    listener.stop()
    stretches = [_of(timed, k) for k in range(int(end_s / STRETCH_S))]
    first = 2 if in_real_time else 0  # the first windows are late: everything is new
    triples = [(stretches[k], stretches[k + 1], stretches[k + 2]) for k in range(first, len(stretches) - 2, 2)]
    return Result([triple for triple in triples if all(triple)], drawing_s)


def _of(timed: Timed, stretch: int) -> list[float]:
    return [latency for at_s, latency in timed.values if int(at_s / STRETCH_S) == stretch]


def _feed(listener: Listener, messages: Sequence[Outgoing], in_real_time: bool) -> None:
    start_s = time.monotonic()
    for message in messages:
        if in_real_time and (wait_s := start_s + message.due_s - time.monotonic()) > 0:
            time.sleep(wait_s)
        listener.receive_many([Message(message.topic, message.payload, time.monotonic())])


def _draw_in_turns(is_over: Callable[[], bool], source: ListenerSource, start_s: float) -> float:
    """Draw in the odd stretches until it is over; gives the CPU time [s] that drawing took."""
    width, height = SIZE
    total_s = 0.0
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        painter = Painter(Console(file=nowhere, force_terminal=True, color_system="256", width=width, height=height))
        while not is_over():
            if int((time.monotonic() - start_s) / STRETCH_S) % 2 == 0:
                time.sleep(0.02)
                continue
            begin_s = time.thread_time()
            frame = draw(source.snapshot(None), View(), width=width, height=height, symbols=UNICODE)
            painter.paint(frame, width, height)
            took_s = time.thread_time() - begin_s
            total_s += took_s
            time.sleep(pause_after(took_s))
    return total_s


@click.command()
@click.option("--phones", type=click.IntRange(1), default=100, help="Phones whose messages come all at once.")
@click.option("--live-phones", type=click.IntRange(1), default=20, help="Phones that send in real time.")
@click.option("--seconds", type=click.FloatRange(10), default=120.0, help="Length of the phones' streams.")
def main(phones: int, live_phones: int, seconds: float) -> None:
    """Print the figures."""
    classifier = Classifier.load()
    console = Console(width=150)
    fast = run(classifier, messages_for(phones, seconds), in_real_time=False)
    rate = len(fast.plain) / (STRETCH_S * len(fast.triples))
    console.print(f"{phones} phones, all at once: {rate:.0f} windows/s without; drawing {fast.share:.1%} of a core")
    console.print(f"  windows/s with / without: {fast.told(len)}")
    live = run(classifier, messages_for(live_phones, seconds), in_real_time=True)
    middle, high = np.percentile(live.plain, [50, 99])
    told = f"latency {middle:.1f} ms, p99 {high:.1f} ms without; drawing {live.share:.1%} of a core"
    console.print(f"{live_phones} phones in real time: {told}")
    console.print(f"  median latency with / without: {live.told(lambda values: float(np.median(values)))}")
    console.print(f"  p99 latency with / without: {live.told(lambda values: float(np.percentile(values, 99)))}")


if __name__ == "__main__":
    main()
