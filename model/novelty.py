"""Whether a window is like anything that a model was trained on, and what is off where it is not.

A network answers whatever it is shown: a phone worn upside down or acceleration in m/s² gets an activity and a
confidence, too. Five checks of plain physical quantities tell such windows apart. Each measures how far a window
is outside what the training windows show, in units of a limit; a window's score is its worst check's, and above
:data:`THRESHOLD` it is novel.

The limits come from the fit itself: each subject's windows are measured against those of all the others; a limit is
what nine subjects in ten stay within (all but :data:`TAIL` of their windows), with a margin for people unlike any
of them. The limit of gravity's direction is :data:`DIRECTION_LIMIT_DEG`.

What no check can see, and what does no harm: a person who lies with the phone upside down looks like one who lies
on the other side.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from model.errors import ArtefactError
from model.novelty_words import SENSORS, explain
from model.signals import CHANNELS

FloatArray = npt.NDArray[np.float64]

THRESHOLD = 1.0
"""A window with a higher score is novel."""

STRANGE = 2 * THRESHOLD
"""Novelty above which a window is no evidence. Held-out training subjects' windows between the threshold and this (two
subjects who lie otherwise than the rest) are mostly recognised rightly: without them as evidence 98.05 % of the
labelled windows are, with them 98.58 %; beyond it there are none."""

MARGINS: dict[str, float] = {
    "gravity_length": 1.3,
    "gravity_direction": 1.0,
    "acceleration": 1.1,
    "rotation": 1.1,
    "proportion": 1.3,
}
"""The checks, and the factor on each one's limit. Motion's is small: shaking by hand is not far beyond running
downstairs. Chosen, as the limit below, on held-out training subjects (benchmarks/novelty.py)."""

CHECKS: tuple[str, ...] = tuple(MARGINS)
"""The checks' names, in the order of :meth:`Novelty.check_scores`' columns."""

TAIL = 0.005
"""Share of a subject's windows that may lie beyond either end."""

SUBJECTS = 0.9
"""Share of subjects that a limit goes by: one who lay on the other side does not set it."""

LEAST_LIMIT = 0.05
"""No limit is tighter than this, log10 of a ratio: with the margin, gravity may measure 0.88 to 1.19 g. The data set's
phones were all of one make, another's accelerometer may be off by some percent."""

DIRECTION_LIMIT_DEG = 30.0
"""Degrees between a window's gravity and the nearest remembered direction. Fixed, not fitted: the subjects are too
few to say how differently a phone is worn."""

N_DIRECTIONS = 64
"""Directions of gravity that are remembered: they leave no training window further than about 10° away."""

N_OWN_DIRECTIONS = 16
"""Directions that are remembered of a user's own recording besides: one person, one way to wear the phone."""

QUIET = 1e-4
"""Root mean square below which a sensor gives nothing [g, rad/s]: a fiftieth of a lying person's."""


@dataclass(frozen=True)
class _Features:
    """Of n windows: length ``(n,)`` [g] and direction ``(n, 3)`` of the mean gravity, and the log10 of the root mean
    squares of body acceleration [g] and body angular velocity [rad/s], ``(n,)``.
    """

    length: FloatArray
    direction: FloatArray
    acceleration: FloatArray
    rotation: FloatArray

    def of(self, chosen: npt.NDArray[np.bool_]) -> _Features:
        """The features of some of the windows."""
        return _Features(*(getattr(self, field.name)[chosen] for field in fields(self)))


def _features(windows: npt.ArrayLike) -> _Features:
    values = np.asarray(windows)
    if values.ndim != 3 or values.shape[2] != len(CHANNELS):
        raise ValueError(f"Parameter windows has shape {values.shape}, expected (n, 128, {len(CHANNELS)})!")
    means = values.mean(axis=1)
    gravity = np.asarray(means[:, 6:] - means[:, :3], np.float64)
    length = np.linalg.norm(gravity, axis=1)
    direction = gravity / np.maximum(length, 1e-9)[:, np.newaxis]
    return _Features(length, direction, _level(values[:, :, :3]), _level(values[:, :, 3:6]))


def _level(sensor: npt.NDArray[Any]) -> FloatArray:
    """Log10 of the root mean square length of vectors ``(n, samples, 3)``, at least that of :data:`QUIET`."""
    square = np.einsum("ntc,ntc->n", sensor, sensor) / sensor.shape[1]
    return np.asarray(np.log10(np.sqrt(np.maximum(square, QUIET**2))), np.float64)


@dataclass(frozen=True)
class _Normal:
    """What training windows show: the middle of each check's quantity, and the directions of gravity."""

    length: float
    acceleration: float
    rotation: float
    slope: float
    directions: FloatArray

    @classmethod
    def fit(cls, features: _Features) -> _Normal:
        """Middles of the ranges (motion is no bell: people mostly walk or rest) and a regression."""
        acceleration, rotation = _middle(features.acceleration), _middle(features.rotation)
        slope, _ = np.polyfit(features.acceleration, features.rotation, 1)
        length = float(np.median(features.length))
        return cls(length, acceleration, rotation, float(slope), _spread(features.direction, N_DIRECTIONS))

    def deviations(self, features: _Features) -> FloatArray:
        """Signed distance from the middle, ``(n, 5)``, in the order of :data:`CHECKS`: log10 of a ratio, but for
        the direction, whose angle [rad] from the nearest remembered one is positive.
        """
        nearest = (features.direction @ self.directions.T).max(axis=1)
        acceleration = features.acceleration - self.acceleration
        rotation = features.rotation - self.rotation
        return np.stack(
            [
                np.log10(np.maximum(features.length, 1e-3) / self.length),
                np.arccos(np.clip(nearest, -1.0, 1.0)),
                acceleration,
                rotation,
                rotation - self.slope * acceleration,
            ],
            axis=1,
        )


