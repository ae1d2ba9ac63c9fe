"""Models that follow streams, for the protocol: the stateful model behind its filter, and windows behind theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from model.dataset import Floats
from model.smoothing import FilterSettings, smooth
from model.stateful.classifier import StreamClassifier
from model.stateful.settling import SETTLING, first_settled, settle
from model.stateful.shape import CLASSES, STEP
from model.stream_metrics import Answers, window_answers
from model.windows import cut

FloatArray = npt.NDArray[np.float64]

CHUNK = 256 * STEP
"""Samples of all streams that are heard at once."""


class StreamHearer:
    """The stateful model, its answers settled (``settings`` None: as the network gives them)."""

    def __init__(self, classifier: StreamClassifier, settings: FilterSettings | None = SETTLING) -> None:
        self._classifier = classifier
        self._settings = settings

    def follow(self, streams: Sequence[Floats]) -> list[Answers]:
        """One answer at the end of each step."""
        return [step_answers(each) for each in self.probabilities(streams)]

    def probabilities(self, streams: Sequence[Floats]) -> list[FloatArray]:
        """The settled probabilities of each stream, ``(steps, 6)``; without settings the network's ``(steps, 12)``."""
        heard = network_answers(self._classifier, streams)
        return heard if self._settings is None else settled_answers(heard, self._settings)

    def follow_pieces(self, pieces: Sequence[Floats], *, keep: bool) -> list[Answers]:
        """As :class:`model.stateful.scoring.Hearer`."""
        state, filtered = self._classifier.first_states(1), first_settled(1)
        answers = []
        for piece in pieces:
            if not keep:
                state, filtered = self._classifier.first_states(1), first_settled(1)
            whole = piece[np.newaxis, : len(piece) // STEP * STEP]
            settled = np.empty((1, 0, 6))
            if whole.shape[1]:
                network, state = self._classifier.advance(whole, state)
                settled, filtered = settle(network, filtered, self._settings or SETTLING)
            answers.append(step_answers(settled[0]))
        return answers


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


def step_answers(probabilities: npt.NDArray[np.floating]) -> Answers:
    """Answers at the ends of steps; of ``(steps, 6 or 12)`` the likeliest of the six activities."""
    starts = STEP * np.arange(len(probabilities), dtype=np.int64)
    return Answers(starts, starts + STEP, starts + STEP, probabilities[:, :6].argmax(axis=1).astype(np.int64))


class WindowHearer:
    """A window model behind the causal filter, as a listener runs it.

    Parameters
    ----------
    rows_of : windows ``(n, 128, 9)`` to class probabilities ``(n, 7)``, TRANSITION last.
    """

    def __init__(self, rows_of: Callable[[Floats], FloatArray], settings: FilterSettings | None = None) -> None:
        self._rows_of = rows_of
        self._settings = settings or FilterSettings()

    def follow(self, streams: Sequence[Floats]) -> list[Answers]:
        """One answer at the end of each window."""
        windows = [cut(stream) for stream in streams]
        rows = self._rows_of(np.concatenate(windows))
        ends = np.cumsum([len(each) for each in windows])
        return [window_answers(smooth(part, self._settings).argmax(axis=1)) for part in np.split(rows, ends[:-1])]

    def follow_pieces(self, pieces: Sequence[Floats], *, keep: bool) -> list[Answers]:
        """As :class:`model.stateful.scoring.Hearer`; what is kept is the filter's state."""
        windows = [cut(piece) for piece in pieces]
        if not keep:
            return self.follow(pieces)
        smoothed = smooth(self._rows_of(np.concatenate(windows)), self._settings).argmax(axis=1)
        ends = np.cumsum([len(each) for each in windows])
        return [window_answers(part) for part in np.split(smoothed, ends[:-1])]
