"""Augmentation: each epoch sees every window moved, turned, stretched and scaled a little, at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.dataset import Crops, Floats, Integers
from model.windows import WINDOW_LENGTH

POSTURES: tuple[int, ...] = tuple(ACTIVITIES.index(name) for name in ("SITTING", "STANDING", "LAYING"))
"""Labels of the activities in which gravity and motion are nearly independent."""


@dataclass(frozen=True)
class Augmentation:
    """How much is done to a window; zero leaves that step out.

    Parameters
    ----------
    shift : largest move of the window's start [samples], inside its segment.
    warp : largest relative change of pace.
    gain : standard deviation of the factors on body acceleration and angular velocity.
    rotation_deg : standard deviation of a turn of all vectors about one random axis [degrees].
    heading_deg : standard deviation of a turn about the vertical (place on the belt) [degrees].
    swap : share of the postures' windows that get the gravity of another window of their class.
    noise : largest standard deviation of added white noise [g, rad/s].
    """

    shift: int = 32
    warp: float = 0.15
    gain: float = 0.1
    rotation_deg: float = 15.0
    heading_deg: float = 0.0
    swap: float = 0.0
    noise: float = 0.003


def augment(crops: Crops, augmentation: Augmentation, rng: np.random.Generator) -> Floats:
    """One augmented window for each place, ``(n, 128, 9)`` float32, in the places' order."""
    windows = _cut(crops, augmentation, rng)
    windows = scale_motion(windows, augmentation.gain, rng)
    if augmentation.swap:
        windows = _swap_gravity(windows, crops.labels, augmentation.swap, rng)
    if augmentation.heading_deg:
        windows = rotate(windows, _headings(windows, augmentation.heading_deg, rng))
    windows = rotate(windows, random_rotations(len(windows), augmentation.rotation_deg, rng))
    return add_noise(windows, augmentation.noise, rng)


def _cut(crops: Crops, augmentation: Augmentation, rng: np.random.Generator) -> Floats:
    """Windows moved and stretched, linearly interpolated; none leaves its segment."""
    n = len(crops)
    room = crops.highs - crops.lows - 1
    pace = 1 + rng.uniform(-augmentation.warp, augmentation.warp, n)
    length = np.minimum((WINDOW_LENGTH - 1) * pace, room)
    centres = crops.starts + (WINDOW_LENGTH - 1) / 2 + rng.uniform(-augmentation.shift, augmentation.shift, n)
    first = np.clip(centres - length / 2, crops.lows, crops.highs - 1 - length)
    at = first[:, np.newaxis] + length[:, np.newaxis] * np.linspace(0, 1, WINDOW_LENGTH)
    before = np.minimum(at.astype(np.int64), crops.highs[:, np.newaxis] - 2)
    weight = (at - before).astype(np.float32)[..., np.newaxis]
    windows: Floats = (1 - weight) * crops.signals[before] + weight * crops.signals[before + 1]
    return windows


def scale_motion(windows: Floats, sigma: float, rng: np.random.Generator) -> Floats:
    """Scale the motion, not gravity: total acceleration changes with the body acceleration in it."""
    factors = rng.normal(1, sigma, (len(windows), 1, 2)).astype(np.float32)
    body = windows[..., 0:3] * factors[..., 0:1]
    gyro = windows[..., 3:6] * factors[..., 1:2]
    return np.concatenate([body, gyro, windows[..., 6:9] - windows[..., 0:3] + body], axis=-1)


def _swap_gravity(windows: Floats, labels: Integers, share: float, rng: np.random.Generator) -> Floats:
    """Give windows of a posture another one's gravity: how a person trembles says nothing of how the phone hangs."""
    gravity = windows[..., 6:9] - windows[..., 0:3]
    source = np.arange(len(windows))
    for posture in POSTURES:
        members = np.flatnonzero(labels == posture)
        source[members] = rng.permutation(members)
    kept = rng.random(len(windows)) >= share
    source[kept] = np.flatnonzero(kept)
    total = gravity[source] + windows[..., 0:3]
    return np.concatenate([windows[..., :6], total], axis=-1)


def random_rotations(n: int, sigma_deg: float | npt.NDArray[np.float64], rng: np.random.Generator) -> Floats:
    """``(n, 3, 3)`` rotations about uniformly random axes by normally distributed angles (Rodrigues' formula)."""
    axes = rng.normal(size=(n, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angles = np.deg2rad(rng.normal(0, sigma_deg, n))
    return rotation_matrices(axes, angles)


def _headings(windows: Floats, sigma_deg: float, rng: np.random.Generator) -> Floats:
    """``(n, 3, 3)`` rotations about each window's mean total acceleration."""
    vertical = windows[..., 6:9].mean(axis=1).astype(np.float64)
    vertical /= np.maximum(np.linalg.norm(vertical, axis=1, keepdims=True), 1e-9)
    return rotation_matrices(vertical, np.deg2rad(rng.normal(0, sigma_deg, len(windows))))


def rotation_matrices(axes: npt.NDArray[np.float64], angles: npt.NDArray[np.float64]) -> Floats:
    """Rodrigues' formula: unit axes ``(n, 3)`` and angles ``(n,)`` [rad] to ``(n, 3, 3)`` float32."""
    cross = np.zeros((len(axes), 3, 3))
    cross[:, [2, 0, 1], [1, 2, 0]] = axes
    cross -= cross.transpose(0, 2, 1)
    sine, cosine = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return (np.eye(3) + sine * cross + (1 - cosine) * (cross @ cross)).astype(np.float32)


def rotate(windows: Floats, rotations: Floats) -> Floats:
    """Turn the phone: the same ``(n, 3, 3)`` rotation for the three vectors of each ``(n, 128, 9)`` window."""
    n, length, _ = windows.shape
    vectors = windows.reshape(n, length * 3, 3)
    return (vectors @ rotations.transpose(0, 2, 1)).reshape(n, length, 9)


def add_noise(windows: Floats, largest: float, rng: np.random.Generator) -> Floats:
    """White noise of a random level for each window; both acceleration triples get the same."""
    level = rng.uniform(0, largest, (len(windows), 1, 1)).astype(np.float32)
    noise = level * rng.standard_normal((*windows.shape[:2], 6), dtype=np.float32)
    noisy: Floats = windows + np.concatenate([noise, noise[..., :3]], axis=-1)
    return noisy
