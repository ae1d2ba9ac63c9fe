"""What a model makes of the protocol's streams (:mod:`model.stateful.protocol`): one table for every kind of model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.recordings import Segment
from model.signals import SAMPLING_RATE
from model.stateful.protocol import ARRANGEMENTS, COLD_S, Gapped, Trial, cold_starts, gapped, monotone
from model.stateful.sequences import Source
from model.stream_metrics import STABLE_S, Answers, StreamScores, owners, score_streams, window_answers
from model.windows import HOP, WINDOW_LENGTH

IntArray = npt.NDArray[np.int64]
OnProgress = Callable[[str, int, int], None]

PROMPT_S = 3.0
"""Seconds in which a stream that begins in the middle should be recognised."""

CONTEXTS_S: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0)
"""Seconds of past that an answer is judged with."""

GAPS_S: tuple[float, ...] = (2.0, 5.0, 15.0, 60.0)
"""Seconds that are missing from a stream."""

GAP_EVERY_S = 60.0
"""Seconds from one gap to the next, more or less."""

AFTER_GAP_S = 10.0
"""Seconds behind a gap that are scored."""


class Hearer(Protocol):
    """A model that follows streams."""

    def follow(self, trials: Sequence[Trial]) -> list[Answers]:
        """The answers over each stream from its beginning."""

    def follow_pieces(self, stream: Gapped, *, keep: bool) -> list[Answers]:
        """The answers over each piece of a stream: each anew, or (``keep``) with the state of the last."""


class ArrangementScores(msgspec.Struct, frozen=True, kw_only=True):
    """One arrangement: ``at_windows`` is the accuracy of the answers at the ends of the windows that a window model is
    scored on, so that models of any rate compare; ``scores`` of all answers, as :mod:`model.stream_metrics` defines.
    """

    n_windows: int
    at_windows: float
    scores: StreamScores


class ColdStartScores(msgspec.Struct, frozen=True, kw_only=True):
    """Streams that begin in the middle of an activity: how many are right within :data:`PROMPT_S`, and stay so for
    :data:`model.stream_metrics.STABLE_S`; ``by_activity`` the same for each; ``median_s`` until then.
    """

    n: int
    prompt: float
    by_activity: dict[str, float]
    median_s: float


class GapScores(msgspec.Struct, frozen=True, kw_only=True):
    """Accuracy of the answers in the :data:`AFTER_GAP_S` behind gaps of so many seconds: begun anew, and gone on."""

    gap_s: float
    anew: float
    kept: float


class ProtocolScores(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; ``contexts`` gives the accuracy with so many seconds of past, ``monotone`` by activity."""

    arrangements: dict[str, ArrangementScores]
    monotone: dict[str, ArrangementScores]
    cold: ColdStartScores
    contexts: dict[str, float]
    gaps: list[GapScores]


def run_protocol(
    hearer: Hearer, sources: Sequence[Source], *, seed: int = 0, on_progress: OnProgress | None = None
) -> ProtocolScores:
    """Play everything to a model.

    Parameters
    ----------
    sources : recordings.
    seed : of orders, beginnings and gaps.
    """
    total, done = len(ARRANGEMENTS) + 3 + len(GAPS_S), iter(range(1, 100))

    def told() -> None:
        if on_progress:
            on_progress("protocol", next(done), total)

    arrangements = {}
    for name in ARRANGEMENTS:
        arrangements[name] = score_trials(hearer, arranged(name, sources, seed=seed))
        told()
    same = [trial for i, source in enumerate(sources) for trial in monotone(source, _rng(seed, i))]
    by_activity = {
        activity: score_trials(hearer, [trial for trial in same if trial.segments[0].activity == activity])
        for activity in ACTIVITIES
    }
    told()
    cold = score_cold(hearer, cold_trials(sources, seed=seed))
    told()
    contexts = {f"{past_s:g}": _score_context(hearer, sources, past_s, seed) for past_s in CONTEXTS_S}
    told()
    gaps = []
    for gap_s in GAPS_S:
        gaps.append(_score_gap(hearer, sources, gap_s, seed))
        told()
    return ProtocolScores(arrangements=arrangements, monotone=by_activity, cold=cold, contexts=contexts, gaps=gaps)


def _rng(seed: int, number: int) -> np.random.Generator:
    """Each recording its own, so that leaving one out changes no other."""
    return np.random.default_rng([seed, number])


def arranged(name: str, sources: Sequence[Source], *, seed: int) -> list[Trial]:
    """One of :data:`model.stateful.protocol.ARRANGEMENTS` of each recording."""
    return [ARRANGEMENTS[name](source, _rng(seed, number)) for number, source in enumerate(sources)]


def score_trials(hearer: Hearer, trials: Sequence[Trial]) -> ArrangementScores:
    """Score a model's answers over these streams."""
    answers = hearer.follow(trials)
    judged = [_at_windows(t.segments, len(t.signals), a) for t, a in zip(trials, answers, strict=True)]
    right = np.concatenate(judged)
    scores = score_streams((trial.segments, a) for trial, a in zip(trials, answers, strict=True))
    return ArrangementScores(n_windows=len(right), at_windows=float(right.mean()), scores=scores)


