"""A Keras model as an ONNX graph: the training side's half of the artefact.

Imports TensorFlow, tf2onnx and onnx when called, not before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from model.quiet import native_messages_discarded
from model.signals import CHANNELS
from model.windows import WINDOW_LENGTH

if TYPE_CHECKING:
    import keras
    import onnx

INPUT, OUTPUT = "windows", "probabilities"
OPSET = 17
"""ONNX operator set; ONNX Runtime 1.20, the oldest that is supported here, runs up to 21."""


def export_onnx(network: keras.Model) -> bytes:
    """The graph of a network, for any number of windows.

    Parameters
    ----------
    network : takes ``(n, 128, 9)`` float32, gives ``(n, n_classes)``.

    Returns
    -------
    A serialised ONNX model: input ``windows``, output ``probabilities``, first dimension ``n`` of both.
    """
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, WINDOW_LENGTH, len(CHANNELS)), tf.float32, name=INPUT)]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator, unused-ignore]
    def infer(windows: Any) -> Any:
        return network(windows, training=False)

    with native_messages_discarded(), _only_errors("tf2onnx", "tensorflow"):
        model, _ = tf2onnx.convert.from_function(infer, input_signature=signature, opset=OPSET)
    _name_ends(model.graph)
    return bytes(model.SerializeToString())


def _name_ends(graph: onnx.GraphProto) -> None:
    """Give the output and the free dimension their names; the converter numbers them."""
    (source,), (result,) = graph.input, graph.output
    for node in graph.node:
        node.input[:] = [OUTPUT if name == result.name else name for name in node.input]
        node.output[:] = [OUTPUT if name == result.name else name for name in node.output]
    result.name = OUTPUT
    for end in (source, result):
        end.type.tensor_type.shape.dim[0].dim_param = "n"


@contextmanager
def _only_errors(*names: str) -> Iterator[None]:
    """Only errors from these loggers: the converter reports its progress as warnings."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
