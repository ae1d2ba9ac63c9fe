"""A capture through the listener's own work: its messages in the order in which they came."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice

from streamer.backfill.items import Item
from streamer.backfill.outcome import BackfillOptions, OnSeconds, Outcome, PhoneLog
from streamer.backfill.rendering import Content
from streamer.capture.reader import open_capture
from streamer.faults import Fault
from streamer.formats import detect
from streamer.inbox import Message
from streamer.intake.report import Finding
from streamer.limits import BATCH, MAX_PHONES, UNLIMITED
from streamer.mount.book import MountBook
from streamer.phone_stream import Taken
from streamer.recognition.prediction import Engine, Prediction
from streamer.wire import Label
from streamer.work import Work


def recognise_capture(
    item: Item, outcome: Outcome, engine: Engine, book: MountBook, options: BackfillOptions, on_seconds: OnSeconds
) -> None:
    """Recognise all of it; a phone's predictions are written together, phones in order of their first messages.

    Raises
    ------
    DataError : it cannot be read, or is no capture.
    """
    assert item.path is not None
    journal = _Journal(outcome, options.is_table, on_seconds)
    decode = partial(detect.decode, format_name=options.format)
    work = Work(engine, journal, MAX_PHONES, decode, book, UNLIMITED)
    work.recognizer.unix_offset_s = 0.0  # arrivals are Unix time
    with open_capture(item.path) as capture:
        messages = (Message(record.topic, record.payload, record.arrived_s) for record in capture)
        while batch := list(islice(messages, BATCH)):
            work.take(batch)
            work.recognise()
    work.finish()
    outcome.counts.messages = capture.count
    outcome.damage = capture.damage
    outcome.contents += journal.contents()


class _Journal:
    """Keeps what comes of the messages, by phone."""

    def __init__(self, outcome: Outcome, is_table: bool, on_seconds: OnSeconds) -> None:
        self._outcome, self._is_table, self._on_seconds = outcome, is_table, on_seconds
        self._logs: dict[str | None, PhoneLog] = {}

    def _log(self, phone: str | None) -> PhoneLog:
        log = self._logs.get(phone)
        if log is None:
            log = self._logs[phone] = PhoneLog(self._outcome, phone, self._is_table)
        return log

    def contents(self) -> list[Content]:
        """What is written, phone after phone."""
        return [log.content() for log in self._logs.values()]

    def message(self, phone: str, n_samples: int, taken: Taken, arrived_s: float, format_name: str) -> None:
        """Count it."""
        self._log(phone).took(n_samples, taken)

    def labels(self, phone: str, labels: tuple[Label, ...]) -> None:
        """Nothing: the windows have them."""

    def found(self, phone: str, findings: tuple[Finding, ...]) -> None:
        """Nothing: what is news is in what came of the messages."""

    def released(self, phone: str, taken: Taken) -> None:
        """Count it."""
        self._log(phone).released(taken)

    def fault(self, phone: str | None, reason: str, kind: Fault) -> None:
        """Count and tell it."""
        self._log(phone).fault(reason)

    def gone(self, phone: str, evicted: bool) -> None:
        """Nothing: in a recording, nobody goes."""

    def ignored(self) -> None:
        """Count it."""
        self._outcome.counts.ignored_messages += 1

    def recognised(self, predictions: Sequence[Prediction], mounts: dict[int, str], took_ms: float | None) -> None:
        """Keep them, and tell what is odd about how a phone is worn."""
        for number, prediction in enumerate(predictions):
            log = self._log(prediction.phone)
            log.prediction(prediction)
            if number in mounts:
                log.warn(mounts[number])
        self._outcome.count_seconds([prediction.window for prediction in predictions], self._on_seconds)
