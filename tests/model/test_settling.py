"""The filter over the stateful model's steps: any pieces give the same, and what is told is held."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.activities import ACTIVITIES
from model.smoothing import FilterSettings, smooth
from model.stateful.settling import NOTHING_TOLD, SETTLING, SWITCH, evidence, first_settled, hold, settle

SITTING, STANDING = ACTIVITIES.index("SITTING"), ACTIVITIES.index("STANDING")


def answers(n: int, steps: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(12, 0.3), (n, steps))


def of(*activities: int, sureness: float = 0.95) -> np.ndarray:
    """Settled probabilities ``(1, steps, 6)`` of these activities."""
    rows = np.full((1, len(activities), 6), (1 - sureness) / 5)
    rows[0, range(len(activities)), activities] = sureness
    return rows


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(0, 5))
def test_any_pieces_settle_alike(lengths: list[int], seed: int) -> None:
    network = answers(2, sum(lengths), seed)
    whole, last = settle(network, first_settled(2))
    told, parts, tolds, states = np.full(2, NOTHING_TOLD), [], [], first_settled(2)
    for piece in np.split(network, np.cumsum(lengths)[:-1], axis=1):
        settled, states = settle(piece, states)
        held = hold(settled, told)
        told = held[:, -1]
        parts.append(settled)
        tolds.append(held)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    np.testing.assert_array_equal(states, last)
    np.testing.assert_array_equal(np.concatenate(tolds, axis=1), hold(whole, np.full(2, NOTHING_TOLD)))


def test_it_is_the_filter_of_the_windows_with_other_settings() -> None:
    network = answers(1, 30)
    settled, _ = settle(network, first_settled(1))
    np.testing.assert_allclose(settled[0], smooth(evidence(network)[0], SETTLING), atol=1e-12)
    other = FilterSettings(stay=0.5)
    assert np.abs(settle(network, first_settled(1), other)[0] - settled).max() > 0.01


def test_transitions_are_added_up() -> None:
    network = answers(1, 1)
    assert evidence(network).shape == (1, 1, 7)
    assert evidence(network)[0, 0, 6] == pytest.approx(network[0, 0, 6:].sum())


def test_one_witness_against_many_changes_nothing() -> None:
    network = np.full((1, 40, 12), 1e-3)
    network[0, :, SITTING] = 1
    network[0, 30, SITTING], network[0, 30, STANDING] = 1e-3, 1
    network /= network.sum(axis=2, keepdims=True)
    settled, _ = settle(network, first_settled(1))
    assert set(settled[0, 5:].argmax(axis=1)) == {SITTING}
    assert settled[0, 30, SITTING] < settled[0, 29, SITTING]


def test_the_first_likeliest_is_told_at_once_and_held_until_another_is_sure() -> None:
    unsure = of(SITTING, STANDING, STANDING, sureness=SWITCH - 0.05)
    np.testing.assert_array_equal(hold(unsure, np.array([NOTHING_TOLD])), [[SITTING] * 3])
    sure = of(SITTING, STANDING, SITTING, sureness=SWITCH + 0.05)
    np.testing.assert_array_equal(hold(sure, np.array([NOTHING_TOLD])), [[SITTING, STANDING, SITTING]])
    np.testing.assert_array_equal(hold(unsure[:, :1], np.array([STANDING])), [[STANDING]])
