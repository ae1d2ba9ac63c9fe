"""What the networks learn from: windows of the training subjects, cut anew from the bundled recordings.

Nothing here can be asked for a test subject: :func:`check_subjects` is the one gate, and all data passes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model import bundled
from model.activities import ACTIVITIES, POSTURAL_TRANSITIONS, TEST_SUBJECTS, TRAIN_SUBJECTS
from model.errors import HarError
from model.recordings import Recording, WindowSet
from model.windows import HOP, WINDOW_LENGTH

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def check_subjects(subjects: tuple[int, ...]) -> None:
    """Let only training subjects pass.

    Raises
    ------
    HarError : a test subject, an unknown one, or none at all.
    """
    forbidden = sorted(set(subjects) & set(TEST_SUBJECTS))
    if forbidden:
        raise HarError(f"Subjects {forbidden} are test subjects and never used for training; leave them out.")
    unknown = sorted(set(subjects) - set(TRAIN_SUBJECTS))
    if unknown or not subjects:
        raise HarError(f"Subjects {unknown} do not exist; training takes one or more of {list(TRAIN_SUBJECTS)}.")


def training_windows(subjects: tuple[int, ...]) -> WindowSet:
    """The official training windows of some training subjects, in the official order.

    Raises
    ------
    HarError : a subject is not a training subject.
    """
    check_subjects(subjects)
    official = bundled.official_windows("train")
    chosen = np.isin(official.subjects, subjects)
    return WindowSet(official.windows[chosen], official.labels[chosen], official.subjects[chosen])


@dataclass(frozen=True)
class Crops:
    """Places that training windows are cut from.

    ``signals`` ``(n_samples, 9)`` float32: the recordings end to end. For each of ``n`` places: ``starts``, the
    window's first sample; ``lows`` and ``highs``, the samples (high excluded) that it may be moved between;
    ``labels``, its index in the classes; ``subjects``. All ``(n,)`` int64.
    """

    signals: Floats
    starts: Integers
    lows: Integers
    highs: Integers
    labels: Integers
    subjects: Integers

    def __len__(self) -> int:
        return len(self.starts)

    def of(self, chosen: Integers) -> Crops:
        """Some of the places, or one several times."""
        columns = (self.starts, self.lows, self.highs, self.labels, self.subjects)
        return Crops(self.signals, *(column[chosen] for column in columns))

    def windows(self) -> Floats:
        """The windows as they lie, ``(n, 128, 9)``."""
        windows: Floats = self.signals[self.starts[:, np.newaxis] + np.arange(WINDOW_LENGTH)]
        return windows


@dataclass(frozen=True)
class _Place:
    """One window: first sample, bounds and class; samples of one recording."""

    start: int
    low: int
    high: int
    label: int


def _activity_places(runs: list[bundled.WindowRun]) -> list[_Place]:
    places = []
    for run in runs:
        stop = run.start + HOP * (run.count - 1) + WINDOW_LENGTH
        places += [_Place(int(start), run.start, stop, run.label) for start in run.starts]
    return places


def _transition_places(recording: Recording) -> list[_Place]:
    """One window around the centre of each postural transition, free to move by a quarter of its length."""
    places, margin = [], WINDOW_LENGTH // 4
    for segment in recording.segments:
        if segment.activity in POSTURAL_TRANSITIONS:
            start = (segment.start + segment.stop - WINDOW_LENGTH) // 2
            low, high = start - margin, start + WINDOW_LENGTH + margin
            if low >= 0 and high <= len(recording.samples):
                places.append(_Place(start, low, high, len(ACTIVITIES)))
    return places


def training_crops(subjects: tuple[int, ...], *, transitions: bool) -> Crops:
    """The official training windows of some training subjects, with the room to move them.

    Parameters
    ----------
    subjects : training subjects.
    transitions : add a window around each postural transition, labelled 6 (the class after the activities).

    Raises
    ------
    HarError : a subject is not a training subject.
    """
    check_subjects(subjects)
    runs = bundled.runs_by_experiment("train")
    signals, rows, offset = [], [], 0
    for recording in bundled.load_recordings(subjects):
        places = _activity_places(runs.get(recording.experiment, []))
        places += _transition_places(recording) if transitions else []
        rows += [(p.start + offset, p.low + offset, p.high + offset, p.label, recording.subject) for p in places]
        signals.append(recording.signals().astype(np.float32))
        offset += len(signals[-1])
    columns = np.array(rows, dtype=np.int64).T
    return Crops(np.concatenate(signals), *columns)
