"""A model small enough to work out by hand: softmax of each channel's mean over time, times a matrix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from model.activities import ACTIVITIES
from model.artefact import Artefact, make_artefact
from model.card import Card, TrainingCard, program_input

CLASSES = (*ACTIVITIES, "TRANSITION")
MATRIX = np.random.default_rng(0).normal(size=(9, len(CLASSES))).astype(np.float32)


def tiny_card(**changes: object) -> Card:
    training = TrainingCard(data="by hand", windows=1, subjects=(1,), seed=0, options={"epochs": 1})
    facts = {
        "name": "tiny",
        "network": "lstm",
        "hyperparameters": {"units": 2},
        "classes": CLASSES,
        "n_parameters": MATRIX.size,
        "input": program_input("window"),
        "training": training,
        "metrics": {},
        "created_by": {"har-stream": "0"},
        "sha256": {},
    }
    return Card(**{**facts, **changes})  # type: ignore[arg-type]


def tiny_graph(n_classes: int = len(CLASSES), output: str = "probabilities") -> bytes:
    nodes = [
        helper.make_node("ReduceMean", ["windows"], ["means"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["means", "matrix"], ["logits"]),
        helper.make_node("Softmax", ["logits"], [output], axis=-1),
    ]
    windows = helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["n", 128, 9])
    result = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", n_classes])
    matrix = numpy_helper.from_array(MATRIX[:, :n_classes], "matrix")
    graph = helper.make_graph(nodes, "tiny", [windows], [result], [matrix])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def tiny_artefact(**changes: object) -> Artefact:
    return make_artefact(tiny_card(**changes), tiny_graph(), [MATRIX, MATRIX[0]])


def tiny_probabilities(windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """What the graph must give, ``(n, 7)``."""
    exponents = np.exp(windows.astype(np.float64).mean(axis=1) @ MATRIX)
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))
