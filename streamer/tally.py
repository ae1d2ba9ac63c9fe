"""What has come and what came of it: counters, latencies and accuracy, per phone and in all. Pure."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.novelty import THRESHOLD
from streamer.counts import Counts
from streamer.faults import Fault
from streamer.intake.report import Finding
from streamer.limits import MAX_STRANGERS, NOTICES_PER_S, leaked
from streamer.phone_memory.rate import RateMeter
from streamer.phone_memory.time_line import TimeLine
from streamer.phone_memory.traces import Traces
from streamer.phone_stream import Taken
from streamer.recognition.prediction import Prediction
from streamer.wire import Label

LOG = 100
"""Answers remembered per phone, each for as long as it lasted."""

LATENCIES = 10_000
"""Predictions that the latency percentiles are taken over: the last ones."""

_NUMBER = re.compile(r"\d+(\.\d+)?")
"""What differs between reasons of one kind."""

PERCENTILES = (50, 90, 99)


@dataclass(slots=True)
class LogEntry:
    """One answer for as long as it lasted; Unix seconds of the stream."""

    answer: str
    start_s: float
    end_s: float


@dataclass(slots=True)
class PhoneTally:
    """One phone as it stands. Times ``*_s``: ``since_s`` on the stream's clock, arrivals on the listener's."""

    phone: str
    format: str | None = None
    counts: Counts = field(default_factory=Counts)
    rate: RateMeter = field(default_factory=RateMeter)
    time_line: TimeLine = field(default_factory=TimeLine)
    traces: Traces = field(default_factory=Traces)
    answer: str | None = None
    confidence: float = 0.0
    since_s: float = 0.0
    until_s: float = 0.0
    label: str | None = None
    last_arrival_s: float | None = None
    last_fault: str | None = None
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    told: set[str] = field(default_factory=set)
    notices: float = 0.0
    noticed_s: float = 0.0
    probabilities: tuple[float, ...] = ()
    log: list[LogEntry] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    confusion: npt.NDArray[np.int64] = field(default_factory=lambda: _no_confusion())


class Tally:
    """All phones and the totals. Phones beyond ``max_phones`` are counted in the totals alone.

    Of phones that have sent nothing but what could not be used, as many as :data:`streamer.limits.MAX_STRANGERS` are
    kept, and make room for others. ``has_traces``: somebody draws the phones' signals, which are most of what is kept.
    """

    kept = ("phones", "_strangers", "totals", "confusion", "last_fault")

    def __init__(self, *, max_phones: int, has_traces: bool = True) -> None:
        self.phones: dict[str, PhoneTally] = {}
        self._strangers: dict[str, None] = {}
        self.totals = Counts()
        self.window_rate = RateMeter()
        self.sample_rate = RateMeter()
        self.message_rate = RateMeter()
        self.batch_size = 0
        self.batch_ms = 0.0
        self.confusion = _no_confusion()
        self.last_fault: str | None = None
        self.notices = self.noticed_s = 0.0
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES)
        self._max_phones = max_phones
        self._has_traces = has_traces

    def phone(self, name: str) -> PhoneTally | None:
        """The tally of a phone; None where there is no room for another."""
        if self._strangers:
            self._strangers.pop(name, None)
        tally = self.phones.get(name)
        if tally is None and (len(self.phones) < self._max_phones or self._drop_stranger()):
            tally = self.phones[name] = PhoneTally(name)
        return tally

    def _stranger(self, name: str) -> PhoneTally | None:
        """The tally of a phone of which this message is no use."""
        if name not in self.phones:
            if len(self._strangers) >= MAX_STRANGERS:
                self._drop_stranger()
            if self.phone(name):
                self._strangers[name] = None
        return self.phones.get(name)

    def _drop_stranger(self) -> bool:
        """Forget the one that came first, if there is any."""
        name = next(iter(self._strangers), None)
        if name is None:
            return False
        del self._strangers[name], self.phones[name]
        return True

    def gone(self, name: str, *, evicted: bool) -> None:
        """A phone is followed no longer: as there was no room, or as it has been silent for very long."""
        self.phones.pop(name, None)
        self._strangers.pop(name, None)
        self.totals.evicted_phones += evicted
        self.totals.forgotten_phones += not evicted

    def message(self, name: str, n_samples: int, taken: Taken, now_s: float, format_name: str | None = None) -> None:
        """Count a message of samples, in a format, and what came of it."""
        self.sample_rate.add(n_samples, now_s)
        self.message_rate.add(1, now_s)
        tally = (not self._strangers and self.phones.get(name)) or self.phone(name)
        self.totals.message(n_samples, taken)
        if tally:
            tally.counts.message(n_samples, taken)
            tally.rate.add(n_samples, now_s)
            tally.last_arrival_s = now_s
            tally.format = format_name

    def released(self, name: str, taken: Taken) -> None:
        """Count what came of messages that had been held back, long after they were counted themselves."""
        tally = self.phone(name)
        for counts in (self.totals, *([tally.counts] if tally else [])):
            counts.take(taken)

    def found(self, name: str, findings: tuple[Finding, ...]) -> None:
        """Keep what the intake finds wrong with a phone."""
        if tally := self.phone(name):
            tally.findings = findings

    def label(self, name: str, label: Label) -> None:
        """Keep the label that came last."""
        if tally := self.phone(name):
            tally.label = label.activity

    def ignore(self) -> None:
        """Count a message that is not for us, as the test message of an app or another sensor's."""
        self.totals.ignored_messages += 1

    def fault(self, name: str | None, reason: str, kind: Fault = Fault.MISTYPED) -> bool:
        """Count a message that is not used; say whether the reason is news for its phone."""
        self.totals.fault(kind)
        tally = self._stranger(name) if name is not None else None
        holder: PhoneTally | Tally = tally or self
        if tally:
            tally.counts.fault(kind)
        is_news = holder.last_fault != reason
        holder.last_fault = reason
        return is_news

    def prediction(self, prediction: Prediction, now_s: float) -> bool:
        """Count a prediction; say whether its reasons for being unknown are news for its phone."""
        self.totals.predict(prediction)
        self.window_rate.add(1, now_s)
        self._latencies_ms.append(prediction.latency_ms)
        _confuse(self.confusion, prediction)
        tally = self.phone(prediction.phone)
        if tally is None:
            return False
        _follow(tally, prediction)
        if self._has_traces:
            tally.traces.add(prediction.window, len(self.phones))
        if prediction.reasons or prediction.novelty <= THRESHOLD:
            tally.reasons = prediction.reasons
        kinds = {_NUMBER.sub("", reason) for reason in prediction.reasons}
        is_news = not kinds <= tally.told
        tally.told |= kinds
        return is_news

    def may_tell(self, name: str | None, now_s: float, at_once: float) -> bool:
        """Whether there may be another line about a phone (None: about those that are not kept), or too many were."""
        holder: PhoneTally | Tally = self if name is None else self.phones.get(name, self)
        level = leaked(holder.notices, NOTICES_PER_S, now_s - holder.noticed_s)
        may = level < at_once
        holder.notices, holder.noticed_s = level + may, now_s
        self.totals.untold_notices += not may
        return may

    def batch(self, size: int, took_ms: float) -> None:
        """Keep how large the last batch of windows was and how long it took."""
        self.batch_size, self.batch_ms = size, took_ms

    def reset(self) -> None:
        """Count from zero again; phones and what they do are kept."""
        self.totals = Counts()
        self.confusion = _no_confusion()
        self._latencies_ms.clear()
        for phone in self.phones.values():
            phone.counts, phone.confusion, phone.last_fault = Counts(), _no_confusion(), None
            phone.seconds.clear()
            phone.log.clear()

    def latency_ms(self) -> dict[str, float | None]:
        """Percentiles of the last predictions' latencies."""
        if not self._latencies_ms:
            return {f"p{p}": None for p in PERCENTILES}
        values = np.percentile(np.array(self._latencies_ms), PERCENTILES)
        return {f"p{p}": round(float(value), 3) for p, value in zip(PERCENTILES, values, strict=True)}

    def summary(self) -> dict[str, Any]:
        """The figures of the whole run, ready for JSON."""
        counts = {name: getattr(self.totals, name) for name in Counts.__slots__}
        return {
            "phones": len(self.phones),
            **counts,
            "accuracy": self.totals.accuracy,
            "answered_accuracy": self.totals.answered_accuracy,
            "latency_ms": self.latency_ms(),
            "confusion_matrix": self.confusion.tolist(),
        }


