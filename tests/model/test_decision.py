"""What is said about a window, and what saying less is worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.activities import ACTIVITIES, TRANSITION
from model.decision import (
    ANSWERS,
    UNKNOWN,
    Decision,
    DecisionSettings,
    coverage_curve,
    decide,
    decide_all,
    min_confidence,
)

SETTINGS = DecisionSettings(min_confidence=0.8, transition=0.5, novelty=1.0)


def row(best: int, confidence: float) -> list[float]:
    others = (1 - confidence) / 5
    return [confidence if index == best else others for index in range(6)]


@pytest.mark.parametrize(
    ("confidence", "transition", "novelty", "answer"),
    [
        (0.9, 0.0, 0.0, "SITTING"),
        (0.9, 0.49, 1.0, "SITTING"),
        (0.7, 0.0, 0.0, UNKNOWN),
        (0.9, 0.6, 0.0, TRANSITION),
        (0.7, 0.6, 0.0, TRANSITION),  # a transition is known to be one, whatever the activity
        (0.99, 0.0, 1.2, UNKNOWN),  # however sure the network is
        (0.99, 0.9, 1.2, UNKNOWN),
    ],
)
def test_what_is_said(confidence: float, transition: float, novelty: float, answer: str) -> None:
    sitting = ACTIVITIES.index("SITTING")
    decision = decide(row(sitting, confidence), settings=SETTINGS, transition=transition, novelty=novelty)
    assert decision == Decision(answer, "SITTING", confidence)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0.2, 1), st.floats(0, 1), st.floats(0, 3)), min_size=1, max_size=20)
)
def test_many_are_as_one(windows: list[tuple[int, float, float, float]]) -> None:
    rows = [row(best, confidence) for best, confidence, _, _ in windows]
    transitions, novelties = [w[2] for w in windows], [w[3] for w in windows]
    together = decide_all(rows, settings=SETTINGS, transition=transitions, novelty=novelties)
    alone = [
        decide(r, settings=SETTINGS, transition=t, novelty=n)
        for r, t, n in zip(rows, transitions, novelties, strict=True)
    ]
    assert [ANSWERS[answer] for answer in together] == [decision.answer for decision in alone]


def test_without_a_threshold_it_is_the_arg_max() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(6), 50)
    answers = decide_all(rows, settings=DecisionSettings(min_confidence=0.0))
    np.testing.assert_array_equal(answers, rows.argmax(axis=1))


scored = st.lists(st.tuples(st.sampled_from([0.3, 0.5, 0.7, 0.9, 0.95]), st.booleans()), min_size=1, max_size=40)


@given(scored, st.floats(0.01, 1))
def test_a_point_of_the_curve_is_what_counting_gives(windows: list[tuple[float, bool]], coverage: float) -> None:
    confidence, is_right = [w[0] for w in windows], [w[1] for w in windows]
    (point,) = coverage_curve(confidence, is_right, [coverage])
    kept = [right for sure, right in windows if sure >= point.min_confidence]
    surer = [right for sure, right in windows if sure > point.min_confidence]
    assert len(kept) / len(windows) == pytest.approx(point.coverage)
    assert len(surer) / len(windows) < coverage <= point.coverage + 1e-9  # no higher threshold keeps enough
    assert point.accuracy == pytest.approx(sum(kept) / len(kept))


def test_the_whole_curve_ends_at_the_accuracy() -> None:
    curve = coverage_curve([0.9, 0.8, 0.7, 0.6], [True, True, True, False])
    assert len(curve) == 100
    assert (curve[-1].coverage, curve[-1].accuracy, curve[-1].min_confidence) == (1, 0.75, 0.6)
    assert (curve[0].coverage, curve[0].accuracy) == (0.25, 1)
    assert (curve[74].coverage, curve[74].accuracy) == (0.75, 1)


def test_threshold_and_decision_agree() -> None:
    """Deciding by a threshold for 90 % names an activity for 90 %."""
    rows = np.random.default_rng(1).dirichlet(np.ones(6), 200)
    chosen = DecisionSettings(min_confidence=min_confidence(rows.max(axis=1), 0.9))
    assert (decide_all(rows, settings=chosen) < len(ACTIVITIES)).mean() == 0.9


@pytest.mark.parametrize("wrong", [{"min_confidence": 1.0}, {"transition": 0.0}, {"novelty": 0.0}])
def test_settings_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="min_confidence"):
        DecisionSettings(**{"min_confidence": 0.5, **wrong})


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="n >= 1"):
        coverage_curve([], [])
    with pytest.raises(ValueError, match="n >= 1"):
        coverage_curve([0.5], [True, False])
    with pytest.raises(ValueError, match="coverage"):
        min_confidence([0.5], 0.0)
