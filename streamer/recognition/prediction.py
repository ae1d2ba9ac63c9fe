"""What is said about a phone's owner, and by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model.changes import ActivityChange
from model.novelty import Novelty
from model.stateful.transitions import PosturalTransition
from streamer.phone_stream import Cut, ReadyWindow

LASTING = 3
"""Times in a row that signals must be unlike any training window before the phone's owner is told why."""

Clock = Callable[[], float]
"""The clock that arrivals are told by, in seconds."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a phone's owner did in one window, or did at the end of a span of the stream.

    ``activity`` is what is told, after smoothing; ``confidence`` its share of ``probabilities`` ``(6,)``, in the
    order of :data:`model.activities.ACTIVITIES`. ``answer`` is the activity, TRANSITION or UNKNOWN
    (:mod:`model.decision`). ``window_activity`` is what the model alone takes the window, or the span's end, for.
    ``novelty`` above 1 means that no training window was like it, and ``reasons`` say why once that has lasted.
    ``change`` is the change of activity that is now certain, if any; ``transitions`` are the postural transitions
    that are now over. ``latency_ms`` counts from the arrival of the message that completed the window.
    ``compared`` is the 128 samples ``(128, 9)`` that novelty was scored of, None where it is an older score.
    """

    window: ReadyWindow
    answer: str
    activity: str
    confidence: float
    probabilities: npt.NDArray[np.floating]
    window_activity: str
    latency_ms: float
    novelty: float = 0.0
    reasons: tuple[str, ...] = ()
    change: ActivityChange | None = None
    transitions: tuple[PosturalTransition, ...] = ()
    compared: npt.NDArray[np.float32] | None = None

    @property
    def phone(self) -> str:
        """The phone that the window is of."""
        return self.window.phone

    @property
    def is_right(self) -> bool | None:
        """Whether the activity is the window's label; None without a label."""
        return None if self.window.label is None else self.activity == self.window.label


class Engine(Protocol):
    """A model at work on the windows of many phones."""

    @property
    def kind(self) -> str:
        """``window`` or ``stream``."""
        ...

    @property
    def cut(self) -> Cut:
        """Which windows it takes."""
        ...

    @property
    def kept(self) -> tuple[str, ...]:
        """The attributes that a later run must know to go on (:mod:`streamer.state`)."""
        ...

    @property
    def identity(self) -> str:
        """Names the model and its settings: what is kept means nothing to another."""
        ...

    @property
    def novelty(self) -> Novelty | None:
        """The model's checks of whether 128 samples are like those that it was trained on, if it has any."""
        ...

    def gather_s(self, n_windows: int) -> float:
        """Seconds from a call for so many windows to the next at least, so that many phones' windows are in one."""
        ...

    def recognise(self, windows: Sequence[ReadyWindow], clock: Clock) -> list[Prediction]:
        """The next windows of any phones, each phone's in order, one or more; its predictions are in that order."""
        ...

    def finish(self, clock: Clock) -> list[Prediction]:
        """End all streams: the predictions that were still held back."""
        ...

    def forget(self, phone: str) -> None:
        """A phone is followed no longer: what is known of it goes."""
        ...
