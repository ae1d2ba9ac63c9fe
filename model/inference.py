"""An artefact's graph on ONNX Runtime: one thread, no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.artefact import Artefact
from model.card import Card
from model.errors import ArtefactError
from model.graph_check import check_graph

if TYPE_CHECKING:
    import onnxruntime

End = tuple[str, list[int]]
"""An input or output: its name, and its shape but for the free dimensions in front."""


def open_session(artefact: Artefact) -> onnxruntime.InferenceSession:
    """The graph, ready to run.

    Raises
    ------
    ArtefactError : it has in it what no artefact needs, or ONNX Runtime cannot run it.
    """
    import onnxruntime

    check_graph(artefact.onnx, artefact.card.name)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3  # errors; warnings would land on the user's screen
    try:
        return onnxruntime.InferenceSession(artefact.onnx, options, providers=["CPUExecutionProvider"])
    # ONNX Runtime's exceptions have no common base but Exception.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ArtefactError(
            f"ONNX Runtime {onnxruntime.__version__} cannot run the graph of {artefact.card.name} ({reason}); "
            "train it again with har-model train."
        ) from error


def check_ends(session: Any, inputs: list[End], outputs: list[End], card: Card) -> None:
    """The graph must take and give what its card stands for.

    Raises
    ------
    ArtefactError : it does not.
    """
    expected = [(name, "tensor(float)", shape) for name, shape in (*inputs, *outputs)]
    ends = [
        (end.name, end.type, [size for size in end.shape if isinstance(size, int)])
        for end in (*session.get_inputs(), *session.get_outputs())
    ]
    if ends != expected:
        raise ArtefactError(
            f"The graph of {card.name} has inputs and outputs {ends}, but its card needs {expected}; "
            "train it again with har-model train."
        )
