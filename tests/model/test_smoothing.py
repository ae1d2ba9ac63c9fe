"""The filter: equal to the textbook's sums, the same in a stream as in one piece, and of the use it claims."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.activities import ACTIVITIES, TRANSITION
from model.smoothing import (
    MAX_LAG,
    NO_EVIDENCE,
    ActivityFilter,
    FilterSettings,
    activities_then_transition,
    push_together,
    smooth,
)

Floats = npt.NDArray[np.float64]

PLAIN = FilterSettings(stay=0.9, exponent=1.0, door=0.0, posture=1.0, floor=1e-30)
SITTING, STANDING, LAYING = (ACTIVITIES.index(name) for name in ("SITTING", "STANDING", "LAYING"))


def random_rows(n: int, seed: int, n_classes: int = 7) -> Floats:
    return np.random.default_rng(seed).dirichlet(np.full(n_classes, 0.3), n)


def sure(activity: int, confidence: float = 0.95, transition: float = 0.0) -> Floats:
    row = np.full(7, (1 - confidence) / 5)
    row[activity] = confidence
    row[6] = 0
    row *= 1 - transition
    row[6] = transition
    return row


def by_enumeration(rows: Floats, about: int, stay: float) -> Floats:
    """P(state at ``about`` | all rows), summed over every path of states: no recursion."""
    answer: Floats = np.zeros(6)
    for path in product(range(6), repeat=len(rows)):
        weight = 1.0
        for time, state in enumerate(path):
            weight *= rows[time, state]
            if time:
                weight *= stay if state == path[time - 1] else (1 - stay) / 5
        answer[path[about]] += weight
    answer /= answer.sum()
    return answer


@pytest.mark.parametrize("lag", range(3))
def test_it_is_the_sum_over_all_paths(lag: int) -> None:
    rows = random_rows(4, seed=3, n_classes=6)
    stream = ActivityFilter(replace(PLAIN, lag=lag))
    for last, row in enumerate(rows):
        answer = stream.push(row)
        if last < lag:
            assert answer is None
        else:
            assert answer is not None and answer.lag == lag
            expected = by_enumeration(rows[: last + 1], last - lag, stay=0.9)
            np.testing.assert_allclose(answer.probabilities, expected, atol=1e-12)


filter_settings = st.builds(
    FilterSettings,
    stay=st.floats(0.2, 0.99),
    exponent=st.floats(0.1, 1),
    door=st.floats(0, 1),
    posture=st.floats(0.01, 1),
    lag=st.integers(0, MAX_LAG),
)


@given(filter_settings, st.integers(0, 12), st.integers(0, 99), st.sampled_from([6, 7]))
@settings(max_examples=60, deadline=None)
def test_a_stream_gives_what_the_batch_gives_on_every_prefix(
    chosen: FilterSettings, n: int, seed: int, n_classes: int
) -> None:
    rows = random_rows(n, seed, n_classes)
    stream, answers = ActivityFilter(chosen), []
    for seen, row in enumerate(rows, start=1):
        answer = stream.push(row)
        answers += [answer.probabilities] if answer else []
        assert len(answers) == max(seen - chosen.lag, 0)
        np.testing.assert_allclose(smooth(rows[:seen], chosen)[: len(answers)], np.array(answers).reshape(-1, 6))
    tail = stream.finish()
    assert [answer.lag for answer in tail] == list(range(min(chosen.lag, n) - 1, -1, -1))
    whole = np.array([*answers, *(answer.probabilities for answer in tail)]).reshape(-1, 6)
    np.testing.assert_allclose(whole, smooth(rows, chosen))
    np.testing.assert_allclose(whole.sum(axis=1), 1)


@given(filter_settings, st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_streams_in_step_do_not_mix(chosen: FilterSettings, seed: int) -> None:
    rows = random_rows(24, seed).reshape(8, 3, 7)
    together = smooth(rows, chosen)
    for column in range(3):
        np.testing.assert_allclose(together[:, column], smooth(rows[:, column], chosen))


@given(filter_settings, st.integers(0, 99), st.lists(st.sets(st.integers(0, 4)), max_size=8))
@settings(max_examples=40, deadline=None)
def test_pushing_together_is_pushing_one_by_one(chosen: FilterSettings, seed: int, turns: list[set[int]]) -> None:
    """Any phones may have a window in a turn; some have begun earlier than others."""
    together, alone = [[ActivityFilter(chosen) for _ in range(5)] for _ in range(2)]
    for turn, phones in enumerate(turns):
        rows = random_rows(len(phones), seed + turn)
        answers = push_together([together[phone] for phone in phones], rows)
        expected = [alone[phone].push(row) for phone, row in zip(phones, rows, strict=True)]
        for one, other in zip(answers, expected, strict=True):
            assert (one is None) == (other is None)
            if one and other:
                np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-12)


def test_pushing_together_refuses_what_it_would_mix_up() -> None:
    one, other = ActivityFilter(), ActivityFilter(FilterSettings(lag=1))
    for filters, n_rows in (([one, one], 2), ([one, other], 2), ([one], 2)):
        with pytest.raises(ValueError, match="Parameter"):
            push_together(filters, random_rows(n_rows, seed=0))
    assert push_together([], []) == []


def test_a_reset_forgets_the_stream() -> None:
    stream = ActivityFilter(FilterSettings())
    fresh = ActivityFilter(FilterSettings())
    for _ in range(5):
        stream.push(sure(SITTING, transition=0.9))
    stream.reset()
    after, first = stream.push(sure(STANDING, 0.6)), fresh.push(sure(STANDING, 0.6))
    assert after is not None and first is not None
    np.testing.assert_array_equal(after.probabilities, first.probabilities)


def test_the_data_sets_protocol_is_not_in_it() -> None:
    """Activities of one posture are interchangeable: renaming them renames the answers."""
    rows = random_rows(30, seed=5)
    renamed = [2, 4, 1, 3, 0, 5]  # the upright ones in another order
    np.testing.assert_allclose(smooth(rows[:, [*renamed, 6]]), smooth(rows)[:, renamed])
    swapped = [0, 1, 2, 5, 4, 3]  # sitting and lying
    np.testing.assert_allclose(smooth(rows[:, [*swapped, 6]]), smooth(rows)[:, swapped])


def windows_until_right(rows: list[Floats], activity: int, chosen: FilterSettings | None = None) -> int:
    return int(np.flatnonzero(smooth(np.array(rows), chosen).argmax(axis=1) == activity)[0])


def test_one_odd_window_changes_no_answer_but_a_real_change_comes_through() -> None:
    odd = [sure(SITTING)] * 5 + [sure(STANDING, 0.8)] + [sure(SITTING)] * 5
    assert set(smooth(np.array(odd)).argmax(axis=1)) == {SITTING}
    assert windows_until_right([sure(SITTING)] * 5 + [sure(STANDING)] * 5, STANDING) <= 7


def test_no_window_is_a_veto() -> None:
    """However sure and long, another posture's windows win even without a transition seen."""
    certain = [sure(LAYING, 1.0)] * 200 + [sure(STANDING, 1.0)] * 5
    assert windows_until_right(certain, STANDING) <= 203


