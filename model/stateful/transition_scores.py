"""How well postural transitions are told, each of the six.

Definitions: an event *hits* a labelled transition of its name if its moment is at most :data:`HIT_S` from the middle of
what is labelled; one event hits one transition. It is *false* if it hits none and lies inside a labelled segment.
Events in unlabelled stretches (people sit down before a recording's first label and get up after its last) have
no truth and are counted apart.

Source of the protocol's transitions: Reyes-Ortiz et al., *Transition-Aware Human Activity Recognition Using
Smartphones*, Neurocomputing 171, 2016, whose own evaluation takes all transitions together as one class or as
unknown; it gives no figures of each that these could be set beside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from model.activities import POSTURAL_TRANSITIONS
from model.recordings import Segment
from model.signals import SAMPLING_RATE

HIT_S = 1.5
"""Seconds between an event and the middle of the transition that it hits."""

Event = tuple[float, str]
"""Seconds from the stream's first sample, and the transition's name."""


class TransitionScore(msgspec.Struct, frozen=True, kw_only=True):
    """One transition, or all: ``precision`` is hits among hits and false events, ``recall`` among what is labelled."""

    labelled: int
    hits: int
    false: int
    precision: float | None
    recall: float | None


class TransitionScores(msgspec.Struct, frozen=True, kw_only=True):
    """Each transition by name, all together, and how many events had no truth."""

    by_name: dict[str, TransitionScore]
    together: TransitionScore
    without_truth: int


def score_transitions(streams: Iterable[tuple[Sequence[Segment], Sequence[Event]]]) -> TransitionScores:
    """Score the events over streams, each with its truth."""
    labelled, hits, false = (dict.fromkeys(POSTURAL_TRANSITIONS, 0) for _ in range(3))
    without_truth = 0
    for segments, events in streams:
        left = list(events)
        for segment in segments:
            if segment.activity in POSTURAL_TRANSITIONS:
                labelled[segment.activity] += 1
                hits[segment.activity] += _hit(segment, left)
        for moment_s, name in left:
            inside = any(s.start <= moment_s * SAMPLING_RATE < s.stop for s in segments)
            false[name] += inside
            without_truth += not inside
    return TransitionScores(
        by_name={name: _score(labelled[name], hits[name], false[name]) for name in POSTURAL_TRANSITIONS},
        together=_score(sum(labelled.values()), sum(hits.values()), sum(false.values())),
        without_truth=without_truth,
    )


def together(scores: Sequence[TransitionScores]) -> TransitionScores:
    """The scores over the streams of all of these."""

    def added(parts: Sequence[TransitionScore]) -> TransitionScore:
        return _score(sum(p.labelled for p in parts), sum(p.hits for p in parts), sum(p.false for p in parts))

    return TransitionScores(
        by_name={name: added([each.by_name[name] for each in scores]) for name in POSTURAL_TRANSITIONS},
        together=added([each.together for each in scores]),
        without_truth=sum(each.without_truth for each in scores),
    )


def _hit(segment: Segment, events: list[Event]) -> bool:
    """Whether one of these events hits; it is taken from the list."""
    middle_s = (segment.start + segment.stop) / 2 / SAMPLING_RATE
    near = [e for e in events if e[1] == segment.activity and abs(e[0] - middle_s) <= HIT_S]
    if near:
        events.remove(min(near, key=lambda event: abs(event[0] - middle_s)))
    return bool(near)


def _score(labelled: int, hits: int, false: int) -> TransitionScore:
    return TransitionScore(
        labelled=labelled,
        hits=hits,
        false=false,
        precision=hits / (hits + false) if hits + false else None,
        recall=hits / labelled if labelled else None,
    )
