"""Models that follow streams, for the protocol: the stateful model behind its filter, and windows behind theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.dataset import Floats
from model.smoothing import FilterSettings, smooth
from model.stateful.classifier import States, StreamClassifier
from model.stateful.protocol import Gapped, Trial
from model.stateful.scoring import Hearer
from model.stateful.settling import NOTHING_TOLD, SETTLING, SWITCH, first_settled, hold, settle
from model.stateful.shape import CLASSES, STEP
from model.stream_metrics import Answers, window_answers
from model.windows import cut

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CHUNK = 256 * STEP
"""Samples of all streams that are heard at once."""


class StreamHearer:
    """The stateful model as a listener runs it, answers settled and held; or, not ``settled``, the network alone."""

    def __init__(self, classifier: StreamClassifier, *, settled: bool = True) -> None:
        self._classifier = classifier
        self._settled = settled

    def follow(self, trials: Sequence[Trial]) -> list[Answers]:
        """One answer at the end of each step."""
        heard = network_answers(self._classifier, [trial.signals for trial in trials])
        if not self._settled:
            return [step_answers(each[:, : len(ACTIVITIES)].argmax(axis=1)) for each in heard]
        return [step_answers(held_answers(each)) for each in settled_answers(heard)]

    def follow_pieces(self, stream: Gapped, *, keep: bool) -> list[Answers]:
        """As :class:`model.stateful.scoring.Hearer`."""
        answers, state, filtered, told = [], *self._begin()
        for piece in stream.pieces:
            if not keep:
                state, filtered, told = self._begin()
            whole = piece[np.newaxis, : len(piece) // STEP * STEP]
            held = np.empty((1, 0), np.int64)
            if whole.shape[1]:
                network, state = self._classifier.advance(whole, state)
                settled, filtered = settle(network, filtered)
                held = hold(settled, told)
                told = held[:, -1]
            answers.append(step_answers(held[0]))
        return answers

    def _begin(self) -> tuple[States, FloatArray, IntArray]:
        return self._classifier.first_states(1), first_settled(1), np.full(1, NOTHING_TOLD)


def network_answers(classifier: StreamClassifier, streams: Sequence[Floats]) -> list[FloatArray]:
    """The network's probabilities over each stream, ``(steps, 12)``; all streams in one batch."""
    steps = [len(stream) // STEP for stream in streams]
    states = classifier.first_states(len(streams))
    parts = []
    for start in range(0, max(steps, default=0) * STEP, CHUNK):
        stop = min(start + CHUNK, max(steps) * STEP)
        batch = np.zeros((len(streams), stop - start, streams[0].shape[1]), np.float32)
        for row, stream in enumerate(streams):
            piece = stream[start : min(stop, steps[row] * STEP)]
            batch[row, : len(piece)] = piece
        probabilities, states = classifier.advance(batch, states)
        parts.append(probabilities)
    whole = np.concatenate(parts, axis=1) if parts else np.empty((len(streams), 0, len(CLASSES)))
    return [whole[row, :n].astype(np.float64) for row, n in enumerate(steps)]


def settled_answers(probabilities: Sequence[FloatArray], settings: FilterSettings = SETTLING) -> list[FloatArray]:
    """What the filter makes of the network's probabilities over each stream, ``(steps, 6)``."""
    steps = [len(each) for each in probabilities]
    whole = np.full((len(steps), max(steps, default=0), len(CLASSES)), 1 / len(CLASSES))
    for row, each in enumerate(probabilities):
        whole[row, : len(each)] = each
    settled, _ = settle(whole, first_settled(len(steps)), settings)
    return [settled[row, :n] for row, n in enumerate(steps)]


def held_answers(settled: FloatArray, switch: float = SWITCH) -> IntArray:
    """What is told at each step of one stream, ``(steps,)``, of settled probabilities ``(steps, 6)``."""
    (held,) = hold(settled[np.newaxis], np.full(1, NOTHING_TOLD), switch)
    return np.asarray(held, np.int64)


def step_answers(activities: IntArray) -> Answers:
    """Answers at the ends of steps, ``(steps,)`` indices of activities."""
    starts = STEP * np.arange(len(activities), dtype=np.int64)
    return Answers(starts, starts + STEP, starts + STEP, activities.astype(np.int64))


class WindowHearer:
    """A window model behind the causal filter, as a listener runs it.

    Parameters
    ----------
    rows_of : windows ``(n, 128, 9)`` to class probabilities ``(n, 7)``, TRANSITION last.
    """

    def __init__(self, rows_of: Callable[[Floats], FloatArray], settings: FilterSettings | None = None) -> None:
        self._rows_of = rows_of
        self._settings = settings or FilterSettings()

    def follow(self, trials: Sequence[Trial]) -> list[Answers]:
        """One answer at the end of each window."""
        parts = self._rows([trial.signals for trial in trials])
        return [window_answers(smooth(part, self._settings).argmax(axis=1)) for part in parts]

    def follow_pieces(self, stream: Gapped, *, keep: bool) -> list[Answers]:
        """As :class:`model.stateful.scoring.Hearer`; what is kept is the filter's state."""
        parts = self._rows(stream.pieces)
        if not keep:
            return [window_answers(smooth(part, self._settings).argmax(axis=1)) for part in parts]
        smoothed = smooth(np.concatenate(parts), self._settings).argmax(axis=1)
        ends = np.cumsum([len(part) for part in parts])
        return [window_answers(part) for part in np.split(smoothed, ends[:-1])]

    def _rows(self, streams: Sequence[Floats]) -> list[FloatArray]:
        windows = [cut(stream) for stream in streams]
        ends = np.cumsum([len(each) for each in windows])
        return np.split(self._rows_of(np.concatenate(windows)), ends[:-1])


class EachTheirOwn:
    """For cross-validation: each subject's streams go to the model that was trained without them.

    Parameters
    ----------
    by_subject : that model, for each subject.
    """

    def __init__(self, by_subject: Mapping[int, Hearer]) -> None:
        self._by_subject = by_subject

    def follow(self, trials: Sequence[Trial]) -> list[Answers]:
        """As :class:`model.stateful.scoring.Hearer`."""
        found: dict[int, Answers] = {}
        hearers = {id(hearer): hearer for hearer in self._by_subject.values()}
        for key, hearer in hearers.items():
            own = [n for n, trial in enumerate(trials) if id(self._by_subject[trial.subject]) == key]
            if own:
                found |= dict(zip(own, hearer.follow([trials[n] for n in own]), strict=True))
        return [found[n] for n in range(len(trials))]

    def follow_pieces(self, stream: Gapped, *, keep: bool) -> list[Answers]:
        """As :class:`model.stateful.scoring.Hearer`."""
        return self._by_subject[stream.source.subject].follow_pieces(stream, keep=keep)