def _follow(tally: PhoneTally, prediction: Prediction) -> None:
    tally.counts.predict(prediction)
    tally.time_line.add(prediction.answer, prediction.window.start_s, prediction.window.span_s)
    if prediction.answer != tally.answer:
        tally.since_s = prediction.window.start_s
    tally.answer, tally.confidence = prediction.answer, prediction.confidence
    tally.until_s = prediction.window.end_s
    tally.probabilities = tuple(prediction.probabilities.tolist())
    tally.seconds[prediction.answer] = tally.seconds.get(prediction.answer, 0.0) + prediction.window.span_s
    _confuse(tally.confusion, prediction)
    if tally.log and tally.log[-1].answer == prediction.answer:
        tally.log[-1].end_s = prediction.window.end_s
    else:
        tally.log.append(LogEntry(prediction.answer, prediction.window.start_s, prediction.window.end_s))
        if len(tally.log) > LOG:
            del tally.log[0]


def _no_confusion() -> npt.NDArray[np.int64]:
    return np.zeros((len(ACTIVITIES), len(ACTIVITIES)), np.int64)


def _confuse(confusion: npt.NDArray[np.int64], prediction: Prediction) -> None:
    """Count a labelled window; rows are labels."""
    if prediction.window.label is not None:
        confusion[ACTIVITIES.index(prediction.window.label), ACTIVITIES.index(prediction.activity)] += 1
