"""The stateful network as an ONNX graph that takes its state and gives it back: the training side's half.

The graph is put together operator by operator: a converter knows neither of a convolution's past nor that the state
should be one row. Batch normalisation is folded into the convolutions, whose output it scales, and so are the
factors of the features. A convolution is written as one product of matrices, the samples under each of the kernel's
taps side by side: over the few samples of a message ONNX Runtime's own convolution takes up to twice as long (measured
with 16 to 256 phones and 3 steps at once).

========================= ===============================================
``signals`` (n, m * 8, 9)  m steps of n phones
``state`` (n, size)        the state before them, zeros at a stream's begin
``probabilities`` (n, m, 12)
``state_after`` (n, size)
========================= ===============================================

Source of the operators: ONNX operator set 17. Imports onnx when called, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from model.signals import CHANNELS
from model.stateful.shape import CLASSES, STRIDE, Shape

if TYPE_CHECKING:
    import keras

OPSET = 17
IR_VERSION = 8
"""Of ONNX 1.10 to 1.12, which every supported ONNX Runtime reads."""

SIGNALS, STATE, PROBABILITIES, STATE_AFTER = "signals", "state", "probabilities", "state_after"

_END = np.iinfo(np.int64).max
"""Past the last of an axis, however long it is."""

Array = npt.NDArray[np.float32]


class _Graph:
    """Nodes and constants, added one after the other."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: npt.ArrayLike, dtype: type = np.float32) -> str:
        """A constant, by its name."""
        from onnx import numpy_helper

        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value, dtype), name)
        return name

    def add(self, operator: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        """A node; gives its first output's name."""
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, list(outputs), **attributes))
        return outputs[0]

    def reshaped(self, source: str, name: str, *shape: int) -> str:
        """Another shape, 0 for a dimension as it is and -1 for what is left."""
        return self.add("Reshape", [source, self.constant(f"{name}_shape", shape, np.int64)], name)

    def reshaped_like(self, source: str, like: str, name: str, channels: int) -> str:
        """Rows back to ``(n, positions, channels)``, with the positions that ``like`` has."""
        first_two = self.add("Shape", [like], f"{name}_like", start=0, end=2)
        last = self.constant(f"{name}_channels", [channels], np.int64)
        shape = self.add("Concat", [first_two, last], f"{name}_shape", axis=0)
        return self.add("Reshape", [source, shape], name)


def export_stream(network: keras.Model) -> bytes:
    """The graph of a :func:`model.stateful.networks.stream_network`, for any number of phones and steps."""
    from onnx import TensorProto, checker, helper

    from model.stateful.networks import shape as shape_of_network

    shape, graph = shape_of_network(network), _Graph()
    buffers = _split_state(graph, shape)
    x, after = _features(graph, network), []
    for number, (past, _) in enumerate(shape.buffers):
        x, kept = _convolution(graph, network, number, x, buffers[number], past)
        after.append(kept)
    after += _recurrent(graph, network, x, *buffers[-2:])
    _head(graph, network)
    graph.add("Concat", after, STATE_AFTER, axis=1)

    def end(name: str, *dims: str | int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)

    whole = helper.make_graph(
        graph.nodes,
        "stream",
        [end(SIGNALS, "n", "samples", len(CHANNELS)), end(STATE, "n", shape.state_size)],
        [end(PROBABILITIES, "n", "steps", len(CLASSES)), end(STATE_AFTER, "n", shape.state_size)],
        list(graph.constants.values()),
    )
    model = helper.make_model(
        whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="har-stream"
    )
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _split_state(graph: _Graph, shape: Shape) -> list[str]:
    """The state's parts: each convolution's buffer ``(n, samples, channels)``, the LSTM's output and cell
    ``(n, units)``.
    """
    sizes = [samples * channels for samples, channels in shape.buffers] + [shape.units] * 2
    parts = [f"part_{number}" for number in range(len(sizes))]
    graph.add("Split", [STATE, graph.constant("sizes", sizes, np.int64)], *parts, axis=1)
    buffers = [
        graph.reshaped(parts[number], f"buffer_{number}", -1, samples, channels)
        for number, (samples, channels) in enumerate(shape.buffers)
    ]
    return [*buffers, *parts[-2:]]


def _features(graph: _Graph, network: keras.Model) -> str:
    """As :class:`model.layers.MotionFeatures`, ``(n, samples, channels)``, but for the factors that
    :func:`_feature_factors` gives to the first convolution.
    """
    layer = network.get_layer("features")
    centred = graph.add("Sub", [SIGNALS, graph.constant("mean", np.array(layer.mean, np.float32))], "centred")
    motion = _slice(graph, SIGNALS, "motion", 0, 6, axis=2)
    gains = graph.constant("gains", np.repeat(np.array(layer.gains, np.float32), 3))
    compressed = _asinh(graph, graph.add("Mul", [motion, gains], "amplified"))
    return graph.add("Concat", [centred, compressed], "features", axis=2)


def _asinh(graph: _Graph, x: str) -> str:
    """``sign(x) log(|x| + sqrt(x^2 + 1))``, the definition: ONNX Runtime's own operator goes number by number, and took
    an eighth of the whole graph's time; each of these goes over several at once.
    """
    one = graph.constant("one", 1.0)
    root = graph.add("Sqrt", [graph.add("Add", [graph.add("Mul", [x, x], "square"), one], "square_and_one")], "root")
    length = graph.add("Abs", [x], "length")
    logarithm = graph.add("Log", [graph.add("Add", [length, root], "argument")], "logarithm")
    return graph.add("Mul", [graph.add("Sign", [x], "sign"), logarithm], "compressed")


