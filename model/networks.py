"""The networks, by name: raw windows ``(n, 128, 9)`` in, probabilities ``(n, n_classes)`` out.

Everything that happens to a window after the signal chain (standardisation, feature channels, the calibration
temperature) is inside the graph, so a trained model and its exported copy take windows in the data set's units.
A network's name and hyperparameters rebuild it exactly; the weights are then set with ``set_weights``.
This module imports Keras: import it lazily.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from model.activities import ACTIVITIES, TRANSITION
from model.errors import HarError
from model.signals import CHANNELS
from model.windows import WINDOW_LENGTH

NETWORK_CLASSES: dict[str, tuple[str, ...]] = {
    "lstm": ACTIVITIES,
    "lstm2": ACTIVITIES,
    "window": (*ACTIVITIES, TRANSITION),
}
"""The classes of each network, in the order of its outputs."""

Hyperparameters = dict[str, Any]


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


def _lstm(units: int = 128, dropout: float = 0.5) -> keras.Model:
    """One LSTM, dropout, dense: the reference network."""
    inputs = _window_input()
    x = keras.layers.LSTM(units)(inputs)
    return _classify(inputs, keras.layers.Dropout(dropout)(x))


def _lstm2(units: int = 128, second_units: int = 64, dropout: float = 0.2, second_dropout: float = 0.5) -> keras.Model:
    """Two LSTMs with a dropout each, dense: the reference's deeper network."""
    inputs = _window_input()
    x = keras.layers.LSTM(units, return_sequences=True)(inputs)
    x = keras.layers.LSTM(second_units)(keras.layers.Dropout(dropout)(x))
    return _classify(inputs, keras.layers.Dropout(second_dropout)(x))


def _window_input() -> Any:
    return keras.Input((WINDOW_LENGTH, len(CHANNELS)), name="windows")


def _classify(inputs: Any, features: Any) -> keras.Model:
    outputs = keras.layers.Dense(len(ACTIVITIES), activation="softmax", name="probabilities")(features)
    return keras.Model(inputs, outputs)


def _member(
    name: str,
    inputs: Sequence[Any],
    filters: Sequence[int],
    kernels: Sequence[int],
    units: int,
    dropout: float,
    summary_units: int,
) -> keras.Model:
    """Features to logits: strided convolutions, a bidirectional LSTM, attention pooling; the summary beside."""
    inputs = [keras.Input(features.shape[1:]) for features in inputs]
    x = inputs[0]
    for n_filters, kernel in zip(filters, kernels, strict=True):
        x = keras.layers.Conv1D(n_filters, kernel, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    x = keras.layers.Bidirectional(keras.layers.LSTM(units, return_sequences=True))(x)
    x = AttentionPooling()(x)
    if summary_units:
        summary = keras.layers.BatchNormalization(momentum=0.9)(inputs[1])
        x = keras.layers.Concatenate()([x, keras.layers.Dense(summary_units, activation="relu")(summary)])
    logits = keras.layers.Dense(len(NETWORK_CLASSES["window"]))(keras.layers.Dropout(dropout)(x))
    return keras.Model(inputs, logits, name=name)


def _summary_member(name: str, summary: Any, units: int = 64, dropout: float = 0.5) -> keras.Model:
    """The summary to logits by one hidden layer: less to overfit with than a sequence, so its errors are others."""
    inputs = keras.Input(summary.shape[1:])
    x = keras.layers.Dense(units, activation="relu")(keras.layers.BatchNormalization(momentum=0.9)(inputs))
    logits = keras.layers.Dense(len(NETWORK_CLASSES["window"]))(keras.layers.Dropout(dropout)(x))
    return keras.Model(inputs, logits, name=name)


def _average(logits: Sequence[Any]) -> Any:
    return logits[0] if len(logits) == 1 else keras.layers.Average()(logits)


def _window(
    mean: Sequence[float] = (0.0,) * 9,
    scale: Sequence[float] = (1.0,) * 9,
    acc_gain: float = 500.0,
    gyro_gain: float = 200.0,
    jerk: bool = False,
    magnitudes: bool = False,
    gravity: bool = True,
    filters: Sequence[int] = (64, 96),
    kernels: Sequence[int] = (7, 5),
    units: int = 96,
    dropout: float = 0.5,
    summary_units: int = 0,
    members: int = 1,
    summary_members: int = 0,
    temperature: float = 1.0,
) -> keras.Model:
    """The default: ``members`` convolutional-recurrent networks and ``summary_members`` networks on the summary.

    The mean logits of each kind are averaged, half and half, and calibrated.
    """
    inputs = _window_input()
    features = [MotionFeatures(mean, scale, acc_gain, gyro_gain, jerk, magnitudes, gravity, name="features")(inputs)]
    if summary_units or summary_members:
        features.append(WindowSummary(name="summary")(inputs))
    used = features if summary_units else features[:1]
    shape = (used, filters, kernels, units, dropout, summary_units)
    recurrent = [_member(member_name(i), *shape)(used) for i in range(members)]
    summary = [_summary_member(summary_member_name(i), features[-1])(features[-1]) for i in range(summary_members)]
    mean_logits = _average([_average(kind) for kind in (recurrent, summary) if kind])
    calibrated = Temperature(temperature, name="temperature")(mean_logits)
    return keras.Model(inputs, keras.layers.Softmax(name="probabilities")(calibrated))


def member_name(index: int) -> str:
    """The layer that holds one recurrent member of the ``window`` network."""
    return f"member_{index}"


def summary_member_name(index: int) -> str:
    """The layer that holds one member on the summary of the ``window`` network."""
    return f"summary_member_{index}"


_BUILDERS: dict[str, Callable[..., keras.Model]] = {"lstm": _lstm, "lstm2": _lstm2, "window": _window}


def all_hyperparameters(name: str, given: Hyperparameters) -> Hyperparameters:
    """A network's hyperparameters, the given ones and the defaults of the others.

    A trained model keeps them all, so that a default that changes later rebuilds no other network.

    Raises
    ------
    HarError : no such network.
    """
    parameters = inspect.signature(_builder(name)).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters} | given


def build_network(name: str, **hyperparameters: Any) -> keras.Model:
    """A network with fresh weights.

    Parameters
    ----------
    name : key of :data:`NETWORK_CLASSES`.
    hyperparameters : as the training wrote them down; what is missing takes its default.

    Raises
    ------
    HarError : no such network, or it has no such hyperparameter.
    """
    builder = _builder(name)
    try:
        return builder(**hyperparameters)
    except TypeError as error:
        raise HarError(f"The network {name!r} cannot be built from {hyperparameters} ({error}).") from error


def _builder(name: str) -> Callable[..., keras.Model]:
    if name not in _BUILDERS:
        raise HarError(f"There is no network {name!r}; choose one of {', '.join(_BUILDERS)}.")
    return _BUILDERS[name]
