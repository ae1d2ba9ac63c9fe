"""The turn from a phone's axes to the data set's, measured on real recordings of people who stand and walk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from benchmarks.mount import fit, pieces
from model import orientation
from model.activities import TRAIN_SUBJECTS
from model.bundled import load_recordings
from model.orientation import (
    FORWARD,
    GAIT,
    HORIZONTAL,
    STILL_G,
    UP,
    Basis,
    CalibrationError,
    angle_deg,
    calibrate,
    from_axes,
    heading,
    turn_deg,
    turned,
    upward,
)
from model.signals import SAMPLING_RATE, STANDARD_GRAVITY, FloatArray

SUBJECT = 7
"""A training subject with two recordings."""

UNIT = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1)


def a_piece(activity: str, seconds: float, subject: int = SUBJECT) -> FloatArray:
    return next(pieces(load_recordings((subject,))[0], activity, round(seconds * SAMPLING_RATE)))


def random_turn(seed: int) -> FloatArray:
    return np.asarray(Rotation.random(rng=np.random.default_rng(seed)).as_matrix())


def assert_turn(rotation: FloatArray) -> None:
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_the_constants_are_what_the_training_subjects_show() -> None:
    up, gait = fit(TRAIN_SUBJECTS)
    assert up == pytest.approx(UP, abs=6e-4)
    assert gait == pytest.approx(GAIT, abs=2e-3)


def test_the_horizontal_axes_are_a_right_handed_forward_and_left() -> None:
    assert_turn(np.stack([*HORIZONTAL, UP]))
    assert HORIZONTAL[0] @ FORWARD > 0.9


def test_people_who_lie_on_their_back_have_forward_up() -> None:
    """What ties FORWARD to the body: a training subject who lies on the back."""
    lying = a_piece("LAYING", 3.0, 21)
    assert angle_deg(lying.mean(axis=0), FORWARD) < 25


@pytest.mark.parametrize("seed", range(8))
def test_the_turn_of_a_phone_worn_anyhow_is_recovered_whatever_it_was(seed: int) -> None:
    """Standing and walking give the same orientation for any turn of the phone: what is left is the wearer's own."""
    standing, walking, pose = a_piece("STANDING", 5), a_piece("WALKING", 6), random_turn(seed)
    own = calibrate(standing, walking)
    found = calibrate(standing @ pose.T, walking @ pose.T)
    assert_turn(found.rotation)
    assert found.basis is Basis.WALKING
    assert found.likeness == pytest.approx(own.likeness)
    assert turn_deg(found.rotation @ pose @ own.rotation.T) < 1e-3
    assert found.up == pytest.approx(pose @ own.up)


@pytest.mark.parametrize("subject", [1, 5, 14, 26])
def test_a_calibration_never_turns_a_wearer_round(subject: int) -> None:
    """The training subjects wore their phones alike within some 30°: no sign of forward is lost."""
    standing, pose = a_piece("STANDING", 5, subject), random_turn(subject)
    walking = a_piece("WALKING", 5, subject)
    found = calibrate(standing @ pose.T, walking @ pose.T)
    assert turn_deg(found.rotation @ pose) < 45


@pytest.mark.parametrize("seed", range(4))
def test_gravity_alone_brings_the_vertical_back_by_the_smallest_turn(seed: int) -> None:
    standing = a_piece("STANDING", 5) @ random_turn(seed).T
    found = calibrate(standing)
    assert found.basis is Basis.GRAVITY
    assert found.likeness is None
    assert_turn(found.rotation)
    up = standing.mean(axis=0)
    assert angle_deg(found.rotation @ up, UP) < 1e-5
    assert turn_deg(found.rotation) == pytest.approx(angle_deg(up, UP))


def test_a_phone_upside_down_can_be_calibrated_too() -> None:
    standing = np.tile(-UP, (200, 1))
    assert angle_deg(calibrate(standing).rotation @ -UP, UP) < 0.1


def test_the_data_sets_own_axes_are_no_turn() -> None:
    assert from_axes([1, 0, 0], [0, 1, 1]) == pytest.approx(np.eye(3))
    assert from_axes([1, 0, 0]) == pytest.approx(np.eye(3))


