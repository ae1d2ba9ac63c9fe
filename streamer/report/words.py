"""What the terminal's and the page's report of a session say alike. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from model.decision import ANSWERS
from model.windows import HOP_S
from streamer.report.figures import PhoneFigures, SessionReport

LETTERS = dict(zip(ANSWERS, "WUDSTL-?", strict=True))
"""One letter an answer, as in the dashboard."""

MOST_PHONES = 40
"""Phones whose time lines are drawn; the figures are of all."""

FILLED = 250
"""Thousandths of a time line's column that answers must fill for it not to be blank."""

LONGEST_GAP_S = 60.0
"""A gap is drawn no longer than this: a phone whose clock jumps by a year must not squeeze its time line to nothing."""


def positions(phone: PhoneFigures) -> tuple[list[float], float]:
    """Where each run begins on the phone's time line, and the line's end: seconds from its first window."""
    starts: list[float] = []
    at_s, expected_s = 0.0, phone.runs[0].start_s
    for run in phone.runs:
        gap_s = min(max(run.start_s - expected_s, 0.0), LONGEST_GAP_S)
        at_s += gap_s if gap_s > HOP_S / 2 else 0.0  # less is a clock that is not quite the sampling rate's
        starts.append(at_s)
        at_s += run.duration_s
        expected_s = run.stop_s
    return starts, at_s


def columns(phone: PhoneFigures, width: int, *, labels: bool = False) -> list[str]:
    """The time line in ``width`` columns at most: what most of each was answered with, or labelled; "" for blank."""
    starts, end = positions(phone)
    # A column is never less than a window, so that none is drawn twice.
    counts = [Counter[str]() for _ in range(max(1, min(width, round(end / HOP_S))))]
    for run, start in zip(phone.runs, starts, strict=True):
        name = run.label if labels else run.answer
        if name is not None:
            _fill(counts, name, start / end * len(counts), (start + run.duration_s) / end * len(counts))
    return [count.most_common(1)[0][0] if count.total() > FILLED else "" for count in counts]


def _fill(counts: list[Counter[str]], name: str, start: float, stop: float) -> None:
    for number in range(int(start), min(int(stop) + 1, len(counts))):
        share = round(1000 * (min(stop, number + 1) - max(start, number)))
        if share > 0:
            counts[number][name] += share


def changed(row: Mapping[str, int]) -> bool:
    """Whether there is any change in a row."""
    return any(row.values())


def conditions(report: SessionReport) -> list[str]:
    """What a reader must know of the file itself, a sentence each."""
    notes = list(report.notes)
    if report.malformed_lines:
        notes.append(
            f"{report.malformed_lines} of {report.n_lines} lines were ignored, as no listener writes them or they were "
            f"cut short; the first is line {report.first_malformed_line}."
        )
    if not report.is_complete and not report.notes:
        notes.append("The file does not end with a summary: the listener was killed or still runs.")
    elif report.losses and report.losses.windows != report.n_windows:
        notes.append(f"The summary counts {report.losses.windows} windows: the file is not the whole session.")
    return notes


def loss_rows(report: SessionReport) -> list[tuple[str, str]]:
    """Latency and losses: the summary's figures where there is one, else what the warnings tell."""
    rows = []
    if latency := report.latency:
        figures = (("median", latency.p50), ("p90", latency.p90), ("p99", latency.p99))
        rows = [(f"latency, {name}", f"{value:.1f} ms") for name, value in figures]
    if losses := report.losses:
        kinds = [name for name in losses.__struct_fields__ if name != "windows"]
        rows += [(kind.replace("_", " "), str(getattr(losses, kind))) for kind in kinds]
    else:
        rows += [
            ("gaps, from warnings", str(sum(phone.gaps for phone in report.phones))),
            ("lost messages, from warnings", str(sum(phone.lost_messages for phone in report.phones))),
        ]
    return [*rows, ("warnings", str(report.n_warnings))]


def accuracy_rows(report: SessionReport) -> list[tuple[str, str]]:
    """Of all labelled windows, and of those answered with an activity."""
    each = report.accuracy
    rows = [("labelled windows", each.right_windows, each.labelled_windows, each.accuracy)]
    rows += [("answered with an activity", each.right_answers, each.answered_windows, each.answered_accuracy)]
    return [(name, f"{share:.2%} ({right} of {n})") for name, right, n, share in rows if share is not None]
