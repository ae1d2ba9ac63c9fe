"""What can be wrong with a phone's samples, done to recordings on purpose: turns, rates, losses, noise, units, signs.

Everything happens to the raw samples, before the signal chain, as it would happen live.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.resampling import resample
from model.signals import SAMPLING_RATE, STANDARD_GRAVITY, FloatArray, low_pass, steady_state

Change = Callable[[FloatArray, np.random.Generator], FloatArray]
"""Raw samples ``(n_samples, 6)`` in g and rad/s, and a source of chance, to the samples that arrive; same shape."""

BURST_SHARE = 0.1
"""Share of the samples that are lost in bursts."""


@dataclass(frozen=True)
class Distortion:
    """One thing that is wrong.

    Those of one ``group`` differ in degree alone: chance (an axis, a phase) falls alike for all of them.
    """

    group: str
    name: str
    change: Change

    def apply(self, samples: FloatArray, *, seed: int, experiment: int) -> FloatArray:
        """The samples ``(n_samples, 6)`` of a recording as they arrive; the same for the same seed."""
        rng = np.random.default_rng([seed, experiment, zlib.crc32(self.group.encode())])
        return self.change(samples, rng)


def turned(angle_deg: float) -> Change:
    """The phone worn turned by this angle about a random axis: one turn of both sensors for the whole recording."""

    def change(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
        axis = rng.normal(size=3)
        turn = rotation(axis / np.linalg.norm(axis), np.deg2rad(angle_deg))
        return np.concatenate([samples[:, :3] @ turn.T, samples[:, 3:] @ turn.T], axis=1)

    return change


def rotation(axis: FloatArray, angle: float) -> FloatArray:
    """Rodrigues' formula: a unit axis ``(3,)`` and an angle [rad] to ``(3, 3)``."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turn: FloatArray = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return turn


def sampled_at(rate_hz: float) -> Change:
    """A phone that samples at another rate, at a random phase, brought back to 50 Hz as a listener does.

    What it samples is the recording's cubic spline. Nothing is filtered before a lower rate: what is too fast for it
    comes back as something slower, as on a phone that does not filter either. The few samples before the first reading
    and behind the last are theirs.
    """

    def change(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
        from scipy.interpolate import CubicSpline

        moments = np.arange(len(samples)) / SAMPLING_RATE
        first_s = rng.uniform() / rate_hz
        sampled_s = np.arange(first_s, moments[-1], 1 / rate_hz)
        begin = math.ceil(first_s * SAMPLING_RATE)
        made = resample(sampled_s, CubicSpline(moments, samples)(sampled_s), start_s=begin / SAMPLING_RATE)
        return np.pad(made, ((begin, len(samples) - begin - len(made)), (0, 0)), "edge")

    return change


def lost(share: float) -> Change:
    """Single samples lost at random, interpolated linearly."""

    def change(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
        return _across(samples, rng.random(len(samples)) >= share)

    return change


def lost_in_bursts(length_s: float, share: float = BURST_SHARE) -> Change:
    """As many samples in all, but this many seconds of them at once."""

    def change(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
        length = round(length_s * SAMPLING_RATE)
        # Bursts may overlap; with this many a sample survives them all with probability 1 - share.
        count = round(np.log1p(-share) / np.log1p(-min(length / len(samples), 0.5)))
        kept = np.ones(len(samples), bool)
        for start in rng.integers(1 - length, len(samples), count):
            kept[max(start, 0) : start + length] = False
        return _across(samples, kept)

    return change


def _across(samples: FloatArray, kept: npt.NDArray[np.bool_]) -> FloatArray:
    """The samples with those that were not kept on a line between their neighbours, as a listener bridges them."""
    if not kept.any():
        return np.zeros_like(samples)
    moments, known = np.arange(len(samples)), np.flatnonzero(kept)
    return np.stack([np.interp(moments, known, channel) for channel in samples[kept].T], axis=1)


def noisy(level: float) -> Change:
    """White noise of this standard deviation on every channel [g, rad/s]."""

    def change(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
        return samples + level * rng.standard_normal(samples.shape)

    return change


def scaled(acceleration: float = 1.0, angular_velocity: float = 1.0) -> Change:
    """Each sensor's values times a factor: its gain, its unit, its sign, or 0 where it is missing."""
    factors = np.array([acceleration] * 3 + [angular_velocity] * 3)

    def change(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
        scaled_samples: FloatArray = samples * factors
        return scaled_samples

    return change


def without_gravity(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A phone that sends its "linear acceleration": what is left above the low-pass that is gravity."""
    gravity, _ = low_pass("gravity", samples[:, :3].T, steady_state("gravity", samples[0, :3]))
    return np.concatenate([samples[:, :3] - gravity.T, samples[:, 3:]], axis=1)


def upside_down(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The phone worn with its head down, the screen still outwards: x and y point the other way on both sensors."""
    turned_samples: FloatArray = samples * np.array([-1.0, -1.0, 1.0] * 2)
    return turned_samples


def _all() -> tuple[Distortion, ...]:
    group: dict[str, dict[str, Change]] = {
        "turned": {f"{angle}°": turned(angle) for angle in (10, 20, 30, 45, 60, 90, 120, 150, 180)},
        "upside down": {"x, y flipped": upside_down},
        "sampled at": {f"{rate} Hz": sampled_at(rate) for rate in (25, 31, 40, 77, 100)},
        "samples lost": {f"{share:.0%}": lost(share) for share in (0.05, 0.1, 0.2)},
        "10% lost in bursts": {f"{length} s": lost_in_bursts(length) for length in (0.1, 0.25, 0.5)},
        "noise": {f"{level} g, rad/s": noisy(level) for level in (0.01, 0.03, 0.1)},
        "acceleration's gain": {f"{gain}": scaled(gain) for gain in (0.8, 0.9, 1.1, 1.2)},
        "gyroscope's gain": {f"{gain}": scaled(1.0, gain) for gain in (0.8, 0.9, 1.1, 1.2)},
        "wrong unit": {
            "m/s² as g": scaled(STANDARD_GRAVITY),
            "deg/s as rad/s": scaled(1.0, float(np.rad2deg(1))),
            "rad/s as deg/s": scaled(1.0, float(np.deg2rad(1))),
        },
        "sign flipped": {
            "acceleration": scaled(-1.0),
            "gyroscope": scaled(1.0, -1.0),
            "both": scaled(-1.0, -1.0),
        },
        "missing": {"gyroscope": scaled(1.0, 0.0), "gravity": without_gravity},
    }
    return tuple(Distortion(name, degree, change) for name, all_ in group.items() for degree, change in all_.items())


DISTORTIONS: tuple[Distortion, ...] = _all()
"""Everything that the benchmark tries, in groups, each from little to much."""
