"""When to send: absolute deadlines from one start, so that delays never add up. Pure but for the clock it is given."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterable, Iterator
from typing import Protocol

from replay.phone import Outgoing
from replay.tally import Lateness

AS_FAST_AS_POSSIBLE = math.inf
"""The speed of ``--speed max``."""

_LONGEST_SLEEP_S = 0.1
"""A sleep is cut into pieces of this length, so that a stop is noticed soon."""


class Clock(Protocol):
    """Time that passes; a fake one in tests."""

    def now(self) -> float:
        """Seconds from any fixed instant."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class MonotonicClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the machine started."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


class Stop:
    """Set by a signal handler: a plain attribute, for a handler may not wait for a lock."""

    def __init__(self) -> None:
        self.signal: int | None = None

    @property
    def requested(self) -> bool:
        """Whether to stop."""
        return self.signal is not None


def merge(streams: Iterable[Iterator[Outgoing]]) -> Iterator[Outgoing]:
    """The messages of all phones in order of ``due_s``; one of each is held at a time."""
    return heapq.merge(*streams, key=lambda message: message.due_s)


def wait_until(deadline: float, clock: Clock, stop: Stop) -> bool:
    """Sleep until ``deadline`` on ``clock``; False if stopped before."""
    while not stop.requested:
        remaining = deadline - clock.now()
        if remaining <= 0:
            return True
        clock.sleep(min(remaining, _LONGEST_SLEEP_S))
    return False


def pace(
    messages: Iterable[Outgoing], *, start: float, speed: float, clock: Clock, lateness: Lateness, stop: Stop
) -> Iterator[Outgoing]:
    """Yield each message at its deadline, ``start + due_s / speed`` on ``clock``, never before.

    After a delay the messages that are overdue follow at once, until the schedule is caught up with. Lateness
    is counted, but not at :data:`AS_FAST_AS_POSSIBLE`, where nothing is waited for. Ends early when stopped.
    """
    for message in messages:
        if speed == AS_FAST_AS_POSSIBLE:
            if stop.requested:
                return
        else:
            deadline = start + message.due_s / speed
            if not wait_until(deadline, clock, stop):
                return
            lateness.add(clock.now() - deadline)
        yield message
