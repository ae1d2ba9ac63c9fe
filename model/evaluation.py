"""Everything that is to be known about how well a model does, in one structure: what ``har-model evaluate`` tells.

Beside the two evaluations of :mod:`model.evaluate`: what smoothing makes of whole recordings, calibration, what
saying less is worth, each subject, the time lines themselves, and how much disturbance the model bears.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES, TEST_SUBJECTS, TRANSITION
from model.bundled import load_recordings
from model.card import Card
from model.classifier import Classifier
from model.decision import ANSWERS, SINGLE_WINDOWS, UNKNOWN, CoveragePoint, coverage_curve, decide_all
from model.evaluate import OnProgress, official_probabilities
from model.metrics import ReliabilityBin, Scores, reliability, score
from model.robustness import Robustness, benchmark
from model.signals import SAMPLING_RATE
from model.smoothing import MAX_LAG
from model.stream_metrics import EventScores, StreamScores
from model.streams import Stream, run, score_changes, score_smoothed, score_windows

Floats = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.int64]

LETTERS = dict(zip(ANSWERS, "WUDSTL-?", strict=True))
"""One letter an answer in a time line: W walking, U upstairs, D downstairs, S sitting, T standing, L lying, ``-``
transition, ``?`` unknown."""


class Smoothing(msgspec.Struct, frozen=True, kw_only=True):
    """Whole recordings without the filter, with it, and with each lag (windows that an answer waits for).

    ``scores`` are of the windows inside one segment, behind the filter without lag, as are the ``events``.
    """

    without: StreamScores
    lags: dict[str, StreamScores]
    scores: Scores
    events: EventScores

    @property
    def with_filter(self) -> StreamScores:
        """Behind the filter, as a listener is by default: without lag."""
        return self.lags["0"]


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """The expected calibration error, and the bins that it averages over."""

    error: float
    bins: list[ReliabilityBin]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What saying less is worth.

    ``curve`` orders the windows by confidence alone. The others are what the default settings make of the windows,
    novelty and transitions included: the shares told an activity, TRANSITION and UNKNOWN, and the share of right ones
    among the told activities (None if none is told).
    """

    curve: list[CoveragePoint]
    told: float
    transition: float
    unknown: float
    accuracy_told: float | None


class SubjectScores(msgspec.Struct, frozen=True, kw_only=True):
    """One subject's accuracy in each evaluation."""

    official: float
    streaming: float
    smoothed: float


class Span(msgspec.Struct, frozen=True):
    """A labelled segment, in seconds from the recording's first sample."""

    activity: str
    start_s: float
    stop_s: float


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One recording: the truth, and one of :data:`LETTERS` for every window.

    ``windows`` are the likeliest activities of windows alone, ``smoothed`` those of the filter, ``told`` what a
    listener shows. The window at index i begins 1.28 i seconds after the first sample and lasts 2.56 s.
    """

    name: str
    subject: int
    duration_s: float
    truth: list[Span]
    windows: str
    smoothed: str
    told: str


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; ``robustness`` is None where it was not asked for."""

    name: str
    official: Scores
    streaming: Scores
    smoothed: Smoothing
    calibration: dict[str, Calibration]
    coverage: dict[str, Coverage]
    subjects: dict[str, SubjectScores]
    timelines: list[Timeline]
    robustness: Robustness | None
    card: Card


