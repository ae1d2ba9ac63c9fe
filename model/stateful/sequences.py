"""What the stateful network learns from: sequences of the training subjects' recordings, natural and rearranged.

The recordings follow one script, and a network that hears it from beginning to end learns the script. So only a part
of the sequences are recordings as they are, begun anywhere (a stream begins anywhere). In the others the segments
of a recording come in another order: *spliced*, cut together without the transitions between them, as if every
transition had been missed; *reordered*, with each change of posture made by a transition that leads there;
*monotone*, one activity for the whole sequence.

A sequence's first piece passes the signal chain anew, from its first sample's steady state, as a stream does that
begins there. What follows is cut from the channels behind the chain: a splice is a jump in what the network hears,
which no filter has smeared over the next seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model import bundled
from model.activities import ACTIVITIES, ALL_LABELS, POSTURAL_TRANSITIONS
from model.augment import add_noise, random_rotations, rotate, scale_motion
from model.dataset import Floats, Integers, check_subjects
from model.recordings import Recording, Segment
from model.signals import FloatArray, Start, process

UNLABELLED = -1
"""The label of samples that no segment holds; they are heard, and not scored."""

POSTURES: dict[str, str] = {"SITTING": "SIT", "LAYING": "LIE"}
"""The posture of each activity, by the transitions' words; the others are STAND."""

MARGIN = 25
"""Unlabelled samples on either side of a postural transition that come along where segments are reordered: what
is labelled as transition begins late and ends early."""


def posture_of(activity: str) -> str:
    """STAND, SIT or LIE."""
    return POSTURES.get(activity, "STAND")


@dataclass(frozen=True)
class Source:
    """One recording: raw ``samples`` ``(n_samples, 6)``, ``signals`` ``(n_samples, 9)`` behind the signal chain,
    ``labels`` ``(n_samples,)``, indices into :data:`model.activities.ALL_LABELS` or :data:`UNLABELLED`, and segments.
    """

    name: str
    subject: int
    samples: FloatArray
    signals: Floats
    labels: Integers
    segments: tuple[Segment, ...]

    def __len__(self) -> int:
        return len(self.signals)

    def activities(self) -> list[Segment]:
        """The segments of the six activities."""
        return [segment for segment in self.segments if segment.activity in ACTIVITIES]

    def transitions(self) -> list[Segment]:
        """The postural transitions."""
        return [segment for segment in self.segments if segment.activity in POSTURAL_TRANSITIONS]


def source_of(recording: Recording) -> Source:
    """A recording through the signal chain, with its labels sample by sample."""
    signals = recording.signals().astype(np.float32)
    labels = sample_labels(recording)
    return Source(recording.name, recording.subject, recording.samples, signals, labels, recording.segments)


def sample_labels(recording: Recording) -> Integers:
    """``(n_samples,)``: what each sample is labelled with."""
    labels = np.full(len(recording.samples), UNLABELLED, np.int64)
    for segment in recording.segments:
        labels[segment.start : segment.stop] = ALL_LABELS.index(segment.activity)
    return labels


def training_sources(subjects: tuple[int, ...]) -> list[Source]:
    """The recordings of some training subjects.

    Raises
    ------
    HarError : a subject is not a training subject.
    """
    check_subjects(subjects)
    return [source_of(recording) for recording in bundled.load_recordings(subjects)]


@dataclass(frozen=True)
class SequenceMix:
    """Which sequences an epoch has, and what is done to them.

    Parameters
    ----------
    length : samples of a sequence.
    spliced, reordered, monotone : share of the sequences of each kind; the rest are recordings as they are.
    shortest, longest : samples of a piece of a rearranged sequence, within its segment.
    warp : largest relative change of pace.
    gain : standard deviation of the factors on body acceleration and angular velocity.
    rotation_deg : standard deviation of a turn of all vectors about one random axis [degrees].
    wild : share of the sequences that are turned by ``wild_deg`` instead: whatever direction gravity has, a person
        who sat down sits.
    noise : largest standard deviation of added white noise [g, rad/s].
    """

    length: int = 2048
    spliced: float = 0.4
    reordered: float = 0.2
    monotone: float = 0.05
    shortest: int = 100
    longest: int = 1000
    warp: float = 0.15
    gain: float = 0.1
    rotation_deg: float = 15.0
    wild: float = 0.0
    wild_deg: float = 60.0
    noise: float = 0.003


Sequences = tuple[Floats, Integers]
"""``(n, length, 9)`` signals and ``(n, length)`` labels."""

Pieces = list[tuple[Source, int, int]]
"""Samples from .. to (excluded) of a recording each."""

_Maker = Callable[[Source, SequenceMix, int, np.random.Generator], Pieces]


def sequences(sources: list[Source], n: int, mix: SequenceMix, rng: np.random.Generator) -> Sequences:
    """``n`` augmented sequences; how often a recording is taken goes by its length."""
    lengths = np.array([len(source) for source in sources], np.float64)
    chosen = rng.choice(len(sources), n, p=lengths / lengths.sum())
    signals, labels = np.empty((n, mix.length, 9), np.float32), np.empty((n, mix.length), np.int64)
    for row, index in enumerate(chosen):
        signals[row], labels[row] = _sequence(sources[index], mix, rng)
    return _disturbed(signals, mix, rng), labels


