"""Postural transitions as events: one a run, the same however the stream is cut, none where nothing happens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.activities import ACTIVITIES, POSTURAL_TRANSITIONS
from model.stateful.shape import STEP_S
from model.stateful.transitions import TransitionSettings, find, first_runs, transitions_of

SETTINGS = TransitionSettings(begin=0.5, end=0.4, least_steps=2, most_steps=10)


def steps(*shares: float, name: str = "SIT_TO_STAND") -> npt.NDArray[np.float32]:
    """Probabilities in which one transition has these shares and STANDING the rest, ``(n, 12)``."""
    rows = np.zeros((len(shares), 12), np.float32)
    rows[:, len(ACTIVITIES) + POSTURAL_TRANSITIONS.index(name)] = shares
    rows[:, ACTIVITIES.index("STANDING")] = 1 - np.array(shares)
    return rows


@st.composite
def streams(draw: st.DrawFn, n: int = 1) -> npt.NDArray[np.float32]:
    """Probabilities ``(n, steps, 12)`` with long and short runs."""
    length, seed = draw(st.integers(0, 60)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(12, 0.2), (n, length))
    busy = rng.random((n, 1 + length // 7)).repeat(7, axis=1)[:, :length] < 0.4
    rows[busy, : len(ACTIVITIES)] *= 0.05
    scaled: npt.NDArray[np.float32] = (rows / rows.sum(axis=-1, keepdims=True)).astype(np.float32)
    return scaled


def test_a_run_is_one_event_in_its_middle_named_by_what_had_most_of_it() -> None:
    run = np.concatenate([steps(0.9, 0.8), steps(0.6, name="STAND_TO_SIT")])
    stream = np.concatenate([steps(0, 0, 0.2), run, steps(0.1, 0)])
    (event,) = transitions_of(stream, SETTINGS)
    assert event.name == "SIT_TO_STAND"
    assert event.time_s == pytest.approx(4.5 * STEP_S)
    assert event.duration_s == pytest.approx(3 * STEP_S)
    assert event.confidence == pytest.approx(1.7 / 3)


def test_a_dip_above_the_end_does_not_end_a_run_and_a_short_run_is_none() -> None:
    assert len(transitions_of(steps(0, 0.6, 0.45, 0.6, 0), SETTINGS)) == 1
    assert transitions_of(steps(0, 0.6, 0.3, 0.6, 0), SETTINGS) == []
    assert transitions_of(steps(0, 0.45, 0.45, 0.45, 0), SETTINGS) == []


def test_what_goes_on_is_told_once_when_it_has_lasted_too_long() -> None:
    (event,) = transitions_of(steps(*[0.9] * 40), SETTINGS)
    assert event.duration_s == pytest.approx(10 * STEP_S)
    assert event.time_s == pytest.approx(5 * STEP_S)
    assert transitions_of(steps(*[0.9] * 9), SETTINGS) == []
    again = transitions_of(steps(*[0.9] * 40, 0, *[0.9] * 3, 0), SETTINGS)
    assert [e.time_s for e in again] == pytest.approx([5 * STEP_S, 42.5 * STEP_S])


def test_moments_are_dated_back_by_the_lag() -> None:
    stream = steps(0, 0.9, 0.9, 0.9, 0)
    (plain,) = transitions_of(stream, SETTINGS)
    (back,) = transitions_of(stream, TransitionSettings(begin=0.5, end=0.4, least_steps=2, most_steps=10, lag_s=0.25))
    assert plain.time_s - back.time_s == pytest.approx(0.25)


@given(streams(), st.lists(st.integers(0, 9), max_size=30))
def test_any_cutting_of_a_stream_gives_the_same_events(stream: npt.NDArray[np.float32], sizes: list[int]) -> None:
    whole, runs, events, at = transitions_of(stream[0], SETTINGS), first_runs(1), [], 0
    for size in [*sizes, stream.shape[1]]:
        part = stream[:, at : at + size]
        found, runs = find(part, runs, SETTINGS)
        events += [each.transition.after(STEP_S * (at + each.step + 1)) for each in found]
        at += part.shape[1]
    assert [(e.name, e.duration_s, e.confidence) for e in events] == [
        (e.name, e.duration_s, e.confidence) for e in whole
    ]
    np.testing.assert_allclose([e.time_s for e in events], [e.time_s for e in whole], atol=1e-9)


@given(streams(n=4))
def test_streams_together_are_as_each_alone(together: npt.NDArray[np.float32]) -> None:
    found, runs = find(together, first_runs(4), SETTINGS)
    for number, stream in enumerate(together):
        alone, run = find(stream[np.newaxis], first_runs(1), SETTINGS)
        assert [(e.step, e.transition) for e in found if e.stream == number] == [(e.step, e.transition) for e in alone]
        assert np.array_equal(runs[number], run[0])


@given(streams())
def test_events_are_what_their_settings_allow(stream: npt.NDArray[np.float32]) -> None:
    events = transitions_of(stream[0], SETTINGS)
    for event in events:
        assert SETTINGS.least_steps <= round(event.duration_s / STEP_S) <= SETTINGS.most_steps
        assert 0 < event.confidence <= 1 + 1e-6
        assert event.name in POSTURAL_TRANSITIONS
    assert [e.time_s for e in events] == sorted(e.time_s for e in events)
    quiet = stream[:, stream[0, :, len(ACTIVITIES) :].sum(axis=1) <= SETTINGS.end]
    assert transitions_of(quiet[0], SETTINGS) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"begin": 1.0},
        {"begin": 0.4, "end": 0.5},
        {"end": 0.0},
        {"least_steps": 0},
        {"least_steps": 5, "most_steps": 4},
        {"lag_s": -0.1},
    ],
)
def test_settings_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Parameters"):
        TransitionSettings(**wrong)  # type: ignore[arg-type]
