"""Small stateful models for tests: fresh weights, so that they answer at random, and exactly."""

from __future__ import annotations

from functools import cache

import numpy as np

from model.artefact import Artefact
from model.networks import all_hyperparameters, build_network
from model.packaging import pack
from model.stateful.classifier import StreamClassifier
from model.stateful.shape import CLASSES
from model.training import TrainedNetwork

SMALL = {"filters": [8, 6, 8], "kernels": [7, 5, 5], "units": 6, "temperature": 0.7}


@cache
def small_network() -> TrainedNetwork:
    """A network whose every weight, the normalisations' too, is random."""
    hyperparameters = all_hyperparameters("stream", SMALL)
    network = build_network("stream", **hyperparameters)
    rng = np.random.default_rng(3)
    network.set_weights([rng.uniform(0.1, 0.6, w.shape) * rng.choice([-1, 1], w.shape) for w in network.get_weights()])
    for layer in network.layers:
        if layer.name.startswith("norm"):
            layer.set_weights([abs(w) for w in layer.get_weights()])
    training = {"data": "none", "windows": 0, "subjects": [1], "seed": 0, "options": {}}
    return TrainedNetwork(network, "stream", hyperparameters, CLASSES, [], training)


@cache
def small_artefact() -> Artefact:
    """The network's artefact."""
    return pack(small_network(), "small")


def small_classifier() -> StreamClassifier:
    """The network at work."""
    return StreamClassifier(small_artefact())
