"""The live dashboard: a snapshot of the listener's state, and a pure function from it to what is drawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streamer.tally import PhoneTally, Tally

REFRESH_HZ = 4.0

STYLES = {
    "WALKING": "green",
    "WALKING_UPSTAIRS": "cyan",
    "WALKING_DOWNSTAIRS": "blue",
    "SITTING": "yellow",
    "STANDING": "magenta",
    "LAYING": "red",
    "TRANSITION": "bright_white",
    "UNKNOWN": "bright_black",
}
"""Colour of each answer."""

LETTERS = {
    "WALKING": "W",
    "WALKING_UPSTAIRS": "U",
    "WALKING_DOWNSTAIRS": "D",
    "SITTING": "S",
    "STANDING": "T",
    "LAYING": "L",
    "TRANSITION": "-",
    "UNKNOWN": "?",
}
"""Letter of each answer in the time line, so that it reads without colours too."""

BAR_WIDTH = 6
EVENT_LINES = 4
STALE_S = 5.0
"""A phone that has sent nothing for so long is drawn dim."""


@dataclass(frozen=True, slots=True)
class PhoneRow:
    """One phone as drawn; times in seconds, ``age_s`` since its last sample."""

    phone: str
    answer: str | None
    confidence: float
    lasted_s: float
    history: tuple[str, ...]
    label: str | None
    rate_hz: float
    age_s: float | None
    lost_messages: int
    malformed_messages: int
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a frame shows."""

    broker: str
    connection: str
    rows: tuple[PhoneRow, ...]
    messages: int
    windows: int
    samples_per_s: float
    windows_per_s: float
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    lost_messages: int
    malformed_messages: int
    dropped_messages: int
    accuracy: float | None
    labelled_windows: int
    events: tuple[str, ...]


def snapshot(
    tally: Tally, *, broker: str, connection: str, dropped_messages: int, events: Sequence[str], now_s: float
) -> Snapshot:
    """The state at ``now_s``; the caller keeps the tally from changing meanwhile."""
    latency = tally.latency_ms()
    return Snapshot(
        broker=broker,
        connection=connection,
        rows=tuple(_row(tally.phones[name], now_s) for name in sorted(tally.phones)),
        messages=tally.totals.messages,
        windows=tally.totals.windows,
        samples_per_s=tally.sample_rate.per_second(now_s),
        windows_per_s=tally.window_rate.per_second(now_s),
        latency_p50_ms=latency["p50"],
        latency_p99_ms=latency["p99"],
        lost_messages=tally.totals.lost_messages,
        malformed_messages=tally.totals.malformed_messages,
        dropped_messages=dropped_messages,
        accuracy=tally.totals.accuracy,
        labelled_windows=tally.totals.labelled_windows,
        events=tuple(events),
    )


def _row(tally: PhoneTally, now_s: float) -> PhoneRow:
    return PhoneRow(
        phone=tally.phone,
        answer=tally.answer,
        confidence=tally.confidence,
        lasted_s=tally.until_s - tally.since_s,
        history=tuple(tally.history),
        label=tally.label,
        rate_hz=tally.rate.per_second(now_s),
        age_s=None if tally.last_arrival_s is None else now_s - tally.last_arrival_s,
        lost_messages=tally.counts.lost_messages,
        malformed_messages=tally.counts.malformed_messages,
        accuracy=tally.counts.accuracy,
    )


def draw(state: Snapshot, *, width: int, height: int) -> RenderableType:
    """A frame of at most ``height`` lines of ``width`` columns."""
    header = _header(state, width)
    events = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in state.events[-EVENT_LINES:]]
    footer = Text("Ctrl-C ends", style="dim")
    room = height - len(header) - len(events) - 1 - 2  # the table's own head takes two lines
    shown = state.rows[: max(room, 1)]
    if len(shown) < len(state.rows):
        shown = state.rows[: max(room - 1, 1)]
        footer = Text(f"and {len(state.rows) - len(shown)} more phones · Ctrl-C ends", style="dim")
    return Group(*header, _table(shown, width), *events, footer)


