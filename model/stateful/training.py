"""Training of the stateful network: sequences made anew for each epoch, every labelled step judged.

The recipe is the window network's (AdamW, cosine schedule with warm-up, label smoothing); the sequences are
:mod:`model.stateful.sequences`'. With a teacher, a larger network learns from the labels first, and the network
then learns the teacher's probabilities on every step, labelled or not (Hinton et al. 2015, Distilling the Knowledge
in a Neural Network, without the labels' part and at temperature 1). Needs TensorFlow when called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from model.dataset import Floats
from model.learning import Progress, fit_epoch, make_optimizer, one_hot, scaling, seed_everything
from model.stateful.sequences import UNLABELLED, Source, sequences, training_sources
from model.stateful.shape import CLASSES, STEP
from model.training_options import TrainingOptions

if TYPE_CHECKING:
    import keras

Teach = Callable[[Floats], Floats]
"""Signals ``(n, length, 9)`` to what a network shall answer to them, ``(n, steps, 12)``."""


def train_stream(options: TrainingOptions, progress: Progress) -> tuple[keras.Model, dict[str, Any], int]:
    """Train on the recordings of ``options.subjects``, from the labels or from a teacher that has learnt from them.

    Returns
    -------
    The network, its hyperparameters with the scaling, and how many sequences an epoch has.

    Raises
    ------
    HarError : a subject is not a training subject.
    """
    sources = training_sources(options.subjects)
    own = scaling(np.concatenate([source.signals for source in sources]))
    hyperparameters = {**options.hyperparameters, **own, "temperature": options.temperature}
    teach = None
    if options.teacher is not None:
        from_labels = replace(options, hyperparameters=options.teacher, teacher=None)
        teacher = _learnt(from_labels, {**options.teacher, **own}, sources, None, progress)
        teach = _teaching(teacher, options.batch_size)
    network = _learnt(options, hyperparameters, sources, teach, progress)
    return network, hyperparameters, sequences_in_an_epoch(sources, options)


def _learnt(
    options: TrainingOptions,
    hyperparameters: dict[str, Any],
    sources: list[Source],
    teach: Teach | None,
    progress: Progress,
) -> keras.Model:
    """A network after all epochs: of the labels, or of what it is taught."""
    import keras

    from model.networks import build_network

    seed_everything(options.seed)
    rng = np.random.default_rng(options.seed)
    network = build_network("stream", **hyperparameters)
    n = sequences_in_an_epoch(sources, options)
    optimizer = make_optimizer(options, n // options.batch_size)
    # What is taught is as unsure as it is.
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.0 if teach else options.label_smoothing)
    # Temperature calibrates what was learnt without it.
    learning = keras.Model(network.input, keras.layers.Softmax()(network.get_layer("logits").output))
    learning.compile(optimizer, loss, weighted_metrics=["accuracy"])
    for _ in range(options.epochs):
        x, targets, weights = _epoch(sources, n, options, rng)
        if teach:
            targets, weights = teach(x), np.ones_like(weights)
        progress.epoch(fit_epoch(learning, x, targets, options.batch_size, weights))
    if options.ema is not None:
        optimizer.finalize_variable_values(learning.trainable_variables)
    return network


def _teaching(teacher: keras.Model, batch_size: int) -> Teach:
    """What the teacher answers."""
    return lambda signals: np.asarray(teacher.predict(signals, batch_size=batch_size, verbose=0), np.float32)


def sequences_in_an_epoch(sources: list[Source], options: TrainingOptions) -> int:
    """As many as have the recordings' samples, in whole batches."""
    in_all = sum(map(len, sources)) // options.sequences.length
    return max(in_all // options.batch_size, 1) * options.batch_size


def _epoch(
    sources: list[Source], n: int, options: TrainingOptions, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Signals ``(n, length, 9)``, targets ``(n, steps, 12)``, and weights ``(n, steps)``: 0 without a label."""
    signals, labels = sequences(sources, n, options.sequences, rng)
    at_steps = labels[:, STEP - 1 :: STEP]
    targets = one_hot(np.maximum(at_steps, 0), len(CLASSES))
    return signals, targets, (at_steps != UNLABELLED).astype(np.float32)
