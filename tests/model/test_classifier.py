"""The classifier, on a graph that is worked out by hand, and on the model in the box."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.activities import ACTIVITIES
from model.artefact import make_artefact, write_artefact
from model.classifier import SLICE, Classifier
from model.errors import ArtefactError
from tests.model.tiny_artefact import CLASSES, MATRIX, tiny_artefact, tiny_card, tiny_graph, tiny_probabilities

RNG = np.random.default_rng(1)


def windows(n: int) -> np.ndarray:
    return RNG.normal(size=(n, 128, 9)).astype(np.float32) + RNG.normal(size=(n, 1, 9)).astype(np.float32)


@pytest.fixture(scope="module")
def tiny() -> Classifier:
    return Classifier(tiny_artefact())


@pytest.mark.parametrize("n", [0, 1, 2, SLICE - 1, SLICE, SLICE + 1, 3 * SLICE + 7])
def test_class_probabilities_are_the_graph_s_for_any_number_of_windows(tiny: Classifier, n: int) -> None:
    batch = windows(n)
    probabilities = tiny.class_probabilities(batch)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (n, 7)
    np.testing.assert_allclose(probabilities, tiny_probabilities(batch), atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, SLICE + 1])
def test_probabilities_leave_out_the_other_classes(tiny: Classifier, n: int) -> None:
    batch = windows(n)
    six = tiny_probabilities(batch)[:, :6]
    probabilities = tiny.probabilities(batch)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (n, 6)
    np.testing.assert_allclose(probabilities, six / six.sum(axis=1, keepdims=True), atol=1e-6)


def test_probabilities_come_in_the_data_set_s_order_whatever_the_model_s() -> None:
    order = [6, 5, 4, 3, 2, 1, 0]
    classifier = Classifier(tiny_artefact(classes=tuple(CLASSES[i] for i in order)))
    batch = windows(3)
    six = tiny_probabilities(batch)[:, [order.index(i) for i in range(6)]]
    np.testing.assert_allclose(classifier.probabilities(batch), six / six.sum(axis=1, keepdims=True), atol=1e-6)


def test_a_window_that_is_surely_none_of_the_six_has_probabilities(tiny: Classifier) -> None:
    direction = MATRIX @ (np.eye(7)[6] - 0.3)
    batch = np.broadcast_to(1e4 * direction, (1, 128, 9)).astype(np.float32)
    np.testing.assert_array_equal(tiny.class_probabilities(batch), [[0, 0, 0, 0, 0, 0, 1]])
    np.testing.assert_allclose(tiny.probabilities(batch), [[1 / 6] * 6])


def test_doubles_and_strided_views_are_taken(tiny: Classifier) -> None:
    batch = windows(8)
    np.testing.assert_array_equal(tiny.probabilities(batch.astype(np.float64)[::2]), tiny.probabilities(batch[::2]))


@pytest.mark.parametrize("shape", [(128, 9), (1, 127, 9), (1, 129, 9), (1, 128, 6), (0,), (1, 1, 128, 9)])
def test_another_shape_is_refused(tiny: Classifier, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected \\(n, 128, 9\\)"):
        tiny.probabilities(np.zeros(shape))


def test_inference_takes_one_thread(tiny: Classifier) -> None:
    options = tiny._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert tiny._session.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize("graph", [b"", b"no graph", tiny_graph()[:-40]])
def test_a_graph_that_does_not_run_is_refused_in_one_line(graph: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ArtefactError) as refused:
        Classifier(make_artefact(tiny_card(), graph, []))
    assert "graph of tiny" in str(refused.value) and "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("graph", [tiny_graph(6), tiny_graph(output="logits_")])
def test_a_graph_that_does_not_fit_its_card_is_refused(graph: bytes) -> None:
    with pytest.raises(ArtefactError, match="its card needs"):
        Classifier(make_artefact(tiny_card(), graph, []))


def test_load_reads_a_file(tmp_path: Path) -> None:
    write_artefact(tmp_path / "tiny.har", tiny_artefact())
    classifier = Classifier.load(tmp_path / "tiny.har")
    assert classifier.classes == CLASSES
    assert classifier.card.name == "tiny"


def test_the_model_in_the_box_knows_rest_from_nothing_but_gravity() -> None:
    # Upright as the data set's phones were, gravity along x, and lying, gravity along y and z (UCI HAR v1.0).
    still = np.zeros((2, 128, 9), np.float32)
    still[0, :, 6] = 1.0
    still[1, :, 7:] = 0.7
    upright, lying = Classifier.load().probabilities(still).argmax(axis=1)
    assert ACTIVITIES[upright] in ("SITTING", "STANDING")
    assert ACTIVITIES[lying] == "LAYING"


def test_classifying_needs_neither_tensorflow_nor_onnx() -> None:
    program = (
        "import sys, numpy; from model.classifier import Classifier; "
        "Classifier.load().probabilities(numpy.zeros((1, 128, 9))); "
        "print(*sorted({'tensorflow', 'keras', 'onnx', 'tf2onnx', 'pandas'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
