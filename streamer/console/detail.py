"""One phone in full: what is wrong, probabilities, traces, log, time per answer, confusion. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap

import numpy as np
from rich.text import Text

from model.activities import ACTIVITIES
from model.text import MOST
from streamer.console.snapshot import PhoneDetail
from streamer.console.theme import LONG_WIDTH, SHORT, SHORT_WIDTH, STYLES, Symbols, bar, duration, safe
from streamer.console.traces import HEAD_LINES, MOST_ROWS, draw_traces
from streamer.outputs import clock_time
from streamer.phone_memory.time_line import LETTERS

WIDE = 130
"""From so many columns on, the traces stand beside the figures."""

BAR_WIDTH = 24


def draw_detail(detail: PhoneDetail | None, width: int, height: int, symbols: Symbols) -> list[Text]:
    """All lines; what of them ``height`` has no room for is scrolled to."""
    if detail is None:
        return [Text("  this phone is gone; Esc goes back", style="dim")]
    title = _title(detail, width, symbols)
    panel = (width - 2) // 2
    probabilities, seconds = _probabilities(detail, panel, symbols), _seconds(detail, panel, symbols)
    confusion, log = _confusion(detail, panel), _log(detail, panel)
    if width >= WIDE:
        rows = _rows(height - len(title) - 1)
        figures = [*probabilities, Text(""), *seconds, *_apart(confusion), Text(""), *log]
        return [*title, Text(""), *_beside(draw_traces(detail.trace, panel, rows, symbols), figures, panel)]
    upper = _beside(probabilities, seconds, panel)
    rows = _rows(height - len(title) - len(upper) - 1)
    traces = draw_traces(detail.trace, width, rows, symbols)
    lower = _beside(confusion, log, panel) if confusion else log
    return [*title, *traces, *upper, *lower]


def _rows(room: int) -> int:
    """Lines for each of the nine traces."""
    return min(max((room - HEAD_LINES) // 9, 1), MOST_ROWS)


def _apart(lines: list[Text]) -> list[Text]:
    return [Text(""), *lines] if lines else []


def _beside(left: Sequence[Text], right: Sequence[Text], width: int) -> list[Text]:
    lines = []
    for first, second in zip_longest(left, right, fillvalue=Text("")):
        padded = first.copy()
        padded.truncate(width, pad=True)
        lines.append(Text.assemble(padded, "  ", second, no_wrap=True))
    return lines


def _name(answer: str, width: int) -> str:
    """The answer, in full where a panel is wide enough."""
    return answer.ljust(LONG_WIDTH) if width >= 60 else SHORT.get(answer, answer).ljust(SHORT_WIDTH)


def _title(detail: PhoneDetail, width: int, symbols: Symbols) -> list[Text]:
    row = detail.row
    answer = row.answer or "not recognised yet"
    first = Text.assemble((safe(row.phone, symbols, MOST), "bold"), "  ", (answer, STYLES.get(answer, "")))
    if row.answer:
        first.append(f"  {row.confidence:.0%} sure  for {duration(row.lasted_s)}")
    if row.label:
        first.append(f"  label {safe(row.label, symbols, MOST)}", "" if row.label == row.answer else "bold red")
    first.append(f"  {row.rate_hz:.1f} Hz" if row.rate_hz else "")
    first.append(f"  {safe(detail.format, symbols, MOST)}" if detail.format else "")
    lines = [first, Text("  ".join(f"{count} {name}" for name, count in detail.counts.items() if count))]
    for warning in detail.warnings:
        lines += [Text(line, style="bold red") for line in wrap(safe(warning, symbols, MOST), max(width, 20))]
    return lines


def _probabilities(detail: PhoneDetail, width: int, symbols: Symbols) -> list[Text]:
    lines = [Text("probabilities", style="bold")]
    for activity, share in zip(ACTIVITIES, detail.probabilities, strict=False):
        name = _name(activity, width)
        full, empty = bar(share, min(BAR_WIDTH, max(width - len(name) - 6, 4)), symbols)
        lines.append(Text.assemble(name, " ", (full, STYLES[activity]), (empty, "dim"), f"{share:5.0%}"))
    return lines


def _seconds(detail: PhoneDetail, width: int, symbols: Symbols) -> list[Text]:
    total = sum(detail.seconds.values())
    lines = [Text("time spent", style="bold")]
    for answer, seconds in sorted(detail.seconds.items(), key=lambda item: -item[1]):
        name = _name(answer, width)
        full, _ = bar(seconds / total, min(BAR_WIDTH, max(width - len(name) - 13, 4)), symbols)
        told = f" {duration(seconds):>6} {seconds / total:4.0%} "
        lines.append(Text.assemble(name, told, (full, STYLES.get(answer, ""))))
    return lines


def _confusion(detail: PhoneDetail, width: int) -> list[Text]:
    if not detail.confusion.any():
        return []
    accuracy = np.trace(detail.confusion) / detail.confusion.sum()
    cell = 5 if width >= 60 else 4
    lines = [Text.assemble(("labels against answers", "bold"), f"  {accuracy:.1%} right")]
    lines.append(Text(" " * len(_name("", width)) + "".join(LETTERS[a].rjust(cell) for a in ACTIVITIES), style="dim"))
    for k, activity in enumerate(ACTIVITIES):
        line = Text(_name(activity, width))
        for j, count in enumerate(detail.confusion[k]):
            line.append(str(count or "").rjust(cell), "green" if j == k else "red")
        lines.append(line)
    return lines


def _log(detail: PhoneDetail, width: int) -> list[Text]:
    lines = [Text("what was done, the last first", style="bold")]
    for answer, start_s, end_s in detail.log:
        name = (_name(answer, width), STYLES.get(answer, ""))
        lines.append(Text.assemble(f"{clock_time(start_s)} ", name, f" {duration(end_s - start_s):>6}"))
    return lines
