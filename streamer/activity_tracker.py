"""One phone's windows to its predictions: smoothed over time, with debounced changes of activity. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.changes import ActivityChange, ChangeDetector
from model.smoothing import TRANSITION, ActivityFilter, FilterSettings, FloatArray
from streamer.phone_stream import ReadyWindow


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a phone's owner did in one window.

    ``activity`` is the answer, after smoothing; ``confidence`` its share of ``probabilities`` ``(6,)``, in the order
    of :data:`model.activities.ACTIVITIES`. ``window_activity`` is what the window alone looks like. ``change`` is
    the change of activity that is now certain, if any. ``latency_ms`` counts from the arrival of the message that
    completed the window.
    """

    window: ReadyWindow
    activity: str
    confidence: float
    probabilities: npt.NDArray[np.floating]
    window_activity: str
    latency_ms: float
    change: ActivityChange | None = None

    @property
    def phone(self) -> str:
        """The phone that the window is of."""
        return self.window.phone

    @property
    def is_right(self) -> bool | None:
        """Whether the activity is the window's label; None without a label."""
        return None if self.window.label is None else self.activity == self.window.label


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A window whose answer is not given yet, and its probabilities (6 or 7, TRANSITION last)."""

    window: ReadyWindow
    row: FloatArray


class ActivityTracker:
    """Follows one phone; a gap in its stream starts it anew.

    Parameters
    ----------
    smoothing : settings of the filter over consecutive windows; None answers by each window alone.
    """

    def __init__(self, smoothing: FilterSettings | None) -> None:
        self._filter = None if smoothing is None else ActivityFilter(smoothing)
        self._changes = ChangeDetector()
        self._waiting: deque[_Waiting] = deque()
        self._piece: int | None = None

    def push(self, window: ReadyWindow, row: FloatArray, now_s: float) -> list[Prediction]:
        """Take the next window and its probabilities; give the predictions that are now certain.

        Parameters
        ----------
        row : ``(6,)``, or ``(7,)`` with TRANSITION last.
        now_s : the clock that arrivals are told by.
        """
        predictions = self.finish(now_s) if window.piece != self._piece else []
        self._piece = window.piece
        self._waiting.append(_Waiting(window, row))
        if self._filter is None:
            return [self._predict(_normalised(row[: len(ACTIVITIES)]), now_s)]
        smoothed = self._filter.push(row)
        return predictions + ([self._predict(smoothed.probabilities, now_s)] if smoothed else [])

    def finish(self, now_s: float) -> list[Prediction]:
        """End the piece of the stream: the predictions that a lag still held back."""
        answers = self._filter.finish() if self._filter else []
        predictions = [self._predict(answer.probabilities, now_s) for answer in answers]
        self._changes.reset()
        return predictions

    def _predict(self, probabilities: FloatArray, now_s: float) -> Prediction:
        waiting = self._waiting.popleft()
        window, best = waiting.window, int(probabilities.argmax())
        activity, confidence = ACTIVITIES[best], float(probabilities[best])
        looks_like = (*ACTIVITIES, TRANSITION)[int(waiting.row.argmax())]
        change = self._changes.push(
            activity, confidence, start_s=window.start_s, end_s=window.end_s, window_activity=looks_like
        )
        window_activity = ACTIVITIES[int(waiting.row[: len(ACTIVITIES)].argmax())]
        latency_ms = 1000 * (now_s - window.arrived_s)
        return Prediction(window, activity, confidence, probabilities, window_activity, latency_ms, change)


def _normalised(row: FloatArray) -> FloatArray:
    scaled: FloatArray = row / row.sum()
    return scaled
