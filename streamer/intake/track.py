"""One sensor's part in a piece of the stream: its readings resampled, until it stops or its rate changes. Pure."""

from __future__ import annotations

import numpy as np

from model.resampling import Resampler, measured_rate
from model.signals import FloatArray
from streamer.intake.buffer import Ready, SensorBuffer
from streamer.intake.chunks import JUMPED

RATE_SPAN_S = 2.0
"""The rate is measured anew over readings of so many seconds."""

RATE_CHANGE = 1.25
"""A rate that differs by more than this factor from the one before ends the piece."""


class Track:
    """One sensor's part. ``is_over`` once it has ended, by ``cause``; samples that were made wait for the others'."""

    def __init__(self, buffer: SensorBuffer, rate_hz: float, start_s: float) -> None:
        self.resampler = Resampler(rate_hz, start_s)
        self.is_over = False
        self.cause = JUMPED
        self._buffer = buffer
        self._made: list[FloatArray] = []
        self._measured: list[FloatArray] = []
        self._n_measured = 0

    def feed(self, until_s: float) -> None:
        """Take what is ready up to ``until_s``."""
        if self.is_over:
            return
        ready = self._buffer.take(until_s, self.resampler.source_rate)
        if len(ready.times):
            self._made.append(self.resampler.push(ready.times, ready.values))
        if ready.gap_end_s is not None or self._has_changed(ready):
            self.end()

    def end(self) -> None:
        """The piece ends with the reading that was taken last."""
        if not self.is_over:
            self.is_over = True
            self._made.append(self.resampler.finish())

    def _has_changed(self, ready: Ready) -> bool:
        """Whether the sensor's rate is another one now."""
        self._measured.append(ready.times)
        self._n_measured += len(ready.times)
        if self._n_measured < RATE_SPAN_S * self.resampler.source_rate:
            return False
        rate_hz = measured_rate(np.concatenate(self._measured))
        self._measured, self._n_measured = [], 0
        if rate_hz is None or 1 / RATE_CHANGE < rate_hz / self.resampler.source_rate < RATE_CHANGE:
            return False
        self.cause = f"the sampling rate changed from {self.resampler.source_rate:.0f} to {rate_hz:.0f} Hz"
        return True

    @property
    def n_made(self) -> int:
        """Samples that wait for the other sensors'."""
        return sum(map(len, self._made))

    def give(self, count: int) -> FloatArray:
        """The next samples, ``(count, 3)``; at most :attr:`n_made`."""
        made = np.concatenate(self._made)
        self._made = [made[count:]]
        return made[:count]
