"""How well answers follow whole recordings: accuracy, false switches, delay, and events.

Definitions (samples count from the recording's first; "segment" is a labelled one of the six activities):

- *accuracy*: of the answers about a window inside one segment, the share that name its activity.
- *false switch*: two consecutive answers about windows inside the same segment differ, and this is not the segment's
  first right answer (that one is late, not false). A wrong answer in between thus counts twice: away and back. Given
  per hour of scored stream (answers times the samples from one to the next).
- *change*: a segment follows one of another activity in the same recording, whatever lies between (a postural
  transition, unlabelled samples). *Delay*: from the segment's first sample to the moment at which the first stable
  right answer is given; stable means that every answer of the :data:`STABLE_S` after it, while the segment lasts,
  is right too. An answer during the transition can be early: delays can be negative. A segment without a stable
  right answer is *missed*: its delay is infinite, and counts so in the percentiles.
- *event*: a detector's word that an activity began at a moment. It *hits* a change to this activity if the moment is
  at most :data:`EVENT_S` before the one segment's end or after the other's begin; one event hits one change. Its
  error is the distance from the middle between the two. It is *false* if it hits none and lies inside a labelled
  segment: of an activity, unless it names this activity within :data:`EVENT_S` of its begin (a late word about what
  happened unlabelled); of a postural transition always. Other events, in unlabelled stretches, have no truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.recordings import Segment
from model.signals import SAMPLING_RATE
from model.windows import HOP, WINDOW_LENGTH

IntArray = npt.NDArray[np.int64]

STABLE_S = 2.56
"""Seconds for which an answer must stay right to be stable: one window."""


EVENT_S = 2.56
"""Seconds by which an event may miss the span between two segments."""


@dataclass(frozen=True)
class Answers:
    """The answers over one recording, in order; all ``(n,)`` int64.

    ``starts``, ``stops``: the samples (stop excluded) that an answer is about; ``given``: samples that had come when it
    was given; ``activities``: indices into :data:`model.activities.ACTIVITIES`, any other number for none of them.
    """

    starts: IntArray
    stops: IntArray
    given: IntArray
    activities: IntArray


def window_answers(activities: npt.ArrayLike, *, lag: int = 0) -> Answers:
    """Answers about the windows of a recording cut from sample 0; with a lag they are given so many hops later."""
    indices = np.asarray(activities, np.int64)
    starts = HOP * np.arange(len(indices), dtype=np.int64)
    stops = starts + WINDOW_LENGTH
    return Answers(starts, stops, stops + HOP * lag, indices)


class StreamScores(msgspec.Struct, frozen=True, kw_only=True):
    """Figures over one or more recordings, as the module defines them; a delay is None if infinite, or no change."""

    n_answers: int
    hours: float
    accuracy: float
    false_switches_per_hour: float
    n_changes: int
    missed_changes: int
    delay_median_s: float | None
    delay_p90_s: float | None


def score_streams(recordings: Iterable[tuple[Sequence[Segment], Answers]]) -> StreamScores:
    """Score the answers over recordings, each with its truth.

    Raises
    ------
    ValueError : no answer is about a window inside a segment.
    """
    right = scored = switches = 0
    seconds, delays = 0.0, []
    for segments, answers in recordings:
        owner = owners(segments, answers)
        is_right = answers.activities == _truth(segments, owner)
        right += int(is_right[owner >= 0].sum())
        scored += int((owner >= 0).sum())
        switches += false_switches(owner, answers.activities, is_right)
        seconds += _spacing_s(answers) * float((owner >= 0).sum())
        delays += change_delays(segments, answers)
    if not scored:
        raise ValueError("No answer is about a window inside a segment of one of the six activities!")
    return StreamScores(
        n_answers=scored,
        hours=seconds / 3600,
        accuracy=right / scored,
        false_switches_per_hour=3600 * switches / seconds,
        n_changes=len(delays),
        missed_changes=int(np.isinf(delays).sum()) if delays else 0,
        delay_median_s=_percentile(delays, 50),
        delay_p90_s=_percentile(delays, 90),
    )


def owners(segments: Sequence[Segment], answers: Answers) -> IntArray:
    """For each answer the index of the segment of one of the six activities that its window lies in, or -1."""
    owner = np.full(len(answers.starts), -1, np.int64)
    for index, segment in enumerate(segments):
        if segment.activity in ACTIVITIES:
            owner[(segment.start <= answers.starts) & (answers.stops <= segment.stop)] = index
    return owner


def _spacing_s(answers: Answers) -> float:
    """Seconds from one answer to the next."""
    samples = np.median(np.diff(answers.starts)) if len(answers.starts) > 1 else HOP
    return float(samples) / SAMPLING_RATE


def _truth(segments: Sequence[Segment], owner: IntArray) -> IntArray:
    """The true activity of each answer; -2 where there is none (no answer is -2, so none is right there)."""
    activities = [ACTIVITIES.index(s.activity) if s.activity in ACTIVITIES else -2 for s in segments]
    truth: IntArray = np.array([*activities, -2], np.int64)[owner]
    return truth


def false_switches(owner: IntArray, activities: IntArray, is_right: npt.NDArray[np.bool_]) -> int:
    """False switches among consecutive answers ``(n,)``."""
    together = (owner[1:] == owner[:-1]) & (owner[1:] >= 0)
    differ = activities[1:] != activities[:-1]
    first_right = np.zeros(len(owner), bool)
    for index in np.unique(owner[owner >= 0]):
        right = np.flatnonzero((owner == index) & is_right)
        first_right[right[:1]] = True
    return int((together & differ & ~first_right[1:]).sum())


def changes(segments: Sequence[Segment]) -> list[tuple[Segment, Segment]]:
    """The changes of activity: the segment before and the one after, transitions between them passed over."""
    activities = sorted((s for s in segments if s.activity in ACTIVITIES), key=lambda s: s.start)
    return [(before, after) for before, after in pairwise(activities) if before.activity != after.activity]


def change_delays(segments: Sequence[Segment], answers: Answers) -> list[float]:
    """The delay of each change in seconds, infinite where it was missed."""
    return [_delay_s(before, after, answers) for before, after in changes(segments)]


def _delay_s(before: Segment, after: Segment, answers: Answers) -> float:
    during = (answers.given > before.stop) & (answers.given <= after.stop)
    given = answers.given[during]
    wrong = given[answers.activities[during] != ACTIVITIES.index(after.activity)]
    for moment in given[~np.isin(given, wrong)]:
        if not np.any((wrong > moment) & (wrong <= moment + STABLE_S * SAMPLING_RATE)):
            return float(moment - after.start) / SAMPLING_RATE
    return float("inf")


class EventScores(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a detector's events.

    ``precision`` is hits among hits and false events, ``recall`` hits among changes; ``error_median_s`` is of the
    absolute errors, ``bias_s`` the mean error (positive: late). None where there is nothing to divide by.
    """

    n_events: int
    n_changes: int
    hits: int
    false: int
    precision: float | None
    recall: float | None
    error_median_s: float | None
    bias_s: float | None


