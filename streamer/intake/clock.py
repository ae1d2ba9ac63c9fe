"""A phone's clock against the listener's: an offset for clocks that count from boot, and how far a Unix clock is off.

A message's newest reading was taken before the message arrived: the smallest difference between the two, over the
last minutes, is the offset between the clocks and the quickest delivery. A clock that drifts takes the offset along.
"""

from __future__ import annotations

from streamer.readings import ClockKind

SPAN_S = 300.0
"""Messages of the last one to two spans, by arrival, make the offset."""

CLOCK_OFF_S = 5.0
"""A Unix clock further off is told: more than the way through a broker and a batch of a second or two take, and than a
clock that is set by a network is ever off."""

EARLIEST_S = 1e9
"""Unix time [s] of 9 September 2001; a time before it does not count from 1970, whatever the format says."""

FIRST_PACE_S, PACE_S = 3.0, 30.0
"""Seconds of arrivals that show whether a phone sends in real time: at first (twice as many each time), and then."""

PACE_ERROR = 0.1
"""Share by which it may seem faster or slower than it is, as messages are held up."""

REAL_STEP_S = 2.0
"""A step of the phone's time that is so much longer than the silence before it is the clock's own."""


class PhoneClock:
    """One phone's clock. Phone times and arrivals are in seconds; arrivals are Unix time.

    ``stated`` is what the times count from by the phone's format. ``is_real_time`` tells whether the phone's clock has
    gone on as the listener's has of late: not a recording played faster, nor a backlog.
    """

    def __init__(self) -> None:
        self.stated = ClockKind.UNIX
        self.jumps = 0
        self.reset()

    def reset(self) -> None:
        """Forget the offset: the clock has jumped."""
        self.is_real_time = False
        self._smallest: float | None = None
        self._smallest_before: float | None = None
        self._span_start_s = 0.0
        self._pace_start = (0.0, 0.0)
        self._look_after_s = FIRST_PACE_S
        self._last = (0.0, 0.0)

    def note(self, oldest_s: float, newest_s: float, arrived_s: float) -> float | None:
        """A message arrived whose readings were taken in this time, by the phone's clock.

        Gives by how much the clock itself has jumped ahead, if it has: its time stepped by more than the silence.
        """
        step_s = (newest_s - self._last[0]) - (arrived_s - self._last[1])
        has_jumped = self.is_real_time and step_s > max(REAL_STEP_S, 1.5 * (newest_s - oldest_s))
        if has_jumped:
            self.reset()
            self.jumps += 1
        self._note_difference(newest_s, arrived_s)
        self._note_pace(newest_s, arrived_s)
        self._last = (newest_s, arrived_s)
        return step_s if has_jumped else None

    def jumped_back(self) -> None:
        """The clock was set back: forget what was known of it."""
        self.jumps += 1
        self.reset()

    def _note_difference(self, newest_s: float, arrived_s: float) -> None:
        difference = arrived_s - newest_s
        if self._smallest is None:
            self._smallest, self._span_start_s, self._pace_start = difference, arrived_s, (newest_s, arrived_s)
        elif arrived_s - self._span_start_s > SPAN_S:
            self._smallest_before, self._smallest, self._span_start_s = self._smallest, difference, arrived_s
        else:
            self._smallest = min(self._smallest, difference)

    def _note_pace(self, newest_s: float, arrived_s: float) -> None:
        taken_s, arrived_in_s = newest_s - self._pace_start[0], arrived_s - self._pace_start[1]
        if arrived_in_s < self._look_after_s:
            return
        self.is_real_time = abs(taken_s - arrived_in_s) < PACE_ERROR * arrived_in_s
        self._look_after_s = min(2 * self._look_after_s, PACE_S)
        if arrived_in_s >= PACE_S:
            self._pace_start = (newest_s, arrived_s)

    @property
    def kind(self) -> ClockKind:
        """What the phone's times count from."""
        is_old = self._smallest is not None and self._last[0] < EARLIEST_S
        return ClockKind.BOOT if is_old else self.stated

    @property
    def difference_s(self) -> float | None:
        """The listener's clock minus the phone's; None before the first message."""
        if self._smallest is None:
            return None
        return self._smallest if self._smallest_before is None else min(self._smallest, self._smallest_before)

    @property
    def offset_s(self) -> float:
        """What makes Unix time of the phone's: 0 for a clock that is said to tell it."""
        return 0.0 if self.stated is ClockKind.UNIX else self.difference_s or 0.0

    @property
    def off_s(self) -> float | None:
        """By how much a phone's Unix clock is behind the listener's (negative: ahead), if it is plainly wrong."""
        difference = self.difference_s
        if self.kind is ClockKind.BOOT or difference is None or not self.is_real_time:
            return None
        return difference if abs(difference) > CLOCK_OFF_S else None
