"""How far a stream model can be trusted: recordings as they are, and rearranged so that their script tells nothing.

Everybody in the data set did the same things in the same order. A network that runs on from sample to sample can learn
that order, and a person at home keeps to no order. So a recording is also played as its owner might have lived it:

=============  =====================================================================================================
``natural``    the recording as it is
``cut``        the activities' segments in random order, one right behind the other: every transition was missed
``kept``       in random order, with a postural transition of the recording wherever the posture changes
``reversed``   in reversed order, with fitting transitions
``monotone``   ten minutes of one activity, from its segments over and over; one stream for each activity
=============  =====================================================================================================

Rearranged streams are cut together behind the signal chain, see :mod:`model.stateful.sequences`. Streams that begin in
the middle (:func:`cold_starts`) or have gaps (:func:`gapped`) pass the signal chain anew, as they do in a listener.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.activities import ACTIVITIES
from model.dataset import Floats
from model.recordings import Segment
from model.signals import SAMPLING_RATE, Start, process
from model.stateful.sequences import MARGIN, Source, posture_of

MONOTONE_S = 600.0
"""Seconds of a stream of one activity."""

COLD_S = 8.0
"""Seconds that a stream that begins in the middle of a segment is heard for."""

COLD_STARTS = 3
"""Random beginnings in each segment that is long enough."""


@dataclass(frozen=True)
class Trial:
    """One stream: ``signals`` ``(n_samples, 9)`` behind the signal chain, and the truth, in its samples."""

    name: str
    subject: int
    signals: Floats
    segments: tuple[Segment, ...]


class _Joined:
    """Pieces of a recording put one behind the other."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._pieces: list[Floats] = []
        self._segments: list[Segment] = []
        self.n_samples = 0

    def add(self, segment: Segment, margin: int = 0) -> None:
        """A segment, and unlabelled samples on either side of it."""
        start, stop = max(0, segment.start - margin), min(len(self._source), segment.stop + margin)
        moved = self.n_samples - start
        self._segments.append(Segment(segment.activity, segment.start + moved, segment.stop + moved))
        self._pieces.append(self._source.signals[start:stop])
        self.n_samples += stop - start

    def trial(self, name: str) -> Trial:
        """What has been put together."""
        return Trial(name, self._source.subject, np.concatenate(self._pieces), tuple(self._segments))


def natural(source: Source, rng: np.random.Generator) -> Trial:
    """The recording as it is."""
    return Trial(source.name, source.subject, source.signals, source.segments)


def cut(source: Source, rng: np.random.Generator) -> Trial:
    """The segments in random order, nothing between them."""
    return _in_order(source, _shuffled(source, rng), rng, between=False)


def kept(source: Source, rng: np.random.Generator) -> Trial:
    """The segments in random order, transitions that fit between them."""
    return _in_order(source, _shuffled(source, rng), rng, between=True)


def reversed_order(source: Source, rng: np.random.Generator) -> Trial:
    """The segments from the last to the first, transitions that fit between them."""
    return _in_order(source, source.activities()[::-1], rng, between=True)


ARRANGEMENTS: dict[str, Callable[[Source, np.random.Generator], Trial]] = {
    "natural": natural,
    "cut": cut,
    "kept": kept,
    "reversed": reversed_order,
}
"""By name: what makes one stream of one recording."""


def _shuffled(source: Source, rng: np.random.Generator) -> list[Segment]:
    segments = source.activities()
    return [segments[index] for index in rng.permutation(len(segments))]


def _in_order(source: Source, segments: Sequence[Segment], rng: np.random.Generator, *, between: bool) -> Trial:
    joined = _Joined(source)
    before: Segment | None = None
    for segment in segments:
        if between and before is not None:
            for transition in _leading(source, posture_of(before.activity), posture_of(segment.activity), rng):
                joined.add(transition, MARGIN)
        joined.add(segment)
        before = segment
    return joined.trial(source.name)


def _leading(source: Source, before: str, after: str, rng: np.random.Generator) -> list[Segment]:
    """A transition from posture to posture; by way of the third posture if this recording has none at once."""
    if before == after:
        return []
    found = [t for t in source.transitions() if t.activity == f"{before}_TO_{after}"]
    if found:
        return [found[int(rng.integers(len(found)))]]
    (third,) = {"STAND", "SIT", "LIE"} - {before, after}
    ways = [
        [t for t in source.transitions() if t.activity == f"{a}_TO_{b}"] for a, b in ((before, third), (third, after))
    ]
    return [way[int(rng.integers(len(way)))] for way in ways] if all(ways) else []


def monotone(source: Source, rng: np.random.Generator) -> Iterator[Trial]:
    """Ten minutes of each activity that the recording has."""
    for activity in ACTIVITIES:
        segments = [segment for segment in source.activities() if segment.activity == activity]
        joined = _Joined(source)
        while segments and joined.n_samples < MONOTONE_S * SAMPLING_RATE:
            segment = segments[int(rng.integers(len(segments)))]
            joined.add(segment)
        if segments:
            trial = joined.trial(source.name)
            whole = (Segment(activity, 0, len(trial.signals)),)
            yield Trial(trial.name, trial.subject, trial.signals, whole)


def cold_starts(source: Source, rng: np.random.Generator) -> Iterator[Trial]:
    """Streams that begin anywhere in a segment, :data:`COLD_STARTS` in each that lasts :data:`COLD_S` from there on."""
    length = int(COLD_S * SAMPLING_RATE)
    for segment in source.activities():
        room = segment.stop - segment.start - length
        for _ in range(COLD_STARTS if room > 0 else 0):
            start = segment.start + int(rng.integers(room + 1))
            signals = process(source.samples[start : start + length], start=Start.STEADY).astype(np.float32)
            yield Trial(source.name, source.subject, signals, (Segment(segment.activity, 0, length),))


@dataclass(frozen=True)
class Gapped:
    """A recording with gaps: its pieces, each from the steady state of the filters, and where each begins [samples]."""

    source: Source
    pieces: tuple[Floats, ...]
    starts: tuple[int, ...]


def gapped(source: Source, gap_s: float, every_s: float, rng: np.random.Generator) -> Gapped:
    """The recording with ``gap_s`` seconds missing every ``every_s`` seconds or so."""
    pieces, starts, at = [], [], 0
    while at < len(source):
        stop = min(len(source), at + int(every_s * rng.uniform(0.75, 1.25) * SAMPLING_RATE))
        begin = Start.ZERO if at == 0 else Start.STEADY
        pieces.append(process(source.samples[at:stop], start=begin).astype(np.float32))
        starts.append(at)
        at = stop + int(gap_s * SAMPLING_RATE)
    return Gapped(source, tuple(pieces), tuple(starts))