Event = tuple[float, str]
"""Seconds from the recording's first sample, and the activity that began."""


def score_events(recordings: Iterable[tuple[Sequence[Segment], Sequence[Event]]]) -> EventScores:
    """Score events over recordings, each with its truth."""
    n_events = n_changes = false = 0
    errors: list[float] = []
    for segments, events in recordings:
        left, true_changes = list(events), changes(segments)
        errors += _hit_errors_s(true_changes, left)
        false += sum(_is_false(segments, event) for event in left)
        n_events, n_changes = n_events + len(events), n_changes + len(true_changes)
    hits = len(errors)
    return EventScores(
        n_events=n_events,
        n_changes=n_changes,
        hits=hits,
        false=false,
        precision=hits / (hits + false) if hits + false else None,
        recall=hits / n_changes if n_changes else None,
        error_median_s=_percentile([abs(error) for error in errors], 50),
        bias_s=float(np.mean(errors)) if errors else None,
    )


def _hit_errors_s(true_changes: list[tuple[Segment, Segment]], events: list[Event]) -> list[float]:
    """How late the event is that hits a change, for each that one does; takes these events from the list."""
    errors = []
    for before, after in true_changes:
        low, high = before.stop / SAMPLING_RATE, after.start / SAMPLING_RATE
        named = [e for e in events if e[1] == after.activity and low - EVENT_S <= e[0] <= high + EVENT_S]
        if named:
            errors.append(named[0][0] - (low + high) / 2)
            events.remove(named[0])
    return errors


def _is_false(segments: Sequence[Segment], event: Event) -> bool:
    moment_s, activity = event
    for segment in segments:
        if segment.start <= moment_s * SAMPLING_RATE < segment.stop:
            is_late_word = moment_s - segment.start / SAMPLING_RATE <= EVENT_S
            return activity != segment.activity or not is_late_word
    return False


def _percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that so many percent of the values do not exceed (no interpolation towards infinity)."""
    if not values:
        return None
    value = float(np.percentile(np.array(values), percent, method="inverted_cdf"))
    return None if np.isinf(value) else round(value, 3)
