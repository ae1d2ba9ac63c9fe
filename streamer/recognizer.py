"""Many phones: their windows, batched into one call of the classifier. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from streamer.continuity import Judgement
from streamer.phone_stream import PhoneStream, ReadyWindow
from streamer.wire import Label, Samples, WireError


class WindowClassifier(Protocol):
    """What the recognizer needs of a model."""

    def probabilities(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """``(n, 128, 9)`` to ``(n, 6)``, in the order of :data:`model.activities.ACTIVITIES`."""
        ...


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a phone's owner did in one window; ``probabilities`` has one value per activity."""

    window: ReadyWindow
    activity: str
    confidence: float
    probabilities: npt.NDArray[np.float32]
    window_activity: str
    latency_ms: float

    @property
    def phone(self) -> str:
        """The phone that the window is of."""
        return self.window.phone

    @property
    def is_right(self) -> bool | None:
        """Whether the activity is the window's label; None without a label."""
        return None if self.window.label is None else self.activity == self.window.label


class Recognizer:
    """The streams of all phones, and the windows that wait for the next batch.

    Parameters
    ----------
    classifier : the model.
    max_phones : a further phone is refused.
    """

    def __init__(self, classifier: WindowClassifier, *, max_phones: int) -> None:
        self._classifier = classifier
        self._max_phones = max_phones
        self._streams: dict[str, PhoneStream] = {}
        self._pending: list[ReadyWindow] = []

    def _stream(self, phone: str) -> PhoneStream:
        stream = self._streams.get(phone)
        if stream is None:
            if len(self._streams) >= self._max_phones:
                raise WireError(f"there are {self._max_phones} phones already (--max-phones)")
            stream = self._streams[phone] = PhoneStream(phone)
        return stream

    def push(self, phone: str, samples: Samples, arrived_s: float) -> Judgement:
        """Take one message of a phone; its windows join the next batch.

        Raises
        ------
        WireError : one phone too many, or samples that are not at 50 Hz; they are ignored.
        """
        judgement, windows = self._stream(phone).push(samples, arrived_s)
        self._pending += windows
        return judgement

    def label(self, phone: str, label: Label) -> None:
        """Take a label of a phone's stream.

        Raises
        ------
        WireError : one phone too many.
        """
        self._stream(phone).labels.add(label)

    def finish(self) -> None:
        """End all streams: the windows that their last samples complete join the next batch."""
        for stream in self._streams.values():
            self._pending += stream.finish()

    def classify(self, clock: Clock) -> list[Prediction]:
        """Classify all windows that wait, in one batch, in the order in which they were completed."""
        windows, self._pending = self._pending, []
        if not windows:
            return []
        probabilities = self._classifier.probabilities(np.stack([window.values for window in windows]))
        now_s = clock()
        return [_predict(window, row, now_s) for window, row in zip(windows, probabilities, strict=True)]


class Clock(Protocol):
    """The clock that arrivals are told by, in seconds."""

    def __call__(self) -> float: ...


def _predict(window: ReadyWindow, probabilities: npt.NDArray[np.float32], now_s: float) -> Prediction:
    best = int(probabilities.argmax())
    activity = ACTIVITIES[best]
    latency_ms = 1000 * (now_s - window.arrived_s)
    return Prediction(window, activity, float(probabilities[best]), probabilities, activity, latency_ms)
