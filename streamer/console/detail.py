"""One phone in full: probabilities, traces, log, time per answer, confusion. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.text import Text

from model.activities import ACTIVITIES
from model.signals import CHANNELS, UNITS
from model.text import MOST, printable
from streamer.console.snapshot import PhoneDetail
from streamer.console.theme import LETTERS, STYLES, Symbols, bar, duration
from streamer.outputs import clock_time

WIDE = 100
"""From so many columns on, two panels stand side by side."""

NAME_WIDTH = 18


def draw_detail(detail: PhoneDetail | None, width: int, height: int, symbols: Symbols) -> list[Text]:
    """``height`` lines at most."""
    if detail is None:
        return [Text("  this phone is gone; Esc goes back", style="dim")]
    panel = width // 2 - 2 if width >= WIDE else width
    left = [
        *_title(detail),
        Text(""),
        *_probabilities(detail, panel, symbols),
        Text(""),
        *_traces(detail, panel, symbols),
    ]
    right = [*_seconds(detail, panel, symbols), Text(""), *_confusion(detail), Text(""), *_log(detail)]
    if width < WIDE:
        return [*left, Text(""), *right][:height]
    return [_beside(k, left, right, panel) for k in range(min(max(len(left), len(right)), height))]


def _beside(k: int, left: Sequence[Text], right: Sequence[Text], width: int) -> Text:
    first = left[k].copy() if k < len(left) else Text("")
    first.truncate(width, pad=True)
    return Text.assemble(first, "  ", right[k] if k < len(right) else Text(""), no_wrap=True)


def _title(detail: PhoneDetail) -> list[Text]:
    row, counts = detail.row, detail.counts
    answer = row.answer or "not recognised yet"
    first = Text.assemble(
        (row.phone, "bold"), "  ", (answer, STYLES.get(answer, "")), f"  for {duration(row.lasted_s)}"
    )
    if row.label:
        first.append(f"  label {row.label}")
    lines = [first, Text("  ".join(f"{count} {name}" for name, count in counts.items() if count))]
    lines += [Text(printable(reason, MOST), style="bold red") for reason in detail.reasons]
    if detail.last_fault:
        lines.append(Text(f"last fault: {printable(detail.last_fault, MOST)}", style="red"))
    return lines


def _probabilities(detail: PhoneDetail, width: int, symbols: Symbols) -> list[Text]:
    lines = [Text("probabilities", style="bold")]
    for activity, share in zip(ACTIVITIES, detail.probabilities, strict=False):
        full, empty = bar(share, min(30, max(width - NAME_WIDTH - 8, 5)), symbols)
        lines.append(
            Text.assemble(activity.ljust(NAME_WIDTH), " ", (full, STYLES[activity]), (empty, "dim"), f"{share:5.0%}")
        )
    return lines


def _traces(detail: PhoneDetail, width: int, symbols: Symbols) -> list[Text]:
    """The last window's channels, each scaled to its own range."""
    if detail.window is None:
        return []
    lines = [Text("the last 2.56 s", style="bold")]
    room = min(64, max(width - NAME_WIDTH - 20, 8))
    for channel, unit, values in zip(CHANNELS, UNITS, detail.window.T, strict=True):
        low, high = float(values.min()), float(values.max())
        lines.append(Text(f"{channel:<13}{_sparkline(values, room, symbols)} {low:6.2f} to {high:5.2f} {unit}"))
    return lines


def _sparkline(values: np.ndarray, width: int, symbols: Symbols) -> str:
    means = np.array([part.mean() for part in np.array_split(values, width)])
    span = float(np.ptp(means))
    levels = np.zeros(width, int) if span == 0 else ((means - means.min()) / span * (len(symbols.levels) - 1)).round()
    return "".join(symbols.levels[int(level)] for level in levels)


def _seconds(detail: PhoneDetail, width: int, symbols: Symbols) -> list[Text]:
    total = sum(detail.seconds.values())
    lines = [Text("time spent", style="bold")]
    for answer, seconds in sorted(detail.seconds.items(), key=lambda item: -item[1]):
        full, _ = bar(seconds / total, min(20, max(width - NAME_WIDTH - 16, 4)), symbols)
        lines.append(
            Text.assemble(
                answer.ljust(NAME_WIDTH),
                f" {duration(seconds):>6} {seconds / total:4.0%} ",
                (full, STYLES.get(answer, "")),
            )
        )
    return lines


def _confusion(detail: PhoneDetail) -> list[Text]:
    if not detail.confusion.any():
        return []
    accuracy = np.trace(detail.confusion) / detail.confusion.sum()
    lines = [Text.assemble(("labels against answers", "bold"), f"  {accuracy:.1%} right")]
    lines.append(Text(" " * NAME_WIDTH + "".join(f"{LETTERS[a]:>5}" for a in ACTIVITIES), style="dim"))
    for k, activity in enumerate(ACTIVITIES):
        line = Text(activity.ljust(NAME_WIDTH))
        for j, count in enumerate(detail.confusion[k]):
            line.append(f"{count or '':>5}", "green" if j == k else "red")
        lines.append(line)
    return lines


def _log(detail: PhoneDetail) -> list[Text]:
    lines = [Text("what was done", style="bold")]
    for answer, start_s, end_s in detail.log:
        lines.append(
            Text.assemble(
                f"{clock_time(start_s)} ",
                (answer.ljust(NAME_WIDTH), STYLES.get(answer, "")),
                f" {duration(end_s - start_s):>6}",
            )
        )
    return lines