def _header(state: Snapshot, width: int) -> list[Text]:
    connected = state.connection == "connected"
    first = Text.assemble(
        ("har-stream", "bold"), f"  {state.broker}  ", (state.connection, "green" if connected else "bold red"),
        f"  {len(state.rows)} phones  {state.samples_per_s:.0f} samples/s  {state.windows_per_s:.1f} windows/s",
    )  # fmt: skip
    parts = [f"{state.windows} windows"]
    if state.latency_p50_ms is not None:
        parts.append(f"latency {state.latency_p50_ms:.1f} ms, p99 {state.latency_p99_ms:.1f} ms")
    if state.accuracy is not None:
        parts.append(f"accuracy {state.accuracy:.1%} of {state.labelled_windows}")
    second = Text("  ".join(parts))
    faults = [
        f"{count} {name}"
        for count, name in (
            (state.lost_messages, "lost"),
            (state.malformed_messages, "malformed"),
            (state.dropped_messages, "dropped"),
        )
        if count
    ]
    if faults:
        second.append("  " + ", ".join(faults), style="bold red")
    for line in (first, second):
        line.truncate(width, overflow="ellipsis")
    return [first, second]


def _table(rows: Sequence[PhoneRow], width: int) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", expand=False)
    name_width = max([len(row.phone) for row in rows] + [5])
    name_width = min(name_width, max(8, width // 5))
    wide = width >= 100
    fixed = sum(1 + column for column in (name_width, 18, BAR_WIDTH + 5, 6, 6, 6, 5, 19 if wide else -1))
    history_width = max(0, min(60, width - fixed - 1))
    table.add_column("phone", width=name_width, no_wrap=True, overflow="ellipsis")
    table.add_column("activity", width=18, no_wrap=True)
    table.add_column("sure", width=BAR_WIDTH + 5, no_wrap=True)
    table.add_column("for", width=6, justify="right", no_wrap=True)
    if history_width >= 6:
        table.add_column("lately", width=history_width, no_wrap=True)
    if wide:
        table.add_column("label", width=19, no_wrap=True)
    table.add_column("Hz", width=6, justify="right", no_wrap=True)
    table.add_column("age", width=6, justify="right", no_wrap=True)
    table.add_column("lost", width=5, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, history_width, wide=wide), style=_row_style(row))
    table.add_section()
    return table


def _row_style(row: PhoneRow) -> str:
    return "dim" if row.age_s is None or row.age_s > STALE_S else ""


def _cells(row: PhoneRow, history_width: int, *, wide: bool) -> list[Text]:
    activity = Text(row.answer or "…", style=STYLES.get(row.answer or "", ""))
    cells = [Text(row.phone), activity, _bar(row), Text(_duration(row.lasted_s) if row.answer else "")]
    if history_width >= 6:
        cells.append(_history(row.history[-history_width:]))
    if wide:
        cells.append(_label(row))
    lost = row.lost_messages + row.malformed_messages
    return [
        *cells,
        Text(f"{row.rate_hz:.1f}" if row.rate_hz else ""),
        Text("" if row.age_s is None else _duration(row.age_s)),
        Text(str(lost) if lost else "", style="red"),
    ]


def _bar(row: PhoneRow) -> Text:
    if row.answer is None:
        return Text("")
    filled = round(row.confidence * BAR_WIDTH)
    return Text.assemble(
        ("█" * filled, STYLES.get(row.answer, "")), ("░" * (BAR_WIDTH - filled), "dim"), f"{row.confidence:5.0%}"
    )


def _history(history: Sequence[str]) -> Text:
    return Text.assemble(*((LETTERS.get(activity, "?"), STYLES.get(activity, "")) for activity in history))


def _label(row: PhoneRow) -> Text:
    if row.label is None:
        return Text("")
    return Text(row.label, style="" if row.label == row.answer else "bold red" if row.label in STYLES else "dim")


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f}s"
    if seconds < 3600:
        return f"{int(seconds // 60)}m{int(seconds % 60):02d}s"
    return f"{int(seconds // 3600)}h{int(seconds % 3600 // 60):02d}m"


def show(console: Console, take_snapshot: Callable[[], Snapshot], is_over: Callable[[], bool]) -> None:
    """Draw on the alternate screen until it is over; the terminal is as before afterwards."""

    def frame() -> RenderableType:
        width, height = console.size
        return draw(take_snapshot(), width=width, height=height)

    with Live(frame(), console=console, screen=True, auto_refresh=False, redirect_stdout=False) as live:
        while not is_over():
            live.update(frame(), refresh=True)
            time.sleep(1 / REFRESH_HZ)
