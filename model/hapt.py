"""Reader of the official HAPT data set (UCI id 341): a folder or zip with ``RawData/``.

``RawData/acc_exp01_user01.txt`` and ``gyro_exp01_user01.txt`` hold three columns each (x, y, z in g and rad/s,
50 Hz, a sample a line), ``RawData/labels.txt`` one segment a line: experiment, user, activity (1 to 12), first and
last sample. Samples are counted from 1 and the last is included; a :class:`Segment` counts from 0 and excludes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.activities import ALL_LABELS
from model.archive import Place, file_names, find_folder, read_integers, read_numbers
from model.errors import DataError
from model.recordings import Recording, Segment

MARKER = "RawData"
"""The sub-folder that a HAPT folder is known by."""

_NAME = re.compile(r"(acc|gyro)_exp(\d+)_user(\d+)\.txt")

Session = tuple[int, int]
"""Experiment and subject."""


def read_hapt(path: Path, subjects: Sequence[int] | None = None) -> list[Recording]:
    """The recordings of these subjects (None: all), in order of the experiments.

    Raises
    ------
    DataError : a file is missing, truncated or malformed.
    """
    root = find_folder(path, (MARKER,))
    if root is None:
        raise DataError(f"{path} has no folder {MARKER}; give the folder or zip of HAPT.")
    return read_recordings(root, subjects)


def read_recordings(root: Place, subjects: Sequence[int] | None = None) -> list[Recording]:
    """As :func:`read_hapt`, from the data set's own folder ``root``."""
    folder = root.joinpath(MARKER)
    labels = _read_labels(folder.joinpath("labels.txt"))
    present = sessions(folder)
    wanted = sorted(s for s in {*present, *labels} if subjects is None or s[1] in subjects)
    if not present:
        raise DataError(f"{folder} has no recordings (acc_exp01_user01.txt ...); unpack the data set again.")
    return [_read_recording(folder, session, labels.get(session, [])) for session in wanted]


def sessions(folder: Place) -> list[Session]:
    """The recordings whose files are in a folder, in order of the experiments.

    Raises
    ------
    DataError : it cannot be read.
    """
    return sorted({(int(m[2]), int(m[3])) for m in map(_NAME.fullmatch, file_names(folder)) if m})


def read_session(folder: Place, session: Session) -> Recording:
    """One recording, from the folder of its files; with its labels if ``labels.txt`` is there, too.

    Raises
    ------
    DataError : a file is missing, truncated or malformed.
    """
    file = folder.joinpath("labels.txt")
    labels = _read_labels(file) if file.is_file() else {}
    return _read_recording(folder, session, labels.get(session, []))


def _read_labels(file: Place) -> dict[Session, list[Segment]]:
    labels: dict[Session, list[Segment]] = {}
    for row, (experiment, subject, activity, first, last) in enumerate(read_integers(file, 5).tolist(), start=1):
        if not 1 <= activity <= len(ALL_LABELS):
            raise DataError(f"{file} has {activity} in row {row}, which is not an activity (1 to {len(ALL_LABELS)}).")
        if not 1 <= first <= last:
            raise DataError(f"{file} has samples {first} to {last} in row {row}, which is not a range counted from 1.")
        labels.setdefault((experiment, subject), []).append(Segment(ALL_LABELS[activity - 1], first - 1, last))
    return labels


def _read_recording(folder: Place, session: Session, segments: list[Segment]) -> Recording:
    experiment, subject = session
    acc, gyro = (folder.joinpath(f"{s}_exp{experiment:02d}_user{subject:02d}.txt") for s in ("acc", "gyro"))
    acceleration, angular_velocity = read_numbers(acc, 3), read_numbers(gyro, 3)
    n_samples = len(acceleration)
    if len(angular_velocity) != n_samples:
        raise DataError(
            f"{gyro} has {len(angular_velocity)} rows, but {acc.name} has {n_samples}; one of them is incomplete."
        )
    for segment in segments:
        if segment.stop > n_samples:
            raise DataError(f"{acc} has {n_samples} rows, but labels.txt labels its samples up to {segment.stop}.")
    return Recording(experiment, subject, np.hstack([acceleration, angular_velocity]), tuple(segments))
