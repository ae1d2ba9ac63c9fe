"""What an artefact's graph may have in it, looked at before ONNX Runtime sees it: nothing that reads other files, runs
somebody else's code, loops, or is made larger than it is. Pure.

An ONNX file is a protocol buffer; the numbers of fields are those of onnx.proto
(https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), the encoding is described at
https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from model.errors import ArtefactError
from model.text import printable

_OPERATORS = """
Abs Add Asinh AveragePool BatchNormalization Cast Clip Concat Constant Conv Div Elu Erf Exp Expand Flatten GRU Gather
Gelu Gemm GlobalAveragePool GlobalMaxPool HardSigmoid Identity LSTM LayerNormalization LeakyRelu Log MatMul Max MaxPool
Min Mul Neg Pad Pow RNN Reciprocal ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu Reshape Selu Shape Sigmoid
Sign Slice Softmax Softplus Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze
"""
OPERATORS = frozenset(_OPERATORS.split())
"""What networks of layers are made of. No loops and branches, nothing random, nothing that makes much out of little."""

MAX_ELEMENTS = 1 << 23
"""Numbers in one constant: as many as fit a file of the largest size that is read."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_GRAPH, _TRAINING, _FUNCTIONS = 7, 20, 25  # ModelProto
_NODE, _INITIALIZER, _SPARSE_INITIALIZER = 1, 5, 15  # GraphProto
_OP_TYPE, _ATTRIBUTE, _DOMAIN = 4, 5, 7  # NodeProto
_TENSOR, _SUBGRAPH, _TENSORS, _SUBGRAPHS, _SPARSE_TENSOR, _SPARSE_TENSORS = 5, 6, 10, 11, 22, 23  # AttributeProto
_DIMS, _EXTERNAL_DATA, _DATA_LOCATION = 1, 13, 14  # TensorProto


def check_graph(onnx: bytes, source: str) -> None:
    """Refuse a graph that is not made of :data:`OPERATORS` and of constants that it holds itself.

    Raises
    ------
    ArtefactError : it is not, or no graph at all.
    """
    try:
        fault = _fault(memoryview(onnx))
    except (ValueError, IndexError) as error:
        raise ArtefactError(f"The graph of {source} is no ONNX ({error}); fetch the file again.") from error
    if fault:
        raise ArtefactError(f"The graph of {source} has {fault}, as har-model train makes none; do not use it.")


def _fault(model: memoryview) -> str | None:
    n_graphs = 0
    for number, value in _fields(model):
        if number in (_FUNCTIONS, _TRAINING):
            return "functions of its own"
        if number == _GRAPH:
            n_graphs += 1
            if fault := _graph_fault(_message(value)):
                return fault
    if n_graphs != 1:
        raise ValueError(f"{n_graphs} graphs in it")
    return None


def _graph_fault(graph: memoryview) -> str | None:
    for number, value in _fields(graph):
        fault = None
        if number == _SPARSE_INITIALIZER:
            fault = "sparse constants"
        elif number == _INITIALIZER:
            fault = _tensor_fault(_message(value))
        elif number == _NODE:
            fault = _node_fault(_message(value))
        if fault:
            return fault
    return None


def _node_fault(node: memoryview) -> str | None:
    operator, domain = "", ""
    for number, value in _fields(node):
        if number == _OP_TYPE:
            operator = bytes(_message(value)).decode()
        elif number == _DOMAIN:
            domain = bytes(_message(value)).decode()
        elif number == _ATTRIBUTE and (fault := _attribute_fault(_message(value))):
            return fault
    if domain not in ("", "ai.onnx") or operator not in OPERATORS:
        return f"the operator {printable(f'{domain}.{operator}' if domain else operator, 60)}"
    return None


def _attribute_fault(attribute: memoryview) -> str | None:
    for number, value in _fields(attribute):
        if number in (_SUBGRAPH, _SUBGRAPHS):
            return "graphs within operators"
        if number in (_SPARSE_TENSOR, _SPARSE_TENSORS):
            return "sparse constants"
        if number in (_TENSOR, _TENSORS) and (fault := _tensor_fault(_message(value))):
            return fault
    return None


def _tensor_fault(tensor: memoryview) -> str | None:
    dims: list[int] = []
    for number, value in _fields(tensor):
        if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0):
            return "constants in other files"
        if number == _DIMS:
            dims += [value] if isinstance(value, int) else _varints(value)
    return f"a constant of {prod(dims)} numbers" if prod(dims) > MAX_ELEMENTS else None


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")
    return value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field; numbers that are not of variable length are given as bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field of kind {kind}")
        if at + size > len(message):
            raise ValueError("it is cut short")
        yield number, message[at : at + size]
        at += size


def _varints(packed: memoryview) -> list[int]:
    numbers, at = [], 0
    while at < len(packed):
        number, at = _varint(packed, at)
        numbers.append(number)
    return numbers


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 64:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
        shift += 7
    raise ValueError("a number has more than ten bytes")
