"""The steps of a calibration: which stretch of a phone's stream is taken for standing, and which for walking. Pure.

Windows overlap by half; laid end to end they are the phone's acceleration without a gap (:class:`Stretch`). A step
takes the last seconds of it and is done as soon as they are good.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from model.orientation import Calibration, CalibrationError, calibrate, upward
from model.signals import SAMPLING_RATE, FloatArray
from model.windows import HOP
from streamer.phone_stream import ReadyWindow

STANDING_S = 5.0
"""Standing that is measured, in seconds."""

WALKING_S = 6.0
"""Walking that is measured, in seconds: ten steps."""

_TOTAL_ACC = slice(6, 9)


class Stretch:
    """The total acceleration [g] of one phone, as far back as ``longest_s`` seconds; begins anew after a gap."""

    def __init__(self, longest_s: float) -> None:
        self._longest = round(longest_s * SAMPLING_RATE)
        self._piece: int | None = None
        self._samples: FloatArray = np.empty((0, 3))

    def push(self, window: ReadyWindow) -> None:
        """Take the next window: what of it is new."""
        if window.piece != self._piece:
            self.clear()
            self._piece = window.piece
        new = np.asarray(window.values[-HOP:, _TOTAL_ACC], np.float64)
        self._samples = np.concatenate([self._samples, new])[-self._longest :]

    def clear(self) -> None:
        """Forget what has come."""
        self._samples = np.empty((0, 3))

    def last(self, seconds: float) -> FloatArray | None:
        """The last so many seconds, ``(n, 3)``; None while there are fewer."""
        count = round(seconds * SAMPLING_RATE)
        return self._samples[-count:] if len(self._samples) >= count else None


class Step(Enum):
    """What the wearer is to do."""

    STAND = "stand"
    WALK = "walk"
    DONE = "done"


class Guide:
    """Follows the wearer through a calibration.

    ``calibration`` is there at :attr:`Step.DONE`; ``complaint`` is why the last stretch was not taken, if it was not.

    Parameters
    ----------
    walk : whether walking follows, for the heading.
    """

    def __init__(self, *, walk: bool) -> None:
        self.step = Step.STAND
        self.complaint: str | None = None
        self.calibration: Calibration | None = None
        self._walk = walk
        self._stretch = Stretch(max(STANDING_S, WALKING_S))
        self._standing: FloatArray = np.empty((0, 3))

    def restart(self) -> None:
        """Forget what has come of the present step, as the wearer only now begins."""
        self._stretch.clear()

    def push(self, window: ReadyWindow) -> Step:
        """Take the next window of the phone, not turned; give the step that follows."""
        self._stretch.push(window)
        try:
            if self.step is Step.STAND:
                self._stand()
            elif self.step is Step.WALK:
                self._measure(self._stretch.last(WALKING_S))
        except CalibrationError as error:
            self.complaint = str(error)
        return self.step

    def _stand(self) -> None:
        standing = self._stretch.last(STANDING_S)
        if standing is None:
            return
        upward(standing)
        self._standing = standing
        self._stretch.clear()
        self.step, self.complaint = Step.WALK, None
        if not self._walk:
            self._finish(calibrate(standing))

    def _measure(self, walking: FloatArray | None) -> None:
        if walking is not None:
            self._finish(calibrate(self._standing, walking))

    def _finish(self, calibration: Calibration) -> None:
        self.calibration, self.complaint, self.step = calibration, None, Step.DONE
