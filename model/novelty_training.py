"""The novelty checks fitted on recordings of training subjects."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from model import bundled
from model.activities import TRAIN_SUBJECTS
from model.dataset import check_subjects
from model.novelty import Novelty
from model.recordings import Recording, label_at
from model.windows import HOP, WINDOW_LENGTH, Windows, cut


def fit_novelty(subjects: tuple[int, ...] = TRAIN_SUBJECTS) -> Novelty:
    """The checks that ship with a model trained on these subjects; seconds.

    Raises
    ------
    HarError : a subject is not a training subject.
    """
    check_subjects(subjects)
    return Novelty.fit(*normal_windows(bundled.load_recordings(subjects)))


def normal_windows(recordings: Iterable[Recording]) -> tuple[Windows, npt.NDArray[np.int64]]:
    """Windows ``(n, 128, 9)`` of whole recordings (hop 64), and their subjects ``(n,)``.

    Those whose middle is labelled, transitions included: between the labelled segments people also handled the
    phone, and what it showed then is nothing to recognise.
    """
    windows, subjects = [], []
    for recording in recordings:
        for index, window in enumerate(cut(recording.signals())):
            middle = index * HOP + WINDOW_LENGTH // 2
            if label_at(recording.segments, middle, middle + 1) is not None:
                windows.append(window)
                subjects.append(recording.subject)
    return np.stack(windows), np.array(subjects, np.int64)
