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


def are_strange(
    windows: npt.NDArray[np.float32], are_novel: npt.NDArray[np.bool_], novelty: Novelty
) -> npt.NDArray[np.bool_]:
    """Whether gravity in windows ``(n, 128, 9)`` points where no training window's does, or a walker's does not,
    ``(n,)``. ``are_novel`` ``(n,)``: whether they are unlike those trained on in some way.

    Raises
    ------
    ValueError : other shapes.
    """
    gravity = windows.mean(axis=1, dtype=np.float64)
    gravity = gravity[:, 6:] - gravity[:, :3]
    lengths = np.sqrt(np.einsum("nc,nc->n", gravity, gravity))
    is_tilted = gravity @ UP < np.cos(np.radians(UPRIGHT_DEG)) * lengths
    strange = np.zeros(len(windows), bool)
    for number in np.flatnonzero(is_tilted):
        strange[number] = np.linalg.norm(windows[number, :, 6:], axis=1).std() >= WALKING_G
    asked = np.flatnonzero(are_novel & ~strange)
    if len(asked):
        strange[asked] = novelty.check_scores(windows[asked])[:, _DIRECTION] > THRESHOLD
    return strange


class MountWatch:
    """Follows one phone's windows; tells once each time that gravity goes where it is strange, and stays."""

    def __init__(self) -> None:
        self.is_strange = False
        self._in_a_row = 0

    def push(
        self, phone: str, window: npt.NDArray[np.float32], is_strange: bool, rotation: FloatArray | None
    ) -> str | None:
        """Take the next window ``(128, 9)``, turned by ``rotation`` already; give what its owner should know."""
        if not is_strange:
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
