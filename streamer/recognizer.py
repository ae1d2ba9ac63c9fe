"""Many phones: their windows, batched into one call of the classifier. Pure."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from model.smoothing import FilterSettings, activities_then_transition
from streamer.activity_tracker import ActivityTracker, Prediction
from streamer.continuity import Judgement
from streamer.phone_stream import PhoneStream, ReadyWindow
from streamer.wire import Label, Samples, WireError


class WindowClassifier(Protocol):
    """What the recognizer needs of a model."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The six activities, and TRANSITION if the model knows it, in the order of the probabilities."""
        ...

    def class_probabilities(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """``(n, 128, 9)`` to ``(n, len(classes))``."""
        ...


class Clock(Protocol):
    """The clock that arrivals are told by, in seconds."""

    def __call__(self) -> float: ...


class _Phone:
    """One phone: its stream of samples, and what its windows add up to."""

    def __init__(self, name: str, smoothing: FilterSettings | None) -> None:
        self.stream = PhoneStream(name)
        self.tracker = ActivityTracker(smoothing)


class Recognizer:
    """The streams of all phones, and the windows that wait for the next batch.

    Parameters
    ----------
    classifier : the model.
    max_phones : a further phone is refused.
    smoothing : settings of the filter over consecutive windows; None answers by each window alone.
    """

    def __init__(
        self, classifier: WindowClassifier, *, max_phones: int, smoothing: FilterSettings | None = None
    ) -> None:
        self._classifier = classifier
        self._max_phones = max_phones
        self._smoothing = smoothing
        self._phones: dict[str, _Phone] = {}
        self._pending: list[ReadyWindow] = []

    def _phone(self, name: str) -> _Phone:
        phone = self._phones.get(name)
        if phone is None:
            if len(self._phones) >= self._max_phones:
                raise WireError(f"there are {self._max_phones} phones already (--max-phones)")
            phone = self._phones[name] = _Phone(name, self._smoothing)
        return phone

    def push(self, phone: str, samples: Samples, arrived_s: float) -> Judgement:
        """Take one message of a phone; its windows join the next batch.

        Raises
        ------
        WireError : one phone too many, or samples that are not at 50 Hz; they are ignored.
        """
        judgement, windows = self._phone(phone).stream.push(samples, arrived_s)
        self._pending += windows
        return judgement

    def label(self, phone: str, label: Label) -> None:
        """Take a label of a phone's stream.

        Raises
        ------
        WireError : one phone too many.
        """
        self._phone(phone).stream.labels.add(label)

    def classify(self, clock: Clock) -> list[Prediction]:
        """Classify all windows that wait, in one batch; the predictions that follow, in the windows' order."""
        windows, self._pending = self._pending, []
        if not windows:
            return []
        probabilities = self._classifier.class_probabilities(np.stack([window.values for window in windows]))
        rows = activities_then_transition(probabilities, self._classifier.classes)
        now_s = clock()
        return [
            prediction
            for window, row in zip(windows, rows, strict=True)
            for prediction in self._phones[window.phone].tracker.push(window, row, now_s)
        ]

    def finish(self, clock: Clock) -> list[Prediction]:
        """End all streams: the predictions that their last samples and the smoothing's lag still held back."""
        for phone in self._phones.values():
            self._pending += phone.stream.finish()
        last = self.classify(clock)
        return last + [p for phone in self._phones.values() for p in phone.tracker.finish(clock())]