def _middle(values: FloatArray) -> float:
    return float(np.percentile(values, [1, 99]).mean())


def _spread(directions: FloatArray, count: int) -> FloatArray:
    """Unit vectors, ``(count, 3)``, that cover these ``(n, 3)``: each is the furthest from those before it."""
    nearest = directions @ directions.mean(axis=0)
    chosen = []
    for _ in range(count):
        chosen.append(int(nearest.argmin()))
        closeness = directions @ directions[chosen[-1]]
        nearest = closeness if len(chosen) == 1 else np.maximum(nearest, closeness)
    return directions[chosen]


@dataclass(frozen=True)
class Novelty:
    """The checks, fitted: stateless, cheap, a few kilobytes.

    ``limits``: the lowest and highest deviation of each check that is normal, ``(5, 2)``.
    """

    normal: _Normal
    limits: FloatArray

    @classmethod
    def fit(cls, windows: npt.ArrayLike, subjects: npt.ArrayLike) -> Novelty:
        """Learn what is normal.

        Parameters
        ----------
        windows : shape ``(n, 128, 9)``, of training subjects, as :mod:`model.signals` makes them.
        subjects : shape ``(n,)``, whose window each is; two or more subjects.

        Raises
        ------
        ValueError : other shapes, or fewer than two subjects.
        """
        features, owners = _features(windows), np.asarray(subjects)
        if owners.shape != features.length.shape or len(np.unique(owners)) < 2:
            raise ValueError(f"Parameter subjects has shape {owners.shape}, expected one of two or more per window!")
        left_out = [
            _Normal.fit(features.of(owners != subject)).deviations(features.of(owners == subject))
            for subject in np.unique(owners)
        ]
        return cls(_Normal.fit(features), _limits(left_out))

    def check_scores(self, windows: npt.ArrayLike) -> FloatArray:
        """Each check's score, ``(n, 5)``, in the order of :data:`CHECKS`.

        Parameters
        ----------
        windows : shape ``(n, 128, 9)``.

        Raises
        ------
        ValueError : another shape.
        """
        return self._scores(self.normal.deviations(_features(windows)))

    def _scores(self, deviations: FloatArray) -> FloatArray:
        scores: FloatArray = np.maximum(deviations / self.limits[:, 0], deviations / self.limits[:, 1])
        return scores

    def score(self, windows: npt.ArrayLike) -> FloatArray:
        """The worst check's score of each window ``(n, 128, 9)``, ``(n,)``; novel above :data:`THRESHOLD`.

        Raises
        ------
        ValueError : another shape.
        """
        scores: FloatArray = self.check_scores(windows).max(axis=1, initial=0.0)
        return scores

    def reasons(self, window: npt.ArrayLike) -> tuple[str, ...]:
        """What is off with one window ``(128, 9)``, in plain words; causes, not their effects; empty if it is normal.

        Raises
        ------
        ValueError : another shape.
        """
        features = _features(np.asarray(window)[np.newaxis])
        deviations = self.normal.deviations(features)
        scores = self._scores(deviations)[0]
        found = {
            check: float(deviation)
            for check, deviation, score in zip(CHECKS, deviations[0], scores, strict=True)
            if score > THRESHOLD
        }
        silent = [sensor for sensor in SENSORS if getattr(features, sensor)[0] <= np.log10(QUIET)]
        return explain(found, silent=silent, gravity_g=float(features.length[0]))

    def knowing(self, windows: npt.ArrayLike) -> Novelty:
        """The same checks, but gravity may also point as it does in these windows ``(n, 128, 9)``, n at least 1.

        Raises
        ------
        ValueError : another shape.
        """
        more = _spread(_features(windows).direction, N_OWN_DIRECTIONS)
        normal = replace(self.normal, directions=np.concatenate([self.normal.directions, more]))
        return replace(self, normal=normal)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists, for a model card."""
        normal = {field.name: getattr(self.normal, field.name) for field in fields(self.normal)}
        normal["directions"] = np.round(self.normal.directions, 4).tolist()
        return {"normal": normal, "limits": dict(zip(CHECKS, self.limits.tolist(), strict=True))}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Novelty:
        """The inverse of :meth:`to_json`.

        Raises
        ------
        ArtefactError : it is not what :meth:`to_json` gives.
        """
        try:
            plain = dict(content["normal"])
            directions = np.array(plain.pop("directions"), np.float64).reshape(-1, 3)
            limits = np.array([content["limits"][name] for name in CHECKS], np.float64).reshape(len(CHECKS), 2)
            return cls(_Normal(**{name: float(value) for name, value in plain.items()}, directions=directions), limits)
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError(f"The novelty checks in the card are malformed ({error}); train it again.") from error


def _limits(left_out: list[FloatArray]) -> FloatArray:
    """Lowest and highest normal deviation of each check, ``(5, 2)``, from each subject's deviations ``(n, 5)``."""
    lows = np.quantile([np.quantile(each, TAIL, axis=0) for each in left_out], 1 - SUBJECTS, axis=0)
    highs = np.quantile([np.quantile(each, 1 - TAIL, axis=0) for each in left_out], SUBJECTS, axis=0)
    limits: FloatArray = np.stack([np.minimum(lows, -LEAST_LIMIT), np.maximum(highs, LEAST_LIMIT)], axis=1)
    limits *= np.array([*MARGINS.values()])[:, np.newaxis]
    limits[CHECKS.index("gravity_direction")] = -np.pi, np.radians(DIRECTION_LIMIT_DEG)
    return limits
