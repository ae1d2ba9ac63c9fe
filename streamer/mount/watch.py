"""Tells when a phone seems to be worn as no training subject wore it. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.novelty import CHECKS, THRESHOLD, Novelty
from model.orientation import UP, angle_deg
from model.signals import FloatArray
from streamer.mount.notation import main_axis

PATIENCE = 8
"""Windows in a row, 10 s, whose gravity must point strangely before it is told: people also bend down. With checks
fitted on the other training subjects, a phone worn upside down or in portrait is told of in all of their 42 recordings,
and one worn as it should be in two: subject 28 lies on the other side."""

_DIRECTION = CHECKS.index("gravity_direction")


def gravity_of(window: npt.NDArray[np.float32]) -> FloatArray:
    """Mean gravity ``(3,)`` [g] of a window ``(128, 9)``; at rest it points up."""
    gravity: FloatArray = (window[:, 6:] - window[:, :3]).mean(axis=0, dtype=np.float64)
    return gravity


class MountWatch:
    """Follows one phone's windows; tells once each time that gravity goes where no training window's does and stays."""

    def __init__(self) -> None:
        self.is_strange = False
        self._in_a_row = 0

    def push(
        self, phone: str, window: npt.NDArray[np.float32], novelty: Novelty, rotation: FloatArray | None
    ) -> str | None:
        """Take the next window ``(128, 9)``, turned by ``rotation`` already; give what its owner should know."""
        if novelty.check_scores(window[np.newaxis])[0, _DIRECTION] <= THRESHOLD:
            self._in_a_row, self.is_strange = 0, False
            return None
        self._in_a_row += 1
        if self.is_strange or self._in_a_row < PATIENCE:
            return None
        self.is_strange = True
        return strange_words(phone, gravity_of(window), rotation)


def strange_words(phone: str, gravity: FloatArray, rotation: FloatArray | None) -> str:
    """What is strange about gravity ``(3,)``, measured after a phone was turned by ``rotation``, and what to do."""
    up = gravity if rotation is None else rotation.T @ gravity
    axis, off_deg = main_axis(up), angle_deg(gravity, UP)
    told = f"the phone's {axis} axis points up, {off_deg:.0f}° from where a standing person's does"
    if rotation is not None:
        return f"{told} by its --mount or calibration; if nobody lies, run: har-stream calibrate {phone}"
    return f"{told} in the training data; if nobody lies, run: har-stream calibrate {phone}, or give --mount up={axis}"
