"""How the phone sits on its wearer: the turn from the phone's axes to the data set's. Pure.

The model knows one mount. The data set's phones were worn at the waist, with x up, the screen (z) away from the body,
in front of the left hip: forward lies halfway between y and z, and left between z and -y::

          x up                seen from above, the wearer facing up the page:
          |   z (screen)
          |  /                      forward
          | /                     z   |   y
          |/                       \\  |  /
          +------ y                 \\ | /
                            left -----+----- right

(Measured: when the training subjects lie, mostly on their backs, 40° from y to z points up, in the median; 5° to 63°
for the middle four fifths of the recordings.) A phone in any other pose is turned, in three ways that know more and
more: by axes that its owner names (:func:`from_axes`), by gravity while he or she stands still, which leaves the turn
about the vertical open (:func:`calibrate` with ``standing`` alone: the smallest turn is taken), and by a few steps on
level ground as well. Walkers rise and fall as they speed up and slow down, so the covariance of the horizontal
acceleration with the vertical one some moments before and after is a pattern, :data:`GAIT`, that is the same on all
people but for that turn: the heading is the one turn that fits it best. Forward and backward are never mixed up, as
they are by the principal axis of the horizontal acceleration alone (on which see Deng, Wang, Qiao and Liu, Heading
Estimation for Indoor Pedestrian Navigation Using a Smartphone in the Pocket, Sensors 15(9), 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from model.errors import HarError
from model.signals import SAMPLING_RATE, FloatArray


def _normalised(values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values, np.float64)
    return np.asarray(array / np.linalg.norm(array), np.float64)


UP: FloatArray = _normalised([0.990, -0.141, 0.007])
"""Unit vector that points up while a training subject stands, in the mean over their recordings.

