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

from collections.abc import Sequence
from enum import Enum
from functools import cache

import numpy as np
import numpy.typing as npt

from model.low_passes import SECTIONS
from model.sections import sosfilt

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
    numbers = np.array(SECTIONS[name])
    return numbers[:, :6].copy(), numbers[:, 6:].copy()


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


def low_pass(name: str, signals: FloatArray, state: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The next samples of many signals through one causal Butterworth low-pass.

    Each signal is filtered as it would be by itself, bit for bit, however many there are.

    Parameters
    ----------
    name : key of :data:`FILTERS`.
    signals : shape ``(n, n_samples)``.
    state : shape ``(n, n_sections, 2)``: of the last call, or :func:`steady_state`'s; zeros for the zero state.

    Returns
    -------
    The filtered signals, in the same shape, and the state behind them.
    """
    return sosfilt(_low_pass(name)[0], signals, state)


def steady_state(name: str, at: FloatArray) -> FloatArray:
    """The state of :func:`low_pass` that constant inputs ``at``, ``(n,)``, lead to: ``(n, n_sections, 2)``."""
    state: FloatArray = at[:, np.newaxis, np.newaxis] * _low_pass(name)[1]
    return state


def median3(samples: FloatArray) -> FloatArray:
    """The median of each three consecutive samples: ``(..., n_samples, n_channels)`` to two samples fewer.

    With a zero before and behind it is ``scipy.signal.medfilt(x, (3, 1))``.
    """
    left, centre, right = samples[..., :-2, :], samples[..., 1:-1, :], samples[..., 2:, :]
    low, high = np.minimum(left, centre), np.maximum(left, centre)
    medians: FloatArray = np.maximum(low, np.minimum(high, right))
    return medians


class SignalChain:
    """The chain for one stream: raw samples in, the nine channels out.

    Any chunking of a stream gives bit-identical results, by itself or together with others (:func:`push_together`).

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
        at = np.zeros(len(RAW_CHANNELS)) if self.start is Start.ZERO else first
        self._heard = at[np.newaxis].copy()
        inputs = {"noise": at, "gravity": at[:3], "drift": at[3:]}
        self._state = np.concatenate([steady_state(name, inputs[name]).ravel() for name in _STATES])
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
        return push_together([self], [samples])[0]

    def finish(self) -> FloatArray:
        """End the stream: give the sample that the median still holds, ``(1, 9)`` or ``(0, 9)``."""
        if not self._started or self.stage is Stage.DENOISED or len(self._heard) < 2:
            return np.empty((0, len(CHANNELS)))
        last = self.push(np.zeros((1, len(RAW_CHANNELS))))
        self.reset()
        return last


def push_together(chains: Sequence[SignalChain], chunks: Sequence[FloatArray]) -> list[FloatArray]:
    """:meth:`SignalChain.push` of many streams at once, each its own chunk: the same bits, and far less time.

    Parameters
    ----------
    chains : one for each stream, none twice.
    chunks : of float64, ``(n_samples, 6)`` each, in any lengths; those of one length are worked off together.

    Returns
    -------
    What each gives, ``(m, 9)``.
    """
    alike: dict[tuple[Stage, int, int], list[int]] = {}
    given = [np.empty((0, len(CHANNELS)))] * len(chains)
    for number, (chain, chunk) in enumerate(zip(chains, chunks, strict=True)):
        if len(chunk):
            if not chain._started:
                chain._begin(chunk[0])
            alike.setdefault((chain.stage, len(chunk), len(chain._heard)), []).append(number)
    for (stage, _, _), numbers in alike.items():
        signals = _push_alike(stage, [chains[number] for number in numbers], [chunks[number] for number in numbers])
        for number, own in zip(numbers, signals, strict=True):
            given[number] = own
    return given


_STATES: dict[str, slice] = {"noise": slice(0, 60), "gravity": slice(60, 72), "drift": slice(72, 78)}
"""Where each filter's state lies in a chain's: two numbers for each section of each channel."""


def _push_alike(stage: Stage, chains: list[SignalChain], chunks: list[FloatArray]) -> FloatArray:
    """Chunks of one length of streams that have heard as much: ``(n, m, 9)``."""
    samples = _stacked(chunks)
    if stage is Stage.RAW:
        heard = np.concatenate([_stacked([chain._heard for chain in chains]), samples], axis=1)
        for chain, last in zip(chains, heard[:, -2:], strict=True):
            chain._heard = last.copy()
        samples = median3(heard)
    if not samples.shape[1]:
        return np.empty((len(chains), 0, len(CHANNELS)))
    state = _stacked([chain._state for chain in chains])
    signals = _filtered(stage, samples.transpose(0, 2, 1), state)
    for chain, row in zip(chains, state, strict=True):
        chain._state = row.copy()  # a view would keep the others' alive
    return signals.transpose(0, 2, 1)


def _stacked(arrays: list[FloatArray]) -> FloatArray:
    """``numpy.stack`` of arrays that are known to be alike, which it looks at one by one."""
    return np.concatenate(arrays).reshape(len(arrays), *arrays[0].shape)


def _filtered(stage: Stage, samples: FloatArray, state: FloatArray) -> FloatArray:
    """Steps 2 to 5 over ``(n, 6, m)``, to ``(n, 9, m)``; the rows of ``state`` go on."""

    def low_passed(name: str, signals: FloatArray) -> FloatArray:
        n, n_channels, n_samples = signals.shape
        own = state[:, _STATES[name]].reshape(n * n_channels, -1, 2)
        filtered, after = low_pass(name, signals.reshape(n * n_channels, n_samples), own)
        state[:, _STATES[name]] = after.reshape(n, -1)
        return filtered.reshape(signals.shape)

    clean = low_passed("noise", samples) if stage is Stage.RAW else samples
    total_acc, body_gyro = clean[:, :3], clean[:, 3:]
    if stage is Stage.RAW:
        body_gyro = body_gyro - low_passed("drift", body_gyro)
    return np.concatenate([total_acc - low_passed("gravity", total_acc), body_gyro, total_acc], axis=1)


def process(recording: npt.ArrayLike, *, start: Start = Start.ZERO, stage: Stage = Stage.RAW) -> FloatArray:
    """A whole recording at once: ``(n_samples, 6)`` in, ``(n_samples, 9)`` out, by the same chain."""
    chain = SignalChain(start=start, stage=stage)
    return np.concatenate([chain.push(recording), chain.finish()])
