"""What a sensor's times show: its rate, its jitter, what is missing. Pure."""

from __future__ import annotations

import math

import numpy as np

from model.resampling import HOLE
from model.signals import FloatArray

REMEMBERED = 2000
"""Intervals after which the older half of their weight is forgotten."""

MANY, RATE_CHANGE = 10, 1.25
"""So many intervals whose mean differs by this factor are of another rate."""

ODD = 20
"""Intervals in a row that do not fit the rate: it is another one now."""


class SensorStats:
    """Follows the intervals between one sensor's readings; those with a hole in them are left out."""

    def __init__(self) -> None:
        self.readings = 0
        self.first_s: float | None = None
        self._last_s: float | None = None
        self._odd = 0
        self._count = self._sum = self._squares = 0.0

    def add(self, times: FloatArray) -> None:
        """Count a message's readings, ``(n,)`` times [s]."""
        self.readings += len(times)
        before_s, self._last_s = self._last_s, float(times[-1])
        if self.first_s is None:
            self.first_s = float(times[0])
        if len(times) == 1 and self._count:
            self._add_one(self._last_s - before_s if before_s is not None else 0.0)
            return
        intervals = np.diff(times) if before_s is None else np.diff(times, prepend=before_s)
        if not len(intervals):
            return
        typical = self._sum / self._count if self._count else float(np.median(intervals))
        whole = intervals[(intervals > 0) & (intervals < HOLE * typical)]
        is_other = len(whole) >= MANY and not 1 / RATE_CHANGE < whole.mean() / typical < RATE_CHANGE
        if is_other or 2 * len(whole) < len(intervals):  # the rate is another one now, or began with a hole
            self._count = self._sum = self._squares = 0.0
            whole = intervals[(intervals > 0) & (intervals < HOLE * np.median(intervals))]
        self._note(len(whole), float(whole.sum()), float((whole**2).sum()))

    def _add_one(self, interval_s: float) -> None:
        """As :meth:`add`, for a message with a single reading, of which there are many."""
        if 0 < interval_s < HOLE * self._sum / self._count:
            self._odd = 0
            self._note(1, interval_s, interval_s**2)
            return
        self._odd += 1
        if self._odd > ODD and interval_s > 0:
            self._odd = 0
            self._count, self._sum, self._squares = 1.0, interval_s, interval_s**2

    def add_regular(self, count: int, first_s: float, last_s: float) -> None:
        """Count readings in step, without a look at each."""
        self.readings += count
        if self._last_s is not None and self._count and 0 < first_s - self._last_s < HOLE * self._sum / self._count:
            self._note(1, first_s - self._last_s, (first_s - self._last_s) ** 2)
        if count > 1:
            step_s = (last_s - first_s) / (count - 1)
            self._note(count - 1, last_s - first_s, (count - 1) * step_s**2)
        self.first_s = first_s if self.first_s is None else self.first_s
        self._last_s = last_s

    def _note(self, count: int, total: float, squares: float) -> None:
        self._count += count
        self._sum += total
        self._squares += squares
        if self._count > REMEMBERED:
            self._count, self._sum, self._squares = self._count / 2, self._sum / 2, self._squares / 2

    def forget_last(self) -> None:
        """The next reading does not follow on the last: the clock has jumped."""
        self.first_s = self._last_s = None

    @property
    def last_s(self) -> float | None:
        """Time of the last reading."""
        return self._last_s

    @property
    def rate_hz(self) -> float | None:
        """Readings a second, holes left out."""
        return self._count / self._sum if self._sum > 0 else None

    @property
    def jitter_ms(self) -> float | None:
        """Standard deviation of the intervals between readings."""
        if self._count < 2:
            return None
        mean = self._sum / self._count
        return 1000 * math.sqrt(max(0.0, self._squares / self._count - mean**2))
