"""How well a model does on what no laboratory gives it: phones turned, other rates, losses, noise, wrong units.

The raw recordings are distorted (:mod:`model.distortions`), pass the signal chain anew, and are cut where UCI HAR
v1.0 cut its windows, so that every figure compares with the undisturbed one. Chance is one draw for a recording.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import numpy.typing as npt

from model import bundled
from model.activities import ACTIVITIES
from model.classifier import Classifier
from model.decision import SINGLE_WINDOWS, decide_all
from model.distortions import DISTORTIONS, Distortion
from model.metrics import accuracy, confusion_matrix, macro_f1
from model.novelty import THRESHOLD
from model.recordings import Recording, subjects_of
from model.smoothing import activities_then_transition
from model.windows import WINDOW_LENGTH, Windows

OnProgress = Callable[[str, int, int], None]
"""Called with what is being done, steps done, and their total."""

IntArray = npt.NDArray[np.int64]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """The windows under one distortion.

    ``accuracy`` and ``macro_f1`` are of the likeliest activity; ``drop`` is the accuracy lost against the undisturbed
    windows. ``novel`` is the share that the novelty score flags (None for a model without). ``misled`` is the share
    that is told a wrong activity, windows that are answered with UNKNOWN or TRANSITION told none.
    """

    group: str
    name: str
    accuracy: float
    macro_f1: float
    drop: float
    novel: float | None
    misled: float


class Robustness(msgspec.Struct, frozen=True, kw_only=True):
    """The benchmark of one model: the first of ``cases`` is undisturbed."""

    subjects: list[int]
    n_windows: int
    seed: int
    cases: list[Case]


@dataclass(frozen=True)
class _Answers:
    """What a model makes of windows ``(n,)``: likeliest activity, answer, novelty (0 without a score)."""

    labels: IntArray
    likeliest: IntArray
    told: IntArray
    novelty: npt.NDArray[np.float64]


UNDISTURBED = Distortion("undisturbed", "", lambda samples, rng: samples)
"""The recordings as they are."""


def benchmark(
    classifier: Classifier,
    split: str = "train",
    *,
    subjects: Sequence[int] | None = None,
    distortions: Sequence[Distortion] = DISTORTIONS,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> Robustness:
    """Evaluate a model under every distortion.

    Parameters
    ----------
    classifier : the model.
    split : ``"train"`` while a model is being made, ``"test"`` for its report.
    subjects : only these subjects of the split.
    distortions : what is tried, after the undisturbed windows.
    seed : of axes, phases, losses and noise.

    Raises
    ------
    ValueError : another split, or no recording of these subjects in it.
    """
    chosen = [s for s in subjects_of(split) if subjects is None or s in subjects]
    recordings, runs = bundled.load_recordings(tuple(chosen)), bundled.runs_by_experiment(split)
    recordings = [recording for recording in recordings if recording.experiment in runs]
    if not recordings:
        raise ValueError(f"Parameter {subjects=} has no subject of {split=}!")
    answers = []
    for done, distortion in enumerate((UNDISTURBED, *distortions)):
        if on_progress:
            on_progress("robustness", done, len(distortions) + 1)
        answers.append(_answers(classifier, [(r, runs[r.experiment]) for r in recordings], distortion, seed))
    if on_progress:
        on_progress("robustness", len(distortions) + 1, len(distortions) + 1)
    has_novelty = classifier.novelty is not None
    whole = accuracy(answers[0].labels, answers[0].likeliest)
    cases = [_case(d, a, whole, has_novelty) for d, a in zip((UNDISTURBED, *distortions), answers, strict=True)]
    return Robustness(subjects=chosen, n_windows=len(answers[0].labels), seed=seed, cases=cases)


def official_windows_of(recording: Recording, runs: Sequence[bundled.WindowRun]) -> tuple[Windows, IntArray]:
    """The windows of a (distorted) recording where UCI HAR v1.0 has its own, ``(n, 128, 9)``, and their labels."""
    signals = recording.signals().astype(np.float32)
    starts = np.concatenate([run.starts for run in runs])
    labels = np.concatenate([np.full(run.count, run.label, np.int64) for run in runs])
    return signals[starts[:, np.newaxis] + np.arange(WINDOW_LENGTH)], labels


def _answers(
    classifier: Classifier,
    recordings: Sequence[tuple[Recording, Sequence[bundled.WindowRun]]],
    distortion: Distortion,
    seed: int,
) -> _Answers:
    parts = []
    for recording, runs in recordings:
        samples = distortion.apply(recording.samples, seed=seed, experiment=recording.experiment)
        windows, labels = official_windows_of(replace(recording, samples=samples), runs)
        parts.append((labels, *_told(classifier, windows)))
    labels, likeliest, told, novelty = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _Answers(labels, likeliest, told, novelty)


def _told(classifier: Classifier, windows: Windows) -> tuple[IntArray, IntArray, npt.NDArray[np.float64]]:
    """Likeliest activities, answers, and novelty of windows ``(n, 128, 9)``."""
    rows = activities_then_transition(classifier.class_probabilities(windows), classifier.classes)
    novelty = np.zeros(len(windows)) if classifier.novelty is None else classifier.novelty.score(windows)
    six = np.maximum(rows[:, : len(ACTIVITIES)], np.finfo(np.float32).tiny)
    six /= six.sum(axis=1, keepdims=True)
    transition = rows[:, len(ACTIVITIES) :].sum(axis=1)
    told = decide_all(six, settings=SINGLE_WINDOWS, transition=transition, novelty=novelty)
    return six.argmax(axis=1).astype(np.int64), told, novelty


def _case(distortion: Distortion, answers: _Answers, undisturbed: float, has_novelty: bool) -> Case:
    right = accuracy(answers.labels, answers.likeliest)
    misled = (answers.told < len(ACTIVITIES)) & (answers.told != answers.labels)
    return Case(
        group=distortion.group,
        name=distortion.name,
        accuracy=right,
        macro_f1=macro_f1(confusion_matrix(answers.labels, answers.likeliest, len(ACTIVITIES))),
        drop=undisturbed - right,
        novel=float(np.mean(answers.novelty > THRESHOLD)) if has_novelty else None,
        misled=float(np.mean(misled)),
    )
