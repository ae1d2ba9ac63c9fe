"""What is said about a window: an activity, a transition, or that it is not known; and what saying less is worth.

Three questions, in this order. Is the window like anything that the model was trained on (:mod:`model.novelty`)? If
not, nothing is known, however sure the network is. Is it a postural transition? Is the likeliest activity sure enough?
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES, TRANSITION
from model.novelty import THRESHOLD

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

UNKNOWN = "UNKNOWN"
"""The answer where the model cannot know."""

ANSWERS: tuple[str, ...] = (*ACTIVITIES, TRANSITION, UNKNOWN)
"""Every answer."""


@dataclass(frozen=True)
class DecisionSettings:
    """When something other than the likeliest activity is said.

    Parameters
    ----------
    min_confidence : least probability of the likeliest activity, in [0, 1); below it the answer is UNKNOWN.
    transition : probability of the TRANSITION class from which on the answer is TRANSITION, in (0, 1].
    novelty : novelty score above which the answer is UNKNOWN.

    Raises
    ------
    ValueError : a value outside its range.
    """

    min_confidence: float
    transition: float = 0.5
    novelty: float = THRESHOLD

    def __post_init__(self) -> None:
        if not (0 <= self.min_confidence < 1 and 0 < self.transition <= 1 and self.novelty > 0):
            raise ValueError(f"Parameters of {self} are not 0 <= min_confidence < 1, 0 < transition <= 1, novelty > 0!")


SINGLE_WINDOWS = DecisionSettings(min_confidence=0.91)
"""For windows one by one: 95 % of held-out labelled windows get an activity."""

SMOOTHED = DecisionSettings(min_confidence=0.96)
"""For the filter's probabilities (:mod:`model.smoothing`): 98 %."""

STREAMED = DecisionSettings(min_confidence=0.6)
"""For settled probabilities of the stateful model (:mod:`model.stateful.settling`)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``answer`` is one of :data:`ANSWERS`; ``activity`` the likeliest of the six, ``confidence`` its probability."""

    answer: str
    activity: str
    confidence: float


def decide(
    probabilities: npt.ArrayLike, *, settings: DecisionSettings, transition: float = 0.0, novelty: float = 0.0
) -> Decision:
    """The answer about one window.

    Parameters
    ----------
    probabilities : shape ``(6,)``, over the six activities, of the window alone or smoothed.
    transition : the window's probability of the network's TRANSITION class.
    novelty : the window's novelty score.
    """
    row = np.asarray(probabilities, np.float64)[np.newaxis]
    return decisions(row, settings=settings, transition=[transition], novelty=[novelty])[0]


def decisions(
    probabilities: FloatArray, *, settings: DecisionSettings, transition: npt.ArrayLike, novelty: npt.ArrayLike
) -> list[Decision]:
    """The answers about n windows at once: :func:`decide`, with shapes ``(n, 6)``, ``(n,)`` and ``(n,)``."""
    answers = decide_all(probabilities, settings=settings, transition=transition, novelty=novelty).tolist()
    best, confidence = probabilities.argmax(axis=1).tolist(), probabilities.max(axis=1).tolist()
    return [
        Decision(ANSWERS[answer], ACTIVITIES[index], sure)
        for answer, index, sure in zip(answers, best, confidence, strict=True)
    ]


def decide_all(
    probabilities: npt.ArrayLike,
    *,
    settings: DecisionSettings,
    transition: npt.ArrayLike = 0.0,
    novelty: npt.ArrayLike = 0.0,
    told: IntArray | None = None,
) -> IntArray:
    """The answers about windows, indices into :data:`ANSWERS`, ``(n,)``.

    Parameters as :func:`decide`'s, shapes ``(n, 6)``, ``(n,)`` and ``(n,)``; ``told`` ``(n,)``: the activities that
    are answered with if they are sure enough, instead of the likeliest.
    """
    rows = np.asarray(probabilities, np.float64)
    answers = rows.argmax(axis=-1) if told is None else told
    sureness = np.take_along_axis(rows, np.asarray(answers)[..., np.newaxis], axis=-1)[..., 0]
    answers = np.where(sureness < settings.min_confidence, ANSWERS.index(UNKNOWN), answers)
    answers = np.where(np.asarray(transition) >= settings.transition, ANSWERS.index(TRANSITION), answers)
    return np.where(np.asarray(novelty) > settings.novelty, ANSWERS.index(UNKNOWN), answers).astype(np.int64)


class CoveragePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The share ``coverage`` of the windows is at least ``min_confidence`` sure; of these so many are right."""

    coverage: float
    accuracy: float
    min_confidence: float


def coverage_curve(
    confidence: npt.ArrayLike, is_right: npt.ArrayLike, coverages: npt.ArrayLike | None = None
) -> list[CoveragePoint]:
    """Accuracy against coverage, from the surest windows to all of them.

    Parameters
    ----------
    confidence : shape ``(n,)``, n >= 1.
    is_right : shape ``(n,)``, whether the likeliest activity is the label.
    coverages : shares in (0, 1] to give points for; by default every percent. A point keeps all windows that are as
        sure as its least sure one, so that its coverage may be a little higher.

    Raises
    ------
    ValueError : no window, or shapes that differ.
    """
    sure, right = np.asarray(confidence, np.float64), np.asarray(is_right, bool)
    if sure.ndim != 1 or sure.shape != right.shape or not len(sure):
        raise ValueError(f"Shapes {sure.shape} and {right.shape} are not equal, (n,) and n >= 1!")
    asked = np.arange(1, 101) / 100 if coverages is None else np.asarray(coverages, np.float64)
    return [_point(sure, right, float(share)) for share in asked]


def _point(confidence: FloatArray, is_right: npt.NDArray[np.bool_], coverage: float) -> CoveragePoint:
    threshold = min_confidence(confidence, coverage)
    kept = confidence >= threshold
    return CoveragePoint(coverage=float(kept.mean()), accuracy=float(is_right[kept].mean()), min_confidence=threshold)


def min_confidence(confidence: npt.ArrayLike, coverage: float) -> float:
    """The least confidence that keeps at least the share ``coverage`` of windows ``(n,)``.

    Raises
    ------
    ValueError : a coverage outside (0, 1].
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"Parameter {coverage=} is not in (0, 1]!")
    ordered = np.sort(np.asarray(confidence, np.float64))[::-1]
    return float(ordered[max(int(np.ceil(coverage * len(ordered) - 1e-9)), 1) - 1])