def _feature_factors(network: keras.Model) -> npt.NDArray[np.float64]:
    """What each feature channel is still to be multiplied by, ``(channels,)``: the standardisation's scale and the
    compression's third.
    """
    scale = np.array(network.get_layer("features").scale, np.float64)
    return np.concatenate([1 / scale, np.full(6, 1 / 3)])


def _slice(graph: _Graph, source: str, name: str, start: int, stop: int = _END, *, axis: int) -> str:
    numbers = {"starts": start, "ends": stop, "axes": axis}
    bounds = [graph.constant(f"{name}_{kind}", [number], np.int64) for kind, number in numbers.items()]
    return graph.add("Slice", [source, *bounds], name)


def _convolution(graph: _Graph, network: keras.Model, number: int, x: str, buffer: str, past: int) -> tuple[str, str]:
    """One convolution over its past and the new samples; its output, and the past of the next call, flat.

    Two samples make one position of twice the channels, so that the stride is one position; an odd kernel is longer by
    a tap of zeros before its first.
    """
    kernel, bias = _folded(network, number)
    length, channels, filters = kernel.shape
    heard = graph.add("Concat", [buffer, x], f"heard_{number}", axis=1)
    flat = graph.reshaped(_slice(graph, heard, f"kept_{number}", -past, axis=1), f"flat_{number}", 0, past * channels)
    pairs = graph.reshaped(heard, f"pairs_{number}", 0, -1, STRIDE * channels)
    n_taps = length // STRIDE
    taps = [_slice(graph, pairs, f"tap_{number}_{tap}", tap, tap + 1 - n_taps or _END, axis=1) for tap in range(n_taps)]
    under = graph.add("Concat", taps, f"under_{number}", axis=2)
    rows = graph.reshaped(under, f"rows_{number}", -1, length * channels)
    weights = graph.constant(f"kernel_{number}", kernel.reshape(length * channels, filters))
    y = graph.add("Gemm", [rows, weights, graph.constant(f"bias_{number}", bias)], f"gemm_{number}")
    activated = graph.add("Relu", [y], f"relu_{number}")
    # As many positions as steps of this layer: what one phone's samples became.
    return graph.reshaped_like(activated, under, f"conv_{number}", filters), flat


def _folded(network: keras.Model, number: int) -> tuple[Array, Array]:
    """Kernel ``(even length, channels, filters)`` and bias of a convolution with its batch normalisation."""
    norm = network.get_layer(f"norm_{number}")
    gamma, beta, mean, variance = (np.asarray(weight, np.float64) for weight in norm.get_weights())
    factor = gamma / np.sqrt(variance + norm.epsilon)
    (kernel,) = network.get_layer(f"conv_{number}").get_weights()
    folded = kernel.astype(np.float64) * factor
    folded = np.concatenate([np.zeros((len(folded) % STRIDE, *folded.shape[1:])), folded])
    if number == 0:
        folded *= _feature_factors(network)[:, np.newaxis]
    return folded.astype(np.float32), (beta - mean * factor).astype(np.float32)


def _recurrent(graph: _Graph, network: keras.Model, x: str, output: str, cell: str) -> list[str]:
    """The LSTM over the steps; its last output and cell, ``(n, units)``.

    Keras orders the gates i f c o, ONNX i o f c.
    """
    layer = network.get_layer("lstm")
    kernel, recurrent, bias = (np.split(weight, 4, axis=-1) for weight in layer.get_weights())
    order = [0, 3, 1, 2]
    w = np.concatenate([kernel[gate] for gate in order], axis=1).T[np.newaxis]
    r = np.concatenate([recurrent[gate] for gate in order], axis=1).T[np.newaxis]
    b = np.concatenate([bias[gate] for gate in order] + [np.zeros(4 * layer.units, np.float32)])[np.newaxis]
    steps = graph.add("Transpose", [x], "lstm_steps", perm=[1, 0, 2])
    first = graph.constant("first_axis", [0], np.int64)
    before = [graph.add("Unsqueeze", [part, first], f"{part}_before") for part in (output, cell)]
    weights = [graph.constant(name, value) for name, value in (("lstm_w", w), ("lstm_r", r), ("lstm_b", b))]
    graph.add("LSTM", [steps, *weights, "", *before], "lstm_all", "lstm_h", "lstm_c", hidden_size=layer.units)
    return [graph.add("Squeeze", [name, first], f"{name}_after") for name in ("lstm_h", "lstm_c")]


def _head(graph: _Graph, network: keras.Model) -> None:
    """Dense layer, temperature, softmax: ``(steps, 1, n, units)`` to ``(n, steps, 12)``."""
    kernel, bias = network.get_layer("logits").get_weights()
    temperature = network.get_layer("temperature").temperature
    one = graph.add("Squeeze", ["lstm_all", graph.constant("directions", [1], np.int64)], "lstm_outputs")
    last = graph.add("Transpose", [one], "lstm_last", perm=[1, 0, 2])
    product = graph.add("MatMul", [last, graph.constant("logits_w", kernel / temperature)], "logits_product")
    logits = graph.add("Add", [product, graph.constant("logits_b", bias / temperature)], "logits")
    graph.add("Softmax", [logits], PROBABILITIES, axis=-1)
