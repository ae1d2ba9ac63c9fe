"""Whether a phone's clock agrees with the listener's. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.readings import ClockKind

CLOCK_LIMIT_S = 5.0
"""A clock further off is told: more than the way through a broker and a batch of a second or two take, and than a
clock that is set by a network is ever off."""

BLOCK_S = 10.0
"""The offset is the least of the last one to two blocks: what a message is late by comes on top of it."""

SETTLE_S = 1.0
"""Before so much has come, nobody can tell a clock that is off from a recording that is replayed at speed."""

MOST_SPEED = 1.1
"""Times as fast as the listener's clock; whatever is faster is a replay or a backlog, and says nothing of a clock."""

EARLIEST_S = 1e9
"""Unix time [s] of 9 September 2001; a time before it does not count from 1970."""


@dataclass(frozen=True, slots=True)
class ClockState:
    """``offset_s`` is what the phone's clock is behind the listener's (negative: ahead), None where it is not known:
    too early, replayed at speed, or a clock that does not tell Unix time.
    """

    kind: ClockKind = ClockKind.UNIX
    offset_s: float | None = None

    @property
    def is_off(self) -> bool:
        """Whether it is further off than :data:`CLOCK_LIMIT_S`."""
        return self.offset_s is not None and abs(self.offset_s) > CLOCK_LIMIT_S


class PhoneClock:
    """Follows one phone's times."""

    __slots__ = ("_begin", "_earlier", "_least", "state")

    def __init__(self) -> None:
        self.state = ClockState()
        self._begin: tuple[float, float] | None = None
        self._least = self._earlier = float("inf")

    def add(self, sample_s: float, arrived_s: float, kind: ClockKind = ClockKind.UNIX) -> None:
        """Take a message: time of its last sample on the phone's clock, and Unix time [s] of its arrival."""
        if kind is ClockKind.BOOT or sample_s < EARLIEST_S:
            self.state = ClockState(ClockKind.BOOT)
            return
        offset_s = arrived_s - sample_s
        if self._begin is None or arrived_s < self._begin[1]:
            self._start(sample_s, arrived_s, offset_s)
            return
        self._least = min(self._least, offset_s)
        span_s = arrived_s - self._begin[1]
        if span_s < SETTLE_S:
            return
        is_fast = sample_s - self._begin[0] > MOST_SPEED * span_s
        self.state = ClockState(ClockKind.UNIX, None if is_fast else min(self._least, self._earlier))
        if span_s >= BLOCK_S:
            least = self._least
            self._start(sample_s, arrived_s, offset_s)
            self._earlier = float("inf") if is_fast else least

    def _start(self, sample_s: float, arrived_s: float, offset_s: float) -> None:
        self._begin, self._least, self._earlier = (sample_s, arrived_s), offset_s, float("inf")
