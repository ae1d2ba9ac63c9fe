"""A phone's clock against the listener's: offset, drift, jumps; and what a sensor's times show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.intake.clock import CLOCK_OFF_S, PhoneClock
from streamer.intake.stats import SensorStats
from streamer.readings import ClockKind

EPOCH = 1_700_000_000.0


def followed(offset_s: float, *, drift: float = 0.0, speed: float = 1.0, seconds: int = 60) -> PhoneClock:
    """A clock after a message a second, delivered within half a second."""
    rng = np.random.default_rng(0)
    clock = PhoneClock()
    for second in range(seconds):
        newest_s = EPOCH - offset_s + second * (1 + drift)
        clock.note(newest_s - 1, newest_s, EPOCH + second / speed + 0.01 + 0.5 * rng.random() / speed)
    return clock


def test_the_quickest_delivery_makes_the_offset_of_a_clock_from_boot() -> None:
    clock = followed(1.7e9)
    assert clock.difference_s == pytest.approx(1.7e9, abs=0.1)
    assert clock.offset_s == 0.0
    clock.stated = ClockKind.BOOT
    assert clock.offset_s == clock.difference_s
    assert clock.off_s is None


@pytest.mark.parametrize("drift", [-1e-4, 1e-4])
def test_the_offset_follows_a_drift(drift: float) -> None:
    hours = 7200
    clock = followed(5000.0, drift=drift, seconds=hours)
    assert clock.difference_s == pytest.approx(5000.0 - drift * hours, abs=0.15)
    assert clock.jumps == 0


@pytest.mark.parametrize("offset_s", [-86_400.0, -3600.0, -6.0, -4.0, 0.0, 4.0, 6.0, 47.0, 86_400.0])
@pytest.mark.parametrize("seconds", [6, 60])
def test_a_unix_clock_that_is_plainly_wrong_is_seen_soon_and_with_its_sign(offset_s: float, seconds: int) -> None:
    is_off = abs(offset_s) > CLOCK_OFF_S
    assert CLOCK_OFF_S == 5
    assert followed(offset_s, seconds=seconds).off_s == (pytest.approx(offset_s, abs=0.3) if is_off else None)


@given(st.floats(1.2, 100) | st.floats(0.01, 0.8), st.sampled_from([0.0, 3600.0]))
def test_a_recording_played_at_another_speed_has_no_wrong_clock_and_no_jumps(speed: float, offset_s: float) -> None:
    clock = followed(offset_s, speed=speed, seconds=300)
    assert clock.off_s is None
    assert not clock.is_real_time
    assert clock.jumps == 0


def test_messages_that_come_late_are_no_wrong_clock() -> None:
    clock, arrived_s = PhoneClock(), 0.0
    for k in range(400):
        sent_s = EPOCH + 0.5 * k
        arrived_s = max(arrived_s, sent_s + (0.1, 20.0, 19.5, 19.0)[k % 4])
        clock.note(sent_s - 0.5, sent_s, arrived_s)
        assert clock.off_s is None


def test_a_backlog_that_is_sent_first_is_forgotten() -> None:
    clock = PhoneClock()
    for second in range(-300, 65):
        clock.note(EPOCH + second - 61, EPOCH + second - 60, EPOCH + max(second, 0.001 * second))
    assert clock.off_s == pytest.approx(60)


def test_times_from_before_the_year_2001_count_from_the_phones_start_whatever_the_format_says() -> None:
    clock = followed(EPOCH - 3600.0)
    assert clock.kind is ClockKind.BOOT
    assert clock.off_s is None
    assert clock.offset_s == 0.0
    assert PhoneClock().kind is ClockKind.UNIX


def test_a_clock_that_is_put_ahead_is_told_from_a_phone_that_was_silent() -> None:
    clock = followed(0.0)
    assert clock.note(EPOCH + 119, EPOCH + 120, EPOCH + 120.1) is None  # silent for a minute
    assert followed(0.0).note(EPOCH + 119, EPOCH + 120, EPOCH + 60.1) == pytest.approx(60, abs=1)


def test_messages_that_were_held_up_and_come_at_once_are_no_jump() -> None:
    clock = followed(0.0)
    assert [clock.note(EPOCH + s - 1, EPOCH + s, EPOCH + 90.0 + 0.001 * s) for s in range(60, 90)] == [None] * 30


@pytest.mark.parametrize("batch", [1, 7, 100])
@pytest.mark.parametrize("rate", [20.0, 104.0, 471.0])
def test_rate_and_jitter_are_measured_across_holes(rate: float, batch: int) -> None:
    rng = np.random.default_rng(1)
    times = EPOCH + (np.arange(4000) + rng.uniform(-0.1, 0.1, 4000)) / rate
    times = times[(rng.random(4000) > 0.05) | (np.arange(4000) < 2)]
    stats = SensorStats()
    for first in range(0, len(times), batch):
        stats.add(times[first : first + batch])
    assert stats.readings == len(times)
    assert stats.rate_hz == pytest.approx(rate, rel=0.01)
    deviation_ms = 1000 * np.sqrt(2 / 12) * 0.2 / rate  # of the difference of two uniform errors
    assert stats.jitter_ms == pytest.approx(deviation_ms, rel=0.15)


@pytest.mark.parametrize("batch", [1, 50])
def test_another_rate_is_noticed(batch: int) -> None:
    stats = SensorStats()
    times = np.concatenate([EPOCH + np.arange(400) / 100, EPOCH + 4 + np.arange(400) / 25])
    for first in range(0, len(times), batch):
        stats.add(times[first : first + batch])
    assert stats.rate_hz == pytest.approx(25, rel=0.02)


def test_regular_readings_need_no_look_at_each() -> None:
    stats = SensorStats()
    for k in range(10):
        stats.add_regular(25, EPOCH + k / 2, EPOCH + k / 2 + 0.48)
    assert stats.readings == 250
    assert stats.rate_hz == pytest.approx(50)
    assert stats.jitter_ms == pytest.approx(0, abs=0.01)
