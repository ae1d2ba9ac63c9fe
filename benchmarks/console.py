"""What the console costs: frame time and share of one core, for 10 to 5,000 phones.

``python -m benchmarks.console`` prints a table. A frame is what the program does per refresh: take the snapshot under
the listener's lock, draw it, and write what has changed, here to a terminal that throws it away. Times are CPU time of
this process. Two fleets: in ``calm`` a phone's answer changes every 12 s, in ``worst`` with every window. Frames come
at the pace that the program itself chooses; between two, all phones send and are answered as in real time.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from model.activities import ACTIVITIES
from model.windows import HOP_S
from streamer.console.app import pause_after
from streamer.console.frame import draw
from streamer.console.painter import Painter
from streamer.console.snapshot import Snapshot, take_detail, take_health, take_rows
from streamer.console.theme import UNICODE
from streamer.console.view import Page, View
from streamer.phone_memory.time_line import LETTERS, SLOTS
from streamer.phone_stream import ReadyWindow, Taken
from streamer.recognition.prediction import Prediction
from streamer.tally import LATENCIES, Tally

PHONES = (10, 100, 1000, 5000)
SIZES = ((80, 24), (200, 60))
EPOCH = 1_700_000_000.0
MESSAGE_S = 0.5
CALM_WINDOWS = 9
"""Windows that an answer lasts in the calm fleet."""


class Fleet:
    """A tally of phones with full time lines, that goes on as time does."""

    def __init__(self, n_phones: int, *, is_worst: bool) -> None:
        self.tally = Tally(max_phones=n_phones)
        self.now_s = 0.0
        self._lasts = 1 if is_worst else CALM_WINDOWS
        self._values = np.random.default_rng(0).normal(size=(128, 9)).astype(np.float32)
        self._phases = np.random.default_rng(1).uniform(size=n_phones)
        letters = [LETTERS[activity] for activity in ACTIVITIES]
        for number in range(n_phones):
            phone = self.tally.phone(f"phone-{number:05d}")
            assert phone
            phone.time_line.codes = "".join(letters[(number + k // self._lasts) % 6] for k in range(-SLOTS, 0))
            phone.time_line.last = round(EPOCH / HOP_S) - 1
        self.tally._latencies_ms.extend(np.random.default_rng(2).exponential(5, LATENCIES).tolist())
        self.advance(12 * HOP_S)

    def advance(self, to_s: float) -> None:
        """All that the phones send until then."""
        for number, (name, phase) in enumerate(zip(self.tally.phones, self._phases, strict=True)):
            for k in _turns(self.now_s, to_s, MESSAGE_S, phase):
                at_s = (k + phase) * MESSAGE_S
                self.tally.message(name, 25, Taken(), at_s)
                self.tally.found(name, ())
            for k in _turns(self.now_s, to_s, HOP_S, phase):
                self.tally.prediction(self._prediction(name, number, k, phase), (k + phase) * HOP_S)
        self.now_s = to_s

    def _prediction(self, phone: str, number: int, k: int, phase: float) -> Prediction:
        activity = ACTIVITIES[(number + k // self._lasts) % 6]
        probabilities = np.full(6, 0.01 + 0.001 * (k % 7), np.float32)
        confidence = 0.9 + 0.01 * (k % 7)
        start_s = EPOCH + k * HOP_S
        window = ReadyWindow(phone, 64 * k, start_s, start_s + 2.56, self._values, 0.0, activity, 1)
        return Prediction(window, activity, activity, confidence, probabilities, activity, 3.0 + phase)

    def snapshot(self, detail_of: str | None) -> Snapshot:
        """As the session takes it."""
        tally, now_s = self.tally, self.now_s
        health = take_health(
            tally,
            broker="x:1883",
            connection="connected",
            queued=0,
            losses={"dropped_messages": 0, "flood_messages": 0},
            memory_mb=170.0,
            now_s=now_s,
        )
        detail = take_detail(tally, detail_of, now_s) if detail_of is not None else None
        return Snapshot(health, tuple(take_rows(list(tally.phones.values()), now_s)), (), detail)


def _turns(from_s: float, to_s: float, period_s: float, phase: float) -> range:
    """Numbers k of the turns at ``(k + phase) * period_s`` in between."""
    return range(int(np.ceil(from_s / period_s - phase)), int(np.ceil(to_s / period_s - phase)))


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds of each frame: of the snapshot, and of all of it; and seconds from frame to frame."""

    snapshot_ms: list[float]
    frame_ms: list[float]
    period_s: list[float]

    @property
    def share(self) -> float:
        """Of one core."""
        return sum(self.frame_ms) / 1000 / sum(self.period_s)


def measure(fleet: Fleet, page: Page, size: tuple[int, int], frames: int) -> Cost:
    """So many frames of a page, after a first that draws everything."""
    cost = Cost([], [], [])
    width, height = size
    view = View(page=page, selected="phone-00003")
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(file=nowhere, force_terminal=True, color_system="256", width=width, height=height)
        painter = Painter(console)
        for number in range(frames + 1):
            start_s = time.process_time()
            state = fleet.snapshot(view.selected if page is Page.DETAIL else None)
            snapshot_s = time.process_time() - start_s
            painter.paint(draw(state, view, width=width, height=height, symbols=UNICODE), width, height)
            frame_s = time.process_time() - start_s
            period_s = frame_s + pause_after(frame_s)
            fleet.advance(fleet.now_s + period_s)
            if number:
                cost.snapshot_ms.append(1000 * snapshot_s)
                cost.frame_ms.append(1000 * frame_s)
                cost.period_s.append(period_s)
    return cost


@click.command()
@click.option("--frames", type=click.IntRange(2), default=40, help="Frames per row of the table.")
def main(frames: int) -> None:
    """Print the table."""
    table = Table(title="Console: CPU milliseconds a frame, seconds between frames, share of one core")
    for name in ("phones", "answers", "page", "size", "snapshot", "frame", "frame p99", "every", "of one core"):
        table.add_column(name, justify="right")
    for n_phones in PHONES:
        for is_worst in (False, True):
            fleet = Fleet(n_phones, is_worst=is_worst)
            for size in SIZES:
                for page in (Page.OVERVIEW, Page.DETAIL):
                    cost = measure(fleet, page, size, max(min(frames, 20_000 // n_phones), 4))
                    table.add_row(
                        str(n_phones),
                        "worst" if is_worst else "calm",
                        page.value,
                        f"{size[0]}x{size[1]}",
                        f"{np.median(cost.snapshot_ms):.2f}",
                        f"{np.median(cost.frame_ms):.2f}",
                        f"{np.percentile(cost.frame_ms, 99):.2f}",
                        f"{np.median(cost.period_s):.2f} s",
                        f"{cost.share:.1%}",
                    )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
