"""A graph that would read files, loop, or grow is refused before ONNX Runtime sees it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from model.artefact import default_artefact_path, read_artefact
from model.boxed import IN_THE_BOX
from model.errors import ArtefactError
from model.graph_check import MAX_ELEMENTS, check_graph
from model.inference import open_session
from tests.model.tiny_artefact import tiny_artefact, tiny_graph


def changed(change: str) -> bytes:
    """The tiny graph, with something in it."""
    model = onnx.load_from_string(tiny_graph())
    graph, number = model.graph, numpy_helper.from_array(np.ones(1, np.float32), "c")
    if change == "external":
        graph.initializer[0].ClearField("raw_data")
        graph.initializer[0].data_location = TensorProto.EXTERNAL
        graph.initializer[0].external_data.add(key="location", value="/etc/passwd")
    elif change == "external constant":
        number.external_data.add(key="location", value="../x")
        graph.node.append(helper.make_node("Constant", [], ["c"], value=number))
    elif change == "custom":
        graph.node[0].domain = "evil"
    elif change == "microsoft":
        graph.node.append(helper.make_node("Gelu", ["means"], ["c"], domain="com.microsoft"))
    elif change == "huge":
        graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["c"]))
    elif change == "huge constant":
        graph.initializer[0].dims[:] = [1 << 20, MAX_ELEMENTS]
    elif change == "loop":
        graph.node.append(helper.make_node("Loop", ["", ""], ["c"], body=helper.make_graph([], "body", [], [])))
    elif change == "subgraph":
        graph.node[0].attribute.append(helper.make_attribute("body", helper.make_graph([], "body", [], [])))
    elif change == "sparse":
        sparse = helper.make_sparse_tensor(number, numpy_helper.from_array(np.zeros(1, np.int64)), [1 << 40])
        graph.sparse_initializer.append(sparse)
    elif change == "function":
        model.functions.append(helper.make_function("evil", "F", [], [], [], []))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("external", "constants in other files"),
        ("external constant", "constants in other files"),
        ("custom", "evil.ReduceMean"),
        ("microsoft", "com.microsoft.Gelu"),
        ("huge", "ConstantOfShape"),
        ("huge constant", "a constant of 8796093022208 numbers"),
        ("loop", "graphs within operators"),
        ("subgraph", "graphs within operators"),
        ("sparse", "sparse constants"),
        ("function", "functions of its own"),
    ],
)
def test_what_no_artefact_needs_is_refused_in_a_sentence(change: str, said: str) -> None:
    artefact = tiny_artefact()
    object.__setattr__(artefact, "onnx", changed(change))
    with pytest.raises(ArtefactError) as refused:
        open_session(artefact)
    assert said in str(refused.value)
    assert str(refused.value).endswith(".")


def test_the_tiny_graph_and_those_in_the_box_pass() -> None:
    check_graph(changed("nothing"), "x")
    for name in IN_THE_BOX:
        check_graph(read_artefact(default_artefact_path(name)).onnx, name)


@given(st.binary(max_size=200) | st.tuples(st.integers(0, 900), st.binary(max_size=3)))
def test_any_bytes_are_looked_through(edit: bytes | tuple[int, bytes]) -> None:
    graph = tiny_graph()
    damaged = edit if isinstance(edit, bytes) else graph[: edit[0]] + edit[1] + graph[edit[0] + len(edit[1]) :]
    try:
        check_graph(damaged, "x")
    except ArtefactError as error:
        assert str(error).endswith(".")
