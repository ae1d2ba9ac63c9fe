"""Readings at any rate, a little irregular in time, to samples on a 50 Hz grid: anti-aliased, in one streaming pass.

Each sample is a weighted mean of the readings around it. The weights are a linear-phase low-pass, a sinc under a Kaiser
window (J. F. Kaiser, 1974; design formulas as in Oppenheim and Schafer, Discrete-Time Signal Processing, 7.5.3),
evaluated at the sample's very instant: interpolation and anti-aliasing are one step, and its delay is compensated. The
distance between a reading and the instant is counted in readings, so that a reading keeps its place in the row when its
time stamp is jittered; the instant's own place is interpolated between the stamps beside it. The weights are scaled
to a sum of 1: a constant passes exactly.

The cut-off is half of the lower of the two rates. From 50 Hz of source rate on, frequencies up to 20 Hz (the band that
the signal chain keeps) pass within 0.2 % and those above 30 Hz, which would come back below 20 Hz, are held down by
58 dB or more; below 50 Hz both edges fall in proportion, to 0.4 and 0.6 of the source rate, and the pass band is kept
within 0.3 %. The look-ahead is :func:`look_ahead_s`: 0.18 s from 50 Hz on, 0.45 s at 20 Hz. Measured by
``python -m benchmarks.resampling``.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from model.signals import SAMPLING_RATE, FloatArray

ATTENUATION_DB = 60.0
"""Of the stop band, by design, and by it the ripple of the pass band: 0.001. A kernel that is sampled at few instants
differs a little."""

TRANSITION = 0.4
"""Width of the transition from pass band to stop band, as a share of the cut-off frequency in its middle."""

HOLE = 1.5
"""A longer interval between two readings, in intervals of the source's rate, lacks readings: they are interpolated."""

_BETA = 0.1102 * (ATTENUATION_DB - 8.7)
"""Kaiser's formula for the window's shape above 50 dB."""

_CYCLES = (ATTENUATION_DB - 8.0) / (2.285 * 2 * math.pi * TRANSITION) / 2
"""Cycles of the cut-off frequency in half of the kernel: Kaiser's formula for the length, the same for any rate."""

_TABLE = 8192
"""Points of half the kernel; in between it is interpolated linearly, to within 2e-6."""


@cache
def _kernel() -> FloatArray:
    """The kernel at distances 0 to 1 of its half width, zero from there on; ``(_TABLE + 2,)``."""
    distance = np.linspace(0.0, 1.0, _TABLE + 1)
    window = np.i0(_BETA * np.sqrt(1 - distance**2)) / np.i0(_BETA)
    kernel = np.append(np.sinc(2 * _CYCLES * distance) * window, 0.0)
    kernel[_TABLE] = 0.0
    return kernel


def cutoff_hz(source_rate: float) -> float:
    """Middle of the transition band [Hz] for a source rate [Hz]."""
    return min(SAMPLING_RATE, source_rate) / 2


def look_ahead_s(source_rate: float) -> float:
    """How long after a sample's instant the last reading that it depends on was taken [s]: half of the kernel."""
    return _CYCLES / cutoff_hz(source_rate)


def measured_rate(times: FloatArray) -> float | None:
    """Rate [Hz] of increasing times ``(n,)``, holes left out; None for fewer than two."""
    if len(times) < 2:
        return None
    intervals = np.diff(times)
    whole = intervals[intervals < HOLE * np.median(intervals)]
    return float(1 / whole.mean()) if len(whole) else None