def _at_windows(segments: Sequence[Segment], n_samples: int, answers: Answers) -> npt.NDArray[np.bool_]:
    """Of each window inside one segment: whether the last answer that its end knows is right."""
    n = max(0, (n_samples - WINDOW_LENGTH) // HOP + 1)
    windows = window_answers(np.zeros(n))
    owner = owners(segments, windows)
    truth = np.array([ACTIVITIES.index(s.activity) if s.activity in ACTIVITIES else -2 for s in segments], np.int64)
    scored = owner >= 0
    return np.equal(told_at(answers, windows.stops[scored]), truth[owner[scored]])


def told_at(answers: Answers, moments: IntArray) -> IntArray:
    """The activity of the last answer that was given at each of these samples; -1 before the first."""
    last = np.searchsorted(answers.given, moments, side="right") - 1
    told: IntArray = np.where(last >= 0, answers.activities[np.maximum(last, 0)], -1) if len(answers.given) else last
    return told


def cold_trials(sources: Sequence[Source], *, seed: int) -> list[Trial]:
    """Streams that begin in the middle of each recording's segments."""
    return [trial for number, source in enumerate(sources) for trial in cold_starts(source, _rng(seed, number))]


def score_cold(hearer: Hearer, trials: Sequence[Trial]) -> ColdStartScores:
    """Score a model's answers over streams of one activity each that begin in its middle."""
    after_s = np.array(
        [
            _until_right_s(answers, ACTIVITIES.index(trial.segments[0].activity))
            for trial, answers in zip(trials, hearer.follow(trials), strict=True)
        ]
    )
    activities = np.array([trial.segments[0].activity for trial in trials])
    return ColdStartScores(
        n=len(trials),
        prompt=float(np.mean(after_s <= PROMPT_S)),
        by_activity={
            a: float(np.mean(after_s[activities == a] <= PROMPT_S)) for a in ACTIVITIES if np.any(activities == a)
        },
        median_s=float(np.percentile(after_s, 50, method="inverted_cdf")),
    )


def _until_right_s(answers: Answers, activity: int) -> float:
    """Seconds until an answer is right that all answers in the :data:`STABLE_S` after it confirm; infinite if none."""
    wrong = answers.given[answers.activities != activity]
    for moment in answers.given[answers.activities == activity]:
        later = (wrong > moment) & (wrong <= moment + STABLE_S * SAMPLING_RATE)
        if moment <= (COLD_S - STABLE_S) * SAMPLING_RATE and not later.any():
            return float(moment) / SAMPLING_RATE
    return float("inf")


def _score_context(hearer: Hearer, sources: Sequence[Source], past_s: float, seed: int) -> float:
    """Accuracy at random moments inside activities, of streams that begin ``past_s`` before."""
    trials, truth, past = [], [], int(past_s * SAMPLING_RATE)
    for number, source in enumerate(sources):
        rng = _rng(seed, number)
        for segment in source.activities():
            moments = rng.integers(
                segment.start + WINDOW_LENGTH, max(segment.stop, segment.start + WINDOW_LENGTH + 1), 2
            )
            for moment in moments[moments >= past]:
                trials.append(Trial(source.name, source.subject, source.signals[moment - past : moment], ()))
                truth.append(ACTIVITIES.index(segment.activity))
    told = [int(told_at(a, np.array([past]))[0]) for a in hearer.follow(trials)]
    return float(np.mean(np.array(told) == np.array(truth)))


def _score_gap(hearer: Hearer, sources: Sequence[Source], gap_s: float, seed: int) -> GapScores:
    right: dict[bool, list[npt.NDArray[np.bool_]]] = {True: [], False: []}
    for number, source in enumerate(sources):
        streams = gapped(source, gap_s, GAP_EVERY_S, _rng(seed, number))
        for keep in right:
            right[keep] += _right_after(streams, hearer.follow_pieces(streams, keep=keep))
    anew, kept = (float(np.concatenate(right[keep]).mean()) for keep in (False, True))
    return GapScores(gap_s=gap_s, anew=anew, kept=kept)


def _right_after(streams: Gapped, answers: Sequence[Answers]) -> list[npt.NDArray[np.bool_]]:
    """Of the moments in the :data:`AFTER_GAP_S` behind each gap that lie in an activity: whether it is told."""
    found = []
    for start, piece, given in list(zip(streams.starts, streams.pieces, answers, strict=True))[1:]:
        moments = np.arange(8, min(len(piece), int(AFTER_GAP_S * SAMPLING_RATE)) + 1, 8)
        truth = streams.source.labels[start + moments - 1]
        inside = (truth >= 0) & (truth < len(ACTIVITIES))
        found.append(told_at(given, moments[inside]) == truth[inside])
    return found
