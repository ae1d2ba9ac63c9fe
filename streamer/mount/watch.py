"""Tells when a phone seems to be worn as no training subject wore it. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.novelty import CHECKS, THRESHOLD, Novelty
from model.orientation import UP, angle_deg
from model.signals import FloatArray
from streamer.mount.notation import main_axis

PATIENCE = 8
"""Windows in a row, 10 s, whose gravity must point strangely before it is told: people also bend down."""

WALKING_G = 0.12
"""Deviation of the length of the acceleration [g] in a window from which its wearer walks: 99.6 % of the windows of the
training subjects' walking have it, on stairs or level, none of sitting or standing, and 0.15 % of lying."""

UPRIGHT_DEG = 60.0
"""A walker's gravity is no further from :data:`model.orientation.UP`: the training subjects' is at most 40° away.
Without walking, a phone in portrait passes for that of somebody who lies.

How often these choices are right and wrong is measured in docs/benchmarks/mount.md."""

_DIRECTION = CHECKS.index("gravity_direction")


def gravity_of(window: npt.NDArray[np.float32]) -> FloatArray:
    """Mean gravity ``(3,)`` [g] of a window ``(128, 9)``; at rest it points up."""
    gravity: FloatArray = (window[:, 6:] - window[:, :3]).mean(axis=0, dtype=np.float64)
    return gravity


def is_strange(window: npt.NDArray[np.float32], novelty: Novelty | None) -> bool:
    """Whether gravity in a window ``(128, 9)`` points where no training window's does, or a walker's does not.

    ``novelty`` None: the window is known to be like those trained on.
    """
    if angle_deg(gravity_of(window), UP) > UPRIGHT_DEG:
        length = np.linalg.norm(window[:, 6:], axis=1)
        if length.std() >= WALKING_G:
            return True
    return novelty is not None and bool(novelty.check_scores(window[np.newaxis])[0, _DIRECTION] > THRESHOLD)


class MountWatch:
    """Follows one phone's windows; tells once each time that gravity goes where no training window's does and stays."""

    def __init__(self) -> None:
        self.is_strange = False
        self._in_a_row = 0

    def push(
        self, phone: str, window: npt.NDArray[np.float32], novelty: Novelty | None, rotation: FloatArray | None
    ) -> str | None:
        """Take the next window ``(128, 9)``, turned by ``rotation`` already; give what its owner should know."""
        if not is_strange(window, novelty):
            self._in_a_row, self.is_strange = 0, False
            return None
        self._in_a_row += 1
        if self.is_strange or self._in_a_row < PATIENCE:
            return None
        self.is_strange = True
        gravity = gravity_of(window)
        change = f"if nobody lies, run: har-stream calibrate {phone}"
        if rotation is None:
            change += f", or give --mount up={main_axis(gravity)}"
        return f"{strange_words(gravity, rotation)}; {change}"


def strange_words(gravity: FloatArray, rotation: FloatArray | None) -> str:
    """What is strange about gravity ``(3,)``, measured after a phone was turned by ``rotation``."""
    up = gravity if rotation is None else rotation.T @ gravity
    told = f"the phone's {main_axis(up)} axis points up, {angle_deg(gravity, UP):.0f}° from a standing person's up"
    return f"{told} by its --mount or calibration" if rotation is not None else f"{told} in the training data"