def _sequence(source: Source, mix: SequenceMix, rng: np.random.Generator) -> Sequences:
    """One sequence of one recording, at another pace."""
    pace = 1 + rng.uniform(-mix.warp, mix.warp)
    needed = int(np.ceil((mix.length - 1) * pace)) + 2
    pieces = _maker(mix, rng)(source, mix, needed, rng)
    (first, begin, end), later = pieces[0], pieces[1:]
    begun = process(first.samples[begin:end], start=Start.STEADY).astype(np.float32)
    signals = np.concatenate([begun, *(s.signals[a:b] for s, a, b in later)])
    labels = np.concatenate([s.labels[a:b] for s, a, b in pieces])
    at = np.arange(mix.length) * pace
    before = at.astype(np.int64)
    weight = (at - before).astype(np.float32)[:, np.newaxis]
    moved: Floats = (1 - weight) * signals[before] + weight * signals[before + 1]
    return moved, labels[before]


def _maker(mix: SequenceMix, rng: np.random.Generator) -> _Maker:
    kinds: tuple[_Maker, ...] = (spliced, reordered, monotone, natural)
    shares = np.array([mix.spliced, mix.reordered, mix.monotone])
    return kinds[int(rng.choice(4, p=[*shares, 1 - shares.sum()]))]


def natural(source: Source, mix: SequenceMix, needed: int, rng: np.random.Generator) -> Pieces:
    """The recording from anywhere on; where it ends, from anywhere again."""
    pieces: Pieces = []
    while needed > 0:
        start = int(rng.integers(0, max(len(source) - needed, len(source) // 2)))
        pieces.append((source, start, min(len(source), start + needed)))
        needed -= pieces[-1][2] - start
    return pieces


def spliced(source: Source, mix: SequenceMix, needed: int, rng: np.random.Generator) -> Pieces:
    """Pieces of the activities' segments in random order, cut together."""
    pieces: Pieces = []
    segments, last = source.activities(), ""
    while needed > 0:
        others = [segment for segment in segments if segment.activity != last]
        segment = _by_activity(others, rng)
        pieces.append(_piece(source, segment, mix, rng))
        last, needed = segment.activity, needed - (pieces[-1][2] - pieces[-1][1])
    return pieces


def reordered(source: Source, mix: SequenceMix, needed: int, rng: np.random.Generator) -> Pieces:
    """Pieces of the activities' segments, a transition that fits wherever the posture changes."""
    pieces: Pieces = []
    segment = _by_activity(source.activities(), rng)
    while needed > 0:
        pieces.append(_piece(source, segment, mix, rng))
        needed -= pieces[-1][2] - pieces[-1][1]
        segment, between = _next(source, segment, rng)
        pieces += between
        needed -= sum(stop - start for _, start, stop in between)
    return pieces


def _next(source: Source, segment: Segment, rng: np.random.Generator) -> tuple[Segment, Pieces]:
    """What may follow: an activity of the same posture at once, or one that a transition leads to, with it."""
    posture = posture_of(segment.activity)
    leading = [t for t in source.transitions() if t.activity.startswith(f"{posture}_TO_")]
    same = [s for s in source.activities() if posture_of(s.activity) == posture and s.activity != segment.activity]
    if leading and (not same or rng.random() < 0.5):
        transition = leading[int(rng.integers(len(leading)))]
        goal = transition.activity.rpartition("_")[2]
        there = [s for s in source.activities() if posture_of(s.activity) == goal]
        between = (source, max(0, transition.start - MARGIN), min(len(source), transition.stop + MARGIN))
        return _by_activity(there, rng), [between]
    return _by_activity(same or [segment], rng), []


def monotone(source: Source, mix: SequenceMix, needed: int, rng: np.random.Generator) -> Pieces:
    """One activity, for the whole sequence."""
    activity = _by_activity(source.activities(), rng).activity
    segments = [segment for segment in source.activities() if segment.activity == activity]
    pieces: Pieces = []
    while needed > 0:
        segment = segments[int(rng.integers(len(segments)))]
        pieces.append(_piece(source, segment, mix, rng))
        needed -= pieces[-1][2] - pieces[-1][1]
    return pieces


def _by_activity(segments: list[Segment], rng: np.random.Generator) -> Segment:
    """Any segment of any activity that is there: no activity more often than another."""
    activities = sorted({segment.activity for segment in segments})
    activity = activities[int(rng.integers(len(activities)))]
    of_it = [segment for segment in segments if segment.activity == activity]
    return of_it[int(rng.integers(len(of_it)))]


def _piece(source: Source, segment: Segment, mix: SequenceMix, rng: np.random.Generator) -> tuple[Source, int, int]:
    """A random piece of a segment."""
    longest = min(segment.stop - segment.start, mix.longest)
    length = int(rng.integers(min(mix.shortest, longest), longest + 1))
    start = segment.start + int(rng.integers(0, segment.stop - segment.start - length + 1))
    return source, start, start + length


def _degrees(n: int, mix: SequenceMix, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return np.where(rng.random(n) < mix.wild, mix.wild_deg, mix.rotation_deg)


def _disturbed(signals: Floats, mix: SequenceMix, rng: np.random.Generator) -> Floats:
    """Each sequence with one gain, one turn of the phone and one level of noise."""
    gained = scale_motion(signals, mix.gain, rng)
    turned = rotate(gained, random_rotations(len(signals), _degrees(len(signals), mix, rng), rng))
    return add_noise(turned, mix.noise, rng)
