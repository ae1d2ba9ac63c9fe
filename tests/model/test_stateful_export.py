"""The graph with the state is the network that was trained."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="the extra 'train' is not installed")

from model import bundled
from model.artefact import default_artefact_path, read_artefact, rebuild_network
from model.stateful.classifier import StreamClassifier
from model.stateful.shape import STEP
from tests.model.stateful_models import small_artefact, small_classifier, small_network

SIGNALS = bundled.load_recording(32).signals()[: 100 * STEP].astype(np.float32)


def test_random_weights_give_keras_s_probabilities() -> None:
    """Every weight counts: a gate out of order or a normalisation left out would show."""
    theirs = np.asarray(small_network().model(SIGNALS[np.newaxis]))[0]
    np.testing.assert_allclose(small_classifier().answers(SIGNALS), theirs, atol=1e-5)
    assert theirs.std(axis=0).min() > 1e-3


def test_the_shipped_graph_is_the_shipped_weights() -> None:
    network = rebuild_network(read_artefact(default_artefact_path("stream")))
    theirs = np.asarray(network(SIGNALS[np.newaxis]))[0]
    np.testing.assert_allclose(StreamClassifier.load().answers(SIGNALS), theirs, atol=1e-5)


def test_equal_networks_are_equal_files() -> None:
    from model.stateful.export import export_stream

    assert export_stream(small_network().model) == small_artefact().onnx
