"""What no listener can be better than: the network alone at its best batch, and the multiplications that it consists of
at the rate of the machine's own matrix product."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model.bundled import official_windows
from model.classifier import Classifier

BATCHES = (1, 4, 16, 64, 128, 256)
WINDOWS = 512
SIZES = (128, 256, 512, 1024)
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Bounds:
    """``window_s`` are CPU seconds a window, by batch; ``flop`` of a window; ``flop_per_s`` by the matrices' size."""

    window_s: dict[int, float]
    flop: int
    flop_per_s: dict[int, float]

    @property
    def engine_s(self) -> float:
        """CPU seconds of a window at the best batch."""
        return min(self.window_s.values())

    @property
    def sgemm_s(self) -> float:
        """CPU seconds of as many operations in the best matrix product."""
        return self.flop / max(self.flop_per_s.values())


def measure_bounds() -> Bounds:
    """Of the window model in the box, on the threads that this process has."""
    classifier = Classifier.load()
    windows = official_windows("train").windows[:WINDOWS].astype(np.float32)

    def at_batch(size: int) -> Callable[[], object]:
        return lambda: [classifier.class_probabilities(windows[at : at + size]) for at in range(0, WINDOWS, size)]

    window_s = {size: _cheapest_s(at_batch(size)) / WINDOWS for size in BATCHES}
    return Bounds(window_s, network_flop(), {size: _flop_per_s(size) for size in SIZES})


def _cheapest_s(work: Callable[[], object]) -> float:
    found = []
    work()
    for _ in range(ROUNDS):
        before_s = time.process_time()
        work()
        found.append(time.process_time() - before_s)
    return min(found)


def _flop_per_s(size: int) -> float:
    """Of ``numpy``'s product of single-precision matrices, square of this size."""
    a = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    repeats = max(1, 2**27 // size**3)
    return repeats * 2 * size**3 / _cheapest_s(lambda: [a @ a for _ in range(repeats)])


def network_flop() -> int:
    """Floating-point operations of one window in the model in the box: two for each multiplication with a weight.

    Counted from the graph: a weight of a convolution is used once for each position of its output, of a recurrent
    layer once for each step, of a dense layer once for each row.
    """
    import onnx

    from model.artefact import default_artefact_path, read_artefact

    graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(read_artefact(default_artefact_path()).onnx)).graph
    values = [*graph.value_info, *graph.input, *graph.output]
    shapes = {v.name: [d.dim_value or 1 for d in v.type.tensor_type.shape.dim] for v in values}
    weights = {w.name: list(w.dims) for w in graph.initializer}
    return 2 * sum(_multiplications(node, shapes, weights) for node in graph.node)


def _multiplications(node: object, shapes: dict[str, list[int]], weights: dict[str, list[int]]) -> int:
    kind, inputs, outputs = (getattr(node, name) for name in ("op_type", "input", "output"))
    used = [int(np.prod(weights[name])) for name in inputs if len(weights.get(name, ())) > 1]
    if kind == "Conv":
        return used[0] * int(np.prod(shapes[outputs[0]][2:]))
    if kind == "LSTM":
        return sum(used[:2]) * shapes[inputs[0]][0]
    if kind in ("MatMul", "Gemm") and used:
        return used[0] * _rows(shapes.get(outputs[0], []))
    return 0


def _rows(shape: list[int]) -> int:
    return int(np.prod(shape[:-1])) if shape else 1
