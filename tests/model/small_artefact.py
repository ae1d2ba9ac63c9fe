"""A real network, small and untrained: for what must be trained on, exported and read back, but know nothing."""

from __future__ import annotations

from model.artefact import Artefact

SMALL = {"filters": (8, 8), "kernels": (5, 3), "units": 8}
"""Hyperparameters of a ``window`` network that trains in seconds."""


def small_artefact(subjects: tuple[int, ...] = (1,)) -> Artefact:
    """One recurrent member and one on the summary, as fresh as they were made; needs TensorFlow."""
    from model.learning import seed_everything
    from model.networks import NETWORK_CLASSES, build_network
    from model.packaging import pack
    from model.training import TrainedNetwork

    seed_everything(0)
    hyperparameters = {**SMALL, "summary_members": 1}
    training = {"data": "nothing", "windows": 0, "subjects": list(subjects), "seed": 0, "options": {}}
    network = build_network("window", **hyperparameters)
    return pack(TrainedNetwork(network, "window", hyperparameters, NETWORK_CLASSES["window"], [], training), "small")
