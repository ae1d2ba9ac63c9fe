"""Whether a series of measurements grows: Theil and Sen's slope, which single outliers do not move. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import theilslopes

WARM_UP = 1 / 3
"""The share of a run that is not judged: caches, pools and tables fill."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure may grow by over the judged part of a run: by ``share`` of its first value, and by ``amount``."""

    share: float
    amount: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure over a run: its median behind the warm-up, what it has grown by, and what it may."""

    name: str
    median: float
    growth: float
    allowed: float

    @property
    def is_steady(self) -> bool:
        """Whether it has not grown by more than it may."""
        return self.growth <= self.allowed


def judge(name: str, times_s: npt.ArrayLike, values: npt.ArrayLike, limit: Limit) -> Verdict:
    """Judge the figures measured at these times.

    Theil, H. 1950, A rank-invariant method of linear and polynomial regression analysis; Sen, P. K. 1968, Estimates of
    the regression coefficient based on Kendall's tau; :func:`scipy.stats.theilslopes`.

    Raises
    ------
    ValueError : there are fewer than four measurements behind the warm-up.
    """
    times, figures = np.asarray(times_s, float), np.asarray(values, float)
    judged = (times >= times[0] + WARM_UP * (times[-1] - times[0])) & np.isfinite(figures)
    times, figures = times[judged], figures[judged]
    if len(figures) < 4:
        raise ValueError(f"{len(figures)} measurements of {name} are too few; let it run for longer.")
    slope, intercept, _low, _high = theilslopes(figures, times)
    growth, first = slope * (times[-1] - times[0]), intercept + slope * times[0]
    return Verdict(name, float(np.median(figures)), float(growth), limit.share * max(float(first), 0.0) + limit.amount)