def test_a_seen_transition_opens_the_door() -> None:
    after = [sure(STANDING, 0.7)] * 6
    seen = [sure(SITTING)] * 5 + [sure(SITTING, transition=0.95), *after]
    unseen = [sure(SITTING)] * 5 + [sure(SITTING), *after]
    assert windows_until_right(seen, STANDING) < windows_until_right(unseen, STANDING)


def test_a_change_of_posture_needs_more_than_a_change_of_gait() -> None:
    doubtful = 0.6
    upright = [sure(0)] * 5 + [sure(1, doubtful)] * 9
    posture = [sure(SITTING)] * 5 + [sure(STANDING, doubtful)] * 9
    assert windows_until_right(upright, 1) < windows_until_right(posture, STANDING)


def test_without_a_transition_class_all_changes_are_alike() -> None:
    rows = random_rows(20, seed=1, n_classes=6)
    np.testing.assert_allclose(smooth(rows), smooth(rows, replace(FilterSettings(), posture=1.0)))


def test_a_windows_transition_says_nothing_about_the_activity() -> None:
    answer = ActivityFilter(FilterSettings()).push([0, 0, 0, 0, 0, 0, 1])
    assert answer is not None
    np.testing.assert_allclose(answer.probabilities, np.full(6, 1 / 6))


def test_a_window_that_says_nothing_only_lets_time_pass() -> None:
    before = [sure(SITTING)] * 3
    known, passed = smooth(np.array(before)), smooth(np.array([*before, *[NO_EVIDENCE] * 3]))
    assert passed[-1].argmax() == SITTING
    assert 1 / 6 < passed[-1].max() < passed[-2].max() < known[-1].max()


def test_columns_follow_the_networks_own_order() -> None:
    classes = (TRANSITION, "OTHER", *reversed(ACTIVITIES))
    probabilities = random_rows(3, seed=2, n_classes=8)
    columns = activities_then_transition(probabilities, classes)
    assert columns.shape == (3, 7)
    np.testing.assert_array_equal(columns[:, 6], probabilities[:, 0])
    for index, activity in enumerate(ACTIVITIES):
        np.testing.assert_array_equal(columns[:, index], probabilities[:, classes.index(activity)])
    assert activities_then_transition(probabilities[:, 2:], ACTIVITIES).shape == (3, 6)


@pytest.mark.parametrize(
    "wrong",
    [{"stay": 1.0}, {"stay": 0.1}, {"exponent": 0.0}, {"door": 1.1}, {"posture": 0.0}, {"floor": 0.2}, {"lag": 4}],
)
def test_settings_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        replace(FilterSettings(), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(5,), (8,), (3, 5), ()])
def test_rows_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        ActivityFilter().push(np.full(shape, 0.1))


def test_no_windows_no_answers() -> None:
    assert smooth(np.empty((0, 7))).shape == (0, 6)
    assert ActivityFilter(FilterSettings(lag=2)).finish() == []
