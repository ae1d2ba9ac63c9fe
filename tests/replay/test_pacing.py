"""Pacing, on a clock that only moves when somebody sleeps."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.pacing import Stop, merge, pace, wait_until
from replay.phone import Outgoing
from replay.tally import Lateness


class FakeClock:
    """Oversleeps by ``lag`` each time, as real ones do."""

    def __init__(self, lag: float = 0.0) -> None:
        self.time = 1000.0
        self.lag = lag

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds + self.lag


def every(period: float, count: int, phase: float = 0.0, topic: str = "t") -> list[Outgoing]:
    return [Outgoing(phase + k * period, topic, b"", 1) for k in range(count)]


def paced(
    messages: list[Outgoing], clock: FakeClock, lateness: Lateness, speed: float = 1.0, stop: Stop | None = None
) -> Iterator[Outgoing]:
    return pace(messages, start=1000.0, speed=speed, clock=clock, lateness=lateness, stop=stop or Stop())


@given(
    st.lists(st.floats(0, 5), min_size=1, max_size=60),
    st.floats(0.1, 100),
    st.floats(0, 0.01),
    st.lists(st.floats(0, 0.5), min_size=60, max_size=60),
)
def test_never_early_and_never_later_than_what_held_it_up(
    due: list[float], speed: float, lag: float, busy: list[float]
) -> None:
    clock, lateness = FakeClock(lag), Lateness()
    messages = [Outgoing(due_s, "t", b"", 1) for due_s in sorted(due)]
    free = clock.time
    late = []
    for message, busy_s in zip(paced(messages, clock, lateness, speed), busy, strict=False):
        deadline = 1000 + message.due_s / speed
        assert clock.time >= deadline
        assert clock.time <= max(deadline, free) + lag + 1e-9
        late.append(clock.time - deadline)
        clock.time += busy_s  # the broker is slow
        free = clock.time
    assert lateness.count == len(messages)
    assert lateness.max_s == pytest.approx(max(late))
    assert lateness.mean_s == pytest.approx(sum(late) / len(late))


def test_no_drift_in_a_day_of_oversleeping() -> None:
    clock, lateness = FakeClock(lag=0.003), Lateness()
    messages = every(0.5, 24 * 3600 * 2)
    for _ in paced(messages, clock, lateness):
        pass
    assert clock.time - (1000 + messages[-1].due_s) < 0.0031
    assert lateness.max_s < 0.0031


def test_a_delay_is_caught_up_with() -> None:
    clock, lateness = FakeClock(), Lateness()
    sent = []
    for message in paced(every(0.5, 20), clock, lateness):
        sent.append(clock.time - 1000)
        if message.due_s == 2.0:
            clock.time += 3.2  # one long delay
    assert sent[:5] == pytest.approx([0, 0.5, 1, 1.5, 2])
    assert sent[5:11] == pytest.approx([5.2] * 6)
    assert sent[11:] == pytest.approx([5.5 + 0.5 * k for k in range(9)])
    assert lateness.max_s == pytest.approx(2.7)


def test_speed_divides_the_time() -> None:
    clock = FakeClock()
    assert [clock.time for _ in paced(every(1.0, 4), clock, Lateness(), speed=8)] == [1000, 1000.125, 1000.25, 1000.375]


def test_as_fast_as_possible_waits_for_nothing_and_is_never_late() -> None:
    clock, lateness = FakeClock(), Lateness()
    assert len(list(paced(every(10.0, 50), clock, lateness, speed=math.inf))) == 50
    assert clock.time == 1000
    assert lateness.count == 0


@pytest.mark.parametrize("speed", [1.0, math.inf])
def test_a_stop_ends_it(speed: float) -> None:
    stop = Stop()
    sent = 0
    for _ in paced(every(0.5, 100), FakeClock(), Lateness(), speed, stop):
        sent += 1
        if sent == 3:
            stop.signal = 2
    assert sent == 3


def test_a_stop_is_noticed_in_the_middle_of_a_long_wait() -> None:
    class Interrupted(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.time > 1005:
                stop.signal = 15

    stop, clock = Stop(), Interrupted()
    assert not wait_until(clock.time + 3600, clock, stop)
    assert clock.time < 1005.3


@given(st.lists(st.lists(st.floats(0, 100), max_size=10), max_size=8))
def test_merging_keeps_every_message_and_each_phones_order(phones: list[list[float]]) -> None:
    streams = [[Outgoing(d, f"p{k}", bytes([n])) for n, d in enumerate(sorted(due))] for k, due in enumerate(phones)]
    merged = list(merge([iter(stream) for stream in streams]))
    assert [message.due_s for message in merged] == sorted(message.due_s for message in merged)
    for k, stream in enumerate(streams):
        assert [message for message in merged if message.topic == f"p{k}"] == stream


def test_merging_asks_each_phone_for_one_message_at_a_time() -> None:
    asked = [0, 0]

    def endless(which: int) -> Iterator[Outgoing]:
        while True:
            asked[which] += 1
            yield Outgoing(float(asked[which]), str(which), b"")

    merged = merge([endless(0), endless(1)])
    for _ in range(100):
        next(merged)
    assert max(asked) <= 52
