"""One phone's windows to its predictions: smoothed over time, with what is not known and what has changed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.activities import ACTIVITIES, TRANSITION
from model.changes import ChangeDetector
from model.decision import SINGLE_WINDOWS, SMOOTHED, Decision, decisions
from model.smoothing import ActivityFilter, FilterSettings, FloatArray
from streamer.phone_stream import ReadyWindow
from streamer.recognition.prediction import LASTING, Prediction


@dataclass(frozen=True, slots=True)
class ClassifiedWindow:
    """A window, its class probabilities (6 or 7, TRANSITION last), its novelty, and why it is novel if it is."""

    window: ReadyWindow
    row: FloatArray
    novelty: float = 0.0
    reasons: tuple[str, ...] = ()


class ActivityTracker:
    """Follows one phone; a gap in its stream starts it anew.

    The filter is pushed from outside, for many phones at once (:func:`model.smoothing.push_together`): first
    :meth:`expect` the window, then push :attr:`filter`, and if it gives something make that :func:`predicted` about
    the :meth:`awaited` window.

    Parameters
    ----------
    smoothing : settings of the filter over consecutive windows; None answers by each window alone.
    """

    def __init__(self, smoothing: FilterSettings | None) -> None:
        self.filter = None if smoothing is None else ActivityFilter(smoothing)
        self.decision = SINGLE_WINDOWS if smoothing is None else SMOOTHED
        self._changes = ChangeDetector()
        self._waiting: list[ClassifiedWindow] = []
        self._piece: int | None = None
        self._novel_in_a_row = 0

    def expect(self, classified: ClassifiedWindow, now_s: float) -> list[Prediction]:
        """Take the next window; if a gap precedes it, give the predictions that were still held back."""
        predictions = self.finish(now_s) if classified.window.piece != self._piece else []
        self._piece = classified.window.piece
        self._waiting.append(classified)
        return predictions

    def awaited(self) -> ClassifiedWindow:
        """The window that the filter's next answer is about; it is taken away."""
        return self._waiting.pop(0)

    def finish(self, now_s: float) -> list[Prediction]:
        """End the piece of the stream: the predictions that a lag still held back."""
        answers = self.filter.finish() if self.filter else []
        predictions = predicted([(self, self.awaited(), answer.probabilities) for answer in answers], now_s)
        self._changes.reset()
        self._novel_in_a_row = 0
        return predictions

    def predict(
        self, classified: ClassifiedWindow, probabilities: FloatArray, decision: Decision, now_s: float
    ) -> Prediction:
        """The prediction about a window: what is told of it, by its (smoothed) probabilities ``(6,)``."""
        window, row = classified.window, classified.row.tolist()
        activities = row[: len(ACTIVITIES)]
        change = self._changes.push(
            decision.answer,
            decision.confidence,
            start_s=window.start_s,
            end_s=window.end_s,
            window_activity=(*ACTIVITIES, TRANSITION)[row.index(max(row))],
        )
        self._novel_in_a_row = self._novel_in_a_row + 1 if classified.reasons else 0
        return Prediction(
            window=window,
            answer=decision.answer,
            activity=decision.activity,
            confidence=decision.confidence,
            probabilities=probabilities,
            window_activity=ACTIVITIES[activities.index(max(activities))],
            latency_ms=1000 * (now_s - window.arrived_s),
            novelty=classified.novelty,
            reasons=classified.reasons if self._novel_in_a_row >= LASTING else (),
            change=change,
            compared=window.values,
        )


def predicted(told: Sequence[tuple[ActivityTracker, ClassifiedWindow, FloatArray]], now_s: float) -> list[Prediction]:
    """The predictions about windows, by their (smoothed) probabilities ``(6,)``; one phone's are in order."""
    if not told:
        return []
    decided = decisions(
        np.stack([probabilities for _, _, probabilities in told]),
        settings=told[0][0].decision,
        transition=[float(classified.row[len(ACTIVITIES) :].sum()) for _, classified, _ in told],
        novelty=[classified.novelty for _, classified, _ in told],
    )
    return [
        tracker.predict(classified, probabilities, decision, now_s)
        for (tracker, classified, probabilities), decision in zip(told, decided, strict=True)
    ]
