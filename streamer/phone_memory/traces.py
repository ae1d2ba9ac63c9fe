"""A phone's signals of the last seconds, gaps among them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.signals import CHANNELS
from model.windows import HOP
from streamer.phone_stream import ReadyWindow

MOST_HOPS = 24
"""Hops remembered per phone at most: 30.7 s."""

LEAST_HOPS = 2
"""Hops remembered per phone at least: one window."""

ALL_HOPS = 12_000
"""Hops remembered of all phones together, 28 MB: the more phones, the less of each."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Signals up to the last sample: ``pieces`` of ``(n, 9)`` [:data:`model.signals.CHANNELS`], each with the number
    of its first sample.
    """

    pieces: tuple[tuple[int, npt.NDArray[np.float32]], ...] = ()

    @property
    def end(self) -> int:
        """Number of the sample after the last; 0 of an empty one."""
        return self.pieces[-1][0] + len(self.pieces[-1][1]) if self.pieces else 0

    def between(self, start: int, end: int) -> npt.NDArray[np.float32]:
        """Samples number ``start`` to ``end - 1``, ``(end - start, 9)``; NaN where there are none."""
        wanted = np.full((end - start, len(CHANNELS)), np.nan, np.float32)
        for first, values in self.pieces:
            cut = values[max(start - first, 0) : max(end - first, 0)]
            at = max(first - start, 0)
            wanted[at : at + len(cut)] = cut
        return wanted


class Traces:
    """Remembers what the windows add to each other."""

    __slots__ = ("_piece", "_pieces", "_start")

    def __init__(self) -> None:
        self._pieces: list[tuple[int, npt.NDArray[np.float32]]] = []
        self._piece: int | None = None
        self._start = 0

    def add(self, window: ReadyWindow, n_phones: int) -> None:
        """Remember a window, and of what came before it as much as beside ``n_phones`` phones can be."""
        piece, start, hop = self._piece, self._start, window.hop
        self._piece, self._start = window.piece, window.start_sample
        if window.start_sample <= start:
            self._pieces.clear()  # another recording
        if window.piece == piece and window.start_sample == start + hop:
            self._pieces.append((window.start_sample + len(window.values) - hop, window.values[-hop:].copy()))
        else:
            self._pieces.append((window.start_sample, window.values))
        hops = min(max(ALL_HOPS // max(n_phones, 1), LEAST_HOPS), MOST_HOPS)
        del self._pieces[: -max(hops * HOP // hop, 1)]

    def copy(self) -> Trace:
        """As it is now."""
        return Trace(tuple(self._pieces))
