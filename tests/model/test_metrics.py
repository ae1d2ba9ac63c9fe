"""The figures, against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.activities import ACTIVITIES
from model.metrics import accuracy, calibration_error, confusion_matrix, macro_f1, recall, reliability, score

TRUTH = [0, 0, 0, 0, 1, 1, 1, 2]
PREDICTED = [0, 0, 0, 1, 1, 2, 1, 0]
MATRIX = [[3, 1, 0], [0, 2, 1], [1, 0, 0]]

labelled = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1)


def test_accuracy() -> None:
    assert accuracy(TRUTH, PREDICTED) == 5 / 8


def test_confusion_matrix_has_truth_in_its_rows() -> None:
    assert confusion_matrix(TRUTH, PREDICTED, 3).tolist() == MATRIX


def test_recall() -> None:
    assert recall(MATRIX).tolist() == [3 / 4, 2 / 3, 0.0]


def test_macro_f1() -> None:
    # TP 3, FP 1, FN 1; TP 2, FP 1, FN 1; TP 0, FP 1, FN 1
    assert macro_f1(MATRIX) == pytest.approx((6 / 8 + 4 / 6 + 0) / 3)


def test_a_class_that_never_occurred_has_no_recall_and_no_f1() -> None:
    matrix = [[2, 0, 1], [0, 0, 0], [0, 0, 1]]
    assert np.isnan(recall(matrix)).tolist() == [False, True, False]
    assert macro_f1(matrix) == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_a_class_that_was_only_predicted_counts_in_f1() -> None:
    assert macro_f1([[1, 1], [0, 0]]) == pytest.approx((2 / 3 + 0) / 2)


def test_calibration_error_is_the_weighted_gap_of_the_bins() -> None:
    # Ten bins: three windows in (0.6, 0.7] of which one is right, one in (0.9, 1.0] that is right.
    probabilities = [[0.65, 0.35], [0.65, 0.35], [0.32, 0.68], [0.96, 0.04]]
    labels = [0, 1, 0, 0]
    gap_low = abs((0.65 + 0.65 + 0.68) / 3 - 1 / 3)
    assert calibration_error(labels, probabilities, n_bins=10) == pytest.approx(3 / 4 * gap_low + 1 / 4 * 0.04)


def test_sure_and_right_is_calibrated_and_sure_and_wrong_is_not() -> None:
    assert calibration_error([0, 1], np.eye(2)) == 0.0
    assert calibration_error([1, 0], np.eye(2)) == 1.0


@given(labelled)
def test_the_figures_agree_with_each_other(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = map(list, zip(*pairs, strict=True))
    matrix = confusion_matrix(truth, predicted, 6)
    assert matrix.sum() == len(pairs)
    assert accuracy(truth, predicted) == pytest.approx(np.trace(matrix) / len(pairs))
    shares = np.nan_to_num(recall(matrix))
    assert shares @ matrix.sum(axis=1) / len(pairs) == pytest.approx(accuracy(truth, predicted))
    assert 0 <= macro_f1(matrix) <= 1


@pytest.mark.parametrize(("truth", "predicted"), [([], []), ([0, 1], [0]), ([[0]], [[0]])])
def test_no_windows_or_other_shapes_are_refused(truth: list[int], predicted: list[int]) -> None:
    with pytest.raises(ValueError, match="Shapes"):
        accuracy(truth, predicted)


@pytest.mark.parametrize("outside", [-1, 3])
def test_an_unknown_class_is_refused(outside: int) -> None:
    with pytest.raises(ValueError, match="not within"):
        confusion_matrix([0, outside], [0, 0], 3)


def test_score_names_the_activities_and_the_subjects() -> None:
    labels, predictions = np.array([0, 0, 3, 5]), [0, 1, 3, 5]
    scores = score(labels, np.eye(6)[predictions], np.array([2, 2, 2, 24]))
    assert scores.n_windows == 4
    assert scores.accuracy == 0.75
    assert scores.recall == dict(zip(ACTIVITIES, [0.5, None, None, 1.0, None, 1.0], strict=True))
    assert scores.confusion_matrix[0] == [1, 1, 0, 0, 0, 0]
    assert math.isclose(scores.calibration_error, 0.25)
    assert scores.subjects == {"2": 2 / 3, "24": 1.0}


def test_reliability_says_how_often_the_model_is_right_by_how_sure_it_is() -> None:
    # Ten bins: 0.95 right and 0.92 wrong in (0.9, 1], exactly 0.6 right in (0.5, 0.6].
    probabilities = [[0.95, 0.05], [0.92, 0.08], [0.4, 0.6]]
    low, high = reliability([0, 1, 1], probabilities, 10)
    assert (low.low, low.high, low.n_windows, low.confidence, low.accuracy) == (0.5, 0.6, 1, 0.6, 1.0)
    assert (high.low, high.high, high.n_windows, high.accuracy) == (0.9, 1.0, 2, 0.5)
    assert high.confidence == pytest.approx((0.95 + 0.92) / 2)
    gaps = 1 * (1 - 0.6) + 2 * ((0.95 + 0.92) / 2 - 0.5)
    assert calibration_error([0, 1, 1], probabilities, 10) == pytest.approx(gaps / 3)