class Resampler:
    """One stream of readings to the samples at ``start_s + i / 50``, i = 0, 1 ... Any chunking gives the same bits.

    Before the first reading and behind the last the signal is taken to stand still.

    Parameters
    ----------
    source_rate : Hz, nominal; a real rate that is somewhat different moves the filter's edges with it.
    start_s : instant of the first sample, not before the first reading.
    """

    def __init__(self, source_rate: float, start_s: float) -> None:
        self.source_rate = source_rate
        self.filled = 0
        """Readings that were interpolated into holes."""
        self._start_s = start_s
        self._next = 0
        self._half = look_ahead_s(source_rate) * source_rate
        self._reach = math.ceil(self._half)
        self._times = np.empty(0)
        self._values = np.empty((0, 0))

    @property
    def next_s(self) -> float:
        """Instant of the next sample."""
        return self._start_s + self._next / SAMPLING_RATE

    def push(self, times: FloatArray, values: FloatArray) -> FloatArray:
        """Take the next readings.

        Parameters
        ----------
        times : ``(n,)`` in seconds, strictly increasing, also over the chunks before.
        values : ``(n, k)``.

        Returns
        -------
        The samples that are now known, ``(m, k)``.
        """
        if not len(times):
            return np.empty((0, values.shape[1]))
        if not len(self._times):
            lead = np.arange(-self._reach - 1, 0) / self.source_rate
            self._times, self._values = times[0] + lead, np.repeat(values[:1], len(lead), axis=0)
        self._append(*self._without_holes(times, values))
        return self._samples(self._times[-1 - self._reach])

    def finish(self) -> FloatArray:
        """End the stream: the samples up to the last reading, ``(m, k)``."""
        if not len(self._times):
            return np.empty((0, self._values.shape[1]))
        last_s, last = float(self._times[-1]), self._values[-1:]
        tail = np.arange(1, self._reach + 2) / self.source_rate
        self._append(last_s + tail, np.repeat(last, len(tail), axis=0))
        # A microsecond more, about the resolution of Unix time in a double: a last reading on the grid has its sample.
        return self._samples(last_s + 1e-6)

    def _append(self, times: FloatArray, values: FloatArray) -> None:
        self._times = np.concatenate([self._times, times])
        self._values = np.concatenate([self._values, values])

    def _without_holes(self, times: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The readings with what lacks between them, and before them, interpolated linearly."""
        before_s = np.append(self._times[-1], times[:-1])
        intervals = (times - before_s) * self.source_rate
        if intervals.max() <= HOLE:
            return times, values
        steps = np.maximum(np.rint(intervals), 1.0).astype(np.int64)
        self.filled += int(steps.sum()) - len(times)
        before = np.concatenate([self._values[-1:], values[:-1]])
        of = np.repeat(np.arange(len(times)), steps)
        share = (np.arange(1, len(of) + 1) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[of]
        whole_times = before_s[of] + share * (times - before_s)[of]
        whole_values = before[of] + share[:, np.newaxis] * (values - before)[of]
        real = np.cumsum(steps) - 1
        whole_times[real], whole_values[real] = times, values
        return whole_times, whole_values

    def _samples(self, until_s: float) -> FloatArray:
        """The samples from the next one to ``until_s``, and forget the readings that no later one needs."""
        count = max(0, math.floor((until_s - self._start_s) * SAMPLING_RATE) + 2 - self._next)
        instants = self._start_s + (self._next + np.arange(count)) / SAMPLING_RATE
        instants = instants[: np.searchsorted(instants, until_s, side="right")]
        if not len(instants):
            return np.empty((0, self._values.shape[1]))
        before = np.searchsorted(self._times, instants, side="right") - 1
        share = (instants - self._times[before]) / (self._times[before + 1] - self._times[before])
        taps = np.arange(1 - self._reach, self._reach + 1)
        weights = self._weights(np.abs(taps - share[:, np.newaxis]))
        samples = (weights[:, :, np.newaxis] * self._values[before[:, np.newaxis] + taps]).sum(axis=1)
        self._next += len(instants)
        self._forget(int(before[-1]) - self._reach)
        return np.asarray(samples / weights.sum(axis=1)[:, np.newaxis])

    def _weights(self, distance: FloatArray) -> FloatArray:
        """The kernel at distances in readings, none negative."""
        place = np.minimum(distance * (_TABLE / self._half), _TABLE)
        below = place.astype(np.int64)
        kernel = _kernel()
        return np.asarray(kernel[below] + (place - below) * (kernel[below + 1] - kernel[below]))

    def _forget(self, count: int) -> None:
        if count > 0:
            self._times, self._values = self._times[count:], self._values[count:]


def resample(times: FloatArray, values: FloatArray, *, start_s: float | None = None) -> FloatArray:
    """All readings at once: ``(n,)`` times [s] and ``(n, k)`` values to samples at 50 Hz from ``start_s`` on.

    ``start_s`` is the first reading's time if it is not given.

    Raises
    ------
    ValueError : fewer than two readings, whose rate nobody knows.
    """
    rate = measured_rate(times)
    if rate is None:
        raise ValueError(f"Parameter times has {len(times)} readings, expected at least 2 at increasing times!")
    resampler = Resampler(rate, float(times[0]) if start_s is None else start_s)
    return np.concatenate([resampler.push(times, values), resampler.finish()])
