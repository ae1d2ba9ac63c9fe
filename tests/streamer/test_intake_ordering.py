"""Numbered messages in order of their numbers: early ones wait, repeats go, losses are counted."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.formats.har import as_message
from streamer.intake.limits import MAX_HELD_MESSAGES
from streamer.intake.ordering import Ordering, Turn, turn_of
from streamer.wire import Samples

N = 25
"""Samples a message: half a second."""


def turn(seq: int, *, number: int | None = None, start: bool = False, shift_s: float = 0.0, n: int = N) -> Turn:
    """Message ``seq`` of a stream, with another number if that is given."""
    times = 1_700_000_000 + shift_s + (seq * n + np.arange(n)) / 50
    samples = Samples(np.zeros((n, 6)), times, seq if number is None else number, start=start)
    return turn_of(as_message("p", samples), arrived_s=float(times[-1]))


def let_through(ordering: Ordering, turns: list[Turn]) -> list[tuple[int | None, int]]:
    """Number and losses of what comes out."""
    out = [released for each in turns for released in ordering.push(each)] + ordering.finish()
    return [(each.message.seq, each.lost) for each in out]


def test_what_is_in_order_is_given_at_once() -> None:
    ordering = Ordering()
    for seq in range(100):
        each = turn(seq, start=seq == 0)
        assert ordering.push(each) == [each]
    assert (ordering.lost, ordering.late, ordering.repeated, ordering.reordered) == (0, 0, 0, 0)


@given(st.lists(st.booleans(), min_size=60, max_size=60), st.integers(1, 400))
def test_neighbours_that_change_places_are_put_right(swaps: list[bool], n: int) -> None:
    order = list(range(60))
    for k in range(0, 58, 2):
        if swaps[k]:
            order[k + 1], order[k + 2] = order[k + 2], order[k + 1]
    ordering = Ordering()
    assert let_through(ordering, [turn(seq, n=n) for seq in order]) == [(seq, 0) for seq in range(60)]
    assert ordering.reordered == sum(swaps[k] for k in range(0, 58, 2))
    assert ordering.lost == ordering.late == 0


@given(st.sets(st.integers(1, 97), max_size=50), st.integers(0, 2**32))
def test_losses_add_up_and_nothing_else_is_lost(lost: set[int], seed: int) -> None:
    """Also where what comes is repeated and a message changes place with one behind it."""
    kept = [seq for seq in range(100) if seq not in lost]
    chance = random.Random(seed)
    sent = [turn(seq) for seq in kept for _ in range(chance.choice([1, 1, 2]))]
    ordering = Ordering()
    out = let_through(ordering, sent)
    assert [seq for seq, _ in out] == kept
    assert sum(n for _, n in out) == ordering.lost == len(lost)
    assert ordering.repeated == len(sent) - len(kept)


def test_what_is_missing_is_waited_for_by_the_stream_s_time_and_late_comers_are_no_longer_lost() -> None:
    ordering = Ordering()
    assert len(ordering.push(turn(0))) == 1
    assert [ordering.push(turn(seq)) for seq in (2, 3)] == [[], []]
    released = ordering.push(turn(5))  # more than two seconds lie behind message 0 now
    assert [(each.message.seq, each.lost) for each in released] == [(2, 1), (3, 0)]
    assert [each.message.seq for each in ordering.push(turn(4))] == [4, 5]
    assert ordering.lost == 1
    assert ordering.push(turn(1)) == []
    assert (ordering.lost, ordering.late) == (0, 1)


def test_what_is_missing_is_not_waited_for_behind_a_pause() -> None:
    ordering = Ordering()
    ordering.push(turn(0))
    (released,) = ordering.push(turn(20))
    assert (released.message.seq, released.lost) == (20, 19)


def test_however_slowly_they_come_messages_are_held_for_seconds_only() -> None:
    ordering = Ordering()
    ordering.push(turn(0, n=1))
    assert ordering.push(turn(2, n=1)) == []
    late = turn(3, n=1)
    late = Turn(late.message, late.arrived_s + 6, late.oldest_s, late.newest_s)
    assert [each.message.seq for each in ordering.push(late)] == [2, 3]


def test_no_more_is_held_than_the_bound() -> None:
    ordering = Ordering()
    ordering.push(turn(0, n=1))
    stuck = [turn(seq, n=1) for seq in range(2, MAX_HELD_MESSAGES + 10)]
    stuck = [Turn(each.message, 0.0, 1_700_000_000.02, 1_700_000_000.02) for each in stuck]  # a clock that stands
    held = 0
    for each in stuck:
        held += 1 - len(ordering.push(each))
        assert held <= MAX_HELD_MESSAGES


def test_a_phone_that_counts_anew_is_heard_on() -> None:
    messages = [turn(0, number=500), turn(1, number=0), turn(2, number=1)]
    assert let_through(Ordering(), messages) == [(500, 0), (0, 0), (1, 0)]


def test_a_phone_that_restarts_with_its_clock_set_back_is_heard_again_soon() -> None:
    ordering = Ordering()
    before = [turn(seq, number=seq + 500) for seq in range(10)]
    after = [turn(seq, shift_s=-1000) for seq in range(20)]
    out = let_through(ordering, before + after)
    assert out[10:] == [(seq, 0) for seq in range(2, 20)]


def test_a_recording_that_starts_anew_is_heard_and_a_start_that_comes_twice_is_not() -> None:
    ordering = Ordering()
    messages = [turn(0, start=True), turn(1), turn(0, start=True), turn(2)]
    assert let_through(ordering, messages) == [(0, 0), (1, 0), (2, 0)]
    assert ordering.repeated == 1
    again = [turn(0, start=True, shift_s=1000), turn(1, shift_s=1000)]
    assert let_through(ordering, again) == [(0, 0), (1, 0)]


def test_a_recording_that_is_played_a_second_time_is_heard_a_second_time() -> None:
    ordering = Ordering()
    messages = [turn(seq, start=seq == 0) for seq in range(200)]
    assert len(let_through(ordering, messages)) == 200
    assert let_through(ordering, messages) == [(seq, 0) for seq in range(200)]


def test_a_connection_that_was_made_again_may_deliver_many_messages_twice() -> None:
    ordering = Ordering()
    messages = [turn(seq) for seq in range(40)]
    assert len(let_through(ordering, messages)) == 40
    assert let_through(ordering, messages[20:]) == []
    assert ordering.repeated == 20


@pytest.mark.parametrize("first", [0, 7])
def test_what_came_first_need_not_be_message_0(first: int) -> None:
    ordering = Ordering()
    assert let_through(ordering, [turn(first), turn(first + 1)]) == [(first, 0), (first + 1, 0)]
    assert ordering.lost == 0
