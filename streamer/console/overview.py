"""The overview: one line a phone, as many as fit. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.style import Style
from rich.text import Text

from streamer.console.snapshot import STALE_S, PhoneRow
from streamer.console.theme import LETTERS, STYLES, Symbols, bar, duration
from streamer.console.view import View

BAR_WIDTH = 6
ANSWER_WIDTH = 18
LABEL_WIDTH = 18
WARNING_WIDTH = 14


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide each column is; 0: left out."""

    phone: int
    history: int
    label: int
    warning: int


def columns_for(rows: Sequence[PhoneRow], width: int) -> Columns:
    """The columns that fit: what matters less goes first as the terminal narrows."""
    phone = min(max([len(row.phone) for row in rows] + [5]), max(8, width // 5))
    fixed = 2 + phone + sum(1 + column for column in (ANSWER_WIDTH, BAR_WIDTH + 5, 6, 5, 6, 5))
    label = LABEL_WIDTH if width >= fixed + LABEL_WIDTH + 22 else 0
    warning = WARNING_WIDTH if width >= fixed + label + WARNING_WIDTH + 14 else 0
    taken = fixed + (1 + label if label else 0) + (1 + warning if warning else 0)
    history = max(0, min(60, width - taken - 1))
    return Columns(phone, history if history >= 6 else 0, label, warning)


def window_of(n_rows: int, position: int, room: int) -> range:
    """The rows that are drawn: ``room`` of them around the selected one, without jumping at the ends."""
    first = min(max(position - room // 2, 0), max(n_rows - room, 0))
    return range(first, min(first + room, n_rows))


def draw_overview(rows: Sequence[PhoneRow], view: View, width: int, height: int, symbols: Symbols) -> list[Text]:
    """``height`` lines at most: a head, the rows around the selected one, and how many there are beside."""
    shown = view.shown(rows)
    columns = columns_for(shown, width)
    if not shown:
        waiting = "no phone passes the filter" if rows else "waiting for the first phone"
        return [_head(columns), Text(f"  {waiting} {symbols.more}", style="dim")]
    position = view.position(shown)
    room = height - 1 if len(shown) <= height - 1 else height - 2
    drawn = window_of(len(shown), position, max(room, 1))
    lines = [_head(columns)]
    lines += [_line(shown[k], columns, symbols, is_selected=shown[k].phone == view.selected) for k in drawn]
    if len(drawn) < len(shown):
        told = f"  phones {drawn.start + 1} to {drawn.stop} of {len(shown)}"
        lines.append(Text(told, style="dim"))
    return lines


def _head(columns: Columns) -> Text:
    cells = ["  " + "phone".ljust(columns.phone), "activity".ljust(ANSWER_WIDTH), "sure".ljust(BAR_WIDTH + 5)]
    cells.append("for".rjust(6))
    cells += ["lately".rjust(columns.history)] if columns.history else []
    cells += ["label".ljust(columns.label)] if columns.label else []
    cells += ["Hz".rjust(5), "age".rjust(6), "lost".rjust(5)]
    cells += ["warning".ljust(columns.warning)] if columns.warning else []
    return Text(" ".join(cells), style="bold")


def _line(row: PhoneRow, columns: Columns, symbols: Symbols, *, is_selected: bool) -> Text:
    colour = STYLES.get(row.answer or "", "")
    full, empty = bar(row.confidence if row.answer else 0.0, BAR_WIDTH, symbols)
    lost = row.lost_messages + row.malformed_messages
    line = Text(no_wrap=True)
    line.append(f"{symbols.cursor if is_selected else ' '} {_fit(row.phone, columns.phone, symbols)} ")
    line.append((row.answer or symbols.more).ljust(ANSWER_WIDTH) + " ", colour)
    line.append(full, colour)
    line.append(empty, "dim")
    line.append(f"{row.confidence:5.0%} " if row.answer else " " * 6)
    line.append((duration(row.lasted_s) if row.answer else "").rjust(6) + " ")
    if columns.history:
        _history(line, row.history, columns.history)
    if columns.label:
        line.append(_fit(row.label or "", columns.label, symbols) + " ", _label_style(row))
    line.append((f"{row.rate_hz:.1f}" if row.rate_hz else "").rjust(5) + " ")
    line.append(("" if row.age_s is None else duration(row.age_s)).rjust(6) + " ")
    line.append((str(lost) if lost else "").rjust(5), "red" if lost else "")
    if columns.warning:
        line.append(" " + _fit(row.warning, columns.warning, symbols), "bold red" if row.warning else "")
    if is_selected:
        line.stylize(Style(reverse=True))
    elif row.age_s is None or row.age_s > STALE_S:
        line.stylize("dim")
    return line


def _history(line: Text, history: Sequence[str], width: int) -> None:
    latest = history[-width:]
    line.append(" " * (width - len(latest)))
    for answer, run in groupby(latest):  # a span a run, not a cell: a third of the frame time at 200x60
        line.append(LETTERS.get(answer, "?") * len(list(run)), STYLES.get(answer, ""))
    line.append(" ")


def _label_style(row: PhoneRow) -> str:
    if row.label is None or row.label == row.answer:
        return ""
    return "bold red" if row.label in LETTERS else "dim"


def _fit(text: str, width: int, symbols: Symbols) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 1] + symbols.more
