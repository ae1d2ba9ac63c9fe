"""From a trained Keras network to an artefact: export, card, scores. Needs the ``train`` extra."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

from model.artefact import Artefact, make_artefact
from model.card import STREAM, Card, TrainingCard, program_input
from model.errors import HarError
from model.metrics import Scores
from model.quiet import native_messages_discarded
from model.windows import Windows

if TYPE_CHECKING:
    import keras

    from model.training import TrainedNetwork

REQUIRED = ("tensorflow", "onnx", "tf2onnx")
"""Packages of the ``train`` extra."""


def prepare_tensorflow() -> None:
    """Import TensorFlow without its start-up messages on the console.

    Raises
    ------
    HarError : the ``train`` extra is not installed; told before the minutes of training, not after.
    """
    missing = [name for name in REQUIRED if find_spec(name) is None]
    if missing:
        raise HarError(
            f"Training needs TensorFlow, and {', '.join(missing)} is missing; "
            "install it with: pip install 'har-stream[train]'"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_messages_discarded():
        import tensorflow as tf
        import tf2onnx  # noqa: F401

        tf.config.list_logical_devices()


def pack(trained: TrainedNetwork, name: str) -> Artefact:
    """Export a trained network; the card's metrics are still empty.

    Parameters
    ----------
    trained : from :func:`model.training.train_network`.
    name : what the artefact calls itself.
    """
    from model.novelty_training import fit_novelty

    subjects = tuple(trained.training["subjects"])
    card = Card(
        name=name,
        network=trained.network,
        # Through JSON's types, so that the card in memory equals the card that is read back.
        hyperparameters=msgspec.json.decode(msgspec.json.encode(trained.hyperparameters)),
        classes=trained.classes,
        n_parameters=trained.model.count_params(),
        input=program_input(trained.network),
        training=msgspec.convert(msgspec.json.decode(msgspec.json.encode(trained.training)), TrainingCard),
        metrics={},
        created_by=_made_by(),
        sha256={},
        # What is normal is what holds from one subject to others: with a single one there is no telling.
        novelty=fit_novelty(subjects).to_json() if len(subjects) > 1 else None,
    )
    return make_artefact(card, _export(trained), trained.model.get_weights())


def _export(trained: TrainedNetwork) -> bytes:
    from model.onnx_export import export_onnx
    from model.stateful.export import export_stream

    return export_stream(trained.model) if trained.network == STREAM else export_onnx(trained.model)


def pack_finetuned(
    base: Artefact, network: keras.Model, name: str, training: TrainingCard, windows: Windows
) -> Artefact:
    """Export the network of ``base`` with new weights; the card's metrics are still empty.

    Parameters
    ----------
    name : what the artefact calls itself.
    training : how it was made.
    windows : the recorded ones ``(n, 128, 9)``, so that they are not taken for strange.
    """
    from model.novelty import Novelty
    from model.onnx_export import export_onnx

    novelty = base.card.novelty
    card = msgspec.structs.replace(
        base.card,
        name=name,
        training=msgspec.convert(msgspec.json.decode(msgspec.json.encode(training)), TrainingCard),
        metrics={},
        created_by=_made_by(),
        sha256={},
        novelty=None if novelty is None else Novelty.from_json(novelty).knowing(windows).to_json(),
    )
    return make_artefact(card, export_onnx(network), network.get_weights())


def _made_by() -> dict[str, str]:
    packages = {package: version(package) for package in ("har-stream", "keras", *REQUIRED)}
    return {"python": platform.python_version()} | packages


def with_metrics(artefact: Artefact, metrics: dict[str, Scores]) -> Artefact:
    """The same model, its card carrying these scores."""
    return Artefact(msgspec.structs.replace(artefact.card, metrics=metrics), artefact.onnx, artefact.weights_npz)
