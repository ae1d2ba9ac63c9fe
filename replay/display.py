"""The only rich code of the replay: progress while it runs, a summary at the end, on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from replay.tally import Sent

_REFRESH_HZ = 4


@contextmanager
def progress(console: Console, tally: Sent, *, where: str, total: int | None, started: float) -> Iterator[None]:
    """Show ``tally`` as it grows: a bar on a terminal, else one line now.

    ``total`` is expected, in ``tally.unit``, None: no end. ``started`` is on :func:`time.monotonic`.
    """
    if not console.is_terminal:
        amount = "without end" if total is None else f"{total} {tally.unit}"
        console.print(f"Replaying {tally.senders} to {where}: {amount}", soft_wrap=True, highlight=False)
        yield
        return

    def frame() -> Group:
        return progress_frame(tally, where=where, total=total, elapsed_s=time.monotonic() - started)

    with Live(console=console, refresh_per_second=_REFRESH_HZ, get_renderable=frame):
        yield


def progress_frame(tally: Sent, *, where: str, total: int | None, elapsed_s: float) -> Group:
    """One frame of the progress display."""
    rate = tally.done / elapsed_s if elapsed_s > 0 else 0.0
    done = min(tally.done, total) if total is not None else 0
    remaining = (total - done) / rate if total is not None and rate > 0 else None
    facts = [
        f"{tally.done:,}" + ("" if total is None else f" of {total:,}") + f" {tally.unit}",
        f"{rate:,.0f}/s",
        f"{_clock(elapsed_s)} elapsed",
        "" if remaining is None else f"{_clock(remaining)} to go",
        f"late {_late(tally)}" if tally.lateness.count else "",
        f"[yellow]{tally.reconnects} reconnects[/]" if tally.reconnects else "",
    ]
    table = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=total, completed=done, width=40, pulse=total is None)
    table.add_row(f"[bold]{tally.senders}[/] to {where}", bar)
    return Group(table, "  ".join(fact for fact in facts if fact))


def print_summary(console: Console, tally: Sent) -> None:
    """What was sent, in one line."""
    console.print(summary_line(tally), soft_wrap=True, highlight=False, markup=False)


def summary_line(tally: Sent) -> str:
    """What was sent, in one line of text."""
    facts = [
        f"Sent {tally.contents}",
        f"in {tally.duration_s:.1f} s, {tally.real_time_factor:.3g} times real time",
        f"late {_late(tally)}" if tally.lateness.count else "",
        _counts(tally),
    ]
    return "; ".join(fact for fact in facts if fact) + "."


def _counts(tally: Sent) -> str:
    names = ("dropped", "duplicated", "reordered", "reconnects", "lost")
    counts = {name: getattr(tally, name, 0) for name in names}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _late(tally: Sent) -> str:
    return f"{tally.lateness.mean_s * 1e3:.1f} ms (max {tally.lateness.max_s * 1e3:.1f})"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes}:{seconds:02d}"
