"""The measures of a stream, against cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.activities import ACTIVITIES
from model.recordings import Segment
from model.stream_metrics import Answers, change_delays, score_events, score_streams, window_answers
from model.windows import HOP, WINDOW_LENGTH

SIT, STAND = ACTIVITIES.index("SITTING"), ACTIVITIES.index("STANDING")

# Windows 0-3 lie in SITTING, 4 and 5 across the transition, 6-9 in STANDING.
SEGMENTS = (
    Segment("SITTING", 0, 3 * HOP + WINDOW_LENGTH),
    Segment("SIT_TO_STAND", 3 * HOP + WINDOW_LENGTH, 6 * HOP),
    Segment("STANDING", 6 * HOP, 9 * HOP + WINDOW_LENGTH),
)


def test_windows_are_given_when_their_last_sample_came_and_with_a_lag_later() -> None:
    answers = window_answers([SIT, SIT, STAND], lag=2)
    assert answers.starts.tolist() == [0, 64, 128]
    assert answers.stops.tolist() == [128, 192, 256]
    assert answers.given.tolist() == [256, 320, 384]


def test_accuracy_is_of_windows_inside_segments_alone() -> None:
    scores = score_streams([(SEGMENTS, window_answers([SIT, SIT, STAND, SIT, 0, 0, SIT, STAND, STAND, STAND]))])
    assert scores.n_answers == 8
    assert scores.accuracy == 6 / 8
    assert scores.hours == pytest.approx(8 * 1.28 / 3600)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([SIT] * 4 + [0, 1] + [STAND] * 4, 0),  # what happens in between is nobody's fault
        ([SIT] * 4 + [0, 1] + [SIT, SIT, STAND, STAND], 0),  # late, but not false
        ([SIT, SIT, STAND, SIT, 0, 1] + [STAND] * 4, 2),  # away and back
        ([SIT] * 4 + [0, 1, STAND, SIT, STAND, STAND], 2),
        ([SIT] * 4 + [0, 1, SIT, 0, STAND, STAND], 1),  # late by a wrong way
        ([SIT] * 4 + [0, 1, STAND, STAND, STAND, -1], 1),  # unknown is an answer, too
    ],
)
def test_false_switches(answers: list[int], expected: int) -> None:
    scores = score_streams([(SEGMENTS, window_answers(answers))])
    assert scores.false_switches_per_hour == pytest.approx(expected * 3600 / (8 * 1.28))


def delay(answers: list[int], lag: int = 0) -> float:
    (value,) = change_delays(SEGMENTS, window_answers(answers, lag=lag))
    return value


def test_delay_is_to_the_first_stable_right_answer() -> None:
    at = [(i * HOP + WINDOW_LENGTH - 6 * HOP) / 50 for i in range(10)]  # when window i's answer is given
    assert delay([SIT] * 6 + [STAND] * 4) == pytest.approx(at[6])
    assert delay([SIT] * 5 + [STAND] * 5) == pytest.approx(at[5])
    assert delay([SIT] * 4 + [STAND] * 6) == pytest.approx(at[4]) == pytest.approx(0)
    assert delay([SIT] * 6 + [STAND, SIT, STAND, STAND]) == pytest.approx(at[8])
    assert delay([SIT] * 10) == math.inf


def test_an_answer_during_the_transition_can_be_early() -> None:
    segments = (Segment("SITTING", 0, 320), Segment("STANDING", 640, 1280))
    (early,) = change_delays(segments, window_answers([STAND] * 19))
    assert early == pytest.approx((384 - 640) / 50)  # the first answer after SITTING's end


def test_a_lag_delays_by_its_hops() -> None:
    assert delay([SIT] * 6 + [STAND] * 4, lag=1) - delay([SIT] * 6 + [STAND] * 4) == pytest.approx(1.28)


def test_missed_changes_count_as_infinite_in_the_percentiles() -> None:
    quick, missed = window_answers([SIT] * 4 + [STAND] * 6), window_answers([SIT] * 10)
    scores = score_streams([(SEGMENTS, quick)] * 3 + [(SEGMENTS, missed)])
    assert (scores.n_changes, scores.missed_changes) == (4, 1)
    assert scores.delay_median_s == 0
    assert scores.delay_p90_s is None


def test_a_segment_after_one_of_the_same_activity_is_no_change() -> None:
    segments = (Segment("SITTING", 0, 300), Segment("SITTING", 400, 700))
    assert change_delays(segments, window_answers([SIT] * 9)) == []


def test_answers_at_any_rate_are_scored() -> None:
    """The same answers eight times as often: as accurate, as false an hour."""
    starts = np.arange(0, 4 * HOP, 8)
    segments = (Segment("SITTING", 0, 10_000),)
    activities = np.where(starts // HOP == 2, STAND, SIT)
    often = Answers(starts, starts + 8, starts + 8, activities)
    scores = score_streams([(segments, often)])
    assert scores.accuracy == 0.75
    assert scores.hours == pytest.approx(4 * HOP / 50 / 3600)
    assert scores.false_switches_per_hour * scores.hours == pytest.approx(2)


def test_without_a_scored_window_there_is_no_score() -> None:
    with pytest.raises(ValueError, match="inside a segment"):
        score_streams([((), window_answers([SIT] * 3))])


def test_events_hit_changes_once_and_say_how_late_they_are() -> None:
    middle = (SEGMENTS[0].stop + SEGMENTS[2].start) / 2 / 50
    events = [(middle + 0.5, "STANDING"), (middle + 0.2, "STANDING"), (middle, "LAYING"), (middle + 60, "STANDING")]
    scores = score_events([(SEGMENTS, events), (SEGMENTS, [])])
    assert (scores.n_events, scores.n_changes, scores.hits) == (4, 2, 1)
    assert scores.false == 2  # the second of two about one change, and lying; nothing is known 60 s later
    assert (scores.precision, scores.recall) == (1 / 3, 0.5)
    assert scores.error_median_s == scores.bias_s == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("moment_s", "activity", "is_false"),
    [(12.0, "STANDING", False), (13.0, "STANDING", True), (11.0, "SITTING", True), (10.0, "SITTING", False)],
)
def test_a_false_event_contradicts_a_label(moment_s: float, activity: str, is_false: bool) -> None:
    segments = (Segment("STANDING", 0, 480), Segment("STANDING", 520, 1000))
    assert score_events([(segments, [(moment_s, activity)])]).false == is_false


def test_no_events_no_figures() -> None:
    scores = score_events([(SEGMENTS[:1], [])])
    assert (scores.precision, scores.recall, scores.error_median_s) == (None, None, None)
