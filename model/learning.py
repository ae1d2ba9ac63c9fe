"""What every training has in common: progress, seeds, targets, the optimiser. Needs TensorFlow when called."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from model.dataset import Floats
from model.training_options import TrainingOptions

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class EpochReport:
    """Progress: ``epoch`` of ``epochs`` are done (of all members together); figures on the training windows."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    seconds: float


OnEpoch = Callable[[EpochReport], None]


class Progress:
    """Keeps the history of ``epochs`` epochs and tells the listener."""

    def __init__(self, epochs: int, on_epoch: OnEpoch | None) -> None:
        self.epochs, self.on_epoch = epochs, on_epoch
        self.history: list[EpochReport] = []
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.perf_counter() - self._began

    def epoch(self, logs: dict[str, float]) -> None:
        """One more is done, with these figures."""
        report = EpochReport(len(self.history) + 1, self.epochs, logs["loss"], logs["accuracy"], self.seconds)
        self.history.append(report)
        if self.on_epoch:
            self.on_epoch(report)


def seed_everything(seed: int) -> None:
    """The same numbers from here on for the same seed, in the whole process."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def one_hot(labels: Any, n_classes: int) -> Floats:
    """Class numbers ``(n,)`` to ``(n, n_classes)``."""
    targets: Floats = np.eye(n_classes, dtype=np.float32)[labels]
    return targets


def scaling(values: Floats) -> dict[str, list[float]]:
    """Mean and standard deviation of each channel over training windows or samples ``(..., 9)``."""
    samples = values.reshape(-1, values.shape[-1]).astype(np.float64)
    return {"mean": samples.mean(0).tolist(), "scale": samples.std(0).tolist()}


def fit_epoch(
    model: keras.Model, x: Floats, y: Floats, batch_size: int, weights: Floats | None = None
) -> dict[str, float]:
    """One pass in the given order; ``weights`` are the targets'."""
    history = model.fit(x, y, sample_weight=weights, batch_size=batch_size, epochs=1, shuffle=False, verbose=0)
    return {name: float(values[-1]) for name, values in history.history.items()}


def make_optimizer(options: TrainingOptions, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """AdamW, the rate rising over the warm-up and falling as a cosine after it."""
    import keras

    steps = options.epochs * steps_per_epoch
    warmup = int(steps * options.warmup)
    schedule = keras.optimizers.schedules.CosineDecay(
        options.learning_rate / 25, steps - warmup, warmup_target=options.learning_rate, warmup_steps=warmup
    )
    averaging = {} if options.ema is None else {"use_ema": True, "ema_momentum": options.ema}
    return keras.optimizers.AdamW(
        schedule, weight_decay=options.weight_decay, clipnorm=None, global_clipnorm=options.clip_norm, **averaging
    )
