"""The overview: one line a phone, as many as fit. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from math import ceil

from rich.style import Style
from rich.text import Text

from model.windows import HOP_S
from streamer.console.quality import Quality
from streamer.console.snapshot import PhoneRow
from streamer.console.theme import (
    CODE_STYLES,
    LONG_WIDTH,
    SHORT,
    SHORT_WIDTH,
    STYLES,
    Symbols,
    age,
    bar,
    count,
    safe,
    short_duration,
)
from streamer.console.view import View
from streamer.phone_memory.time_line import LETTERS, NOTHING, cells

TIME_LINE_S = 300.0
"""Seconds that a time line covers at least."""

LEAST_SLOTS = 4
"""Windows that a cell of a time line holds at least: 5.12 s."""

LEAST_CELLS, ENOUGH_CELLS, MOST_CELLS = 6, 20, 120
"""Cells of a time line: fewer are not worth drawing; no other column grows at the cost of enough; at most."""

MOST_PHONE = 24
"""Characters of a phone's name at most."""

FOR_WIDTH, RATE_WIDTH, AGE_WIDTH, LOST_WIDTH = 5, 5, 4, 4


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide each column is; ``history`` 0: left out. ``width`` is the screen's."""

    width: int
    phone: int
    answer: int = SHORT_WIDTH
    bar: int = 4
    history: int = 0
    label: int = 4
    warning: int = 12

    @property
    def taken(self) -> int:
        """Columns of all but the time line, with the space before it."""
        fixed = (FOR_WIDTH, RATE_WIDTH, AGE_WIDTH, LOST_WIDTH)
        return (
            2
            + self.phone
            + sum(1 + column for column in (self.answer, self.bar + 5, self.label, self.warning, *fixed))
            + 1
        )

    @property
    def slots_a_cell(self) -> int:
        """Windows that a cell of the time line holds."""
        return max(LEAST_SLOTS, -(-ceil(TIME_LINE_S / HOP_S) // max(self.history, 1)))


_WIDER: tuple[dict[str, int], ...] = (
    {"answer": LONG_WIDTH},
    {"bar": 6},
    {"label": LONG_WIDTH},
    {"warning": 18},
    {"warning": 34},
)
"""How columns grow on a wider screen, in order of what that is worth."""


def columns_for(width: int) -> Columns:
    """The columns that fit; no phone's name has a say, so that none moves the others."""
    columns = Columns(width, phone=min(max(8, width // 8), MOST_PHONE))
    for wider in _WIDER:
        if width - replace(columns, **wider).taken >= ENOUGH_CELLS:
            columns = replace(columns, **wider)
    history = min(width - columns.taken, MOST_CELLS)
    return replace(columns, history=history if history >= LEAST_CELLS else 0)


def window_of(n_rows: int, position: int, room: int) -> range:
    """The rows that are drawn: ``room`` of them around the selected one, without jumping at the ends."""
    first = min(max(position - room // 2, 0), max(n_rows - room, 0))
    return range(first, min(first + room, n_rows))


def draw_overview(rows: Sequence[PhoneRow], view: View, width: int, height: int, symbols: Symbols) -> list[Text]:
    """``height`` lines at most: a head, the rows around the selected one, and how many there are beside."""
    shown = view.shown(rows)
    columns = columns_for(width)
    if not shown:
        waiting = "no phone passes the filter" if rows else "waiting for the first phone"
        return [_head(columns), Text(f"  {waiting} {symbols.more}", style="dim")]
    position = view.position(shown)
    room = height - 1 if len(shown) <= height - 1 else height - 2
    drawn = window_of(len(shown), position, max(room, 1))
    lines = [_head(columns)]
    lines += [_line(shown[k], columns, symbols, shown[k].phone == view.selected) for k in drawn]
    if len(drawn) < len(shown):
        told = f"  phones {drawn.start + 1} to {drawn.stop} of {len(shown)}"
        lines.append(Text(told, style="dim"))
    return lines


def _head(columns: Columns) -> Text:
    titles = ["  " + "phone".ljust(columns.phone), "activity".ljust(columns.answer), "sure".ljust(columns.bar + 5)]
    titles.append("for".rjust(FOR_WIDTH))
    if columns.history:
        minutes = columns.history * columns.slots_a_cell * HOP_S / 60
        told = f"last {int(minutes)} min"
        titles.append((told if len(told) <= columns.history else told[5:]).rjust(columns.history))
    titles += ["label".ljust(columns.label)[: columns.label] if columns.label >= 5 else "true"]
    titles += ["Hz".rjust(RATE_WIDTH), "age".rjust(AGE_WIDTH), "lost".rjust(LOST_WIDTH), "warning"]
    return _cut(Text(" ".join(titles), style="bold"), columns.width)


@lru_cache(maxsize=1024)
def _line(row: PhoneRow, columns: Columns, symbols: Symbols, is_selected: bool) -> Text:
    """A phone's line; whoever gets it leaves it as it is."""
    colour = STYLES.get(row.answer or "", "")
    full, empty = bar(row.confidence if row.answer else 0.0, columns.bar, symbols)
    line = Text(no_wrap=True)
    line.append(f"{symbols.cursor if is_selected else ' '} {_fit(safe(row.phone, symbols), columns.phone, symbols)} ")
    line.append(_answer(row.answer or symbols.more, columns.answer) + " ", colour)
    bar_from = len(line.plain)
    line.append(full, colour)
    line.append(empty, "dim")
    line.append(f"{row.confidence:5.0%} " if row.answer else " " * 6)
    line.append((short_duration(row.lasted_s) if row.answer else "").rjust(FOR_WIDTH) + " ")
    if columns.history:
        _history(line, row, columns, symbols)
    _label(line, row, columns.label, symbols)
    line.append((f"{row.rate_hz:.1f}" if row.rate_hz else "").rjust(RATE_WIDTH) + " ")
    line.append(("" if row.age_s is None else age(row.age_s)).rjust(AGE_WIDTH) + " ")
    lost = row.lost_messages + row.malformed_messages
    line.append((count(lost) if lost else "").rjust(LOST_WIDTH) + " ", "red" if lost else "")
    line.append(_warning(row.wrong, columns.warning), "bold red")
    line.pad_right(max(columns.width - len(line.plain), 0))
    if is_selected:  # all but the bar, whose full cells would be blank
        line.stylize(Style(reverse=True), 0, bar_from)
        line.stylize(Style(reverse=True), bar_from + columns.bar)
    elif row.age_s is None or Quality.SILENT in row.wrong:
        line.stylize("dim")
    return _cut(line, columns.width)


def _history(line: Text, row: PhoneRow, columns: Columns, symbols: Symbols) -> None:
    drawn = cells(row.codes, row.last_slot, row.now_slot, columns.slots_a_cell, columns.history)
    for code, run in groupby(drawn):  # a span a run, not a cell: a third of the frame time at 200x60
        line.append((symbols.gap if code == NOTHING else code) * len(list(run)), CODE_STYLES.get(code, ""))
    line.append(" ")


def _label(line: Text, row: PhoneRow, width: int, symbols: Symbols) -> None:
    """The true label, or its letter where there is little room; red where it is not the answer."""
    label = safe(row.label or "", symbols, LONG_WIDTH)
    if width < SHORT_WIDTH:
        label = LETTERS.get(label, "-" if label else "")
    style = "" if row.label in (None, row.answer) else "bold red" if row.label in LETTERS else "dim"
    line.append(label.ljust(width) + " ", style)


def _warning(wrong: tuple[Quality, ...], width: int) -> str:
    """All that is wrong if there is room, else the gravest and how many more."""
    told = ", ".join(each.word for each in wrong)
    if len(told) <= width:
        return told
    more = f"+{len(wrong) - 1}" if len(wrong) > 1 else ""
    return (wrong[0].word if len(wrong[0].word + more) <= width else wrong[0].short) + more


def _answer(answer: str, width: int) -> str:
    return (SHORT.get(answer, answer) if width < LONG_WIDTH else answer).ljust(width)


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="crop")
    return line


def _fit(text: str, width: int, symbols: Symbols) -> str:
    """What is too long is cut in the middle: clones and rooms are told apart by the ends of their names."""
    if len(text) <= width:
        return text.ljust(width)
    end = (width - 1) // 2
    return text[: width - 1 - end] + symbols.more + text[len(text) - end :]
