"""What is done to recordings: turns turn, losses lose, units scale, and nothing else happens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from model.bundled import load_recording
from model.distortions import (
    DISTORTIONS,
    Distortion,
    lost,
    lost_in_bursts,
    noisy,
    sampled_at,
    turned,
)
from model.resampling import resample

SAMPLES = load_recording(3).samples
NAMED = {f"{d.group} {d.name}": d for d in DISTORTIONS}

Floats = npt.NDArray[np.float64]


def applied(distortion: Distortion, seed: int = 0, experiment: int = 3) -> Floats:
    return distortion.apply(SAMPLES, seed=seed, experiment=experiment)


def angle_between(before: Floats, after: Floats) -> float:
    """Of the one rotation that takes the vectors ``(n, 3)`` to the others (Kabsch), in degrees."""
    left, _, right = np.linalg.svd(after.T @ before)
    rotation = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
    np.testing.assert_allclose(before @ rotation.T, after, atol=1e-9)
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))


@pytest.mark.parametrize("distortion", DISTORTIONS, ids=list(NAMED))
def test_each_gives_other_samples_the_same_for_a_seed_and_leaves_the_recording_alone(distortion: Distortion) -> None:
    before = SAMPLES.copy()
    once, again = applied(distortion), applied(distortion)
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(SAMPLES, before)
    assert once.shape == SAMPLES.shape
    assert np.isfinite(once).all()
    assert not np.array_equal(once, SAMPLES)


@pytest.mark.parametrize("name", ["turned 30°", "sampled at 77 Hz", "samples lost 10%", "noise 0.03 g, rad/s"])
def test_chance_is_another_for_another_seed_or_recording(name: str) -> None:
    once = applied(NAMED[name])
    assert not np.array_equal(once, applied(NAMED[name], seed=1))
    assert not np.array_equal(once, applied(NAMED[name], experiment=4))


@given(st.floats(1, 179), st.integers(0, 1000))
def test_a_turned_phone_is_turned_by_that_angle_with_both_sensors(angle_deg: float, seed: int) -> None:
    samples = SAMPLES[:200]
    after = turned(angle_deg)(samples, np.random.default_rng(seed))
    both = [np.concatenate([values[:, :3], values[:, 3:]]) for values in (samples, after)]
    assert angle_between(*both) == pytest.approx(angle_deg, abs=1e-4)


def test_degrees_of_one_group_turn_about_the_same_axis() -> None:
    twice = NAMED["turned 45°"].apply(applied(NAMED["turned 45°"]), seed=0, experiment=3)
    np.testing.assert_allclose(twice, applied(NAMED["turned 90°"]), atol=1e-12)


@pytest.mark.parametrize("rate_hz", [25.0, 31.0, 40.0, 77.0, 100.0])
def test_another_rate_keeps_what_it_can_carry_and_loses_the_rest(rate_hz: float) -> None:
    moments = np.arange(2000) / 50
    slow = np.sin(2 * np.pi * 0.5 * moments)
    fast = np.sin(2 * np.pi * (10 if rate_hz > 50 else 20) * moments)
    after = sampled_at(rate_hz)(np.stack([slow, fast] * 3, axis=1), np.random.default_rng(0))[50:-50]
    np.testing.assert_allclose(after[:, 0], slow[50:-50], atol=0.005)
    error = float(np.abs(after[:, 1] - fast[50:-50]).max())
    assert (error < 0.02) if rate_hz > 50 else (error > 0.5)


def test_another_rate_is_brought_back_by_the_listeners_own_resampler() -> None:
    """Bit for bit what the intake makes of a phone that samples so."""
    spline = CubicSpline(np.arange(len(SAMPLES)) / 50, SAMPLES)
    first_s = np.random.default_rng(0).uniform() / 77
    sampled_s = np.arange(first_s, (len(SAMPLES) - 1) / 50, 1 / 77)
    expected = resample(sampled_s, spline(sampled_s), start_s=0.02)
    np.testing.assert_array_equal(sampled_at(77)(SAMPLES, np.random.default_rng(0))[1:][: len(expected)], expected)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_so_many_single_samples_are_lost_and_interpolated_linearly(share: float) -> None:
    noise = np.random.default_rng(1).normal(size=(20_000, 6))
    after = lost(share)(noise, np.random.default_rng(0))
    gone = (after != noise).all(axis=1)
    assert gone.mean() == pytest.approx(share, abs=0.01)
    alone = np.flatnonzero(gone[1:-1] & ~gone[:-2] & ~gone[2:]) + 1
    np.testing.assert_allclose(after[alone], (noise[alone - 1] + noise[alone + 1]) / 2)


@pytest.mark.parametrize(("length_s", "length"), [(0.1, 5), (0.25, 12), (0.5, 25)])
def test_as_many_are_lost_in_bursts(length_s: float, length: int) -> None:
    noise = np.random.default_rng(1).normal(size=(40_000, 6))
    after = lost_in_bursts(length_s)(noise, np.random.default_rng(0))
    gone = np.concatenate([[False], (after != noise).all(axis=1), [False]])
    assert gone.mean() == pytest.approx(0.1, abs=0.02)
    edges = np.flatnonzero(np.diff(gone.astype(int)))
    lengths = (edges[1::2] - edges[::2])[1:-1]
    assert lengths.min() >= length
    assert np.median(lengths) == length


def test_noise_has_its_level() -> None:
    after = noisy(0.03)(SAMPLES, np.random.default_rng(0))
    np.testing.assert_allclose((after - SAMPLES).std(axis=0), 0.03, rtol=0.05)


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("wrong unit m/s² as g", (9.80665, 1)),
        ("wrong unit deg/s as rad/s", (1, 180 / np.pi)),
        ("wrong unit rad/s as deg/s", (1, np.pi / 180)),
        ("sign flipped acceleration", (-1, 1)),
        ("sign flipped gyroscope", (1, -1)),
        ("missing gyroscope", (1, 0)),
        ("acceleration's gain 1.2", (1.2, 1)),
        ("gyroscope's gain 0.8", (1, 0.8)),
    ],
)
def test_units_signs_and_gains_are_factors(name: str, factors: tuple[float, float]) -> None:
    np.testing.assert_allclose(applied(NAMED[name]), SAMPLES * np.repeat(factors, 3))


def test_an_upside_down_phone_is_a_phone_turned_by_180_degrees() -> None:
    after = applied(NAMED["upside down x, y flipped"])
    assert angle_between(SAMPLES[:, :3], after[:, :3]) == pytest.approx(180, abs=1e-4)
    np.testing.assert_array_equal(after[:, [2, 5]], SAMPLES[:, [2, 5]])


def test_without_gravity_no_gravity_is_left() -> None:
    after = applied(NAMED["missing gravity"])
    assert np.linalg.norm(SAMPLES[:, :3].mean(axis=0)) > 0.7
    assert np.linalg.norm(after[:, :3].mean(axis=0)) < 0.02
    np.testing.assert_array_equal(after[:, 3:], SAMPLES[:, 3:])
