"""Fine-tuning: a trained network learns a user's own phone, pocket and gait, and forgets nothing.

Every member of the network learns on, with a low learning rate, from the recorded windows and as many of the training
subjects' own, both augmented as in training. Batch normalisation keeps its statistics, so that a handful of windows
of one person does not shift those of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from model.activities import ACTIVITIES, TRANSITION
from model.artefact import Artefact, rebuild_network
from model.augment import Augmentation, augment
from model.card import Card, TrainingCard
from model.dataset import Crops, Floats, training_crops
from model.learning import OnEpoch, Progress, fit_epoch, one_hot, seed_everything
from model.recorded import RecordedWindows
from model.windows import WINDOW_LENGTH

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class FinetuneOptions:
    """One fine-tuning, completely; the defaults are chosen on training subjects (docs/experiments/finetune.md).

    Parameters
    ----------
    seed : of order, dropout and augmentation.
    epochs : passes; each sees ``own_windows`` recorded windows, repeated as needed, and ``shipped_windows`` others.
    learning_rate : the first; it falls to nothing as half a cosine.
    """

    seed: int = 0
    epochs: int = 6
    own_windows: int = 700
    shipped_windows: int = 2100
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    label_smoothing: float = 0.1
    augmentation: Augmentation = field(default_factory=Augmentation)


def finetune(
    artefact: Artefact, recorded: RecordedWindows, options: FinetuneOptions, on_epoch: OnEpoch | None = None
) -> keras.Model:
    """The artefact's network, fine-tuned; minutes. Equal options and windows give equal weights.

    Sets TensorFlow's random seed and deterministic operations for the whole process.

    Raises
    ------
    HarError : the artefact's weights do not fit its network, or its subjects are none to train on.
    """
    import keras

    seed_everything(options.seed)
    network = rebuild_network(artefact)
    heads = _heads(network)
    _freeze_normalisation(network)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing)
    heads.compile(_optimizer(options), loss, metrics=["accuracy"])
    progress = Progress(options.epochs, on_epoch)
    for windows, labels in _epochs(artefact, recorded, options):
        targets = one_hot(labels, len(artefact.card.classes))
        each = np.repeat(targets[:, np.newaxis], heads.output_shape[1], axis=1)
        progress.epoch(fit_epoch(heads, windows, each, options.batch_size))
    return network


def _optimizer(options: FinetuneOptions) -> keras.optimizers.Optimizer:
    """AdamW, its learning rate falling to nothing as half a cosine."""
    import keras

    steps = options.epochs * -(-(options.own_windows + options.shipped_windows) // options.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(options.learning_rate, steps)
    return keras.optimizers.AdamW(
        schedule, weight_decay=options.weight_decay, clipnorm=None, global_clipnorm=options.clip_norm
    )


def training_card(base: Card, learnt: RecordedWindows, options: FinetuneOptions, held_out: float) -> TrainingCard:
    """How it was made: counts and settings, nothing of whose recording it was or when.

    Parameters
    ----------
    base : of the model that was fine-tuned.
    held_out : the share of the recorded windows that was.
    """
    chosen = {name: value for name, value in asdict(options).items() if name != "seed"}
    more = {"recorded": learnt.counts(), "held_out": held_out, "base": base.name, "base_sha256": base.sha256}
    return TrainingCard(
        data=f"{base.training.data}; then fine-tuned on {len(learnt)} recorded windows",
        windows=base.training.windows + len(learnt),
        subjects=base.training.subjects,
        seed=options.seed,
        options=chosen | more,
    )


def _heads(network: keras.Model) -> keras.Model:
    """What each member says by itself, ``(n, members, classes)``, on the network's own weights.

    In training, too, members learn one by one, before they are averaged and calibrated.
    """
    import keras

    layers = {layer.name: layer for layer in network.layers}
    members = [layer for name, layer in layers.items() if "member_" in name]
    if not members:
        return keras.Model(network.input, keras.layers.Reshape((1, network.output_shape[-1]))(network.output))
    features = layers["features"](network.input)
    summary = layers["summary"](network.input) if "summary" in layers else None
    logits = [member(_inputs(member, features, summary)) for member in members]
    rows = [keras.layers.Reshape((1, network.output_shape[-1]))(keras.layers.Softmax()(each)) for each in logits]
    return keras.Model(network.input, rows[0] if len(rows) == 1 else keras.layers.Concatenate(axis=1)(rows))


def _inputs(member: keras.Model, features: Any, summary: Any) -> Any:
    if member.name.startswith("summary_"):
        return summary
    return [features, summary] if len(member.inputs) == 2 else [features]


def _freeze_normalisation(model: keras.Model) -> None:
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _freeze_normalisation(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def _epochs(
    artefact: Artefact, recorded: RecordedWindows, options: FinetuneOptions
) -> Iterator[tuple[Floats, np.ndarray[Any, Any]]]:
    """Augmented windows ``(n, 128, 9)`` and their classes in random order, once for each epoch."""
    rng = np.random.default_rng(options.seed)
    own = as_crops(recorded)
    shipped = training_crops(artefact.card.training.subjects, transitions=TRANSITION in artefact.card.classes)
    classes = _class_numbers(artefact)
    for _ in range(options.epochs):
        parts = [_some(own, options.own_windows, rng), _some(shipped, options.shipped_windows, rng)]
        windows = np.concatenate([augment(part, options.augmentation, rng) for part in parts])
        labels = np.concatenate([classes[part.labels] for part in parts])
        order = rng.permutation(len(labels))
        yield windows[order], labels[order]


def _class_numbers(artefact: Artefact) -> np.ndarray[Any, Any]:
    """Where each activity, and TRANSITION after them, is among the artefact's classes."""
    known = artefact.card.classes
    return np.array([known.index(name) for name in (*ACTIVITIES, TRANSITION) if name in known])


def _some(crops: Crops, count: int, rng: np.random.Generator) -> Crops:
    """So many places, each as often as any other, give or take one."""
    rounds = [rng.permutation(len(crops)) for _ in range(-(-count // len(crops)))]
    return crops.of(np.concatenate(rounds)[:count])


def as_crops(recorded: RecordedWindows) -> Crops:
    """Recorded windows as places that augmentation cuts from; a window cannot be moved, as nothing lies around it."""
    n = len(recorded)
    starts = np.arange(n) * WINDOW_LENGTH
    signals = recorded.windows.reshape(n * WINDOW_LENGTH, -1)
    return Crops(signals, starts, starts, starts + WINDOW_LENGTH, recorded.labels, np.zeros(n, np.int64))
