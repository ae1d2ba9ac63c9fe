"""Many phones: their windows, batched into one call of the classifier. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
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
from streamer.activity_tracker import ActivityTracker, ClassifiedWindow, Prediction
from streamer.intake.report import IntakeReport
from streamer.phone_stream import PhoneStream, ReadyWindow, Taken
from streamer.readings import PhoneMessage
from streamer.wire import WireError


class WindowClassifier(Protocol):
    """What the recognizer needs of a model."""

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


class Clock(Protocol):
    """The clock that arrivals are told by, in seconds."""

    def __call__(self) -> float: ...


def _as_it_is(_phone: str) -> FloatArray | None:
    return None


class _Phone:
    """One phone: its stream of samples, and what its windows add up to."""

    def __init__(
        self, name: str, smoothing: FilterSettings | None, rotation: FloatArray | None, unix_offset_s: float
    ) -> None:
        self.stream = PhoneStream(name, unix_offset_s)
        self.stream.rotation = rotation
        self.tracker = ActivityTracker(smoothing)


class Recognizer:
    """The streams of all phones, and the windows that wait for the next batch.

    Parameters
    ----------
    classifier : the model.
    max_phones : a further phone is refused.
    smoothing : settings of the filter over consecutive windows; None answers by each window alone.
    rotation_of : the turn of each phone's axes into the data set's; None for a phone leaves its as they are.
    unix_offset_s : what makes Unix time of the clock that arrivals are told by, for phones that come.
    """

    def __init__(
        self,
        classifier: WindowClassifier,
        *,
        max_phones: int,
        smoothing: FilterSettings | None = None,
        rotation_of: Callable[[str], FloatArray | None] = _as_it_is,
        unix_offset_s: float = 0.0,
    ) -> None:
        self._classifier = classifier
        self._max_phones = max_phones
        self._smoothing = smoothing
        self._rotation_of = rotation_of
        self.unix_offset_s = unix_offset_s
        self._phones: dict[str, _Phone] = {}
        self._pending: list[ReadyWindow] = []
        self._waiting: set[str] = set()

    def _phone(self, name: str) -> _Phone:
        phone = self._phones.get(name)
        if phone is None:
            if len(self._phones) >= self._max_phones:
                raise WireError(f"there are {self._max_phones} phones already (--max-phones)")
            rotation = self._rotation_of(name)
            phone = self._phones[name] = _Phone(name, self._smoothing, rotation, self.unix_offset_s)
        return phone

    def push(self, message: PhoneMessage, arrived_s: float) -> Taken:
        """Take one message of a phone, its labels first; its windows join the next batch.

        Raises
        ------
        WireError : one phone too many, or readings that cannot be used; they are ignored.
        """
        stream = self._phone(message.phone).stream
        taken = stream.push(message, arrived_s)
        self._pending += taken.windows
        if stream.is_waiting:
            self._waiting.add(message.phone)
        return taken

    def tick(self, now_s: float) -> dict[str, Taken]:
        """What comes by now of messages that were held back for others, of phones that sent nothing after them.

        Only phones that hold something back are looked at. ``now_s`` is on the clock that arrivals are told by.
        """
        taken = {}
        for name in tuple(self._waiting):
            stream = self._phones[name].stream
            taken[name] = stream.release(now_s)
            self._pending += taken[name].windows
            if not stream.is_waiting:
                self._waiting.discard(name)
        return taken

    def remount(self) -> None:
        """Ask for every phone's turn again; a phone whose turn has changed begins a new piece of its stream."""
        for name, phone in self._phones.items():
            self._pending += phone.stream.remount(self._rotation_of(name))

    def stream(self, phone: str) -> PhoneStream | None:
        """The stream of a phone, None if there is none of that name."""
        found = self._phones.get(phone)
        return found.stream if found else None

    def reports(self) -> list[IntakeReport]:
        """What the intake knows of each phone, in order of their first messages."""
        return [phone.stream.report() for phone in self._phones.values()]

    def classify(self, clock: Clock) -> list[Prediction]:
        """Classify all windows that wait, in one batch; a phone's predictions are in its windows' order."""
        windows, self._pending = self._pending, []
        if not windows:
            return []
        classified = self._classified(windows)
        now_s = clock()
        return [p for one_each in _rounds(classified) for p in self._follow(one_each, now_s)]

    def _classified(self, windows: list[ReadyWindow]) -> list[ClassifiedWindow]:
        values = np.stack([window.values for window in windows])
        rows = activities_then_transition(self._classifier.class_probabilities(values), self._classifier.classes)
        novelty = self._classifier.novelty
        if novelty is None:
            return [ClassifiedWindow(window, row) for window, row in zip(windows, rows, strict=True)]
        scores = novelty.score(values)
        return [
            ClassifiedWindow(window, row, float(score), novelty.reasons(window.values) if score > THRESHOLD else ())
            for window, row, score in zip(windows, rows, scores, strict=True)
        ]

    def _follow(self, one_each: list[ClassifiedWindow], now_s: float) -> list[Prediction]:
        """Hand each of these phones its next window."""
        trackers = [self._phones[classified.window.phone].tracker for classified in one_each]
        predictions = [p for t, classified in zip(trackers, one_each, strict=True) for p in t.expect(classified, now_s)]
        rows = np.stack([_evidence(classified) for classified in one_each])
        filters = [tracker.filter for tracker in trackers if tracker.filter]
        answers = push_together(filters, rows) if filters else [Smoothed(_alone(row), 0) for row in rows]
        return predictions + [p for t, answer in zip(trackers, answers, strict=True) for p in t.take(answer, now_s)]

    def finish(self, clock: Clock) -> list[Prediction]:
        """End all streams: the predictions that their last samples and the smoothing's lag still held back."""
        for phone in self._phones.values():
            self._pending += phone.stream.finish()
        last = self.classify(clock)
        return last + [p for phone in self._phones.values() for p in phone.tracker.finish(clock())]


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
