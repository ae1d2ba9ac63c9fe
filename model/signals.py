"""The signal chain of UCI HAR v1.0: one implementation for batch and streaming.

The data set's documentation is incomplete; compared with the raw recordings that it was cut from, its
published values are reproduced to all printed digits by (sampling rate 50 Hz, all filters causal, in
second-order sections):

1. every channel: median of 3, centred, zero-padded at the ends;
2. every channel: Butterworth low-pass, order 10, 20 Hz -> total acceleration [g], angular velocity [rad/s];
3. gravity: Butterworth low-pass, order 3, 0.3 Hz, of the total acceleration;
4. body acceleration = total acceleration - gravity;
5. body angular velocity = angular velocity - its Butterworth low-pass, order 2, 0.1 Hz.

Only the median looks ahead, by one sample. A stream that carries the filter state from chunk to chunk thus
gives the data set's own numbers live, 20 ms late.
"""

from __future__ import annotations

from enum import Enum
from functools import cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SAMPLING_RATE = 50.0
"""Hz; UCI HAR v1.0, README."""

STANDARD_GRAVITY = 9.80665
"""m/s² in 1 g (CODATA, standard acceleration of gravity)."""

RAW_CHANNELS: tuple[str, ...] = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
"""Channels of a raw sample: acceleration including gravity [g], angular velocity [rad/s]."""

CHANNELS: tuple[str, ...] = (
    "body_acc_x",
    "body_acc_y",
    "body_acc_z",
    "body_gyro_x",
    "body_gyro_y",
    "body_gyro_z",
    "total_acc_x",
    "total_acc_y",
    "total_acc_z",
)
"""Channels of a window, named and ordered as the data set's ``Inertial Signals`` files."""

UNITS: tuple[str, ...] = ("g",) * 3 + ("rad/s",) * 3 + ("g",) * 3
"""Unit of each of :data:`CHANNELS`."""

FILTERS: dict[str, tuple[int, float]] = {
    "noise": (10, 20.0),
    "gravity": (3, 0.3),
    "drift": (2, 0.1),
}
"""Order and cut-off frequency [Hz] of each Butterworth low-pass of the chain."""


@cache
def _low_pass(name: str) -> tuple[FloatArray, FloatArray]:
    """Second-order sections of a filter, and its steady state for a constant input of 1."""
    from scipy.signal import butter, sosfilt_zi  # slow to import: whoever only names channels does without

    order, cutoff = FILTERS[name]
    sos = butter(order, cutoff, btype="low", fs=SAMPLING_RATE, output="sos")
    return sos, sosfilt_zi(sos)


class Stage(Enum):
    """How far a stream has been processed before it arrives."""

    RAW = "raw"
    """As the sensors gave it: the whole chain applies."""

    DENOISED = "denoised"
    """From the published v1 files, past steps 1, 2 and 5: only gravity is separated."""


class Start(Enum):
    """The filter state that a stream starts from."""

    ZERO = "zero"
    """Zero state: the stream is a recording from its first sample, as the data set was processed."""

    STEADY = "steady"
    """The first sample's steady state: the stream starts somewhere in mid-motion."""


class LowPass:
    """One causal Butterworth low-pass over the channels of a stream, with its state.

    Parameters
    ----------
    name : key of :data:`FILTERS`.
    steady_at : shape ``(n_channels,)``, a constant input whose steady state the filter starts from;
        zeros give the zero state.
    """

    def __init__(self, name: str, steady_at: FloatArray) -> None:
        self._sos, steady = _low_pass(name)
        self._zi = steady[:, :, np.newaxis] * steady_at

    def push(self, chunk: FloatArray) -> FloatArray:
        """Filter ``(n_samples, n_channels)``; same shape."""
        from scipy.signal import sosfilt

        filtered, self._zi = sosfilt(self._sos, chunk, axis=0, zi=self._zi)
        return np.asarray(filtered, np.float64)


