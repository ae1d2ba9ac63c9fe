"""Events: told once, when stable, and dated back to where the new activity began."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.activities import ACTIVITIES
from model.changes import ActivityChange, ChangeDetector, ChangeSettings

HOP_S, WINDOW_S = 1.28, 2.56


def run(
    answers: list[str], chosen: ChangeSettings | None = None, windows: list[str] | None = None, probability: float = 1.0
) -> list[tuple[int, ActivityChange]]:
    """The events, with the number of the answer that each came with."""
    detector, events = ChangeDetector(chosen), []
    for number, answer in enumerate(answers):
        start = number * HOP_S
        window = windows[number] if windows else None
        event = detector.push(answer, probability, start_s=start, end_s=start + WINDOW_S, window_activity=window)
        events += [(number, event)] if event else []
    return events


def test_a_change_is_told_once_when_stable_and_dated_back() -> None:
    answers = ["SITTING"] * 4 + ["STANDING"] * 6
    ((number, event),) = run(answers, ChangeSettings(answers=3))
    assert number == 6  # the third STANDING
    began = (3 * HOP_S + 4 * HOP_S) / 2 + WINDOW_S / 2  # between the last window of the one and the first of the other
    first_began = WINDOW_S / 2
    assert (event.before, event.after) == ("SITTING", "STANDING")
    assert (event.time_s, event.duration_s) == pytest.approx((began, began - first_began))


def test_the_windows_date_it_better_than_the_answers() -> None:
    answers = ["SITTING"] * 6 + ["STANDING"] * 4
    windows = ["SITTING"] * 4 + ["STANDING"] * 6
    ((_, late),) = run(answers)
    ((_, early),) = run(answers, windows=windows)
    assert early.time_s == pytest.approx(late.time_s - 2 * HOP_S)


def test_the_windows_of_the_transition_date_it_best() -> None:
    answers = ["SITTING"] * 6 + ["STANDING"] * 4
    windows = ["SITTING"] * 2 + ["TRANSITION"] * 3 + ["STANDING"] * 5
    ((_, event),) = run(answers, windows=windows)
    assert event.time_s == pytest.approx(3 * HOP_S + WINDOW_S / 2)


def test_what_flickers_is_no_event() -> None:
    answers = (["SITTING"] * 3 + ["STANDING"]) * 5
    assert run(answers, ChangeSettings(answers=2)) == []
    assert len(run(answers, ChangeSettings(answers=1))) == 9


def test_what_is_unsure_is_no_event_until_it_is_sure() -> None:
    detector = ChangeDetector(ChangeSettings(answers=1, probability=0.8))
    answers = [("SITTING", 0.9), ("STANDING", 0.5), ("STANDING", 0.7), ("STANDING", 0.9)]
    events = [detector.push(a, p, start_s=i, end_s=i + 2) for i, (a, p) in enumerate(answers)]
    assert events[:3] == [None] * 3
    assert events[3] == ActivityChange("SITTING", "STANDING", 1.5, 0.5)


def test_unknown_and_transition_answers_speak_for_nothing() -> None:
    answers = ["SITTING", "SITTING", "UNKNOWN", "TRANSITION", "STANDING", "UNKNOWN", "STANDING"]
    ((number, event),) = run(answers, ChangeSettings(answers=2))
    assert (number, event.before, event.after) == (6, "SITTING", "STANDING")


def test_a_reset_is_no_change() -> None:
    detector = ChangeDetector(ChangeSettings(answers=1))
    detector.push("SITTING", 1.0, start_s=0, end_s=2)
    detector.reset()
    assert detector.activity is None
    assert detector.push("STANDING", 1.0, start_s=90, end_s=92) is None
    assert detector.since_s == 91


@given(st.lists(st.sampled_from(ACTIVITIES[:3]), max_size=40), st.integers(1, 4))
def test_events_are_a_chain_in_time(answers: list[str], stable: int) -> None:
    events = [event for _, event in run(answers, ChangeSettings(answers=stable))]
    for first, second in pairwise(events):
        assert first.after == second.before
        assert second.duration_s == pytest.approx(second.time_s - first.time_s)
        assert second.time_s > first.time_s
    assert all(event.before != event.after for event in events)


@pytest.mark.parametrize("wrong", [{"answers": 0}, {"probability": 1.0}, {"answers": 9}])
def test_settings_outside_their_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="answers"):
        ChangeSettings(**wrong)
