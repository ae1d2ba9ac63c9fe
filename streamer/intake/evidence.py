"""What a phone's readings say about their unit and sign, where its format does not. Pure.

All thresholds come from the 21 training subjects' recordings, cut into 7,952 spans of :data:`SPAN_S`, labelled or not.
There the median |acceleration| lies between 0.745 and 1.181 g, that of the body acceleration alone between 0.004 and
0.816 g; the mean of x over the median |acceleration| is never below -0.66, and in standing and walking hardly ever
below 0.75; the median |angular velocity| never exceeds 2.61 rad/s, and is at least 0.33 rad/s, 19 deg/s, in walking.
"""

from __future__ import annotations

import numpy as np

from model.signals import STANDARD_GRAVITY, FloatArray
from streamer.readings import Sign, Unit

SPAN_S = 2.0
"""Seconds of readings that are judged together."""

GRAVITY_RANGE_G = (0.65, 1.35)
"""Median |acceleration| with gravity, with some room on both sides of what the training subjects show."""

SURE_X = 0.75
"""|mean x| in median |acceleration|s from which the phone is said to be upright or upside down."""

DEGREES_FROM = 7.0
"""Median |angular velocity| from which it is in deg/s: the middle, on a log scale, of 2.61 and 19."""

MOVING_G = 0.13
"""Median |acceleration - its mean| from which somebody walks, in g: the least of walking."""


def length(values: FloatArray) -> float:
    """Median length of vectors ``(n, 3)``."""
    return float(np.median(np.linalg.norm(values, axis=1)))


def acceleration_unit(median: float) -> Unit | None:
    """The unit in which a median |acceleration| is gravity's; None if it is in neither."""
    low, high = GRAVITY_RANGE_G
    if low <= median <= high:
        return Unit.G
    return Unit.METRES_PER_SECOND_SQUARED if low <= median / STANDARD_GRAVITY <= high else None


def worn_sign(values: FloatArray) -> Sign | None:
    """The sign by which a phone worn as in the data set, x up, stands or walks upright; None if it does not.

    ``values`` ``(n, 3)``: acceleration with gravity, in any unit.
    """
    x, size = float(values[:, 0].mean()), length(values)
    if not size or abs(x) < SURE_X * size:
        return None
    return Sign.ANDROID if x > 0 else Sign.IOS


def angular_unit(median: float, *, is_moving: bool) -> Unit | None:
    """The unit of a median |angular velocity|; None while the phone lies too still to tell."""
    if median >= DEGREES_FROM:
        return Unit.DEGREES_PER_SECOND
    return Unit.RADIANS_PER_SECOND if is_moving else None


def is_moving(acceleration_g: FloatArray) -> bool:
    """Whether somebody walks or moves as much, by accelerations ``(n, 3)`` in g."""
    return length(acceleration_g - acceleration_g.mean(axis=0)) >= MOVING_G
