"""Training: named networks from the bundled recordings alone, the same weights for the same seed.

The reference networks follow the 2019 notebook (RMSprop, categorical cross-entropy, last epoch); ``window``
follows the recipe that cross-validation over the training subjects chose (docs/experiments).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from model.augment import augment
from model.dataset import Crops, Floats, check_subjects, training_crops, training_windows
from model.errors import HarError
from model.learning import EpochReport, OnEpoch, Progress, fit_epoch, make_optimizer, one_hot, scaling, seed_everything
from model.recordings import WindowSet
from model.training_options import (
    NETWORKS,
    OPTIONS_OF_STREAM,
    OPTIONS_OF_WINDOW,
    REFERENCE_OPTIONS,
    TrainingOptions,
    default_options,
)

if TYPE_CHECKING:
    import keras

__all__ = [
    "NETWORKS",
    "REFERENCE_OPTIONS",
    "EpochReport",
    "TrainedNetwork",
    "TrainingOptions",
    "default_options",
    "train_network",
]

DATA = (
    "UCI HAR v1.0 training windows, regenerated from the HAPT recordings in the box",
    "sequences of the HAPT recordings in the box, made anew for each epoch",
)
"""What windows and streams are learnt from."""

SEEDS_PER_RUN = 1000
"""Members of the run with seed s draw from seeds s * 1000 + member, so no two runs share one."""


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network: ``model`` gives probabilities ``(n, len(classes))`` of raw windows ``(n, 128, 9)``.

    ``network`` and ``hyperparameters``, all of them, rebuild it (:func:`model.networks.build_network`);
    ``training`` says what it learnt from and how, in JSON's types.
    """

    model: keras.Model
    network: str
    hyperparameters: dict[str, Any]
    classes: tuple[str, ...]
    history: list[EpochReport]
    training: dict[str, Any]


def train_network(options: TrainingOptions, on_epoch: OnEpoch | None = None) -> TrainedNetwork:
    """Train on the windows of ``options.subjects``; minutes.

    Sets TensorFlow's random seed and deterministic operations for the whole process.

    Raises
    ------
    HarError : TensorFlow is missing, or a subject is not a training subject.
    """
    _require_tensorflow()
    from model.networks import NETWORK_CLASSES, all_hyperparameters

    check_subjects(options.subjects)
    progress = Progress(options.epochs * options.n_members, on_epoch)
    if options.network == "stream":
        from model.stateful.training import train_stream

        model, hyperparameters, n_examples = train_stream(options, progress)
    else:
        windows = training_windows(options.subjects)
        n_examples = len(windows.labels)
        if options.network == "window":
            model, hyperparameters = _train_window(options, windows, progress)
        else:
            model, hyperparameters = _train_reference(options, windows, progress), dict(options.hyperparameters)
    training = _record(options, n_examples, progress)
    classes = NETWORK_CLASSES[options.network]
    hyperparameters = all_hyperparameters(options.network, hyperparameters)
    return TrainedNetwork(model, options.network, hyperparameters, classes, progress.history, training)


def _require_tensorflow() -> None:
    try:
        import tensorflow  # noqa: F401
    except ImportError as error:
        raise HarError("Training needs TensorFlow; install it with: pip install 'har-stream[train]'.") from error


def _record(options: TrainingOptions, n_examples: int, progress: Progress) -> dict[str, Any]:
    chosen = asdict(options)
    subjects = list(chosen.pop("subjects"))
    others = {"window": OPTIONS_OF_STREAM, "stream": OPTIONS_OF_WINDOW}.get(options.network, ())
    if options.network not in ("window", "stream"):
        chosen = {name: chosen[name] for name in ("seed", *REFERENCE_OPTIONS)}
    chosen = {name: value for name, value in chosen.items() if name not in others}
    return {
        "data": DATA[options.network == "stream"],
        "subjects": subjects,
        "windows": n_examples,
        "seed": chosen.pop("seed"),
        "options": chosen,
        "seconds": round(progress.seconds, 1),
    }


def _train_reference(options: TrainingOptions, windows: WindowSet, progress: Progress) -> keras.Model:
    """The notebook's training: Keras's RMSprop, no augmentation, the last epoch's weights."""
    import keras

    from model.networks import NETWORK_CLASSES, build_network

    seed_everything(options.seed)
    rng = np.random.default_rng(options.seed)
    model = build_network(options.network, **options.hyperparameters)
    model.compile(keras.optimizers.RMSprop(options.learning_rate), "categorical_crossentropy", metrics=["accuracy"])
    targets = one_hot(windows.labels, len(NETWORK_CLASSES[options.network]))
    for _ in range(options.epochs):
        order = rng.permutation(len(targets))
        progress.epoch(fit_epoch(model, windows.windows[order], targets[order], options.batch_size))
    return model


def _train_window(
    options: TrainingOptions, windows: WindowSet, progress: Progress
) -> tuple[keras.Model, dict[str, Any]]:
    """Train the members one after the other and put them into one graph."""
    from model.networks import build_network, member_name, summary_member_name

    crops = training_crops(options.subjects, transitions=True)
    hyperparameters = {**options.hyperparameters, **scaling(windows.windows)}
    recurrent, summary = {"members": 1, "summary_members": 0}, {"members": 0, "summary_members": 1}
    plan = [(member_name, i, recurrent) for i in range(options.members)]
    plan += [(summary_member_name, i, summary) for i in range(options.summary_members)]
    counts = {"members": options.members, "summary_members": options.summary_members}
    whole = hyperparameters | counts | {"temperature": options.temperature}
    model = build_network("window", **whole)
    for number, (layer, index, alone) in enumerate(plan):
        own = replace(options, seed=options.seed * SEEDS_PER_RUN + number)
        member = _train_member(own, hyperparameters | alone, crops, progress)
        model.get_layer(layer(index)).set_weights(member.get_layer(layer(0)).get_weights())
    return model, whole


def _train_member(
    options: TrainingOptions, hyperparameters: dict[str, Any], crops: Crops, progress: Progress
) -> keras.Model:
    """One network on augmented windows: AdamW, cosine schedule with warm-up, label smoothing."""
    import keras

    from model.networks import NETWORK_CLASSES, build_network

    seed_everything(options.seed)
    model = build_network("window", **hyperparameters)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing)
    optimizer = make_optimizer(options, -(-len(crops) // options.batch_size))
    model.compile(optimizer, loss, metrics=["accuracy"])
    targets = one_hot(crops.labels, len(NETWORK_CLASSES["window"]))
    for x, y in _epochs(options, crops, targets):
        progress.epoch(fit_epoch(model, x, y, options.batch_size))
    if options.ema is not None:
        optimizer.finalize_variable_values(model.trainable_variables)
    return model


def _epochs(options: TrainingOptions, crops: Crops, targets: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Freshly augmented windows and targets in random order, once for each epoch."""
    rng = np.random.default_rng(options.seed)
    for _ in range(options.epochs):
        order = rng.permutation(len(crops))
        x, y = augment(crops, options.augmentation, rng)[order], targets[order]
        yield _mix(x, y, options.mixup, rng) if options.mixup else (x, y)


def _mix(x: Floats, y: Floats, alpha: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Mixup (Zhang et al. 2018): convex combinations of random pairs of windows and of their targets."""
    weight = rng.beta(alpha, alpha, (len(x), 1, 1)).astype(np.float32)
    other = rng.permutation(len(x))
    return weight * x + (1 - weight) * x[other], weight[:, 0] * y + (1 - weight[:, 0]) * y[other]
