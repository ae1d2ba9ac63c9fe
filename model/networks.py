"""The networks, by name: raw windows ``(n, 128, 9)`` in, probabilities ``(n, n_classes)`` out; ``stream`` takes
whole streams, :mod:`model.stateful.networks`.

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

from model.activities import ACTIVITIES, ALL_LABELS, TRANSITION
from model.errors import HarError
from model.layers import AttentionPooling, MotionFeatures, Temperature, WindowSummary
from model.signals import CHANNELS
from model.stateful.networks import stream_network
from model.windows import WINDOW_LENGTH

NETWORK_CLASSES: dict[str, tuple[str, ...]] = {
    "lstm": ACTIVITIES,
    "lstm2": ACTIVITIES,
    "window": (*ACTIVITIES, TRANSITION),
    "stream": ALL_LABELS,
}
"""The classes of each network, in the order of its outputs."""

Hyperparameters = dict[str, Any]


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


_BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "lstm": _lstm,
    "lstm2": _lstm2,
    "window": _window,
    "stream": stream_network,
}


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
