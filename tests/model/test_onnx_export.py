"""The exported graph gives what Keras gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from model.artefact import (
    Artefact,
    default_artefact_path,
    make_artefact,
    read_artefact,
    rebuild_network,
    write_artefact,
)
from model.bundled import official_windows
from model.classifier import Classifier
from model.errors import ArtefactError
from model.networks import NETWORK_CLASSES, all_hyperparameters, build_network
from model.onnx_export import export_onnx
from model.packaging import pack, prepare_tensorflow
from model.training import NETWORKS, TrainingOptions, train_network
from tests.model.tiny_artefact import tiny_card

TOLERANCE = 1e-5
WINDOW_SETTINGS = {"mean": [0.1] * 9, "scale": [0.3] * 9, "members": 2, "temperature": 0.65}


@pytest.fixture(scope="module")
def windows() -> Any:
    return official_windows("test").windows[::60]


@pytest.fixture(scope="module")
def trained() -> Artefact:
    """``lstm``, small, one epoch on one subject."""
    prepare_tensorflow()
    options = TrainingOptions("lstm", epochs=1, hyperparameters={"units": 4}, subjects=(1,))
    return pack(train_network(options), "small")


@pytest.fixture(scope="module", params=[name for name in NETWORKS if name != "stream"])
def untrained(request: pytest.FixtureRequest) -> tuple[Any, Artefact]:
    """Each network with random weights, and its artefact."""
    network = request.param
    hyperparameters = WINDOW_SETTINGS if network == "window" else {}
    model = build_network(network, **hyperparameters)
    card = tiny_card(network=network, classes=NETWORK_CLASSES[network], hyperparameters=hyperparameters)
    return model, make_artefact(card, export_onnx(model), model.get_weights())


def test_keras_and_onnx_agree(untrained: tuple[Any, Artefact], windows: Any) -> None:
    model, artefact = untrained
    exported = Classifier(artefact).class_probabilities(windows)
    np.testing.assert_allclose(exported, model(windows, training=False), atol=TOLERANCE)


def test_a_window_s_probabilities_do_not_depend_on_its_batch(untrained: tuple[Any, Artefact], windows: Any) -> None:
    classifier = Classifier(untrained[1])
    alone = [classifier.class_probabilities(window[np.newaxis])[0] for window in windows[:8]]
    np.testing.assert_allclose(classifier.class_probabilities(windows)[:8], alone, atol=TOLERANCE)


def test_weights_rebuild_the_network(untrained: tuple[Any, Artefact], windows: Any, tmp_path: Path) -> None:
    model, artefact = untrained
    write_artefact(tmp_path / "untrained.har", artefact)
    rebuilt = rebuild_network(read_artefact(tmp_path / "untrained.har"))
    np.testing.assert_array_equal(rebuilt(windows, training=False), model(windows, training=False))


def test_the_model_in_the_box_agrees_with_its_own_weights(windows: Any) -> None:
    artefact = read_artefact(default_artefact_path())
    keras_probabilities = rebuild_network(artefact)(windows, training=False)
    exported = Classifier(artefact).class_probabilities(windows)
    np.testing.assert_allclose(exported, keras_probabilities, atol=TOLERANCE)


def test_a_trained_network_becomes_an_artefact(trained: Artefact, windows: Any, tmp_path: Path) -> None:
    write_artefact(tmp_path / "small.har", trained)
    read = read_artefact(tmp_path / "small.har")
    assert read == trained
    assert (read.card.name, read.card.network) == ("small", "lstm")
    assert read.card.hyperparameters == {"units": 4, "dropout": 0.5}
    assert read.card.n_parameters == 4 * 4 * (9 + 4 + 1) + 6 * (4 + 1)
    assert read.card.training.subjects == (1,)
    assert read.card.training.windows == 347  # subject 1 in UCI HAR v1.0's subject_train.txt
    assert read.card.training.options["epochs"] == 1
    keras_probabilities = rebuild_network(read)(windows, training=False)
    np.testing.assert_allclose(Classifier(read).class_probabilities(windows), keras_probabilities, atol=TOLERANCE)


def test_weights_of_another_network_are_refused(trained: Artefact) -> None:
    other = make_artefact(trained.card, trained.onnx, trained.weights()[:-1])
    with pytest.raises(ArtefactError, match="do not fit"):
        rebuild_network(other)


def test_export_says_nothing_and_names_its_ends(capfd: pytest.CaptureFixture[str]) -> None:
    model = build_network("lstm", units=2)
    capfd.readouterr()
    graph = onnx.load_from_string(export_onnx(model)).graph
    assert [end.name for end in (*graph.input, *graph.output)] == ["windows", "probabilities"]
    assert capfd.readouterr() == ("", "")


def test_model_in_the_box_names_every_hyperparameter() -> None:
    card = read_artefact(default_artefact_path()).card
    assert set(card.hyperparameters) == set(all_hyperparameters(card.network, {}))