def test_a_phone_in_portrait_at_the_left_hip_is_turned_by_its_named_axes() -> None:
    """Screen away from the body, head up: forward is at the left edge of the screen as one looks at it, -x."""
    rotation = from_axes([0, 1, 0], [-1, 0, 0])
    assert rotation @ [0, 1, 0] == pytest.approx([1, 0, 0])
    assert rotation @ [-1, 0, 0] == pytest.approx(FORWARD)
    left = np.cross([1, 0, 0], FORWARD)
    assert rotation @ [0, 0, 1] == pytest.approx(left), "the screen of a phone at the left hip faces left"


@given(UNIT, UNIT)
def test_any_named_axes_give_a_turn_with_up_exact_and_forward_as_near_as_can_be(
    up: tuple[float, ...], forward: tuple[float, ...]
) -> None:
    up_axis, ahead = np.array(up) / np.linalg.norm(up), np.array(forward) / np.linalg.norm(forward)
    if abs(up_axis @ ahead) > 0.99:
        with pytest.raises(ValueError, match="same line"):
            from_axes(up, forward)
        return
    rotation = from_axes(up, forward)
    assert_turn(rotation)
    assert rotation @ up_axis == pytest.approx([1, 0, 0], abs=1e-9)
    horizontal = ahead - (ahead @ up_axis) * up_axis
    assert angle_deg(rotation @ horizontal, FORWARD) < 1e-4


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_turning_keeps_lengths_and_is_undone_by_the_transpose(seed: int) -> None:
    samples, rotation = np.random.default_rng(seed).normal(size=(7, 6)), random_turn(seed)
    there = turned(samples, rotation)
    assert np.linalg.norm(there[:, :3], axis=1) == pytest.approx(np.linalg.norm(samples[:, :3], axis=1))
    assert turned(there, rotation.T) == pytest.approx(samples)


def test_standing_that_is_not_is_refused_with_the_reason() -> None:
    with pytest.raises(CalibrationError, match=r"only 1\.0 s of standing; stand for 2 s"):
        upward(a_piece("STANDING", 1))
    for activity in ("WALKING", "WALKING_DOWNSTAIRS"):
        with pytest.raises(CalibrationError, match=r"moved \(by 0\.\d+ g; still is 0\.1 g\); stand still"):
            upward(a_piece(activity, 5))


def test_standing_while_the_phone_is_tilted_is_refused() -> None:
    standing = a_piece("STANDING", 4)
    angles = np.linspace(0, np.radians(14), len(standing))
    turns = Rotation.from_rotvec(np.outer(angles, [0, 0, 1]))
    tilted = turns.apply(standing)
    with pytest.raises(CalibrationError, match=r"tilted by \d+°"):
        upward(tilted)


def test_gravity_that_is_not_1_g_is_refused_with_its_cause() -> None:
    standing = a_piece("STANDING", 5)
    with pytest.raises(CalibrationError, match=r"Gravity measures 10 g .* m/s²"):
        upward(standing * STANDARD_GRAVITY)
    with pytest.raises(CalibrationError, match=r"Gravity measures 5\.\d+e-17 g|without gravity"):
        upward(standing - standing.mean(axis=0))


@pytest.mark.parametrize("activity", ["STANDING", "SITTING", "WALKING_DOWNSTAIRS"])
def test_what_is_not_walking_gives_no_heading(activity: str) -> None:
    with pytest.raises(CalibrationError, match="walk straight on"):
        heading(a_piece(activity, 5) @ calibrate(a_piece("STANDING", 5)).rotation.T)


def test_too_few_steps_are_refused() -> None:
    with pytest.raises(CalibrationError, match=r"only 2\.0 s of walking; walk for 3 s"):
        calibrate(a_piece("STANDING", 5), a_piece("WALKING", 2))


def test_the_limits_leave_room_for_every_training_subject() -> None:
    """Nobody of them is refused: neither for how they stand nor for how they walk."""
    for recording in load_recordings(TRAIN_SUBJECTS):
        standing = next(pieces(recording, "STANDING", 250))
        walking = next(pieces(recording, "WALKING", 250))
        found = calibrate(standing, walking)
        assert found.likeness is not None and found.likeness > orientation.MIN_LIKENESS + 0.05
        assert np.sqrt(standing.var(axis=0).sum()) < STILL_G
