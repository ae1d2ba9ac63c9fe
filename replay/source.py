"""What to replay: recordings of the asked source and subjects, ready to be sent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from model.data_sets import Session, replayable
from model.errors import DataError
from model.recordings import Recording, Segment, subjects_of
from model.signals import SAMPLING_RATE, STANDARD_GRAVITY, FloatArray, Stage, Start
from replay.options import SPLITS

_MAX_RATIO_TERM = 1000
"""Bound of the resampling ratio's terms, and by it of the anti-aliasing filter's length."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``start_s`` to ``end_s`` of a piece the subject does ``activity``; None: nobody says."""

    activity: str | None
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A recording as it is sent: ``samples`` ``(n_samples, 6)`` in the unit of the wire, at ``rate`` [Hz].

    ``stretches`` cover all of it without gap or overlap. ``start`` says that it is a recording from its
    first sample, so that a listener's filters start from zero.
    """

    samples: FloatArray
    rate: float
    stage: Stage
    start: bool
    stretches: tuple[Stretch, ...]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


def find_sessions(source: str, subjects: Sequence[int] | None, data_dir: Path | None) -> list[Session]:
    """The sessions of a source, in order of the experiments.

    Parameters
    ----------
    source : one of :data:`replay.options.SPLITS`.
    subjects : only these; None for all.
    data_dir : an official data set to take them from; None for the bundled recordings.

    Raises
    ------
    DataError : the source is unknown, a subject is not in it, or the data cannot be read.
    """
    if source not in SPLITS:
        raise DataError(
            f"There is no source {source!r} to replay; give {', '.join(SPLITS)}, or a file of listen --record."
        )
    members = subjects_of(source)
    strangers = sorted(set(subjects or ()) - set(members))
    if strangers:
        raise DataError(
            f"Subject {', '.join(map(str, strangers))} is not in the split {source!r}; "
            f"choose from {', '.join(map(str, members))}."
        )
    return replayable(data_dir, source, subjects)


def prepare(recording: Recording, *, rate: float = SAMPLING_RATE, acc_unit: str = "g") -> Piece:
    """A recording resampled to ``rate`` [Hz] and in ``acc_unit`` (``"g"`` or ``"m/s2"``).

    At 50 Hz in g the samples are the recording's own. The rate of the result is the nearest one that is a
    ratio of integers up to 1000 to 50 Hz.
    """
    samples, sent_rate = _resample(recording.samples, rate)
    if acc_unit == "m/s2":
        samples = np.concatenate([samples[:, :3] * STANDARD_GRAVITY, samples[:, 3:]], axis=1)
    return Piece(
        samples=samples,
        rate=sent_rate,
        stage=recording.stage,
        start=recording.start is Start.ZERO,
        stretches=_stretches(recording.segments, len(recording.samples)),
    )


def _resample(samples: FloatArray, rate: float) -> tuple[FloatArray, float]:
    """Polyphase resampling with scipy's anti-aliasing filter; the ends go on as a line."""
    ratio = Fraction(rate / SAMPLING_RATE).limit_denominator(_MAX_RATIO_TERM)
    if ratio == 1:
        return samples, SAMPLING_RATE
    from scipy.signal import resample_poly

    resampled = resample_poly(samples, ratio.numerator, ratio.denominator, axis=0, padtype="line")
    return np.asarray(resampled, dtype=np.float64), float(ratio * Fraction(SAMPLING_RATE))


def _stretches(segments: Sequence[Segment], n_samples: int) -> tuple[Stretch, ...]:
    stretches = []
    stop = 0
    for segment in sorted(segments, key=lambda segment: segment.start):
        if segment.start > stop:
            stretches.append(_stretch(None, stop, segment.start))
        stretches.append(_stretch(segment.activity, segment.start, segment.stop))
        stop = segment.stop
    if stop < n_samples:
        stretches.append(_stretch(None, stop, n_samples))
    return tuple(stretches)


def _stretch(activity: str | None, start: int, stop: int) -> Stretch:
    return Stretch(activity, start / SAMPLING_RATE, stop / SAMPLING_RATE)


def first_sample(stretch: Stretch, rate: float) -> int:
    """Index of the first sample at ``rate`` [Hz] that is not before the stretch."""
    return math.ceil(round(stretch.start_s * rate, 6))
