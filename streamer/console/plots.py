"""Signals as plots of characters: braille dots, or ASCII. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
import numpy.typing as npt

from streamer.console.theme import ASCII, Symbols

LEVELS = 4
"""Heights that one row of characters can tell apart."""

Values = npt.NDArray[np.float32]
Levels = npt.NDArray[np.int64]

_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The dots of a braille character, top row first (Unicode, block Braille Patterns)."""

_MARKS = "_.-'"
"""Heights in ASCII, lowest first."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What the lowest and the highest level stand for."""

    low: float
    high: float


def step_for(values: Values, least: float, steps: int) -> float:
    """The smallest of 1, 2, 5, 10, ... times a power of ten of which ``steps`` hold the widest column of ``values``
    ``(n, m)``; at least ``least``, so that a sensor's noise does not fill the plot.
    """
    known = [column[np.isfinite(column)].astype(np.float64) for column in values.T]
    widest = max((float(column.max() - column.min()) for column in known if len(column)), default=0.0)
    part = max(widest / steps, least)
    power = 10.0 ** floor(log10(part))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= part * (1 - 1e-9))


def scale_for(values: Values, step: float) -> Scale:
    """Whole steps around ``values`` ``(n,)``: a scale that stays while the signal stays about where it is."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Scale(0.0, step)
    low, high = floor(float(finite.min()) / step) * step, ceil(float(finite.max()) / step) * step
    return Scale(low, high if high > low else low + step)


def plot(values: Values, scale: Scale, *, width: int, rows: int, symbols: Symbols) -> list[str]:
    """``rows`` strings of ``width`` characters, the top one first.

    Each of the 2 ``width`` columns of dots shows the range of its share of ``values`` ``(n,)``, ``n`` a multiple of
    2 ``width``; nothing where there is NaN.
    """
    columns = width if symbols is ASCII else 2 * width
    low, high = _ranges(values.reshape(columns, -1), scale, LEVELS * rows)
    return _ascii(low, high, rows) if symbols is ASCII else _braille(low, high, rows)


def _ranges(parts: Values, scale: Scale, levels: int) -> tuple[Levels, Levels]:
    """Lowest and highest level of each part, joined with the part before it; lowest above highest if it is empty."""
    known = np.isfinite(parts)
    share = (np.where(known, parts, 0.0) - scale.low) / (scale.high - scale.low)
    level = np.clip(np.rint(share * (levels - 1)), 0, levels - 1).astype(np.int64)
    low = np.where(known, level, levels).min(axis=1)
    high = np.where(known, level, -1).max(axis=1)
    joined = (low[1:] <= high[1:]) & (low[:-1] <= high[:-1])
    joined_low = np.where(joined, np.minimum(low[1:], high[:-1]), low[1:])
    joined_high = np.where(joined, np.maximum(high[1:], low[:-1]), high[1:])
    return np.concatenate([low[:1], joined_low]), np.concatenate([high[:1], joined_high])


def _braille(low: Levels, high: Levels, rows: int) -> list[str]:
    levels = np.arange(LEVELS * rows)[::-1, np.newaxis]
    dots = (low <= levels) & (levels <= high)
    codes = (dots.reshape(rows, LEVELS, -1, 2) * _BITS[np.newaxis, :, np.newaxis, :]).sum(axis=(1, 3))
    return ["".join(chr(0x2800 + code) if code else " " for code in row) for row in codes.tolist()]


def _ascii(low: Levels, high: Levels, rows: int) -> list[str]:
    lines = []
    for row in reversed(range(rows)):
        bottom = row * LEVELS
        least, most = np.maximum(low - bottom, 0).tolist(), np.minimum(high - bottom, LEVELS - 1).tolist()
        lines.append("".join(map(_mark, least, most)))
    return lines


def _mark(least: int, most: int) -> str:
    """Of a row in which these levels are reached."""
    if least > most:
        return " "
    return "|" if most - least >= 2 else _MARKS[most]
