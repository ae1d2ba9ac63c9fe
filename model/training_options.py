"""Everything that one training run is decided by, and the settings that this product uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from model.activities import TRAIN_SUBJECTS
from model.augment import Augmentation
from model.dataset import check_subjects
from model.errors import HarError
from model.stateful.sequences import SequenceMix

NETWORKS: tuple[str, ...] = ("lstm", "lstm2", "window", "stream")
"""The networks that can be trained."""

REFERENCE_OPTIONS: tuple[str, ...] = ("network", "epochs", "batch_size", "learning_rate", "hyperparameters")
"""The options that the reference networks' training reads, beside seed and subjects."""

OPTIONS_OF_WINDOW: tuple[str, ...] = ("members", "summary_members", "mixup", "augmentation")
"""The options that mean nothing to ``stream``."""

OPTIONS_OF_STREAM: tuple[str, ...] = ("sequences", "teacher")
"""The options that mean nothing to ``window``."""

WINDOW_TEMPERATURE = 0.51
"""Least log loss of the default's cross-validation predictions (docs/experiments/ensembles.jsonl)."""

STREAM_TEACHER: dict[str, Any] = {"filters": (64, 96, 128), "units": 160}
"""What the stream network is taught by: a network too large to be run, better by half a point in cross-validation, most
of which is learnt (docs/experiments/stateful.md)."""

STREAM_TEMPERATURE = 1.0
"""Least log loss of the stateful network's cross-validation predictions (benchmarks.settling)."""


@dataclass(frozen=True)
class TrainingOptions:
    """One training run, completely.

    Parameters
    ----------
    network : one of :data:`NETWORKS`.
    seed : of weights, order, dropout and augmentation.
    epochs, batch_size, learning_rate : as usual; for ``window`` the rate is the schedule's peak.
    hyperparameters : of :func:`model.networks.build_network`; scaling is added by the training.
    members, summary_members : recurrent networks and networks on the summary that ``window`` averages.
    weight_decay, clip_norm, warmup, label_smoothing : of ``window`` and ``stream``; warm-up as a share of all steps.
    ema : momentum of the weights' moving average of the same; None keeps the last weights.
    mixup : parameter of the beta distribution that pairs of windows are mixed by; 0 for none.
    temperature : calibration of the same, fitted on cross-validation predictions of training subjects.
    augmentation : of ``window``.
    sequences : of ``stream``.
    teacher : of the same: hyperparameters of a network that learns from the labels first, and whose answers are learnt.
    subjects : training subjects.
    """

    network: str
    seed: int = 0
    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 1e-3
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    members: int = 1
    summary_members: int = 0
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    warmup: float = 0.2
    label_smoothing: float = 0.1
    ema: float | None = None
    mixup: float = 0.0
    temperature: float = 1.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    sequences: SequenceMix = field(default_factory=SequenceMix)
    teacher: dict[str, Any] | None = None
    subjects: tuple[int, ...] = TRAIN_SUBJECTS

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise HarError(f"There is no network {self.network!r}; choose one of {', '.join(NETWORKS)}.")
        for name in ("epochs", "batch_size", "n_members"):
            if getattr(self, name) < 1:
                raise HarError(f"Training needs at least 1 for {name}, not {getattr(self, name)}.")
        check_subjects(self.subjects)

    @property
    def n_members(self) -> int:
        """Networks that are trained, one after the other."""
        return self.members + self.summary_members + (self.teacher is not None)


def default_options(network: str) -> TrainingOptions:
    """The settings that this product trains a network with.

    Raises
    ------
    HarError : there is no such network.
    """
    if network == "window":
        return TrainingOptions(
            network, batch_size=128, learning_rate=3e-3, members=1, summary_members=2, temperature=WINDOW_TEMPERATURE
        )
    if network == "stream":
        return TrainingOptions(
            network,
            epochs=120,
            batch_size=16,
            learning_rate=3e-3,
            temperature=STREAM_TEMPERATURE,
            teacher=STREAM_TEACHER,
        )
    return TrainingOptions(network)
