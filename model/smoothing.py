"""A causal filter over the consecutive windows of one stream, which knows that activities last.

A hidden Markov model's forward pass (Rabiner, "A Tutorial on Hidden Markov Models", Proc. IEEE 77, 1989, section
III): the hidden state is the activity, a window's calibrated probabilities, to a power, are its evidence. The
transition prior knows no order of activities: a matrix counted from the data set would encode its protocol, which
nobody at home follows. It knows two things. Activities last, all alike. And nobody gets from one posture (upright,
sitting, lying) to another without a movement that shows: where a window looks like the network's TRANSITION class the
door is open, and staying is less sure; where none does, a change of posture is less likely than one between standing,
walking and stairs. Less likely, not impossible: a movement that nobody saw costs a window or two.

With a lag of L windows the answer is about the window L before the last one, with the windows since as further
evidence (fixed-lag smoothing): surer, and L hops later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES, TRANSITION

FloatArray = npt.NDArray[np.float64]

NO_EVIDENCE: FloatArray = np.array([1 / len(ACTIVITIES)] * len(ACTIVITIES) + [0.0])
"""The row of a window that says nothing, for :meth:`ActivityFilter.push`: one that :mod:`model.novelty` finds novel."""

_POSTURES = np.array([("SITTING", "LAYING").index(a) if a in ("SITTING", "LAYING") else 2 for a in ACTIVITIES])
_SAME_POSTURE = (_POSTURES[:, np.newaxis] == _POSTURES).astype(np.float64)
_POSTURE_SIZE = _SAME_POSTURE.sum(axis=0)

MAX_LAG = 3
"""Windows that an answer may wait for: 3.84 s at the hop of 64 samples."""


@dataclass(frozen=True)
class FilterSettings:
    """The filter, completely; defaults chosen on held-out training subjects (docs/experiments/smoothing.jsonl).

    Parameters
    ----------
    stay : sets the chance of a change to any one other activity, (1 - stay) / 5 from window to window, in (1/6, 1).
    exponent : power that a window's probabilities enter with, in (0, 1]; below 1 because windows overlap by
        half and their errors come in runs, so that two of them are less than two witnesses.
    door : how far a sure TRANSITION lowers ``stay``, 0 (not at all) to 1 (every activity equally likely next).
    posture : how likely a change of posture is where no transition is seen, as a share of any other change, in (0, 1].
        Without a TRANSITION class in the rows it is taken as 1.
    floor : least probability that one window can give an activity, so that no window is a veto.
    lag : windows that an answer waits for, 0 to :data:`MAX_LAG`.

    Raises
    ------
    ValueError : a value outside its range.
    """

    stay: float = 0.8
    exponent: float = 0.9
    door: float = 0.9
    posture: float = 0.1
    floor: float = 1e-3
    lag: int = 0

    def __post_init__(self) -> None:
        within = {
            "stay": 1 / len(ACTIVITIES) < self.stay < 1,
            "exponent": 0 < self.exponent <= 1,
            "door": 0 <= self.door <= 1,
            "posture": 0 < self.posture <= 1,
            "floor": 0 < self.floor < 1 / len(ACTIVITIES),
            "lag": self.lag in range(MAX_LAG + 1),
        }
        for name, is_within in within.items():
            if not is_within:
                raise ValueError(f"Parameter {name}={getattr(self, name)} is outside its range!")


class Smoothed(NamedTuple):
    """An answer: ``probabilities`` ``(..., 6)`` about the window that came ``lag`` windows before the last one."""

    probabilities: FloatArray
    lag: int


class _Prior(NamedTuple):
    """One step of the prior; ``leave`` and ``cross`` ``(..., 1)``: the chance to change to one other activity
    of the same posture, and of another one. The matrix is symmetric, so it steps forwards and back alike.
    """

    leave: FloatArray
    cross: FloatArray

    def step(self, weights: FloatArray) -> FloatArray:
        """The prior's matrix times ``(..., 6)``."""
        same_posture = weights @ _SAME_POSTURE
        others = weights.sum(axis=-1, keepdims=True) - same_posture
        stay = 1 - self.leave * (_POSTURE_SIZE - 1) - self.cross * (len(ACTIVITIES) - _POSTURE_SIZE)
        moved: FloatArray = stay * weights + self.leave * (same_posture - weights) + self.cross * others
        return moved