def evaluate_fully(
    classifier: Classifier,
    *,
    subjects: Sequence[int] = TEST_SUBJECTS,
    robustness: bool = True,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Evaluate a model on test subjects.

    Parameters
    ----------
    subjects : all nine, or some of them for a quick look.
    robustness : whether to disturb the recordings, too; most of the time goes there.
    seed : of the disturbances.
    """
    official, official_shares = official_probabilities(classifier, on_progress, subjects)
    streams = run(classifier, load_recordings(tuple(subjects)), on_progress)
    whole = _scored(streams, lambda stream: stream.single)
    smooth = _scored(streams, lambda stream: stream.smoothed)
    shares = {
        "official": (official.labels, official_shares),
        "streaming": whole[:2],
        "smoothed": smooth[:2],
    }
    told = {
        "official": _told(classifier, official.windows, official_shares),
        "streaming": _within(streams, lambda stream: stream.told_single()),
        "smoothed": _within(streams, lambda stream: stream.told_smoothed()),
    }
    scores = {"official": score(official.labels, official_shares, official.subjects)}
    scores |= {"streaming": score(*whole), "smoothed": score(*smooth)}
    return Evaluation(
        name=classifier.card.name,
        official=scores["official"],
        streaming=scores["streaming"],
        smoothed=_smoothing(streams, scores["smoothed"]),
        calibration={name: _calibration(scores[name], *shares[name]) for name in shares},
        coverage={name: _coverage(*shares[name], told[name]) for name in shares},
        subjects=_subjects(scores),
        timelines=[_timeline(stream) for stream in streams],
        robustness=_robustness(classifier, subjects, seed, on_progress) if robustness else None,
        card=classifier.card,
    )


def _robustness(
    classifier: Classifier, subjects: Sequence[int], seed: int, on_progress: OnProgress | None
) -> Robustness:
    return benchmark(classifier, "test", subjects=subjects, seed=seed, on_progress=on_progress)


def _scored(streams: Sequence[Stream], shares_of: Callable[[Stream], Floats]) -> tuple[IntArray, Floats, IntArray]:
    """Labels ``(n,)``, probabilities ``(n, 6)`` and subjects ``(n,)`` of the windows inside one segment."""
    kept = [stream.labels >= 0 for stream in streams]
    labels = [stream.labels[scored] for stream, scored in zip(streams, kept, strict=True)]
    shares = [shares_of(stream)[scored] for stream, scored in zip(streams, kept, strict=True)]
    subjects = [np.full(len(part), stream.subject, np.int64) for stream, part in zip(streams, labels, strict=True)]
    return np.concatenate(labels), np.concatenate(shares), np.concatenate(subjects)


def _within(streams: Sequence[Stream], told_of: Callable[[Stream], IntArray]) -> IntArray:
    """The answers about the windows inside one segment."""
    return np.concatenate([told_of(stream)[stream.labels >= 0] for stream in streams])


def _told(classifier: Classifier, windows: Floats, shares: Floats) -> IntArray:
    """The answers about windows one by one."""
    transition = np.zeros(len(windows))
    if TRANSITION in classifier.classes:
        transition = classifier.class_probabilities(windows)[:, classifier.classes.index(TRANSITION)].astype(np.float64)
    novelty = np.zeros(len(windows)) if classifier.novelty is None else classifier.novelty.score(windows)
    return decide_all(shares, settings=SINGLE_WINDOWS, transition=transition, novelty=novelty)


def _smoothing(streams: Sequence[Stream], scores: Scores) -> Smoothing:
    return Smoothing(
        without=score_windows(streams),
        lags={str(lag): score_smoothed(streams, lag) for lag in range(MAX_LAG + 1)},
        scores=scores,
        events=score_changes(streams),
    )


def _calibration(scores: Scores, labels: IntArray, shares: Floats) -> Calibration:
    return Calibration(error=scores.calibration_error, bins=reliability(labels, shares))


def _coverage(labels: IntArray, shares: Floats, told: IntArray) -> Coverage:
    is_told = told < len(ACTIVITIES)
    return Coverage(
        curve=coverage_curve(shares.max(axis=1), shares.argmax(axis=1) == labels),
        told=float(is_told.mean()),
        transition=float(np.mean(told == ANSWERS.index(TRANSITION))),
        unknown=float(np.mean(told == ANSWERS.index(UNKNOWN))),
        accuracy_told=float(np.mean(told[is_told] == labels[is_told])) if is_told.any() else None,
    )


def _subjects(scores: dict[str, Scores]) -> dict[str, SubjectScores]:
    return {
        subject: SubjectScores(**{name: scores[name].subjects[subject] for name in scores})
        for subject in scores["official"].subjects
    }


def _timeline(stream: Stream) -> Timeline:
    truth = [Span(s.activity, s.start / SAMPLING_RATE, s.stop / SAMPLING_RATE) for s in stream.segments]
    return Timeline(
        name=stream.name,
        subject=stream.subject,
        duration_s=stream.duration_s,
        truth=truth,
        windows=_letters(stream.single.argmax(axis=1)),
        smoothed=_letters(stream.smoothed.argmax(axis=1)),
        told=_letters(stream.told_smoothed()),
    )


def _letters(answers: IntArray) -> str:
    return "".join(LETTERS[ANSWERS[answer]] for answer in answers)
