"""What a recording is, whoever reads it: samples, segments, subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.activities import TEST_SUBJECTS, TRAIN_SUBJECTS
from model.signals import SAMPLING_RATE, FloatArray, Stage, Start, process


@dataclass(frozen=True)
class Segment:
    """A labelled piece of a recording: samples ``start`` to ``stop`` (excluded)."""

    activity: str
    start: int
    stop: int


@dataclass(frozen=True)
class Recording:
    """One session of one subject.

    ``samples`` has shape ``(n_samples, 6)``: acceleration with gravity [g], angular velocity [rad/s];
    for :attr:`Stage.DENOISED` total acceleration and body angular velocity.
    """

    experiment: int
    subject: int
    samples: FloatArray
    segments: tuple[Segment, ...]
    stage: Stage = Stage.RAW
    start: Start = Start.ZERO

    @property
    def name(self) -> str:
        """``s02-e03``: subject and experiment."""
        return f"s{self.subject:02d}-e{self.experiment:02d}"

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLING_RATE

    def signals(self) -> FloatArray:
        """The nine channels, ``(n_samples, 9)``."""
        return process(self.samples, start=self.start, stage=self.stage)


def label_at(segments: Sequence[Segment], start: int, stop: int) -> str | None:
    """The label of the one segment that contains samples ``start`` to ``stop`` (excluded), or None."""
    for segment in segments:
        if segment.start <= start and stop <= segment.stop:
            return segment.activity
    return None


def subjects_of(split: str) -> tuple[int, ...]:
    """The subjects of ``"train"``, ``"test"`` or ``"all"``, as UCI HAR v1.0 splits them.

    Raises
    ------
    ValueError : any other split.
    """
    splits = {"train": TRAIN_SUBJECTS, "test": TEST_SUBJECTS, "all": tuple(range(1, 31))}
    if split not in splits:
        raise ValueError(f"Parameter {split=} is not one of {', '.join(splits)}!")
    return splits[split]


@dataclass(frozen=True)
class WindowSet:
    """Labelled windows.

    ``windows`` ``(n, 128, 9)`` float32; ``labels`` ``(n,)`` int64, indices into
    :data:`model.activities.ACTIVITIES`; ``subjects`` ``(n,)`` int64.
    """

    windows: np.ndarray
    labels: np.ndarray
    subjects: np.ndarray
