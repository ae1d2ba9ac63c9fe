"""The account of a run: what came of messages and windows is counted, and told to the outputs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from streamer.faults import Fault
from streamer.intake.report import Finding
from streamer.limits import LIMITS, Limits
from streamer.outputs import Notice, Output
from streamer.phone_stream import Taken
from streamer.recognition.prediction import Prediction
from streamer.tally import Tally
from streamer.wire import Label


class Account:
    """A :class:`streamer.work.Journal`.

    ``lock`` is held while ``tally`` changes; whoever draws takes it for the time of a snapshot. Whoever writes about
    messages takes it around them, and calls :meth:`tell` without it afterwards. ``done`` is set with the last
    prediction that was asked for.

    Parameters
    ----------
    outputs : where predictions and notices go.
    max_phones : phones beyond it are counted in the totals alone.
    max_predictions : no more are told; None: all are.
    limits : of the lines that are told about one phone.
    has_traces : somebody draws the phones' signals.
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        max_phones: int,
        max_predictions: int | None = None,
        limits: Limits = LIMITS,
        *,
        has_traces: bool = True,
    ) -> None:
        self.tally = Tally(max_phones=max_phones, has_traces=has_traces)
        self.lock = threading.Lock()
        self.done = threading.Event()
        self.predictions = 0
        self._outputs = outputs
        self._max_predictions = max_predictions
        self._limits = limits
        self._notices: list[Notice] = []

    @property
    def is_full(self) -> bool:
        """Whether as many predictions have been told as were asked for."""
        return self.predictions == self._max_predictions

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """What is told in here was asked for by an earlier run."""
        before, self._max_predictions = self._max_predictions, None
        try:
            yield
        finally:
            self.predictions, self._max_predictions = 0, before

    def arrivals(self) -> dict[str, float]:
        """When each phone was last heard of, on the monotonic clock [s]."""
        with self.lock:
            phones = self.tally.phones.values()
            return {p.phone: p.last_arrival_s for p in phones if p.last_arrival_s is not None}

    def message(self, phone: str, n_samples: int, taken: Taken, arrived_s: float, format_name: str) -> None:
        """Count it."""
        self.tally.message(phone, n_samples, taken, arrived_s, format_name)
        if taken.news:
            self._tell_of(phone, taken.news)

    def labels(self, phone: str, labels: tuple[Label, ...]) -> None:
        """Keep the last."""
        self.tally.label(phone, labels[-1])

    def found(self, phone: str, findings: tuple[Finding, ...]) -> None:
        """Keep them."""
        self.tally.found(phone, findings)

    def released(self, phone: str, taken: Taken) -> None:
        """Count it."""
        self.tally.released(phone, taken)
        self._tell_of(phone, taken.news)

    def fault(self, phone: str | None, reason: str, kind: Fault) -> None:
        """Count it, and tell what is new."""
        if self.tally.fault(phone, reason, kind):
            self._tell_of(phone, (reason,))

    def gone(self, phone: str, evicted: bool) -> None:
        """Count it, and forget what was known of it."""
        self.tally.gone(phone, evicted=evicted)

    def _tell_of(self, phone: str | None, news: Iterable[str]) -> None:
        """Nobody can read more than so many lines."""
        now_s, at_once = time.monotonic(), self._limits.notices_at_once
        self._notices += [Notice(phone, words) for words in news if self.tally.may_tell(phone, now_s, at_once)]

    def ignored(self) -> None:
        """Count it."""
        self.tally.ignore()

    def tell(self) -> None:
        """Hand on the notices that messages have given rise to."""
        notices, self._notices = self._notices, []
        for notice in notices:
            for output in self._outputs:
                output.warning(notice)

    def recognised(self, predictions: Sequence[Prediction], mounts: dict[int, str], took_ms: float | None) -> None:
        """Count the predictions and hand them on; takes the lock itself."""
        if self._max_predictions is not None:
            predictions = predictions[: self._max_predictions - self.predictions]
        now_s = time.monotonic()
        with self.lock:
            if took_ms is not None:
                self.tally.batch(len(predictions), took_ms)
            are_news = [self.tally.prediction(prediction, now_s) for prediction in predictions]
        for place, (prediction, is_news) in enumerate(zip(predictions, are_news, strict=True)):
            self.predictions += 1
            news = ["; ".join(prediction.reasons)] if is_news else []
            if place in mounts:
                news.append(mounts[place])
            self._hand_on(prediction, news)
        if self.is_full:
            self.done.set()

    def _hand_on(self, prediction: Prediction, news: list[str]) -> None:
        for output in self._outputs:
            output.prediction(prediction)
            for words in news:
                output.warning(Notice(prediction.phone, words))
            if prediction.change:
                output.change(prediction.phone, prediction.change)
            for transition in prediction.transitions:
                output.transition(prediction.phone, transition)