By ``python -m benchmarks.mount fit``, as :data:`GAIT`. It is 8° from one recording's own in the median, 15° in nine of
ten."""

FORWARD: FloatArray = _normalised([0.0, 1.0, 1.0])
"""Unit vector that points forward, nominally."""

_X: FloatArray = np.array([1.0, 0.0, 0.0])

LAGS = range(-24, 25, 6)
"""Samples that the vertical acceleration is moved by against the horizontal one: half a second either way, a step."""

GAIT: FloatArray = _normalised(
    [
        (0.218, 0.000),
        (0.443, -0.046),
        (-0.058, 0.080),
        (-0.518, 0.000),
        (-0.152, -0.105),
        (0.273, -0.001),
        (0.313, 0.024),
        (-0.147, -0.056),
        (-0.486, 0.085),
    ]
)
"""Covariance of the horizontal acceleration, along the two axes of :data:`HORIZONTAL`, with the vertical one moved by
:data:`LAGS`, of walking: the mean over the training subjects' recordings, scaled to length 1. Almost all of it is
forward: who walks speeds up and slows down with every step, but sways sideways only with every second one."""

MIN_STANDING_S = 2.0
"""Standing still for less is refused."""

MIN_WALKING_S = 3.0
"""Walking for less is refused. Over 3 s the heading of one recording differs from its mean by up to 6° in nine of ten
cases, over 5 s by up to 5°."""

STILL_G = 0.1
"""Largest deviation of the acceleration [g] while standing still. The training subjects' standing has at most 0.093 g
over 5 s, their walking at least 0.218 g in 99 of 100 cases."""

STEADY_DEG = 5.0
"""Largest angle between gravity in the first and in the second half of standing; the training subjects' has 3.1° in 99
of 100 cases."""

GRAVITY_G = (0.88, 1.19)
"""What gravity may measure [g], as in :mod:`model.novelty`."""

MIN_LIKENESS = 0.65
"""Least likeness of walking to :data:`GAIT`, of at most 1. The training subjects' walking over 5 s has 0.77 or more in
99 of 100 cases; their ways downstairs, which would be taken for another heading, at most 0.62 in 95 of 100."""


class CalibrationError(HarError):
    """What was measured gives no orientation; ``str(error)`` says why and what to do."""


class Basis(StrEnum):
    """What an orientation is known from."""

    AXES = "named axes"
    GRAVITY = "gravity"
    WALKING = "gravity and walking"


@dataclass(frozen=True, slots=True)
class Calibration:
    """An orientation. ``rotation`` ``(3, 3)`` takes a vector in the phone's axes to the data set's; ``up`` ``(3,)`` is
    the unit vector in the phone's axes that points up. ``likeness`` of the walking to :data:`GAIT`, if there was any.
    """

    rotation: FloatArray
    up: FloatArray
    basis: Basis
    likeness: float | None = None


def _horizontal() -> FloatArray:
    first = _normalised(FORWARD - (FORWARD @ UP) * UP)
    return np.stack([first, np.cross(UP, first)])


HORIZONTAL: FloatArray = _horizontal()
"""Forward and left, ``(2, 3)`` unit vectors across :data:`UP`."""


def turned(samples: npt.ArrayLike, rotation: FloatArray) -> FloatArray:
    """Samples ``(n, 6)``, acceleration and angular velocity, in the axes that ``rotation`` ``(3, 3)`` leads to."""
    values = np.asarray(samples, np.float64)
    return np.concatenate([values[:, :3] @ rotation.T, values[:, 3:] @ rotation.T], axis=1)


def from_axes(up: npt.ArrayLike, forward: npt.ArrayLike | None = None) -> FloatArray:
    """The turn of a phone whose owner says which way it points, ``(3, 3)``.

    Parameters
    ----------
    up : shape ``(3,)``, the direction in the phone's axes that points up (the data set's x).
    forward : the same for forward (:data:`FORWARD`); what of it is not horizontal is left out. None: the smallest
        turn that brings ``up`` there.

    Raises
    ------
    ValueError : a direction is zero, or both are the same line.
    """
    from scipy.spatial.transform import Rotation

    upward, ahead = _unit(up), None if forward is None else _unit(forward)
    if ahead is None:
        return _matrix(Rotation.align_vectors(_X[np.newaxis], upward[np.newaxis])[0])
    if abs(float(upward @ ahead)) > 0.99:
        raise ValueError(f"Parameters {up=} and {forward=} are the same line!")
    towards, known = np.stack([_X, FORWARD]), np.stack([upward, ahead])
    return _matrix(Rotation.align_vectors(towards, known, weights=[np.inf, 1.0])[0])


def calibrate(standing: npt.ArrayLike, walking: npt.ArrayLike | None = None) -> Calibration:
    """The orientation of a phone whose wearer stood still and, if he or she did, then walked on level ground.

    Parameters
    ----------
    standing : shape ``(n, 3)``, total acceleration [g] at 50 Hz, of :data:`MIN_STANDING_S` or more.
    walking : the same of :data:`MIN_WALKING_S` or more, the phone worn as before.

    Raises
    ------
    CalibrationError : too little, not still, gravity is not 1 g, or this was not walking.
    """
    up = upward(standing)
    level = _smallest_turn(up)
    if walking is None:
        return Calibration(level, up, Basis.GRAVITY)
    about, likeness = heading(np.asarray(walking, np.float64) @ level.T)
    return Calibration(about @ level, up, Basis.WALKING, likeness)


def upward(standing: npt.ArrayLike) -> FloatArray:
    """The unit vector that points up, ``(3,)``, from total acceleration ``(n, 3)`` [g] of standing still.

    Raises
    ------
    CalibrationError : too few samples, not still, or gravity is not 1 g.
    """
    acceleration = np.asarray(standing, np.float64)
    if len(acceleration) < MIN_STANDING_S * SAMPLING_RATE:
        raise CalibrationError(f"There are only {_seconds(acceleration)} of standing; stand for {MIN_STANDING_S:g} s.")
    gravity: FloatArray = acceleration.mean(axis=0)
    _check_gravity(float(np.linalg.norm(gravity)))
    moved_g = _moved_g(acceleration)
    if moved_g > STILL_G:
        raise CalibrationError(f"The phone moved (by {moved_g:.2f} g; still is {STILL_G:g} g); stand still, once more.")
    first, second = np.array_split(acceleration, 2)
    tilted_deg = angle_deg(first.mean(axis=0), second.mean(axis=0))
    if tilted_deg > STEADY_DEG:
        raise CalibrationError(f"The phone was tilted by {tilted_deg:.0f}° meanwhile; stand still, once more.")
    return _unit(gravity)


def _check_gravity(gravity_g: float) -> None:
    low, high = GRAVITY_G
    if low <= gravity_g <= high:
        return
    if gravity_g > high:
        cause = "the acceleration seems to be in m/s²; send g, or say the unit in the messages"
    else:
        cause = "the phone seems to send its acceleration without gravity, or was falling; send it with gravity"
    raise CalibrationError(f"Gravity measures {gravity_g:.2g} g instead of 1: {cause}.")


def heading(walking: npt.ArrayLike) -> tuple[FloatArray, float]:
    """The turn about the vertical, ``(3, 3)``, that makes walking most like the training subjects', and the likeness.

    Parameters
    ----------
    walking : shape ``(n, 3)``, total acceleration [g], turned already so that :data:`UP` points up.

    Raises
    ------
    CalibrationError : too few samples, or too unlike walking.
    """
    from scipy.spatial.transform import Rotation

    acceleration = np.asarray(walking, np.float64)
    if len(acceleration) < MIN_WALKING_S * SAMPLING_RATE:
        raise CalibrationError(f"There are only {_seconds(acceleration)} of walking; walk for {MIN_WALKING_S:g} s.")
    pattern = gait(acceleration)
    # R(a) of each row of the pattern against GAIT's row: cos(a) * along + sin(a) * across, greatest at this angle.
    along = float((pattern * GAIT).sum())
    across = float((pattern[:, 0] * GAIT[:, 1] - pattern[:, 1] * GAIT[:, 0]).sum())
    likeness = float(np.hypot(along, across))
    if _moved_g(acceleration) <= STILL_G or likeness < MIN_LIKENESS:
        raise CalibrationError(
            f"These were not enough steps on level ground (likeness to walking {likeness:.2f} of 1, at least "
            f"{MIN_LIKENESS:g} is needed); walk straight on at your usual pace, once more."
        )
    return _matrix(Rotation.from_rotvec(np.arctan2(across, along) * UP)), likeness


def gait(walking: FloatArray) -> FloatArray:
    """What :data:`GAIT` is the mean of, scaled to length 1, ``(9, 2)``, from total acceleration ``(n, 3)``, turned."""
    from scipy.signal import detrend

    body_acc = detrend(walking, axis=0)  # the chain's filter of gravity would take seconds to settle
    vertical, horizontal = body_acc @ UP, body_acc @ HORIZONTAL.T
    pattern = np.stack([_covariance(horizontal, vertical, lag) for lag in LAGS])
    return np.asarray(pattern / max(float(np.linalg.norm(pattern)), 1e-12), np.float64)


def _covariance(horizontal: FloatArray, vertical: FloatArray, lag: int) -> FloatArray:
    """Sum over t of ``horizontal[t] * vertical[t + lag]``, ``(2,)``."""
    n_samples = len(vertical)
    now = horizontal[max(-lag, 0) : n_samples - max(lag, 0)]
    product: FloatArray = now.T @ vertical[max(lag, 0) : n_samples - max(-lag, 0)]
    return product


def _moved_g(acceleration: FloatArray) -> float:
    """Deviation of the acceleration ``(n, 3)`` from its mean, root mean square of the length."""
    return float(np.sqrt(acceleration.var(axis=0).sum()))


def angle_deg(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Between two vectors ``(3,)``, in degrees."""
    return float(np.degrees(np.arccos(np.clip(_unit(first) @ _unit(second), -1.0, 1.0))))


def turn_deg(rotation: FloatArray) -> float:
    """How far a turn ``(3, 3)`` turns, 0 to 180 degrees."""
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1.0, 1.0))))


def _smallest_turn(up: FloatArray) -> FloatArray:
    from scipy.spatial.transform import Rotation

    return _matrix(Rotation.align_vectors(UP[np.newaxis], up[np.newaxis])[0])


def _unit(vector: npt.ArrayLike) -> FloatArray:
    values = np.asarray(vector, np.float64)
    length = float(np.linalg.norm(values))
    if values.shape != (3,) or not 0 < length < np.inf:
        raise ValueError(f"Parameter {vector=} is not a direction (3,)!")
    return np.asarray(values / length, np.float64)


def _matrix(rotation: object) -> FloatArray:
    return np.asarray(rotation.as_matrix(), np.float64)  # type: ignore[attr-defined]


def _seconds(samples: FloatArray) -> str:
    return f"{len(samples) / SAMPLING_RATE:.1f} s"
