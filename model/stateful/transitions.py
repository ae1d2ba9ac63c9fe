"""Postural transitions as events: each told once, with its name, its moment and how long it took.

The network answers every 160 ms, and gives a share of each answer to the six transitions. While somebody sits down
their sum is high for a second or three: a run of steps, which is one event. Its name is the transition that had most
of the run. The runs of many streams are followed at once; streams in which nothing happens cost two array operations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES, POSTURAL_TRANSITIONS
from model.stateful.shape import STEP_S

FloatArray = npt.NDArray[np.float64]

RUN_SIZE = 1 + len(POSTURAL_TRANSITIONS)
"""Numbers of a stream's state: the length of the run so far, and what each transition has had of it."""

_TOLD = -1.0
"""The length of a run that was told before its end, as it lasted too long."""


@dataclass(frozen=True)
class TransitionSettings:
    """When a run of steps is a transition.

    Parameters
    ----------
    begin : sum of the transitions' probabilities above which a run begins, in (0, 1).
    end : the same at or below which it ends, at most ``begin``.
    least_steps : a shorter run is none, 1 or more.
    most_steps : a longer one is told then, and what follows until its end is no further one.
    lag_s : how much later the network hears of it than it happens; moments are dated back by that [s].

    Raises
    ------
    ValueError : a value outside its range.
    """

    begin: float = 0.5
    end: float = 0.5
    least_steps: int = 2
    most_steps: int = 32
    lag_s: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.end <= self.begin < 1 and 1 <= self.least_steps <= self.most_steps and self.lag_s >= 0):
            raise ValueError(
                f"Parameters of {self} are not 0 < end <= begin < 1, 1 <= least_steps <= most_steps, lag_s >= 0!"
            )


TRANSITIONS = TransitionSettings(begin=0.9, end=0.2, least_steps=5, lag_s=0.32)
"""Chosen on held-out training subjects: precise, and told seldom where nothing is labelled (docs/experiments)."""


@dataclass(frozen=True, slots=True)
class PosturalTransition:
    """``name`` is one of :data:`model.activities.POSTURAL_TRANSITIONS`; its middle was at ``time_s`` on the caller's
    clock. ``duration_s`` is how long the network saw it; ``confidence`` its mean probability meanwhile.
    """

    name: str
    time_s: float
    duration_s: float
    confidence: float

    def after(self, start_s: float) -> PosturalTransition:
        """The same on a clock that showed ``start_s`` when this one showed 0."""
        return replace(self, time_s=start_s + self.time_s)


@dataclass(frozen=True, slots=True)
class Found:
    """A transition of stream number ``stream``, known after step number ``step`` of a call.

    Its time counts from the end of that step, and so is negative.
    """

    stream: int
    step: int
    transition: PosturalTransition


def first_runs(n: int) -> FloatArray:
    """The runs of ``n`` streams before their first step, ``(n, 7)``."""
    return np.zeros((n, RUN_SIZE))


def find(
    probabilities: npt.ArrayLike, runs: FloatArray, settings: TransitionSettings = TRANSITIONS
) -> tuple[list[Found], FloatArray]:
    """Follow the next steps of n streams.

    Parameters
    ----------
    probabilities : the network's, ``(n, steps, 12)``.
    runs : ``(n, 7)``, from the last call or :func:`first_runs`.

    Returns
    -------
    The transitions that are known now, each stream's in order, and the runs behind them.
    """
    shares = np.asarray(probabilities)[..., len(ACTIVITIES) :]
    sums = shares.sum(axis=-1, dtype=np.float64)
    busy = np.flatnonzero((runs[:, 0] != 0) | (sums > settings.begin).any(axis=1))
    found: list[Found] = []
    after = runs.copy() if len(busy) else runs
    for stream in busy:
        follower = _Run(settings, after[stream])
        for step, (each, total) in enumerate(zip(shares[stream].astype(np.float64), sums[stream], strict=True)):
            if transition := follower.push(each, float(total)):
                found.append(Found(int(stream), step, transition))
    return found, after


class _Run:
    """One stream's run, whose state ``(7,)`` is written where it came from."""

    def __init__(self, settings: TransitionSettings, state: FloatArray) -> None:
        self._settings = settings
        self._state = state

    def push(self, shares: FloatArray, total: float) -> PosturalTransition | None:
        """The next step's share of each transition, and their sum."""
        settings, state = self._settings, self._state
        is_inside = total > (settings.end if state[0] else settings.begin)
        if not is_inside:
            ended = self._told(1) if state[0] >= settings.least_steps else None
            state[:] = 0
            return ended
        if state[0] == _TOLD:
            return None
        state[0] += 1
        state[1:] += shares
        if state[0] < settings.most_steps:
            return None
        told = self._told(0)
        state[0] = _TOLD
        return told

    def _told(self, steps_ago: int) -> PosturalTransition:
        length, shares = self._state[0], self._state[1:]
        best = int(shares.argmax())
        return PosturalTransition(
            name=POSTURAL_TRANSITIONS[best],
            time_s=float(-STEP_S * (steps_ago + length / 2)) - self._settings.lag_s,
            duration_s=float(STEP_S * length),
            confidence=float(shares[best] / length),
        )


def transitions_of(
    probabilities: npt.ArrayLike, settings: TransitionSettings = TRANSITIONS
) -> list[PosturalTransition]:
    """All of one stream's, in order; times in seconds from the stream's first sample.

    Parameters
    ----------
    probabilities : the network's from the stream's first step on, ``(steps, 12)``. A run that goes on at the end is
        none yet.
    """
    found, _ = find(np.asarray(probabilities)[np.newaxis], first_runs(1), settings)
    return [each.transition.after(STEP_S * (each.step + 1)) for each in found]
