"""How much arrives a second. Pure."""

from __future__ import annotations

from collections import deque

RATE_SPAN_S = 10.0
"""Arrivals of the last so many seconds make the rates shown."""


class RateMeter:
    """How much arrives a second, over the last :data:`RATE_SPAN_S` seconds."""

    def __init__(self) -> None:
        self._arrivals: deque[tuple[float, int]] = deque()
        self._total = 0

    def add(self, amount: int, now_s: float) -> None:
        """Count ``amount`` more, arrived now."""
        self._arrivals.append((now_s, amount))
        self._total += amount
        self._forget(now_s)

    def per_second(self, now_s: float) -> float:
        """Amount a second; 0 before the second arrival, as one arrival spans no time."""
        self._forget(now_s)
        if len(self._arrivals) < 2:
            return 0.0
        first_s, first_amount = self._arrivals[0]
        span_s = self._arrivals[-1][0] - first_s
        return (self._total - first_amount) / span_s if span_s > 0 else 0.0

    def _forget(self, now_s: float) -> None:
        while self._arrivals and self._arrivals[0][0] < now_s - RATE_SPAN_S:
            self._total -= self._arrivals.popleft()[1]
