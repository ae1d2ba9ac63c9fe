"""Whether streams are like anything that the model was trained on: their last 128 samples, looked at now and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import numpy.typing as npt

from model.novelty import THRESHOLD, Novelty
from model.windows import HOP, WINDOW_LENGTH
from streamer.recognition.stream_states import FloatArray, StreamStates

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Compared:
    """Of n streams that went on by k spans each.

    ``scores`` ``(n, k)`` as they stood at the end of each span, 0 before the first; ``windows`` the 128 samples
    ``(128, 9)`` that a score was taken of, by number of the stream and of the span; ``recent`` ``(n, 128, 9)`` the
    last.
    """

    scores: FloatArray
    recent: Values
    windows: Mapping[tuple[int, int], Values] = field(default_factory=dict)


class Comparing:
    """Scores a stream at the end of the first span that completes 128 samples, and then after every 64 or a few more.

    When that is depends on the number of spans alone, so that no chunking changes it.

    Parameters
    ----------
    novelty : the model's checks; None: nothing is ever novel.
    span : samples of a span.
    """

    def __init__(self, novelty: Novelty | None, span: int) -> None:
        self._novelty = novelty
        self._span = span
        self._first = ceil(WINDOW_LENGTH / span)
        self._each = ceil(HOP / span)

    def compare(self, values: Values, before: StreamStates) -> Compared:
        """The next spans of streams, ``(n, k * span, 9)``, that stood like this."""
        signals = np.concatenate([before.recent, values], axis=1)
        numbers = before.spans[:, np.newaxis] + 1 + np.arange(values.shape[1] // self._span)
        is_due = (numbers >= self._first) & ((numbers - self._first) % self._each == 0)
        scores = np.repeat(before.novelty[:, np.newaxis], numbers.shape[1], axis=1)
        recent = signals[:, -WINDOW_LENGTH:]
        if self._novelty is None or not is_due.any():
            return Compared(scores, recent)
        streams, spans = np.nonzero(is_due)
        ends = (spans + 1)[:, np.newaxis] * self._span + np.arange(WINDOW_LENGTH)
        windows = signals[streams[:, np.newaxis], ends]
        scores[streams, spans] = self._novelty.score(windows)
        latest = np.maximum.accumulate(np.where(is_due, np.arange(1, numbers.shape[1] + 1), 0), axis=1)
        scores = np.take_along_axis(np.concatenate([before.novelty[:, np.newaxis], scores], axis=1), latest, axis=1)
        of_each = dict(zip(zip(streams.tolist(), spans.tolist(), strict=True), windows, strict=True))
        return Compared(scores, recent, of_each)

    def reasons(self, window: Values, score: float) -> tuple[str, ...]:
        """Why a window ``(128, 9)`` of that score is novel, in plain words; empty if it is not."""
        return self._novelty.reasons(window) if self._novelty is not None and score > THRESHOLD else ()
