"""The stateful network: nine channels in, an answer every 160 ms.

Causal convolutions (each looks back, none ahead) with stride 2, batch normalisation and ReLU, an LSTM that runs
on, and a dense layer over the six activities and the six postural transitions. It learns from whole sequences that
begin in the zero state; the graph that :mod:`model.stateful.export` makes of it takes the state and gives it back,
so that a stream may come in any pieces.
This module imports Keras: import it lazily.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from model.layers import MotionFeatures, Temperature
from model.signals import CHANNELS
from model.stateful.shape import CLASSES, STRIDE, Shape, shape_of


@keras.saving.register_keras_serializable(package="har_stream")
class Past(keras.layers.Layer):  # type: ignore[misc]
    """Zeros before a sequence ``(n, length, channels)``, where a stream has its past of so many samples."""

    def __init__(self, samples: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.samples = samples

    def call(self, sequence: Any) -> Any:
        """The sequence with its zeros."""
        return ops.pad(sequence, ((0, 0), (self.samples, 0), (0, 0)))

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "samples": self.samples}


def stream_network(
    mean: Sequence[float] = (0.0,) * 9,
    scale: Sequence[float] = (1.0,) * 9,
    acc_gain: float = 500.0,
    gyro_gain: float = 200.0,
    filters: Sequence[int] = (32, 48, 64),
    kernels: Sequence[int] = (7, 5, 5),
    units: int = 96,
    dropout: float = 0.0,
    temperature: float = 1.0,
) -> keras.Model:
    """The network over whole sequences: ``(n, steps * 8, 9)`` to probabilities ``(n, steps, 12)``.

    Parameters
    ----------
    mean, scale, acc_gain, gyro_gain : see :class:`model.layers.MotionFeatures`.
    filters, kernels, units : see :class:`model.stateful.shape.Shape`.
    dropout : share of the convolutions' outputs that training drops before the LSTM and behind it.
    temperature : of the calibration.
    """
    shape = shape_of(filters, kernels, units)
    inputs = keras.Input((None, len(CHANNELS)), name="signals")
    x = MotionFeatures(mean, scale, acc_gain, gyro_gain, name="features")(inputs)
    for number, kernel in enumerate(shape.kernels):
        x = Past(kernel - STRIDE, name=f"past_{number}")(x)
        x = keras.layers.Conv1D(filters[number], kernel, strides=STRIDE, use_bias=False, name=f"conv_{number}")(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"norm_{number}")(x)
        x = keras.layers.ReLU(name=f"relu_{number}")(x)
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.LSTM(units, return_sequences=True, name="lstm")(x)
    logits = keras.layers.Dense(len(CLASSES), name="logits")(keras.layers.Dropout(dropout)(x))
    calibrated = Temperature(temperature, name="temperature")(logits)
    return keras.Model(inputs, keras.layers.Softmax(name="probabilities")(calibrated))


def shape(network: keras.Model) -> Shape:
    """The shape of a :func:`stream_network`."""
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv1D)]
    return shape_of(
        [layer.filters for layer in convolutions],
        [layer.kernel_size[0] for layer in convolutions],
        network.get_layer("lstm").units,
    )
