"""How much arrives a second. Pure."""

from __future__ import annotations

from array import array

RATE_SPAN_S = 10.0
"""Arrivals of the last so many seconds make the rates shown."""

TOGETHER_S = 0.25
"""Arrivals within so much time are remembered as one."""


class RateMeter:
    """How much arrives a second, over the last :data:`RATE_SPAN_S` seconds."""

    def __init__(self) -> None:
        self._earlier = array("d")  # time and amount in turn: every phone has a dozen of them
        self._total = 0.0
        self._together_since_s = float("-inf")
        self._last_s = 0.0
        self._amount = 0

    def add(self, amount: int, now_s: float) -> None:
        """Count ``amount`` more, arrived now."""
        if now_s - self._together_since_s < TOGETHER_S:
            self._last_s = now_s
            self._amount += amount
            return
        if self._amount:
            self._earlier.extend((self._last_s, self._amount))
            self._total += self._amount
        self._together_since_s = self._last_s = now_s
        self._amount = amount
        self._forget(now_s)

    def per_second(self, now_s: float) -> float:
        """Amount a second; 0 before the second arrival, as one arrival spans no time."""
        self._forget(now_s)
        if not self._earlier:
            return 0.0
        first_s, first_amount = self._earlier[0], self._earlier[1]
        if self._last_s < now_s - RATE_SPAN_S or self._last_s <= first_s:
            return 0.0
        return (self._total - first_amount + self._amount) / (self._last_s - first_s)

    def _forget(self, now_s: float) -> None:
        while self._earlier and self._earlier[0] < now_s - RATE_SPAN_S:
            self._total -= self._earlier[1]
            del self._earlier[:2]
