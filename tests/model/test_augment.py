"""Augmentation: what it changes, and what it must leave alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.augment import Augmentation, augment, random_rotations, rotate, rotation_matrices
from model.dataset import Crops, training_crops, training_windows

NOTHING = Augmentation(shift=0, warp=0.0, gain=0.0, rotation_deg=0.0, noise=0.0)


@pytest.fixture(scope="module")
def crops() -> Crops:
    return training_crops((1,), transitions=True)


def gravity(windows: np.ndarray) -> np.ndarray:
    return np.asarray(windows[..., 6:9] - windows[..., 0:3])


def test_crops_are_the_official_windows_and_the_transitions(crops: Crops) -> None:
    official = training_windows((1,))
    n = len(official.labels)
    activities = crops.labels < 6
    order = np.lexsort(official.windows[:, 0, :].T)
    mine = crops.windows()[activities]
    np.testing.assert_array_equal(mine[np.lexsort(mine[:, 0, :].T)], official.windows[order])
    assert activities.sum() == n
    assert 10 <= (crops.labels == 6).sum() <= 40  # subject 1 stood up, sat and lay down in two sessions


def test_without_any_step_the_windows_stay(crops: Crops) -> None:
    np.testing.assert_allclose(augment(crops, NOTHING, np.random.default_rng(0)), crops.windows(), atol=2e-6)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shift=st.integers(0, 64),
    warp=st.floats(0, 0.5),
    low=st.integers(0, 50),
    before=st.integers(0, 100),
    after=st.integers(0, 100),
)
def test_no_window_leaves_its_segment(seed: int, shift: int, warp: float, low: float, before: int, after: int) -> None:
    start = low + before
    high = start + 128 + after
    ramp = np.repeat(np.arange(high + 50, dtype=np.float32)[:, np.newaxis], 9, axis=1)
    one = np.array([start]), np.array([low]), np.array([high]), np.array([0]), np.array([1])
    moved = augment(Crops(ramp, *one), replace(NOTHING, shift=shift, warp=warp), np.random.default_rng(seed))
    assert low - 1e-3 <= moved.min() and moved.max() <= high - 1 + 1e-3
    steps = np.diff(moved[0, :, 0])
    assert steps.min() > 0 and np.allclose(steps, steps[0], atol=1e-3)
    assert abs(moved[0, :, 0].mean() - (start + 63.5)) <= shift + 64 * warp + 1e-2


def test_the_gain_changes_motion_but_not_gravity(crops: Crops) -> None:
    scaled = augment(crops, replace(NOTHING, gain=0.2), np.random.default_rng(1))
    plain = crops.windows()
    np.testing.assert_allclose(gravity(scaled), gravity(plain), atol=1e-5)
    ratio = np.linalg.norm(scaled[..., 3:6], axis=(1, 2)) / np.linalg.norm(plain[..., 3:6], axis=(1, 2))
    assert 0.15 < ratio.std() < 0.25


def test_a_turned_phone_feels_the_same_strength(crops: Crops) -> None:
    turned = augment(crops, replace(NOTHING, rotation_deg=30.0), np.random.default_rng(2))
    plain = crops.windows()
    for sensor in (slice(0, 3), slice(3, 6), slice(6, 9)):
        before, after = (np.linalg.norm(windows[..., sensor], axis=-1) for windows in (plain, turned))
        np.testing.assert_allclose(after, before, atol=1e-4)
    np.testing.assert_allclose(
        np.linalg.norm(gravity(turned), axis=-1), np.linalg.norm(gravity(plain), axis=-1), atol=1e-4
    )


def test_a_swap_gives_a_posture_the_gravity_of_its_own_class(crops: Crops) -> None:
    swapped, plain = augment(crops, replace(NOTHING, swap=0.5), np.random.default_rng(6)), crops.windows()
    np.testing.assert_allclose(swapped[..., :6], plain[..., :6], atol=1e-6)
    changed = np.abs(gravity(swapped) - gravity(plain)).max(axis=(1, 2)) > 1e-4
    posture = np.isin(crops.labels, (3, 4, 5))
    assert not changed[~posture].any() and 0.4 < changed[posture].mean() < 0.6
    for label in (3, 4, 5):
        own = gravity(plain[crops.labels == label])
        for window in gravity(swapped[changed & (crops.labels == label)])[:5]:
            assert np.abs(own - window).max(axis=(1, 2)).min() < 1e-5


def test_a_new_heading_keeps_the_vertical(crops: Crops) -> None:
    turned = augment(crops, replace(NOTHING, heading_deg=60.0), np.random.default_rng(3))
    before, after = crops.windows()[..., 6:9].mean(axis=1), turned[..., 6:9].mean(axis=1)
    np.testing.assert_allclose(after, before, atol=1e-4)
    assert np.abs(turned - crops.windows()).max() > 0.1


def test_rotations_are_rotations_of_the_asked_size() -> None:
    rotations = random_rotations(2000, 15.0, np.random.default_rng(4)).astype(float)
    np.testing.assert_allclose(rotations @ rotations.transpose(0, 2, 1), np.tile(np.eye(3), (2000, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-5)
    angles = np.degrees(np.arccos(np.clip((np.trace(rotations, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    assert np.sqrt(np.mean(angles**2)) == pytest.approx(15, rel=0.06)


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    quarter = rotation_matrices(np.array([[0.0, 0.0, 1.0]]), np.array([np.pi / 2]))
    windows = np.zeros((1, 128, 9), np.float32)
    windows[..., [0, 3, 6]] = [1.0, 2.0, 3.0]
    np.testing.assert_allclose(rotate(windows, quarter)[0, 0], [0, 1, 0, 0, 2, 0, 0, 3, 0], atol=1e-6)


def test_noise_is_below_its_limit_and_leaves_gravity(crops: Crops) -> None:
    noisy = augment(crops, replace(NOTHING, noise=0.01), np.random.default_rng(5))
    levels = (noisy - crops.windows()).std(axis=(1, 2))
    assert 0.0085 < levels.max() < 0.012
    assert levels.min() < 0.001
    np.testing.assert_allclose(gravity(noisy), gravity(crops.windows()), atol=1e-5)
