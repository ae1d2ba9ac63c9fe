"""The window model at work: all waiting windows in one call, then each phone's own filter. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.novelty import STRANGE, THRESHOLD, Novelty
from model.smoothing import (
    NO_EVIDENCE,
    FilterSettings,
    FloatArray,
    Smoothed,
    activities_then_transition,
    push_together,
)
from streamer.phone_stream import Cut, ReadyWindow
from streamer.recognition.activity_tracker import ActivityTracker, ClassifiedWindow, predicted
from streamer.recognition.prediction import Clock, Prediction

GATHER_S, ENOUGH = 0.02, 4
"""Seconds from one call to the next: a window of a batch of thirty costs half as much as one alone, and a run of the
filters goes over all phones' messages. Half as long after a call for enough of them: larger ones are little cheaper a
window, and where many phones send it is latency that ends first (docs/benchmarks/one-core.md).
"""


class WindowClassifier(Protocol):
    """What is needed of a model."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The six activities, and TRANSITION if the model knows it, in the order of the probabilities."""
        ...

    @property
    def novelty(self) -> Novelty | None:
        """The model's checks of whether a window is like those that it was trained on, if it has any."""
        ...

    def class_probabilities(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """``(n, 128, 9)`` to ``(n, len(classes))``."""
        ...


class WindowEngine:
    """Each window classified by itself; what it adds up to is each phone's :class:`ActivityTracker`.

    Parameters
    ----------
    classifier : the model.
    smoothing : settings of the filter over consecutive windows; None answers by each window alone.
    identity : names both.
    """

    kind = "window"
    cut = Cut()
    kept = ("_trackers",)

    def __init__(
        self, classifier: WindowClassifier, smoothing: FilterSettings | None = None, identity: str = ""
    ) -> None:
        self.identity = identity
        self.novelty = classifier.novelty
        self._classifier = classifier
        self._smoothing = smoothing
        self._trackers: dict[str, ActivityTracker] = {}

    def recognise(self, windows: Sequence[ReadyWindow], clock: Clock) -> list[Prediction]:
        """Classify them in one batch; a phone's predictions are in its windows' order."""
        classified = self._classified(windows)
        now_s = clock()
        return [p for one_each in _rounds(classified) for p in self._follow(one_each, now_s)]

    def gather_s(self, n_windows: int) -> float:
        """Seconds from a call for so many windows to the next at least."""
        return GATHER_S / 2 if n_windows >= ENOUGH else GATHER_S

    def finish(self, clock: Clock) -> list[Prediction]:
        """The predictions that the smoothing's lag still held back."""
        return [p for tracker in self._trackers.values() for p in tracker.finish(clock())]

    def forget(self, phone: str) -> None:
        """Its tracker goes, with what a lag still held back."""
        self._trackers.pop(phone, None)

    def _tracker(self, phone: str) -> ActivityTracker:
        tracker = self._trackers.get(phone)
        if tracker is None:
            tracker = self._trackers[phone] = ActivityTracker(self._smoothing)
        return tracker

    def _classified(self, windows: Sequence[ReadyWindow]) -> list[ClassifiedWindow]:
        values = np.stack([window.values for window in windows])
        rows = activities_then_transition(self._classifier.class_probabilities(values), self._classifier.classes)
        novelty = self.novelty
        if novelty is None:
            return [ClassifiedWindow(window, row) for window, row in zip(windows, rows, strict=True)]
        scores = novelty.score(values).tolist()
        return [
            ClassifiedWindow(window, row, score, novelty.reasons(window.values) if score > THRESHOLD else ())
            for window, row, score in zip(windows, rows, scores, strict=True)
        ]

    def _follow(self, one_each: list[ClassifiedWindow], now_s: float) -> list[Prediction]:
        """Hand each of these phones its next window."""
        trackers = [self._tracker(classified.window.phone) for classified in one_each]
        predictions = [p for t, classified in zip(trackers, one_each, strict=True) for p in t.expect(classified, now_s)]
        rows = np.stack([_evidence(classified) for classified in one_each])
        filters = [tracker.filter for tracker in trackers if tracker.filter]
        answers = push_together(filters, rows) if filters else [Smoothed(_alone(row), 0) for row in rows]
        told = [(t, t.awaited(), answer.probabilities) for t, answer in zip(trackers, answers, strict=True) if answer]
        return predictions + predicted(told, now_s)


def _rounds(classified: list[ClassifiedWindow]) -> list[list[ClassifiedWindow]]:
    """The first window of each phone, then the second ..., as a filter takes one at a time."""
    rounds: list[list[ClassifiedWindow]] = []
    seen: Counter[str] = Counter()
    for window in classified:
        phone = window.window.phone
        if seen[phone] == len(rounds):
            rounds.append([])
        rounds[seen[phone]].append(window)
        seen[phone] += 1
    return rounds


def _evidence(classified: ClassifiedWindow) -> FloatArray:
    """What a window says to the filter: nothing if it is far from all that the model has seen."""
    return NO_EVIDENCE[: len(classified.row)] if classified.novelty > STRANGE else classified.row


def _alone(row: FloatArray) -> FloatArray:
    activities: FloatArray = row[: len(ACTIVITIES)]
    scaled: FloatArray = activities / activities.sum()
    return scaled
