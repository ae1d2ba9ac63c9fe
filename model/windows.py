"""The sliding window: 128 samples (2.56 s at 50 Hz), hop 64 (UCI HAR v1.0, README)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.signals import CHANNELS, SAMPLING_RATE

WINDOW_LENGTH = 128
"""Samples in a window."""

HOP = 64
"""Samples from the start of one window to the start of the next."""

HOP_S = HOP / SAMPLING_RATE
"""The same in seconds: what each window adds to the time spent on its answer."""

Windows = npt.NDArray[np.float32]
"""Shape ``(n_windows, WINDOW_LENGTH, n_channels)``."""


@dataclass(frozen=True)
class Window:
    """One window of a stream; ``start_sample`` counts from the stream's first sample."""

    start_sample: int
    values: npt.NDArray[np.float32]


class WindowSlicer:
    """Cuts a stream of samples into overlapping windows; any chunking gives the same windows."""

    def __init__(self, window_length: int = WINDOW_LENGTH, hop: int = HOP, n_channels: int = len(CHANNELS)) -> None:
        if hop < 1 or window_length < hop:
            raise ValueError(f"Parameters {window_length=}, {hop=} are not 1 <= hop <= window_length!")
        self.window_length = window_length
        self.hop = hop
        self._held = np.empty((window_length, n_channels), np.float32)
        self.reset()

    def reset(self, start_sample: int = 0) -> None:
        """Drop what is held; the next sample is sample ``start_sample`` and starts a window."""
        self._n_held = 0
        self._start = start_sample

    def push(self, chunk: npt.NDArray[np.floating]) -> list[Window]:
        """Take ``(n_samples, n_channels)``; give all windows that it completes, in order."""
        if len(chunk) > self.window_length:
            return self._push_long(chunk)
        windows = []
        while len(chunk):
            taken = chunk[: self.window_length - self._n_held]
            self._held[self._n_held : self._n_held + len(taken)] = taken
            self._n_held += len(taken)
            chunk = chunk[len(taken) :]
            if self._n_held == self.window_length:
                windows.append(Window(self._start, self._held.copy()))
                self._advance()
        return windows

    def _push_long(self, chunk: npt.NDArray[np.floating]) -> list[Window]:
        """The same for a chunk with many windows in it: one conversion of all of it."""
        values = np.concatenate([self._held[: self._n_held], chunk], dtype=np.float32)
        count = (len(values) - self.window_length) // self.hop + 1
        firsts = range(0, count * self.hop, self.hop)
        windows = [Window(self._start + first, values[first : first + self.window_length].copy()) for first in firsts]
        rest = values[count * self.hop :]
        self._held[: len(rest)] = rest
        self._n_held = len(rest)
        self._start += count * self.hop
        return windows

    def _advance(self) -> None:
        kept = self.window_length - self.hop
        self._held[:kept] = self._held[self.hop :].copy()
        self._n_held = kept
        self._start += self.hop


def cut(signals: npt.NDArray[np.floating], window_length: int = WINDOW_LENGTH, hop: int = HOP) -> Windows:
    """All whole windows of ``(n_samples, n_channels)``, as a batch."""
    windows = WindowSlicer(window_length, hop, signals.shape[1]).push(signals)
    empty = np.empty((0, window_length, signals.shape[1]), np.float32)
    return np.stack([w.values for w in windows]) if windows else empty
