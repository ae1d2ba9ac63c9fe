"""Answers that settle: the causal filter over the steps of many streams at once.

The network answers every 160 ms, and says one thing and another while a person is turning round. The filter of
:mod:`model.smoothing`, with settings of its own, takes its answers for evidence: consecutive steps hear nearly the
same, so each counts for a fraction of a witness. Its state is a row of seven numbers beside the network's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.smoothing import FilterSettings, advance

FloatArray = npt.NDArray[np.float64]

SETTLED_SIZE = len(ACTIVITIES) + 1
"""Numbers of a stream's state: the filtered probabilities, and that of a transition in the last step."""

SETTLING = FilterSettings(stay=0.96, exponent=0.3, door=0.9, posture=0.1)
"""Chosen on held-out training subjects (docs/experiments/settling.jsonl)."""

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
    rows = evidence(probabilities)
    settled = np.empty((*rows.shape[:2], len(ACTIVITIES)))
    filtered, transition = states[:, :-1], states[:, -1:]
    for step in range(rows.shape[1]):
        filtered, transition = advance(filtered, transition, rows[:, step], settings)
        settled[:, step] = filtered
    return settled, np.concatenate([filtered, transition], axis=1)


def evidence(probabilities: npt.ArrayLike) -> FloatArray:
    """The network's probabilities ``(..., 12)`` with the six transitions added up to one, ``(..., 7)``."""
    values = np.asarray(probabilities, np.float64)
    transition = values[..., len(ACTIVITIES) :].sum(axis=-1, keepdims=True)
    return np.concatenate([values[..., : len(ACTIVITIES)], transition], axis=-1)
