"""What the console costs: frame time and share of one core, for 10, 100 and 1,000 phones.

``python -m benchmarks.console`` prints a table. A frame is what the program does per refresh: take the snapshot under
the listener's lock, draw it, and write it through rich's live display, here to a terminal that throws it away. Times
are CPU time of this process; ``locked`` is the part during which the listener waits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table

from model.activities import ACTIVITIES
from streamer.activity_tracker import Prediction
from streamer.console.app import REFRESH_S
from streamer.console.frame import draw
from streamer.console.snapshot import Snapshot, take_detail, take_health, take_rows
from streamer.console.theme import UNICODE
from streamer.console.view import Page, View
from streamer.phone_stream import ReadyWindow, Taken
from streamer.tally import HISTORY, HOP_S, LATENCIES, Tally

PHONES = (10, 100, 1000)


def filled_tally(n_phones: int) -> Tally:
    """A tally of phones with a full history, labels, and as many latencies as are ever kept."""
    tally = Tally(max_phones=n_phones)
    values = np.random.default_rng(0).normal(size=(128, 9)).astype(np.float32)
    for k in range(max(HISTORY, -(-LATENCIES // n_phones))):
        for number in range(n_phones):
            name, now_s = f"phone-{number:04d}", k * HOP_S
            tally.message(name, 64, Taken(), now_s)
            tally.prediction(_prediction(name, ACTIVITIES[(number + k // 9) % 6], now_s, values), now_s)
    return tally


def _prediction(phone: str, activity: str, start_s: float, values: np.ndarray) -> Prediction:
    probabilities = np.full(6, 0.01, np.float32)
    probabilities[ACTIVITIES.index(activity)] = 0.95
    window = ReadyWindow(phone, 0, start_s, start_s + 2.56, values, 0.0, activity, 1)
    return Prediction(window, activity, activity, 0.95, probabilities, activity, latency_ms=3.0 + start_s % 5)


def snapshot_of(tally: Tally, detail_of: str | None, now_s: float) -> Snapshot:
    """As the session takes it."""
    health = take_health(
        tally, broker="x:1883", connection="connected", queued=0, dropped_messages=0, memory_mb=170.0, now_s=now_s
    )
    detail = take_detail(tally, detail_of, now_s) if detail_of is not None else None
    return Snapshot(health, take_rows(tally, now_s), (), detail)


def measure(tally: Tally, view: View, size: tuple[int, int], frames: int) -> tuple[list[float], list[float]]:
    """CPU milliseconds of each frame: of the snapshot, and of all of it."""
    locked_ms, frame_ms = [], []
    width, height = size
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(file=nowhere, force_terminal=True, color_system="256", width=width, height=height)
        with Live(console=console, screen=True, auto_refresh=False) as live:
            for _ in range(frames):
                start = time.process_time()
                state = snapshot_of(tally, view.selected if view.page is Page.DETAIL else None, HISTORY * HOP_S)
                locked_ms.append(1000 * (time.process_time() - start))
                live.update(draw(state, view, width=width, height=height, symbols=UNICODE), refresh=True)
                frame_ms.append(1000 * (time.process_time() - start))
    return locked_ms[1:], frame_ms[1:]


def _row(phones: int, page: str, size: tuple[int, int], locked: Sequence[float], frame: Sequence[float]) -> list[str]:
    share = np.mean(frame) / (1000 * REFRESH_S)
    return [
        str(phones),
        page,
        f"{size[0]}x{size[1]}",
        f"{np.median(locked):.2f}",
        f"{np.median(frame):.2f}",
        f"{np.percentile(frame, 99):.2f}",
        f"{share:.1%}",
    ]


@click.command()
@click.option("--frames", type=click.IntRange(2), default=40, help="Frames per row of the table.")
def main(frames: int) -> None:
    """Print the table."""
    table = Table(title=f"Console, a frame every {REFRESH_S} s (CPU milliseconds, one core)")
    for name in ("phones", "page", "size", "locked", "frame", "frame p99", "of one core"):
        table.add_column(name, justify="right")
    for n_phones in PHONES:
        tally = filled_tally(n_phones)
        for size in ((80, 24), (200, 60)):
            for page in (Page.OVERVIEW, Page.DETAIL):
                view = View(page=page, selected="phone-0003")
                table.add_row(*_row(n_phones, page.value, size, *measure(tally, view, size, frames)))
    Console(width=90).print(table)


if __name__ == "__main__":
    main()
