"""Answers that settle: the causal filter over the steps of many streams at once.

The network answers every 160 ms, and says one thing and another while a person is turning round. The filter of
:mod:`model.smoothing`, with settings of its own, takes its answers for evidence: consecutive steps hear nearly the
same, so each counts for a fraction of a witness. And what is told stays until another activity is likely enough
(:func:`hold`), so that two that are nearly as likely do not take turns. The state is a row of seven numbers beside
the network's, and the activity that is told.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.smoothing import FilterSettings, forward

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SETTLED_SIZE = len(ACTIVITIES) + 1
"""Numbers of a stream's state: the filtered probabilities, and that of a transition in the last step."""

SETTLING = FilterSettings(stay=0.995, exponent=0.3, door=0.1, posture=0.1)
"""Chosen on held-out training subjects, as the next one (docs/experiments/settling.jsonl)."""

SWITCH = 0.8
"""Settled probability above which another activity is told than before."""

NOTHING_TOLD = -1
"""The activity that is told before a stream's first step."""

_UNSETTLED = np.array([1 / len(ACTIVITIES)] * len(ACTIVITIES) + [0.0])


def first_settled(n: int) -> FloatArray:
    """The filter's states of ``n`` streams before their first step: every activity as likely, ``(n, 7)``."""
    return np.tile(_UNSETTLED, (n, 1))


def settle(
    probabilities: npt.ArrayLike, states: FloatArray, settings: FilterSettings = SETTLING
) -> tuple[FloatArray, FloatArray]:
    """Filter the next steps of n streams.

    Parameters
    ----------
    probabilities : the network's, ``(n, steps, 12)``.
    states : ``(n, 7)``, from the last call or :func:`first_settled`.

    Returns
    -------
    The activities' settled probabilities, ``(n, steps, 6)``, and the states behind them.
    """
    settled, transition = forward(states[:, :-1], states[:, -1:], evidence(probabilities), settings)
    last = settled[:, -1] if settled.shape[1] else states[:, :-1]
    return settled, np.concatenate([last, transition], axis=1)


def hold(settled: FloatArray, told: IntArray, switch: float = SWITCH) -> IntArray:
    """The activity that is told at each step: the last one, until another is sure.

    Parameters
    ----------
    settled : ``(n, steps, 6)``, from :func:`settle`.
    told : ``(n,)``, what was told last, index of an activity or :data:`NOTHING_TOLD`.
    switch : see :data:`SWITCH`.

    Returns
    -------
    ``(n, steps)``, indices of activities.
    """
    likeliest, sureness = settled.argmax(axis=2), settled.max(axis=2)
    held = np.empty(likeliest.shape, np.int64)
    for step in range(likeliest.shape[1]):
        changes = (told == NOTHING_TOLD) | (sureness[:, step] > switch)
        told = held[:, step] = np.where(changes, likeliest[:, step], told)
    return held


def evidence(probabilities: npt.ArrayLike) -> FloatArray:
    """The network's probabilities ``(..., 12)`` with the six transitions added up to one, ``(..., 7)``."""
    values = np.asarray(probabilities, np.float64)
    transition = values[..., len(ACTIVITIES) :].sum(axis=-1, keepdims=True)
    return np.concatenate([values[..., : len(ACTIVITIES)], transition], axis=-1)
