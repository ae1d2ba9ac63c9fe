"""Which broker is tried next, when, and who notices that another client takes the connection away."""

from __future__ import annotations

from streamer.address import parse_broker
from streamer.attempts import ALL_AT_ONCE_S, MAX_WAIT_S, SHORT_S, Attempts

NODES = tuple(parse_broker(where) for where in ("a", "b", "c"))


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_all_brokers_are_tried_at_once_and_then_ever_more_rarely() -> None:
    attempts = Attempts(NODES)
    attempts.lost()
    assert [attempts.next().host for _ in range(4)] == ["b", "c", "a", "b"]
    waits = [attempts.wait_s() for _ in range(30)]
    assert waits[0] == waits[1] == waits[3] == ALL_AT_ONCE_S
    assert 0.5 <= waits[2] <= 1.0
    assert 1.0 <= waits[5] <= 2.0
    assert MAX_WAIT_S / 2 <= waits[29] <= MAX_WAIT_S


def test_one_broker_is_waited_for_from_the_first_time_on() -> None:
    attempts = Attempts(NODES[:1])
    assert attempts.next() is NODES[0]
    assert attempts.wait_s() >= 0.5


def lives(attempts: Attempts, clock: Clock, *lives_s: float, are_absences: bool = False) -> bool:
    for life_s in lives_s:
        if are_absences:
            attempts.absent()
        attempts.connected()
        clock.now_s += life_s
        attempts.lost()
    return attempts.is_contested


def test_five_short_lives_in_a_row_are_another_client() -> None:
    clock = Clock()
    attempts = Attempts(NODES, clock)
    assert not lives(attempts, clock, 1.0, 1.0, 1.0, 1.0, SHORT_S, 1.0, 1.0, 1.0, 1.0)
    assert lives(attempts, clock, 1.0)


def test_where_the_only_broker_is_away_between_short_lives_there_is_no_other_client() -> None:
    clock = Clock()
    assert not lives(Attempts(NODES[:1], clock), clock, *[1.0] * 20, are_absences=True)
    assert lives(Attempts(NODES, clock), clock, *[1.0] * 20, are_absences=True)


def test_who_is_refused_again_and_again_tries_ever_more_rarely() -> None:
    attempts = Attempts(NODES[:1])
    waits = []
    for _ in range(5):
        attempts.lost()
        waits.append(attempts.wait_s())
    assert waits[4] >= 8.0


def test_attempts_that_fail_are_no_lives() -> None:
    attempts = Attempts(NODES)
    for _ in range(10):
        attempts.lost()
    assert not attempts.is_contested
