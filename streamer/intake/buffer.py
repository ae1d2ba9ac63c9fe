"""One sensor's readings on their way to the resampler: put in order of their times, and cut where a gap is. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.resampling import HOLE
from model.signals import FloatArray
from streamer.intake.limits import BRIDGE_S, MAX_HELD_READINGS, REORDER_S, REORDER_SPANS

FIRST_WAIT_S = 0.25
"""How long a missing reading is waited for, in the stream's time, while nothing has come later than that."""

REMEMBERED = 256
"""Times of readings that were taken, so that repeats are told from what comes too late."""

BACK_S = 1.0
"""A numbered message that lies so far behind the one before it shows that the clock was set back."""

STRAYS = 2
"""The same without numbers, so many messages in a row."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Readings in a row, ``(n,)`` and ``(n, 3)``; a gap that follows ends with a reading at ``gap_end_s``."""

    times: FloatArray
    values: FloatArray
    gap_end_s: float | None = None


class SensorBuffer:
    """Readings of one sensor until they are taken. Where messages have no numbers, a hole waits to be filled."""

    def __init__(self) -> None:
        self.late = self.repeated = self.reordered = 0
        self.shift_s = 0.0
        """What is added to the sensor's times, where its clock is not the other sensor's."""
        self.newest_s: float | None = None
        self.span_s = 0.0
        """Of the longest message."""
        self.is_waiting = False
        """Whether readings are held back as others that are missing may still come."""
        self._new: list[tuple[FloatArray, FloatArray]] = []
        self._times = np.empty(0)
        self._values = np.empty((0, 3))
        self._last_s: float | None = None
        self._taken = np.empty(0)
        self._lateness_s = 0.0
        self._in_order = True
        self._strays = 0

    def is_behind(self, times: FloatArray, in_order: bool) -> bool:
        """Whether the readings lie so far back that the clock must have jumped."""
        if self.newest_s is None:
            return False
        behind_s = self.newest_s - float(times[-1] + self.shift_s)
        if in_order:
            return behind_s > BACK_S
        self._strays = self._strays + 1 if behind_s > max(REORDER_S, REORDER_SPANS * self.span_s) else 0
        return self._strays >= STRAYS

    def add(self, times: FloatArray, values: FloatArray, in_order: bool) -> None:
        """Take a message's readings; ``in_order`` if numbers have shown that nothing earlier will follow."""
        times = times + self.shift_s if self.shift_s else times
        self.span_s = max(self.span_s, float(times[-1] - times[0]))
        self._in_order = in_order
        if self.newest_s is not None and times[0] <= self.newest_s:
            self._lateness_s = max(self._lateness_s, self.newest_s - float(times[0]))
            self._insert(times, values)
        elif len(times) > 1 and np.diff(times).min() <= 0:
            self._insert(times, values)
        else:
            self._new.append((times, values))
        self.newest_s = max(float(times.max()), self.newest_s or float("-inf"))

    def _insert(self, times: FloatArray, values: FloatArray) -> None:
        """Put readings in their place; those whose place has passed, or is taken, go."""
        self._settle()
        if self._last_s is not None:
            passed = times <= self._last_s
            repeats = int(np.isin(times[passed], self._taken).sum())
            self.repeated += repeats
            self.late += int(passed.sum()) - repeats
            times, values = times[~passed], values[~passed]
        n_before = len(self._times) + len(times)
        self.reordered += int((times < self._times[-1]).sum()) if len(self._times) else 0
        all_times, first = np.unique(np.concatenate([self._times, times]), return_index=True)
        self._values = np.concatenate([self._values, values])[first]
        self._times = all_times
        self.repeated += n_before - len(all_times)

    def _settle(self) -> None:
        if self._new:
            self._times = np.concatenate([self._times, *(times for times, _ in self._new)])
            self._values = np.concatenate([self._values, *(values for _, values in self._new)])
            self._new.clear()

    def shift(self, by_s: float) -> None:
        """Move the sensor's clock."""
        self._settle()
        self._times = self._times + by_s
        self.shift_s += by_s
        if self.newest_s is not None:
            self.newest_s += by_s

    @property
    def times(self) -> FloatArray:
        """Times of what waits, ``(n,)``, increasing."""
        self._settle()
        return self._times

    def gap_end_s(self) -> float | None:
        """Time of the first reading behind a gap, None without a gap in what waits."""
        gaps = np.flatnonzero(self._intervals() > BRIDGE_S)
        return float(self._times[gaps[0]]) if len(gaps) else None

    def _intervals(self) -> FloatArray:
        """From the reading before to each that waits, ``(n,)``."""
        times = self.times
        return np.diff(times, prepend=times[:1] if self._last_s is None else self._last_s)

    def no_more(self) -> None:
        """What is missing will not come any more."""
        self._in_order, self.is_waiting = True, False

    def take(self, until_s: float, rate_hz: float) -> Ready:
        """The readings up to ``until_s`` that follow on the last ones taken, until the next gap."""
        times, intervals = self.times, self._intervals()
        stop = int(np.searchsorted(times, until_s, side="right"))
        gap_end_s = None
        self.is_waiting = False
        for place in np.flatnonzero(intervals > HOLE / rate_hz):
            is_gap = intervals[place] > BRIDGE_S
            if place > stop or (place == stop and not is_gap):
                break
            if self._may_be_filled(int(place)):
                stop, self.is_waiting = min(stop, int(place)), True
                break
            if is_gap:
                stop, gap_end_s = int(place), float(times[place])
                break
        ready = Ready(times[:stop], self._values[:stop], gap_end_s)
        self._forget(stop)
        return ready

    def _may_be_filled(self, place: int) -> bool:
        """Whether what is missing before this reading may still come."""
        behind = self._times[place:]
        if self._in_order or len(behind) > MAX_HELD_READINGS:
            return False
        wait_s = max(FIRST_WAIT_S, 1.5 * self._lateness_s, REORDER_SPANS * self.span_s)
        return float(behind[-1] - behind[0]) < min(wait_s, max(REORDER_S, REORDER_SPANS * self.span_s))

    def _forget(self, stop: int) -> None:
        if stop:
            self._last_s = float(self._times[stop - 1])
            self._taken = np.concatenate([self._taken[-REMEMBERED:], self._times[:stop]])[-REMEMBERED:]
            self._times, self._values = self._times[stop:], self._values[stop:]

    def drop_before(self, time_s: float) -> None:
        """Forget what is older; a piece begins anew."""
        times = self.times
        stop = int(np.searchsorted(times, time_s))
        self._times, self._values = times[stop:], self._values[stop:]
        self._last_s = None

    def peek(self, until_s: float) -> FloatArray:
        """Times of what waits up to ``until_s``, ``(n,)``."""
        times = self.times
        return times[: np.searchsorted(times, until_s, side="right")]
