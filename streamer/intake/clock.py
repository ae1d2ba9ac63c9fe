"""A phone's clock against the listener's: an offset for clocks that count from boot, and how far a Unix clock is off.

A message's newest reading was taken before the message arrived: the smallest difference between the two, over the
last minutes, is the offset between the clocks and the quickest delivery. A clock that drifts takes the offset along.
"""

from __future__ import annotations

from streamer.readings import ClockKind

SPAN_S = 300.0
"""Messages of the last one to two spans, by arrival, make the offset."""

CLOCK_OFF_S = 30.0
"""A Unix clock that differs more from the listener's is wrong."""

SETTLED_S = 10.0
"""Seconds of arrivals that show whether a phone sends in real time."""

REAL_STEP_S = 2.0
"""A step of the phone's time that is so much longer than the silence before it is the clock's own."""


class PhoneClock:
    """One phone's clock. Phone times and arrivals are in seconds; arrivals are Unix time."""

    def __init__(self) -> None:
        self.kind = ClockKind.UNIX
        self.jumps = 0
        self.reset()

    def reset(self) -> None:
        """Forget the offset: the clock has jumped."""
        self._smallest: float | None = None
        self._smallest_before: float | None = None
        self._span_start_s = 0.0
        self._first: tuple[float, float] | None = None
        self._last: tuple[float, float] = (0.0, 0.0)

    def note(self, oldest_s: float, newest_s: float, arrived_s: float) -> float | None:
        """A message arrived whose readings were taken in this time, by the phone's clock.

        Gives by how much the clock itself has jumped ahead, if it has: its time stepped by more than the silence.
        """
        step_s = (newest_s - self._last[0]) - (arrived_s - self._last[1])
        if self.is_real_time and step_s > max(REAL_STEP_S, 1.5 * (newest_s - oldest_s)):
            self.reset()
            self.jumps += 1
            self._note(newest_s, arrived_s)
            return step_s
        self._note(newest_s, arrived_s)
        return None

    def jumped_back(self) -> None:
        """The clock was set back: forget what was known of it."""
        self.jumps += 1
        self.reset()

    def _note(self, newest_s: float, arrived_s: float) -> None:
        difference = arrived_s - newest_s
        if self._first is None or self._smallest is None:
            self._first, self._smallest, self._span_start_s = (newest_s, arrived_s), difference, arrived_s
        elif arrived_s - self._span_start_s > SPAN_S:
            self._smallest_before, self._smallest, self._span_start_s = self._smallest, difference, arrived_s
        else:
            self._smallest = min(self._smallest, difference)
        self._last = (newest_s, arrived_s)

    @property
    def difference_s(self) -> float | None:
        """The listener's clock minus the phone's; None before the first message."""
        if self._smallest is None:
            return None
        return self._smallest if self._smallest_before is None else min(self._smallest, self._smallest_before)

    @property
    def offset_s(self) -> float:
        """What makes Unix time of the phone's: 0 for a Unix clock."""
        return 0.0 if self.kind is ClockKind.UNIX else self.difference_s or 0.0

    @property
    def is_real_time(self) -> bool:
        """Whether the phone's clock has gone on as the listener's has: not a recording played faster."""
        if self._first is None:
            return False
        taken_s, arrived_s = (last - first for last, first in zip(self._last, self._first, strict=True))
        return arrived_s > SETTLED_S and 0.9 < taken_s / arrived_s < 1.1

    @property
    def off_s(self) -> float | None:
        """By how much a phone's Unix clock is behind the listener's (negative: ahead), if it is plainly wrong."""
        difference = self.difference_s
        if self.kind is ClockKind.BOOT or difference is None or not self.is_real_time:
            return None
        return difference if abs(difference) > CLOCK_OFF_S else None
