"""How well a classifier does: accuracy, macro F1, recall, confusion matrix, calibration.

Labels and predictions are class indices, shape ``(n,)``; a confusion matrix has truth in its rows.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

CALIBRATION_BINS = 15
"""Bins of equal width that the calibration error averages over (Guo et al., ICML 2017, M = 15)."""


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluation over the six activities.

    Activities are named in the data set's order; ``recall`` is None for one that did not occur.
    ``confusion_matrix[truth][prediction]`` counts windows; ``subjects`` gives each subject's accuracy;
    ``calibration_error`` is the expected calibration error.
    """

    n_windows: int
    accuracy: float
    macro_f1: float
    recall: dict[str, float | None]
    confusion_matrix: list[list[int]]
    calibration_error: float
    subjects: dict[str, float]


def _not_empty(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> tuple[IntArray, IntArray]:
    truth, predicted = np.asarray(labels, np.int64), np.asarray(predictions, np.int64)
    if truth.ndim != 1 or truth.shape != predicted.shape or not len(truth):
        raise ValueError(f"Shapes {truth.shape} and {predicted.shape} are not equal, (n,) and n >= 1!")
    return truth, predicted


def accuracy(labels: npt.ArrayLike, predictions: npt.ArrayLike) -> float:
    """Share of predictions that are right.

    Raises
    ------
    ValueError : no window, or shapes that differ.
    """
    truth, predicted = _not_empty(labels, predictions)
    return float(np.mean(truth == predicted))


def confusion_matrix(labels: npt.ArrayLike, predictions: npt.ArrayLike, n_classes: int) -> IntArray:
    """Counts ``(n_classes, n_classes)``: rows truth, columns prediction.

    Raises
    ------
    ValueError : no window, shapes that differ, or a class outside ``0 .. n_classes - 1``.
    """
    truth, predicted = _not_empty(labels, predictions)
    highest, lowest = max(truth.max(), predicted.max()), min(truth.min(), predicted.min())
    if lowest < 0 or highest >= n_classes:
        raise ValueError(f"Classes from {lowest} to {highest} are not within 0 .. {n_classes=} - 1!")
    return np.bincount(truth * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)


def recall(matrix: npt.ArrayLike) -> FloatArray:
    """Each class's share of windows that were recognised, ``(n_classes,)``; NaN for a class that did not occur."""
    counts = np.asarray(matrix, np.float64)
    occurred = counts.sum(axis=1)
    shares = np.full(len(counts), np.nan)
    np.divide(np.diag(counts), occurred, out=shares, where=occurred > 0)
    return shares


def macro_f1(matrix: npt.ArrayLike) -> float:
    """Mean over the classes of F1 = 2 TP / (2 TP + FP + FN).

    Classes that neither occurred nor were predicted are left out, as scikit-learn's ``f1_score`` does.
    """
    counts = np.asarray(matrix, np.float64)
    involved = counts.sum(axis=0) + counts.sum(axis=1)
    return float(np.mean(2 * np.diag(counts)[involved > 0] / involved[involved > 0]))


def calibration_error(labels: npt.ArrayLike, probabilities: npt.ArrayLike, n_bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error: mean gap between confidence and accuracy, weighted over bins of confidence.

    Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, equation 3; bin m
    holds confidences in ((m - 1) / n_bins, m / n_bins].

    Parameters
    ----------
    labels : shape ``(n,)``.
    probabilities : shape ``(n, n_classes)``; the confidence is the largest of a row.
    """
    bins = reliability(labels, probabilities, n_bins)
    n_windows = sum(each.n_windows for each in bins)
    return sum(each.n_windows * abs(each.confidence - each.accuracy) for each in bins) / n_windows


class ReliabilityBin(msgspec.Struct, frozen=True, kw_only=True):
    """The windows whose confidence is in (``low``, ``high``]: how many, how sure on average, and the share right."""

    low: float
    high: float
    n_windows: int
    confidence: float
    accuracy: float


def reliability(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, n_bins: int = CALIBRATION_BINS
) -> list[ReliabilityBin]:
    """How often the model is right, by how sure it is: bins of equal width, those without a window left out.

    Parameters and errors as :func:`calibration_error`, which averages the gaps over these bins.
    """
    shares = np.asarray(probabilities, np.float64)
    truth, predicted = _not_empty(labels, shares.argmax(axis=1))
    confidence = shares.max(axis=1)
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    return [
        ReliabilityBin(
            low=number / n_bins,
            high=(number + 1) / n_bins,
            n_windows=int((bins == number).sum()),
            confidence=float(confidence[bins == number].mean()),
            accuracy=float((truth == predicted)[bins == number].mean()),
        )
        for number in np.unique(bins).tolist()
    ]


def score(labels: IntArray, probabilities: npt.NDArray[np.floating], subjects: IntArray) -> Scores:
    """All figures at once.

    Parameters
    ----------
    labels : shape ``(n,)``, indices into :data:`model.activities.ACTIVITIES`.
    probabilities : shape ``(n, 6)``.
    subjects : shape ``(n,)``, whose window each is.
    """
    predictions = probabilities.argmax(axis=1)
    matrix = confusion_matrix(labels, predictions, len(ACTIVITIES))
    recalls = [None if np.isnan(value) else float(value) for value in recall(matrix)]
    return Scores(
        n_windows=len(labels),
        accuracy=accuracy(labels, predictions),
        macro_f1=macro_f1(matrix),
        recall=dict(zip(ACTIVITIES, recalls, strict=True)),
        confusion_matrix=matrix.tolist(),
        calibration_error=calibration_error(labels, probabilities),
        subjects={
            str(s): accuracy(labels[subjects == s], predictions[subjects == s]) for s in np.unique(subjects).tolist()
        },
    )
