"""The recordings in the box: HAPT's 61, and the table that says where UCI HAR v1.0 cut its windows.

Stored as FLAC (one file a recording, six channels, 16 bit), which is lossless: both sensors are quantised,
and a FLAC sample is the sensor's count. Licence and citation are beside the data in ``model/data/LICENSE.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.errors import DataError
from model.recordings import Recording, Segment, WindowSet
from model.signals import STANDARD_GRAVITY, FloatArray
from model.windows import HOP, WINDOW_LENGTH

DATA = Path(__file__).parent / "data"

M_S2_PER_COUNT = np.float32(STANDARD_GRAVITY) / np.float32(720)
"""Acceleration of one accelerometer count: 720 counts are 1 g."""

RAD_S_PER_COUNT = np.float32(np.deg2rad(0.0175))
"""Angular velocity of one gyroscope count (17.5 mdeg/s)."""


def to_units(counts: npt.NDArray[np.int16]) -> FloatArray:
    """Counts ``(n_samples, 6)`` to g and rad/s, with the rounding that the authors' data went through.

    The phone computed m/s² and rad/s in single precision, the authors g in double. That this was the order is
    inferred from the published values: with it the chain gives them to the last printed digit, without it
    (count / 720) seven in ten.
    """
    single = counts.astype(np.float32)
    acceleration = (single[:, :3] * M_S2_PER_COUNT).astype(np.float64) / STANDARD_GRAVITY
    return np.concatenate([acceleration, single[:, 3:] * RAD_S_PER_COUNT], axis=1, dtype=np.float64)


def _table(name: str) -> list[dict[str, str]]:
    import csv

    path = DATA / name
    try:
        with path.open(newline="", encoding="ascii") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise DataError(f"The bundled table {name} cannot be read ({error.strerror}); reinstall har-stream.") from error


@cache
def _segments() -> dict[int, tuple[Segment, ...]]:
    by_experiment: dict[int, list[Segment]] = {}
    for row in _table("segments.csv"):
        segment = Segment(row["activity"], int(row["start"]), int(row["stop"]))
        by_experiment.setdefault(int(row["experiment"]), []).append(segment)
    return {experiment: tuple(segments) for experiment, segments in by_experiment.items()}


@cache
def index() -> tuple[tuple[int, int], ...]:
    """(experiment, subject) of every bundled recording, in order of the experiments."""
    return tuple((int(row["experiment"]), int(row["subject"])) for row in _table("recordings.csv"))


def load_recording(experiment: int) -> Recording:
    """One bundled recording, by experiment (1 to 61).

    Raises
    ------
    ValueError : there is no such experiment.
    DataError : its file is missing or damaged.
    """
    import soundfile

    subjects = dict(index())
    if experiment not in subjects:
        raise ValueError(f"Parameter {experiment=} is not one of 1 to {len(subjects)}!")
    path = DATA / "recordings" / f"e{experiment:02d}.flac"
    try:
        counts, _ = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise DataError(f"The bundled recording {path.name} is missing or damaged; reinstall har-stream.") from error
    return Recording(experiment, subjects[experiment], to_units(counts), _segments()[experiment])


def load_recordings(subjects: tuple[int, ...]) -> list[Recording]:
    """All bundled recordings of these subjects, in order of the experiments."""
    return [load_recording(experiment) for experiment, subject in index() if subject in subjects]


@dataclass(frozen=True)
class WindowRun:
    """Official windows in a row, each :data:`model.windows.HOP` samples after the last: of which recording, whose,
    with which label (index into :data:`model.activities.ACTIVITIES`), from which sample on, and how many."""

    experiment: int
    subject: int
    label: int
    start: int
    count: int

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """First sample of each window, ``(count,)``."""
        return self.start + HOP * np.arange(self.count)


def official_runs(split: str) -> list[WindowRun]:
    """Where UCI HAR v1.0's windows of ``"train"`` or ``"test"`` lie, in the official order.

    Raises
    ------
    ValueError : any other split.
    DataError : the bundled table is missing.
    """
    rows = [row for row in _table("v1_windows.csv") if row["split"] == split]
    if not rows:
        raise ValueError(f"Parameter {split=} is not one of train, test!")
    return [
        WindowRun(
            experiment=int(row["experiment"]),
            subject=int(row["subject"]),
            label=int(row["activity"]) - 1,
            start=int(row["start"]),
            count=int(row["windows"]),
        )
        for row in rows
    ]


def runs_by_experiment(split: str) -> dict[int, list[WindowRun]]:
    """:func:`official_runs`, sorted out by recording."""
    runs: dict[int, list[WindowRun]] = {}
    for run in official_runs(split):
        runs.setdefault(run.experiment, []).append(run)
    return runs


def official_windows(split: str, dtype: npt.DTypeLike = np.float32) -> WindowSet:
    """The windows of UCI HAR v1.0, regenerated, in the official order.

    Parameters
    ----------
    split : ``"train"`` (7,352 windows) or ``"test"`` (2,947).
    dtype : type of the windows; float64 gives every digit of the chain.

    Raises
    ------
    ValueError : any other split.
    DataError : the bundled data is missing or damaged.
    """
    runs = official_runs(split)
    signals = {e: load_recording(e).signals().astype(dtype) for e in sorted({run.experiment for run in runs})}
    windows = [signals[run.experiment][run.starts[:, None] + np.arange(WINDOW_LENGTH)] for run in runs]
    counts = [run.count for run in runs]
    labels, subjects = ([getattr(run, name) for run in runs] for name in ("label", "subject"))
    return WindowSet(np.concatenate(windows), np.repeat(labels, counts), np.repeat(subjects, counts))
