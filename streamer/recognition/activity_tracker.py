"""One phone's windows to its predictions: smoothed over time, with what is not known and what has changed. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from model.activities import ACTIVITIES, TRANSITION
from model.changes import ChangeDetector
from model.decision import SINGLE_WINDOWS, SMOOTHED, decide
from model.smoothing import ActivityFilter, FilterSettings, FloatArray, Smoothed
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
    :meth:`expect` the window, then push :attr:`filter`, then :meth:`take` what it gives.

    Parameters
    ----------
    smoothing : settings of the filter over consecutive windows; None answers by each window alone.
    """

    def __init__(self, smoothing: FilterSettings | None) -> None:
        self.filter = None if smoothing is None else ActivityFilter(smoothing)
        self._decision = SINGLE_WINDOWS if smoothing is None else SMOOTHED
        self._changes = ChangeDetector()
        self._waiting: deque[ClassifiedWindow] = deque()
        self._piece: int | None = None
        self._novel_in_a_row = 0

    def expect(self, classified: ClassifiedWindow, now_s: float) -> list[Prediction]:
        """Take the next window; if a gap precedes it, give the predictions that were still held back."""
        predictions = self.finish(now_s) if classified.window.piece != self._piece else []
        self._piece = classified.window.piece
        self._waiting.append(classified)
        return predictions

    def take(self, smoothed: Smoothed | None, now_s: float) -> list[Prediction]:
        """The prediction that the filter's answer is; none while the filter waits for its lag."""
        return [self._predict(smoothed.probabilities, now_s)] if smoothed else []

    def finish(self, now_s: float) -> list[Prediction]:
        """End the piece of the stream: the predictions that a lag still held back."""
        answers = self.filter.finish() if self.filter else []
        predictions = [self._predict(answer.probabilities, now_s) for answer in answers]
        self._changes.reset()
        self._novel_in_a_row = 0
        return predictions

    def _predict(self, probabilities: FloatArray, now_s: float) -> Prediction:
        classified = self._waiting.popleft()
        window, row = classified.window, classified.row
        decision = decide(
            probabilities,
            settings=self._decision,
            transition=float(row[len(ACTIVITIES) :].sum()),
            novelty=classified.novelty,
        )
        change = self._changes.push(
            decision.answer,
            decision.confidence,
            start_s=window.start_s,
            end_s=window.end_s,
            window_activity=(*ACTIVITIES, TRANSITION)[int(row.argmax())],
        )
        self._novel_in_a_row = self._novel_in_a_row + 1 if classified.reasons else 0
        return Prediction(
            window=window,
            answer=decision.answer,
            activity=decision.activity,
            confidence=decision.confidence,
            probabilities=probabilities,
            window_activity=ACTIVITIES[int(row[: len(ACTIVITIES)].argmax())],
            latency_ms=1000 * (now_s - window.arrived_s),
            novelty=classified.novelty,
            reasons=classified.reasons if self._novel_in_a_row >= LASTING else (),
            change=change,
            compared=window.values,
        )