class _Step(NamedTuple):
    """One window: the filtered probabilities after it, its likelihoods and probability of a transition, and the prior
    that led to it.
    """

    filtered: FloatArray
    likelihood: FloatArray
    transition: FloatArray
    prior: _Prior

    def of(self, stream: int) -> _Step:
        """One of several streams in step."""
        prior = _Prior(self.prior.leave[stream], self.prior.cross[stream])
        return _Step(self.filtered[stream], self.likelihood[stream], self.transition[stream], prior)


_UNIFORM: FloatArray = np.full(len(ACTIVITIES), 1 / len(ACTIVITIES))
_START = _Step(_UNIFORM, _UNIFORM, np.zeros(1), _Prior(np.zeros(1), np.zeros(1)))
"""Before a stream's first window: every activity as likely, which no prior changes."""


class ActivityFilter:
    """The filter of one stream, or of several in step: window after window in, smoothed probabilities out.

    Parameters
    ----------
    settings : see :class:`FilterSettings`.
    """

    def __init__(self, settings: FilterSettings | None = None) -> None:
        self.settings = settings or FilterSettings()
        self._steps: list[_Step] = []

    def reset(self) -> None:
        """Forget the stream (a gap, a restart): the next window is a first window, every activity as likely."""
        self._steps.clear()

    def push(self, row: npt.ArrayLike) -> Smoothed | None:
        """Take the next window's class probabilities.

        Parameters
        ----------
        row : shape ``(6,)``, in the order of :data:`model.activities.ACTIVITIES`, or ``(7,)`` with TRANSITION last
            (:func:`activities_then_transition`); of several streams in step ``(n_streams, 6 or 7)``.

        Returns
        -------
        The answer about the window ``lag`` windows ago; None as long as there is no such window.

        Raises
        ------
        ValueError : another number of classes.
        """
        return self._take(_advance(self.settings, self._last, np.asarray(row, np.float64)))

    @property
    def _last(self) -> _Step:
        return self._steps[-1] if self._steps else _START

    def _take(self, step: _Step) -> Smoothed | None:
        self._steps.append(step)
        del self._steps[: -self.settings.lag - 1]
        if len(self._steps) <= self.settings.lag:
            return None
        return Smoothed(_look_back(self._steps), self.settings.lag)

    def finish(self) -> list[Smoothed]:
        """End the stream: the answers about the windows that no answer was about yet, in order."""
        steps = list(self._steps)
        asked_for = steps[1:] if len(steps) == self.settings.lag + 1 else steps
        answers = [
            Smoothed(_look_back(asked_for[first:]), len(asked_for) - 1 - first) for first in range(len(asked_for))
        ]
        self.reset()
        return answers


def push_together(filters: Sequence[ActivityFilter], rows: npt.ArrayLike) -> list[Smoothed | None]:
    """Push one window into each of many streams' filters; the same as one by one, at a fraction of the cost.

    Parameters
    ----------
    filters : n different filters of equal settings.
    rows : shape ``(n, 6 or 7)``, the next window's class probabilities of each.

    Raises
    ------
    ValueError : another number of rows or classes, filters that differ, or one filter twice.
    """
    values = np.asarray(rows, np.float64)
    if not filters:
        return []
    settings = filters[0].settings
    if len(set(map(id, filters))) < len(filters) or any(each.settings != settings for each in filters):
        raise ValueError("Parameter filters has one filter twice, or filters of different settings!")
    if values.ndim != 2 or len(values) != len(filters):
        raise ValueError(
            f"Parameter rows has shape {values.shape}, expected one row for each of {len(filters)} filters!"
        )
    last = [each._last for each in filters]
    before = _START._replace(
        filtered=np.concatenate([s.filtered for s in last]).reshape(len(last), -1),
        transition=np.concatenate([s.transition for s in last]).reshape(len(last), -1),
    )
    step = _advance(settings, before, values)
    return [each._take(step.of(index)) for index, each in enumerate(filters)]


