"""Cross-validation by subject over the 21 training subjects: folds, held-out windows, calibration.

Every choice about the recognition is made from these figures; the test subjects cannot be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model import bundled
from model.activities import ACTIVITIES, TRAIN_SUBJECTS
from model.dataset import check_subjects
from model.recordings import WindowSet, label_at
from model.windows import HOP, WINDOW_LENGTH, cut

Probabilities = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

N_FOLDS = 3
"""Folds of the cross-validation."""


@dataclass(frozen=True)
class Fold:
    """Subjects to train on and subjects held out."""

    train: tuple[int, ...]
    held_out: tuple[int, ...]


def folds() -> tuple[Fold, ...]:
    """The three fixed folds: every third training subject is held out."""
    held_out = [TRAIN_SUBJECTS[first::N_FOLDS] for first in range(N_FOLDS)]
    return tuple(Fold(tuple(s for s in TRAIN_SUBJECTS if s not in out), out) for out in held_out)


def recording_windows(subjects: tuple[int, ...]) -> WindowSet:
    """The windows of whole recordings (hop 64 from the first sample) that lie inside one segment of an activity.

    Raises
    ------
    HarError : a subject is not a training subject.
    """
    check_subjects(subjects)
    windows, labels, owners = [], [], []
    for recording in bundled.load_recordings(subjects):
        for index, window in enumerate(cut(recording.signals())):
            label = label_at(recording.segments, index * HOP, index * HOP + WINDOW_LENGTH)
            if label in ACTIVITIES:
                windows.append(window)
                labels.append(ACTIVITIES.index(label))
                owners.append(recording.subject)
    return WindowSet(np.stack(windows), np.array(labels), np.array(owners))


def six_activities(probabilities: npt.ArrayLike) -> Probabilities:
    """Probabilities ``(n, n_classes)`` to those of the six activities, ``(n, 6)``, given that it is one of them."""
    six = np.asarray(probabilities, np.float64)[:, : len(ACTIVITIES)]
    normalised: Probabilities = six / six.sum(axis=1, keepdims=True)
    return normalised


def soften(probabilities: npt.ArrayLike, temperature: float) -> Probabilities:
    """The probabilities ``(n, n_classes)`` that the same logits give at another temperature."""
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-30)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    softened: Probabilities = powers / powers.sum(axis=1, keepdims=True)
    return softened


def mean_of_members(probabilities: npt.ArrayLike) -> Probabilities:
    """What the mean logits of several networks give: ``(members, n, n_classes)`` to ``(n, n_classes)``."""
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-30)).mean(axis=0)
    return soften(np.exp(logits - logits.max(axis=1, keepdims=True)), 1.0)


def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Share of windows whose likeliest of the six activities is the label."""
    return float(np.mean(probabilities[:, : len(ACTIVITIES)].argmax(axis=1) == labels))


def calibration_error(probabilities: Probabilities, labels: Labels, n_bins: int = 15) -> float:
    """Expected calibration error of the six activities' probabilities, equal bins of confidence (Guo et al. 2017)."""
    six = six_activities(probabilities)
    confidence, right = six.max(axis=1), six.argmax(axis=1) == labels
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = [abs(right[bins == b].sum() - confidence[bins == b].sum()) for b in range(n_bins)]
    return float(sum(gaps) / len(labels))


def best_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """The temperature, to 0.01, with the least negative log-likelihood of the labels (``labels`` of all classes)."""

    def loss(temperature: float) -> float:
        chosen = six_activities(soften(probabilities, temperature))[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    return float(min(np.round(np.arange(0.3, 2.01, 0.01), 2), key=loss))
