"""A classifier by rules of thumb: the same answers on every machine and with every model, for recorded renderings."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES, TRANSITION
from model.novelty import CHECKS, THRESHOLD, Novelty

SURE = (0.94, 0.99)
"""Probabilities of the answer: the quieter the window, the higher."""

TURN = 0.35
"""Change of gravity's direction [rad] from a window's first half to its second that makes it a transition."""


class _GravityCheck:
    """Finds windows without gravity."""

    def score(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Novelty of each window."""
        return np.where(np.linalg.norm(_gravity(windows), axis=1) < 0.5, 3 * THRESHOLD, 0.0)

    def check_scores(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Nothing is found by the model's own checks."""
        return np.zeros((len(windows), len(CHECKS)))

    def reasons(self, window: npt.NDArray[np.float32]) -> tuple[str, ...]:
        """As :mod:`model.novelty_words` has it."""
        length = np.linalg.norm(_gravity(window[np.newaxis])[0])
        return (f"gravity measures {length:.2g} g: is the acceleration sent without gravity?",)


class Rules:
    """Lying by gravity's direction, sitting from standing by its tilt, walking by its strength and its steps."""

    classes = (*ACTIVITIES, TRANSITION)

    @property
    def novelty(self) -> Novelty | None:
        """The check of gravity."""
        return cast(Novelty, _GravityCheck())

    def class_probabilities(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """``(n, 128, 9)`` to ``(n, 7)``."""
        strength = np.sqrt((windows[:, :, :3] ** 2).sum(axis=2).mean(axis=1))
        rows = np.zeros((len(windows), len(self.classes)), np.float32)
        for row, window, moves in zip(rows, windows, strength, strict=True):
            sure = SURE[1] - (SURE[1] - SURE[0]) * min(float(moves), 1.0)
            row[:] = (1 - sure) / (len(self.classes) - 1)
            row[self.classes.index(_answer(window, float(moves)))] = sure
        return rows


def _answer(window: npt.NDArray[np.float32], moves: float) -> str:
    halves = [_unit(_gravity(half[np.newaxis])[0]) for half in np.array_split(window, 2)]
    if np.arccos(np.clip(halves[0] @ halves[1], -1, 1)) > TURN:
        return TRANSITION
    if moves > 0.1:
        return "WALKING" if moves < 0.25 else "WALKING_UPSTAIRS" if moves < 0.4 else "WALKING_DOWNSTAIRS"
    gravity = _unit(_gravity(window[np.newaxis])[0])
    if gravity[0] < 0.5:
        return "LAYING"
    return "STANDING" if gravity[0] > 0.95 else "SITTING"


def _gravity(windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean gravity ``(n, 3)`` [g]: total less body acceleration."""
    return np.asarray((windows[:, :, 6:] - windows[:, :, :3]).mean(axis=1), np.float64)


def _unit(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
