"""The layers that Keras does not have: feature channels, the window's summary, attention pooling, calibration.

This module imports Keras: import it lazily.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from model.windows import WINDOW_LENGTH


@keras.saving.register_keras_serializable(package="har_stream")
class MotionFeatures(keras.layers.Layer):  # type: ignore[misc]
    """Nine channels to the network's input channels.

    The nine channels are standardised; body acceleration and angular velocity are given once more as
    ``asinh(gain x) / 3``, which is logarithmic for walking and linear for the tremor of a person who stands,
    two orders of magnitude smaller. With ``jerk`` their differences from sample to sample follow in the same form
    (the tremor without the sway), with ``magnitudes`` their lengths.

    Parameters
    ----------
    mean, scale : nine numbers each, in the channels' units.
    acc_gain : gain of the body acceleration [1/g].
    gyro_gain : gain of the angular velocity [s/rad].
    jerk : add the six differences, amplified as the signals themselves.
    magnitudes : add the two lengths.
    gravity : keep the total acceleration; without, nothing tells how the phone hangs.
    """

    def __init__(
        self,
        mean: Sequence[float],
        scale: Sequence[float],
        acc_gain: float,
        gyro_gain: float,
        jerk: bool = False,
        magnitudes: bool = False,
        gravity: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mean, self.scale = tuple(mean), tuple(scale)
        self.gains, self.jerk, self.magnitudes = (acc_gain, gyro_gain), jerk, magnitudes
        self.gravity = gravity

    def call(self, windows: Any) -> Any:
        """``(n, 128, 9)`` to ``(n, 128, 15)``; 6 channels more with the jerk, 2 with the magnitudes."""
        mean, scale = ops.array(self.mean, "float32"), ops.array(self.scale, "float32")
        channels = [((windows - mean) / scale)[..., : 9 if self.gravity else 6]]
        sensors = (windows[..., 0:3] * self.gains[0], windows[..., 3:6] * self.gains[1])
        channels += [ops.arcsinh(sensor) / 3.0 for sensor in sensors]
        if self.jerk:
            channels += [ops.arcsinh(_difference(sensor)) / 3.0 for sensor in sensors]
        if self.magnitudes:
            channels += [ops.arcsinh(ops.sqrt(ops.sum(s * s, -1, keepdims=True) + 1e-6)) / 3.0 for s in sensors]
        return ops.concatenate(channels, -1)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        acc_gain, gyro_gain = self.gains
        own = {"mean": self.mean, "scale": self.scale, "acc_gain": acc_gain, "gyro_gain": gyro_gain}
        return {
            **super().get_config(),
            **own,
            "jerk": self.jerk,
            "magnitudes": self.magnitudes,
            "gravity": self.gravity,
        }


def _difference(sensor: Any) -> Any:
    """Each sample less the one before; zero for the first."""
    return ops.pad(sensor[:, 1:] - sensor[:, :-1], ((0, 0), (1, 0), (0, 0)))


BAND_EDGES: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 11, 15, 20, 26, 34, 44, 65)
"""Bins of the window's Fourier transform (0.39 Hz each) at which the spectrum's bands begin and end."""


@keras.saving.register_keras_serializable(package="har_stream")
class WindowSummary(keras.layers.Layer):  # type: ignore[misc]
    """A window in 75 numbers: how strong each motion channel is in twelve bands of frequency, and the mean posture.

    Hann-windowed Fourier transform of body acceleration and angular velocity without their means, as a product
    with constant matrices, so that any inference engine has its operators; the logarithm of the power; the mean
    total acceleration. How much a person sways and trembles tells standing from sitting however the phone is tilted.
    """

    def call(self, windows: Any) -> Any:
        """``(n, 128, 9)`` to ``(n, 75)``: channel by channel, low bands first, then the mean total acceleration."""
        motion = ops.transpose(windows[..., 0:6], (0, 2, 1))
        motion = motion - ops.mean(motion, axis=-1, keepdims=True)
        waves = np.exp(-2j * np.pi / WINDOW_LENGTH * np.outer(np.arange(WINDOW_LENGTH), np.arange(BAND_EDGES[-1])))
        waves *= np.hanning(WINDOW_LENGTH)[:, np.newaxis]
        real = ops.matmul(motion, ops.array(waves.real.astype(np.float32)))
        imaginary = ops.matmul(motion, ops.array(waves.imag.astype(np.float32)))
        powers = ops.matmul(real * real + imaginary * imaginary, ops.array(self._bands()))
        logarithms = ops.reshape(ops.log(powers + 1e-6), (-1, 6 * (len(BAND_EDGES) - 1)))
        return ops.concatenate([logarithms, ops.mean(windows[..., 6:9], axis=1)], -1)

    @staticmethod
    def _bands() -> Any:
        """Which bins each band adds up, ``(65, 12)``."""
        bins = np.arange(BAND_EDGES[-1])[:, np.newaxis]
        edges = np.array(BAND_EDGES)
        return ((bins >= edges[:-1]) & (bins < edges[1:])).astype(np.float32)


@keras.saving.register_keras_serializable(package="har_stream")
class AttentionPooling(keras.layers.Layer):  # type: ignore[misc]
    """The weighted mean over time, ``(n, steps, units)`` to ``(n, units)``; a learnt score gives the weights."""

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the score's weights."""
        self.score = self.add_weight(shape=(input_shape[-1], 1), initializer="glorot_uniform", name="score")

    def call(self, steps: Any) -> Any:
        """Softmax of the scores over time, times the steps."""
        weights = ops.softmax(ops.matmul(steps, self.score), axis=1)
        return ops.sum(weights * steps, axis=1)


@keras.saving.register_keras_serializable(package="har_stream")
class Temperature(keras.layers.Layer):  # type: ignore[misc]
    """Logits divided by a constant: calibrates the probabilities, changes no arg max."""

    def __init__(self, temperature: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.temperature = temperature

    def call(self, logits: Any) -> Any:
        """Same shape."""
        return logits / self.temperature

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "temperature": self.temperature}
