"""Whether a phone's clock agrees with the listener's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.phone_memory.clock import CLOCK_LIMIT_S, ClockState, PhoneClock
from streamer.readings import ClockKind

EPOCH = 1_700_000_000.0


def after(
    messages: int, *, behind_s: float = 0.0, speed: float = 1.0, late_s: tuple[float, ...] = (0.1,)
) -> ClockState:
    """A message every half a second of the phone's clock."""
    clock = PhoneClock()
    for k in range(messages):
        sent_s = EPOCH + 0.5 * k / speed
        clock.add(EPOCH + 0.5 * k - behind_s, sent_s + late_s[k % len(late_s)])
    return clock.state


@pytest.mark.parametrize("behind_s", [-3600.0, -6.0, 6.0, 47.0, 86_400.0])
def test_a_clock_that_is_off_is_told_with_its_sign(behind_s: float) -> None:
    state = after(60, behind_s=behind_s)
    assert state.is_off
    assert state.offset_s == pytest.approx(behind_s + 0.1)


@pytest.mark.parametrize("behind_s", [-4.0, 0.0, 4.0])
def test_a_clock_within_the_limit_is_not(behind_s: float) -> None:
    assert not after(60, behind_s=behind_s).is_off


def test_late_messages_are_no_wrong_clock() -> None:
    late = (0.1, 20.0, 19.5, 19.0)
    state = after(200, late_s=late)
    assert not state.is_off
    assert state.offset_s == pytest.approx(0.1)


@given(st.floats(1.2, 100))
def test_a_replay_at_speed_says_nothing_of_the_clock(speed: float) -> None:
    assert after(400, speed=speed).offset_s is None


def test_a_clock_that_is_set_right_is_right_soon() -> None:
    clock = PhoneClock()
    for k in range(200):
        now_s = EPOCH + 0.5 * k
        clock.add(now_s - (60 if k < 100 else 0), now_s)
        assert clock.state.is_off is (2 <= k < 100)


def test_a_jump_forward_is_found_within_two_blocks() -> None:
    clock = PhoneClock()
    for k in range(200):
        now_s = EPOCH + 0.5 * k
        clock.add(now_s - (0 if k < 100 else 60), now_s)
        assert not clock.state.is_off or k >= 100
    assert clock.state.is_off


def test_times_since_the_start_of_the_phone_are_no_offset() -> None:
    clock = PhoneClock()
    for k in range(60):
        clock.add(3600.0 + k, EPOCH + k)
    assert clock.state == ClockState(ClockKind.BOOT)
    told = PhoneClock()
    told.add(EPOCH, EPOCH + 1e6, ClockKind.BOOT)
    assert told.state == ClockState(ClockKind.BOOT)
    assert CLOCK_LIMIT_S == 5