class Median3:
    """Running median of three samples, one sample late.

    Equal to ``scipy.signal.medfilt(x, (3, 1))`` over the whole stream when ``before`` is zero.
    """

    def __init__(self, before: FloatArray) -> None:
        self._held = before[np.newaxis].copy()

    def push(self, chunk: FloatArray) -> FloatArray:
        """Take ``(n_samples, n_channels)``; give the medians that are now known."""
        samples = np.concatenate([self._held, chunk])
        self._held = samples[-2:].copy()
        if len(samples) < 3:
            return np.empty((0, chunk.shape[1]))
        left, centre, right = samples[:-2], samples[1:-1], samples[2:]
        low, high = np.minimum(left, centre), np.maximum(left, centre)
        medians: FloatArray = np.maximum(low, np.minimum(high, right))
        return medians

    def finish(self) -> FloatArray:
        """The last sample's median, zero-padded at the end; ``(1, n_channels)``, or none if none is held."""
        if len(self._held) < 2:
            return np.empty((0, self._held.shape[1]))
        return self.push(np.zeros((1, self._held.shape[1])))


class SignalChain:
    """The chain for one stream: raw samples in, the nine channels out.

    Any chunking of a stream gives bit-identical results.

    Parameters
    ----------
    start : state of the filters before the first sample.
    stage : how far the stream was processed before; :attr:`Stage.DENOISED` skips steps 1, 2 and 5.
    """

    def __init__(self, *, start: Start = Start.ZERO, stage: Stage = Stage.RAW) -> None:
        self.start = start
        self.stage = stage
        self.reset()

    def reset(self, start: Start | None = None) -> None:
        """Forget the stream: the next sample is a first sample."""
        self.start = start or self.start
        self._started = False

    def _begin(self, first: FloatArray) -> None:
        at = np.zeros(6) if self.start is Start.ZERO else first.astype(np.float64)
        self._median = Median3(at)
        self._noise = LowPass("noise", at)
        self._gravity = LowPass("gravity", at[:3])
        self._drift = LowPass("drift", at[3:])
        self._started = True

    def push(self, chunk: npt.ArrayLike) -> FloatArray:
        """Process the next samples.

        Parameters
        ----------
        chunk : shape ``(n_samples, 6)``, :data:`RAW_CHANNELS` in g and rad/s.

        Returns
        -------
        Shape ``(m, 9)``, :data:`CHANNELS` in g and rad/s, in step with the samples; a raw stream's
        median makes it one sample late (``m`` is ``n_samples - 1`` for the first chunk).

        Raises
        ------
        ValueError : the chunk is not ``(n_samples, 6)``.
        """
        samples = np.asarray(chunk, dtype=np.float64)
        if samples.ndim != 2 or samples.shape[1] != len(RAW_CHANNELS):
            raise ValueError(f"Parameter chunk has shape {samples.shape}, expected (n_samples, 6)!")
        if not len(samples):
            return np.empty((0, len(CHANNELS)))
        if not self._started:
            self._begin(samples[0])
        if self.stage is Stage.DENOISED:
            return self._separate(samples[:, :3], samples[:, 3:])
        return self._denoise(self._median.push(samples))

    def finish(self) -> FloatArray:
        """End the stream: give the sample that the median still holds, ``(1, 9)`` or ``(0, 9)``."""
        if not self._started or self.stage is Stage.DENOISED:
            return np.empty((0, len(CHANNELS)))
        last = self._denoise(self._median.finish())
        self.reset()
        return last

    def _denoise(self, samples: FloatArray) -> FloatArray:
        if not len(samples):
            return np.empty((0, len(CHANNELS)))
        clean = self._noise.push(samples)
        total_acc, angular_velocity = clean[:, :3], clean[:, 3:]
        return self._separate(total_acc, angular_velocity - self._drift.push(angular_velocity))

    def _separate(self, total_acc: FloatArray, body_gyro: FloatArray) -> FloatArray:
        body_acc = total_acc - self._gravity.push(total_acc)
        return np.concatenate([body_acc, body_gyro, total_acc], axis=1)


def process(recording: npt.ArrayLike, *, start: Start = Start.ZERO, stage: Stage = Stage.RAW) -> FloatArray:
    """A whole recording at once: ``(n_samples, 6)`` in, ``(n_samples, 9)`` out, by the same chain."""
    chain = SignalChain(start=start, stage=stage)
    return np.concatenate([chain.push(recording), chain.finish()])