def forward(
    filtered: FloatArray, transition: FloatArray, rows: FloatArray, settings: FilterSettings
) -> tuple[FloatArray, FloatArray]:
    """Several steps of many streams' filters whose state the caller keeps, without a lag.

    Parameters
    ----------
    filtered, transition : what the last step gave, ``(n, 6)`` and ``(n, 1)``; before a stream's first step every
        activity as likely, and 0.
    rows : the next class probabilities, ``(n, steps, 7)``, TRANSITION last.

    Returns
    -------
    The filtered probabilities ``(n, steps, 6)``, and the last probability of a transition, ``(n, 1)``, for the next
    call.
    """
    seen = np.concatenate([transition[:, np.newaxis], rows[..., len(ACTIVITIES) :]], axis=1)
    prior = _prior(settings, np.maximum(seen[:, 1:], seen[:, :-1]), settings.posture)
    likelihood = _likelihood(settings, rows[..., : len(ACTIVITIES)], seen[:, 1:])
    steps = np.empty_like(likelihood)
    for step in range(rows.shape[1]):
        moved = _Prior(prior.leave[:, step], prior.cross[:, step]).step(filtered)
        filtered = steps[:, step] = _normalised(moved * likelihood[:, step])
    return steps, seen[:, -1]


def _advance(settings: FilterSettings, before: _Step, row: FloatArray) -> _Step:
    """The step from one window to the next, whose class probabilities are ``row`` ``(..., 6 or 7)``."""
    n_activities = len(ACTIVITIES)
    if row.ndim == 0 or row.shape[-1] not in (n_activities, n_activities + 1):
        raise ValueError(f"Parameter row has shape {row.shape}, expected (..., 6) or (..., 7)!")
    transition, posture = row[..., n_activities:], settings.posture
    if not transition.shape[-1]:
        transition, posture = np.zeros((*row.shape[:-1], 1)), 1.0
    # A change of activity overlaps the window in which it is seen and the next: the door is open for both.
    prior = _prior(settings, np.maximum(transition, before.transition), posture)
    likelihood = _likelihood(settings, row[..., :n_activities], transition)
    return _Step(_normalised(prior.step(before.filtered) * likelihood), likelihood, transition, prior)


def _prior(settings: FilterSettings, opened: FloatArray, posture: float) -> _Prior:
    stay = settings.stay + (1 / len(ACTIVITIES) - settings.stay) * settings.door * opened
    leave = (1 - stay) / (len(ACTIVITIES) - 1)
    return _Prior(leave, leave * (posture + (1 - posture) * opened))


def _likelihood(settings: FilterSettings, activities: FloatArray, transition: FloatArray) -> FloatArray:
    # What speaks for a transition speaks for every activity alike.
    weights = _normalised(np.maximum(activities, 1e-30) + transition / len(ACTIVITIES))
    likelihood: FloatArray = np.maximum(weights, settings.floor) ** settings.exponent
    return likelihood


def _normalised(weights: FloatArray) -> FloatArray:
    scaled: FloatArray = weights / weights.sum(axis=-1, keepdims=True)
    return scaled


def _look_back(steps: Sequence[_Step]) -> FloatArray:
    """Probabilities about the first of these steps, given all of them (the backward pass)."""
    if len(steps) == 1:
        return steps[0].filtered
    backward = np.ones(len(ACTIVITIES))
    for step in reversed(steps[1:]):
        backward = step.prior.step(_normalised(step.likelihood * backward))
    return _normalised(steps[0].filtered * backward)


def smooth(rows: npt.ArrayLike, settings: FilterSettings | None = None) -> FloatArray:
    """A whole stream at once: what :class:`ActivityFilter` says about each window.

    Parameters
    ----------
    rows : shape ``(n_windows, 6 or 7)``, or ``(n_windows, n_streams, 6 or 7)``.

    Returns
    -------
    Shape ``(n_windows, 6)``, or ``(n_windows, n_streams, 6)``: row i is about window i; with a lag it knows the
    windows up to i + lag, the last ones as many as there are.
    """
    values = np.asarray(rows, np.float64)
    stream = ActivityFilter(settings)
    answers = [answer for row in values if (answer := stream.push(row))] + stream.finish()
    return np.stack([answer.probabilities for answer in answers]) if answers else np.empty((0, len(ACTIVITIES)))


def activities_then_transition(class_probabilities: npt.ArrayLike, classes: Sequence[str]) -> FloatArray:
    """Columns as :meth:`ActivityFilter.push` takes them, from a network's own order of classes.

    Parameters
    ----------
    class_probabilities : shape ``(n, len(classes))``.
    classes : the network's classes, the six activities among them; TRANSITION is taken along if it is there, any
        other left out.
    """
    order = [*ACTIVITIES, *([TRANSITION] if TRANSITION in classes else [])]
    columns = np.asarray(class_probabilities, np.float64)[:, [classes.index(name) for name in order]]
    return np.asarray(columns, np.float64)
