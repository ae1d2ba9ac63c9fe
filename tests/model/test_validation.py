"""Cross-validation: folds, held-out windows and calibration figures against independent counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import bundled
from model.activities import ACTIVITIES, TEST_SUBJECTS, TRAIN_SUBJECTS
from model.errors import HarError
from model.validation import (
    accuracy,
    best_temperature,
    calibration_error,
    folds,
    mean_of_members,
    recording_windows,
    six_activities,
    soften,
)


def random_probabilities(n: int, classes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(classes), n)


def test_folds_hold_out_each_training_subject_once_and_no_test_subject() -> None:
    assert sorted(s for fold in folds() for s in fold.held_out) == list(TRAIN_SUBJECTS)
    for fold in folds():
        assert sorted(fold.train + fold.held_out) == list(TRAIN_SUBJECTS)
        assert not set(fold.train + fold.held_out) & set(TEST_SUBJECTS)


@pytest.mark.parametrize("subject", TEST_SUBJECTS)
def test_recordings_of_a_test_subject_are_refused(subject: int) -> None:
    with pytest.raises(HarError, match=rf"\[{subject}\] are test subjects"):
        recording_windows((1, subject))


def test_recording_windows_lie_inside_one_labelled_segment() -> None:
    windows = recording_windows((1,))
    expected = []
    for recording in bundled.load_recordings((1,)):
        signals = recording.signals()
        for start in range(0, len(signals) - 127, 64):
            inside = [s for s in recording.segments if s.start <= start and start + 128 <= s.stop]
            if inside and inside[0].activity in ACTIVITIES:
                expected.append((signals[start : start + 128], ACTIVITIES.index(inside[0].activity)))
    np.testing.assert_array_equal(windows.windows, np.array([w for w, _ in expected], np.float32))
    np.testing.assert_array_equal(windows.labels, [label for _, label in expected])
    assert set(windows.subjects) == {1} and set(windows.labels) == set(range(6))


def test_accuracy_ignores_the_transition_class() -> None:
    probabilities = np.array([[0.2, 0.1, 0, 0, 0, 0, 0.7], [0.1, 0.2, 0, 0, 0, 0, 0.7]])
    assert accuracy(probabilities, np.array([0, 0])) == 0.5


def test_calibration_error_of_a_known_case() -> None:
    probabilities = np.tile([0.9, 0.1, 0, 0, 0, 0], (10, 1))
    labels = np.array([0] * 6 + [1] * 4)
    assert calibration_error(probabilities, labels) == pytest.approx(0.3)


def test_six_activities_is_the_conditional_probability() -> None:
    probabilities = random_probabilities(20, 7)
    expected = probabilities[:, :6] / (1 - probabilities[:, 6:])
    np.testing.assert_allclose(six_activities(probabilities), expected)


@given(st.floats(0.3, 3), st.integers(0, 1000))
def test_softening_undoes_itself_and_keeps_the_order(temperature: float, seed: int) -> None:
    probabilities = random_probabilities(5, 7, seed)
    softened = soften(probabilities, temperature)
    np.testing.assert_array_equal(softened.argmax(axis=1), probabilities.argmax(axis=1))
    np.testing.assert_allclose(soften(softened, 1 / temperature), probabilities, atol=1e-6)


def test_the_temperature_that_made_the_labels_is_found() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (20_000, 6))
    probabilities = soften(np.exp(logits), 1.0)
    truth = soften(probabilities, 0.6)
    labels = (truth.cumsum(axis=1) > rng.random((len(truth), 1))).argmax(axis=1)
    assert best_temperature(probabilities, labels) == pytest.approx(0.6, abs=0.04)
    assert calibration_error(soften(probabilities, 0.6), labels) < 0.01 < calibration_error(probabilities, labels)


def test_equal_members_change_nothing_and_opposite_ones_cancel() -> None:
    probabilities = random_probabilities(8, 6)
    np.testing.assert_allclose(mean_of_members([probabilities, probabilities]), probabilities)
    sure = np.array([[0.9, 0.1]])
    np.testing.assert_allclose(mean_of_members([sure, sure[:, ::-1]]), [[0.5, 0.5]])
