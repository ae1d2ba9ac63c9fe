"""The official UCI HAR v1.0 data set (UCI id 240): a folder or zip with ``train/`` and ``test/``, read and written.

A split is nine files of one signal each (``Inertial Signals/body_acc_x_train.txt``, one window of 128 samples a
line), ``y_train.txt`` (activity, 1 to 6) and ``subject_train.txt``, line by line. The 561 features that the
original has beside them (``X_train.txt``) are neither read nor written.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from model.activities import ACTIVITIES
from model.archive import Place, find_folder, read_integers, read_numbers
from model.errors import DataError
from model.recordings import Recording, Segment, WindowSet
from model.signals import CHANNELS, FloatArray, Stage, Start
from model.windows import HOP, WINDOW_LENGTH

SPLITS: tuple[str, ...] = ("train", "test")
"""The folders of the data set."""

MARKERS: tuple[str, ...] = tuple(f"{split}/Inertial Signals" for split in SPLITS)
"""The sub-folders that a UCI HAR v1.0 folder is known by."""

OnProgress = Callable[[int, int], None]
"""Called with the number of files written and their total."""

_STREAM = [CHANNELS.index(f"{name}_{axis}") for name in ("total_acc", "body_gyro") for axis in "xyz"]


def read_uci_har(path: Path, split: str) -> WindowSet:
    """The windows of one split, ``"train"`` or ``"test"``, in the order of the files.

    Raises
    ------
    DataError : a file is missing, truncated or malformed.
    ValueError : any other split.
    """
    if split not in SPLITS:
        raise ValueError(f"Parameter {split=} is not one of {', '.join(SPLITS)}!")
    root = find_folder(path, MARKERS)
    if root is None:
        raise DataError(f"{path} has no folder {MARKERS[0]}; give the folder or zip of UCI HAR v1.0.")
    return read_split(root, split)


def read_split(root: Place, split: str) -> WindowSet:
    """As :func:`read_uci_har`, from the data set's own folder ``root``."""
    folder = root.joinpath(split)
    labels_file, subjects_file = folder.joinpath(f"y_{split}.txt"), folder.joinpath(f"subject_{split}.txt")
    labels, subjects = read_integers(labels_file, 1)[:, 0], read_integers(subjects_file, 1)[:, 0]
    _check_range(labels_file, labels, 1, len(ACTIVITIES), "an activity")
    _check_range(subjects_file, subjects, 1, 999, "a subject")
    _check_rows(subjects_file, len(subjects), labels_file, len(labels))
    windows = np.empty((len(labels), WINDOW_LENGTH, len(CHANNELS)), np.float32)
    for index, channel in enumerate(CHANNELS):
        file = folder.joinpath(f"Inertial Signals/{channel}_{split}.txt")
        values = read_numbers(file, WINDOW_LENGTH)
        _check_rows(file, len(values), labels_file, len(labels))
        windows[:, :, index] = values
    return WindowSet(windows, labels - 1, subjects)


def _check_range(file: Place, numbers: np.ndarray, low: int, high: int, what: str) -> None:
    wrong = np.flatnonzero((numbers < low) | (numbers > high))
    if len(wrong):
        raise DataError(f"{file} has {numbers[wrong[0]]} in row {wrong[0] + 1}, which is not {what} ({low} to {high}).")


def _check_rows(file: Place, n_rows: int, reference: Place, n_expected: int) -> None:
    if n_rows != n_expected:
        raise DataError(f"{file} has {n_rows} rows, but {reference.name} has {n_expected}; one of them is incomplete.")


def stitch(windows: WindowSet) -> list[Recording]:
    """The streams that overlapping windows were cut from, in pieces: one recording each, in the windows' order.

    A window continues a piece when it is of the same subject and activity and its first half is the second half
    of the window before, to the last bit. Samples are total acceleration [g] and body angular velocity [rad/s]
    (past the noise filters: ``stage`` DENOISED); each starts in mid-motion (``start`` STEADY), and has one
    segment, which covers it. ``experiment`` numbers the pieces of a subject from 1.
    """
    counts: Counter[int] = Counter()
    recordings = []
    for first, stop in pieces(windows):
        subject, activity = int(windows.subjects[first]), ACTIVITIES[windows.labels[first]]
        samples = _join(windows.windows[first:stop][:, :, _STREAM])
        counts[subject] += 1
        segments = (Segment(activity, 0, len(samples)),)
        recordings.append(Recording(counts[subject], subject, samples, segments, Stage.DENOISED, Start.STEADY))
    return recordings


def pieces(windows: WindowSet) -> Iterator[tuple[int, int]]:
    """First row and last row plus one of every piece: see :func:`stitch`."""
    if not len(windows.windows):
        return
    stream = windows.windows[:, :, _STREAM]
    overlapping = (stream[1:, :-HOP] == stream[:-1, HOP:]).all(axis=(1, 2))
    same = (np.diff(windows.subjects) == 0) & (np.diff(windows.labels) == 0)
    starts = [0, *(np.flatnonzero(~(overlapping & same)) + 1), len(stream)]
    yield from itertools.pairwise(starts)


def _join(windows: np.ndarray) -> FloatArray:
    """The first :data:`HOP` samples of each window, and all of the last."""
    return np.concatenate([*windows[:-1, :HOP], windows[-1]], dtype=np.float64)


def write_uci_har(directory: Path, on_progress: OnProgress | None = None) -> None:
    """Write the official folder (``train/``, ``test/``, ``activity_labels.txt``) from the bundled recordings.

    An earlier export in the same place is overwritten; anything else in it is refused.

    Raises
    ------
    DataError : the directory holds something else, or cannot be written.
    """
    from model.uci_har_export import export

    export(directory, on_progress or (lambda _done, _total: None))
