"""Training of the stateful network: sequences made anew for each epoch, every labelled step judged.

The recipe is the window network's (AdamW, cosine schedule with warm-up, label smoothing); the sequences are
:mod:`model.stateful.sequences`'. Needs TensorFlow when called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from model.learning import Progress, fit_epoch, make_optimizer, one_hot, scaling, seed_everything
from model.stateful.sequences import UNLABELLED, Source, sequences, training_sources
from model.stateful.shape import CLASSES, STEP
from model.training_options import TrainingOptions

if TYPE_CHECKING:
    import keras


def train_stream(options: TrainingOptions, progress: Progress) -> tuple[keras.Model, dict[str, Any], int]:
    """Train on the recordings of ``options.subjects``.

    Returns
    -------
    The network, its hyperparameters with the scaling, and how many sequences an epoch has.

    Raises
    ------
    HarError : a subject is not a training subject.
    """
    import keras

    from model.networks import build_network

    sources = training_sources(options.subjects)
    hyperparameters = {
        **options.hyperparameters,
        **scaling(np.concatenate([source.signals for source in sources])),
        "temperature": options.temperature,
    }
    seed_everything(options.seed)
    rng = np.random.default_rng(options.seed)
    network = build_network("stream", **hyperparameters)
    n = sequences_in_an_epoch(sources, options)
    optimizer = make_optimizer(options, n // options.batch_size)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing)
    # Temperature calibrates what was learnt without it.
    learning = keras.Model(network.input, keras.layers.Softmax()(network.get_layer("logits").output))
    learning.compile(optimizer, loss, weighted_metrics=["accuracy"])
    for _ in range(options.epochs):
        x, targets, weights = _epoch(sources, n, options, rng)
        progress.epoch(fit_epoch(learning, x, targets, options.batch_size, weights))
    if options.ema is not None:
        optimizer.finalize_variable_values(learning.trainable_variables)
    return network, hyperparameters, n


def sequences_in_an_epoch(sources: list[Source], options: TrainingOptions) -> int:
    """As many as have the recordings' samples, in whole batches."""
    in_all = sum(map(len, sources)) // options.sequences.length
    return max(in_all // options.batch_size, 1) * options.batch_size


def _epoch(
    sources: list[Source], n: int, options: TrainingOptions, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signals ``(n, length, 9)``, targets ``(n, steps, 12)``, and weights ``(n, steps)``: 0 without a label."""
    signals, labels = sequences(sources, n, options.sequences, rng)
    at_steps = labels[:, STEP - 1 :: STEP]
    targets = one_hot(np.maximum(at_steps, 0), len(CLASSES))
    return signals, targets, (at_steps != UNLABELLED).astype(np.float32)
