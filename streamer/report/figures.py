"""What a recorded session adds up to: the JSON lines of ``har-stream listen`` read one by one into figures. Pure."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES, POSTURAL_TRANSITIONS
from model.decision import ANSWERS
from model.errors import HarError
from streamer.report.lines import (
    EventLine,
    Line,
    Losses,
    PredictionLine,
    TransitionLine,
    WarningLine,
    decode,
    lines_of,
)
from streamer.tally import PERCENTILES

MOST_REASONS = 200
"""Different reasons that are kept apart; warnings of any other are counted alone."""

LONGEST_REASON = 200
"""Characters of a reason that are kept."""

JUMP_S = 0.5
"""A window that begins so much sooner or later than where the one before leaves off does not continue it."""

LATENCY_BINS = 30
"""Of the histogram, all equally wide in the logarithm."""

_LOST = re.compile(r"gap: (\d{1,9}) messages? lost")


class Run(msgspec.Struct, frozen=True):
    """Consecutive windows with one answer and one label, no gap inside.

    ``start_s`` is where the first begins, ``stop_s`` where a next would, in Unix seconds of the phone; ``duration_s``
    is what the windows stand for, a hop each.
    """

    answer: str
    label: str | None
    start_s: float
    stop_s: float
    n_windows: int
    duration_s: float


class Accuracy(msgspec.Struct, frozen=True):
    """Labelled windows, how many were right, and the same of those answered with an activity."""

    labelled_windows: int
    right_windows: int
    answered_windows: int
    right_answers: int
    accuracy: float | None
    answered_accuracy: float | None


class PhoneFigures(msgspec.Struct, frozen=True):
    """One phone: its time line, seconds for each answer, and what went wrong."""

    phone: str
    n_windows: int
    runs: tuple[Run, ...]
    seconds: dict[str, float]
    n_changes: int
    n_warnings: int
    gaps: int
    lost_messages: int
    accuracy: Accuracy


class Latency(msgspec.Struct, frozen=True):
    """Percentiles in ms over all predictions, and a histogram: ``counts[i]`` lie from ``edges[i]`` to the next."""

    p50: float
    p90: float
    p99: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


class SessionReport(msgspec.Struct, frozen=True):
    """A whole file. ``changes[from][to]`` counts events, ``transitions`` each postural transition; the confusion
    matrix's rows are labels.

    ``losses`` is None without a summary, and ``is_complete`` false if the last line is none: the listener was killed.
    ``notes`` say what else a reader must know of the file.
    """

    n_windows: int
    phones: tuple[PhoneFigures, ...]
    seconds: dict[str, float]
    changes: dict[str, dict[str, int]]
    latency: Latency | None
    accuracy: Accuracy
    confusion_matrix: tuple[tuple[int, ...], ...]
    losses: Losses | None
    reasons: dict[str, int]
    n_warnings: int
    is_complete: bool
    n_lines: int
    malformed_lines: int
    first_malformed_line: int | None
    notes: tuple[str, ...] = ()
    transitions: dict[str, int] = {}


@dataclass(slots=True)
class _Tally:
    """One phone, or all: what is counted while reading."""

    runs: list[Run] = field(default_factory=list)
    next_s: float | None = None
    answers: Counter[str] = field(default_factory=Counter)
    spans_s: Counter[tuple[str, float]] = field(default_factory=Counter)
    labelled: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    n_changes: int = 0
    n_warnings: int = 0
    gaps: int = 0
    lost_messages: int = 0

    def count(self, line: PredictionLine) -> None:
        self.answers[line.answer] += 1
        self.spans_s[line.answer, line.span_s] += 1
        if line.label is not None:
            self.labelled[line.label, line.activity, line.answer == line.activity] += 1

    def follow(self, line: PredictionLine) -> None:
        goes_on = self.next_s is not None and abs(line.start_s - self.next_s) < JUMP_S
        self.next_s = line.start_s + line.span_s
        last = self.runs[-1] if self.runs else None
        if last and goes_on and (last.answer, last.label) == (line.answer, line.label):
            n_windows, duration_s = last.n_windows + 1, last.duration_s + line.span_s
            self.runs[-1] = Run(last.answer, last.label, last.start_s, self.next_s, n_windows, duration_s)
        else:
            self.runs.append(Run(line.answer, line.label, line.start_s, self.next_s, 1, line.span_s))

    def warn(self, reason: str) -> None:
        self.n_warnings += 1
        self.gaps += reason.startswith("gap: ")
        if lost := _LOST.match(reason):
            self.lost_messages += int(lost[1])

    @property
    def seconds(self) -> dict[str, float]:
        return {
            answer: sum(count * span_s for (each, span_s), count in self.spans_s.items() if each == answer)
            for answer in ANSWERS
            if self.answers[answer]
        }

    def accuracy(self) -> Accuracy:
        labelled = sum(self.labelled.values())
        right = sum(n for (label, activity, _), n in self.labelled.items() if label == activity)
        answered = sum(n for (_, _, is_answer), n in self.labelled.items() if is_answer)
        both = sum(n for (label, activity, is_answer), n in self.labelled.items() if is_answer and label == activity)
        shares = (right / labelled if labelled else None, both / answered if answered else None)
        return Accuracy(labelled, right, answered, both, *shares)


class Figures:
    """Counts a session's lines, in their order.

    Parameters
    ----------
    on_prediction : is given each prediction, too.
    """

    def __init__(self, on_prediction: Callable[[PredictionLine], None] | None = None) -> None:
        self._on_prediction = on_prediction
        self.phones: dict[str, _Tally] = {}
        self.all = _Tally()
        self.changes: Counter[tuple[str, str]] = Counter()
        self.transitions: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.latencies_ms = array("d")
        self.losses: Losses | None = None
        self.is_complete = False
        self.n_lines = self.malformed_lines = 0
        self.first_malformed_line: int | None = None

    def take(self, content: bytes | None) -> None:
        """Count a line, None if it was too long; a malformed one is counted as that."""
        self.n_lines += 1
        line = decode(content)
        if line is None:
            self.malformed_lines += 1
            self.first_malformed_line = self.first_malformed_line or self.n_lines
            return
        self.count(line)

    def count(self, line: Line) -> None:
        """Count a line that is well formed."""
        self.is_complete = isinstance(line, Losses)
        if isinstance(line, PredictionLine):
            phone = self._phone(line.phone)
            if self._on_prediction:
                self._on_prediction(line)
            if line.latency_ms is not None:
                self.latencies_ms.append(line.latency_ms)
            self.all.count(line)
            phone.count(line)
            phone.follow(line)
        elif isinstance(line, EventLine):
            self.changes[line.before, line.after] += 1
            self._phone(line.phone).n_changes += 1
        elif isinstance(line, TransitionLine):
            self.transitions[line.transition] += 1
        elif isinstance(line, WarningLine):
            self._warn(line)
        else:
            self.losses = line if self.losses is None else self.losses.plus(line)

    def _phone(self, name: str) -> _Tally:
        return self.phones.setdefault(name, _Tally())

    def _warn(self, line: WarningLine) -> None:
        self.all.warn(line.reason)
        if line.phone is not None:
            self._phone(line.phone).warn(line.reason)
        reason = line.reason[:LONGEST_REASON]
        if reason in self.reasons or len(self.reasons) < MOST_REASONS:
            self.reasons[reason] += 1

    def report(self, notes: tuple[str, ...] = (), *, is_cut: bool = False) -> SessionReport:
        """All that was counted, with ``notes`` for its reader; ``is_cut``: more had been recorded than was read."""
        changes = {before: {after: self.changes[before, after] for after in ANSWERS} for before in ANSWERS}
        return SessionReport(
            n_windows=self.all.answers.total(),
            phones=tuple(_figures(name, self.phones[name]) for name in sorted(self.phones)),
            seconds=self.all.seconds,
            changes=changes,
            latency=_latency(np.array(self.latencies_ms)) if self.latencies_ms else None,
            accuracy=self.all.accuracy(),
            confusion_matrix=_confusion(self.all),
            losses=self.losses,
            reasons=dict(self.reasons.most_common()),
            n_warnings=self.all.n_warnings,
            is_complete=self.is_complete and not is_cut,
            n_lines=self.n_lines,
            malformed_lines=self.malformed_lines,
            first_malformed_line=self.first_malformed_line,
            notes=notes,
            transitions={name: self.transitions[name] for name in POSTURAL_TRANSITIONS if self.transitions[name]},
        )


def _figures(name: str, tally: _Tally) -> PhoneFigures:
    return PhoneFigures(
        phone=name,
        n_windows=tally.answers.total(),
        runs=tuple(tally.runs),
        seconds=tally.seconds,
        n_changes=tally.n_changes,
        n_warnings=tally.n_warnings,
        gaps=tally.gaps,
        lost_messages=tally.lost_messages,
        accuracy=tally.accuracy(),
    )


def _confusion(tally: _Tally) -> tuple[tuple[int, ...], ...]:
    counts = [[sum(tally.labelled[a, b, told] for told in (True, False)) for b in ACTIVITIES] for a in ACTIVITIES]
    return tuple(tuple(row) for row in counts)


def _latency(values_ms: npt.NDArray[np.float64]) -> Latency:
    p50, p90, p99 = (round(float(value), 3) for value in np.percentile(values_ms, PERCENTILES))
    shown = np.maximum(values_ms, 0.01)
    # Of equal values a bin is made around them.
    edges = np.geomspace(shown.min() * 0.999, shown.max() * 1.001, LATENCY_BINS + 1)
    counts, _ = np.histogram(shown, edges)
    return Latency(p50, p90, p99, tuple(map(float, edges)), tuple(map(int, counts)))


def read_session(stream: BinaryIO, figures: Figures | None = None) -> SessionReport:
    """The figures of a session's JSON lines, read one by one, and counted by ``figures`` if they are given.

    Raises
    ------
    HarError : no line is one that the listener writes.
    OSError : it cannot be read.
    """
    figures = figures or Figures()
    for content in lines_of(stream):
        figures.take(content)
    if figures.malformed_lines == figures.n_lines:
        what = "is empty" if not figures.n_lines else "has no line that a listener writes"
        raise HarError(f"The session {what}; give a file that har-stream listen --output jsonl has written.")
    return figures.report()
