"""What is done with phones' messages, from payload to predictions: no threads, no outputs. Pure but for the clock."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Container, Sequence
from typing import Protocol

import numpy as np

from model.signals import RAW_CHANNELS, process
from streamer.faults import Fault
from streamer.inbox import Message
from streamer.intake.report import Finding
from streamer.limits import LIMITS, Limits
from streamer.mount.book import MountBook
from streamer.mount.minder import MountMinder
from streamer.phone_stream import Taken
from streamer.readings import PhoneMessage
from streamer.recognition.prediction import Clock, Engine, Prediction
from streamer.recognition.recognizer import Recognizer
from streamer.wire import Label, WireError

log = logging.getLogger(__name__)

Decoder = Callable[[str, bytes], Sequence[PhoneMessage]]
"""Topic and payload to the messages of phones in it; raises :class:`streamer.wire.WireError`."""

TICK_S = 1.0
"""How often it is looked whether messages have waited for others for too long."""


class Journal(Protocol):
    """Who is told what came of messages and windows."""

    def message(self, phone: str, n_samples: int, taken: Taken, arrived_s: float, format_name: str) -> None:
        """A message of samples, in a format, and what came of it."""

    def labels(self, phone: str, labels: tuple[Label, ...]) -> None:
        """What a phone's owner does, the last label last."""

    def found(self, phone: str, findings: tuple[Finding, ...]) -> None:
        """What is wrong with how a phone sends is now this."""

    def released(self, phone: str, taken: Taken) -> None:
        """What came of messages that had been held back."""

    def fault(self, phone: str | None, reason: str, kind: Fault) -> None:
        """A message that is not used."""

    def gone(self, phone: str, evicted: bool) -> None:
        """A phone is followed no longer: it made room for another, or was silent for very long."""

    def ignored(self) -> None:
        """A message that was for somebody else."""

    def recognised(self, predictions: Sequence[Prediction], mounts: dict[int, str], took_ms: float | None) -> None:
        """What was recognised in one batch, and how long it took; what phones' owners should know of how phones are
        worn, by the prediction's place.
        """


class Work:
    """Messages in; the journal is told what comes of them.

    Parameters
    ----------
    engine : the model at work.
    journal : see :class:`Journal`.
    max_phones : a further phone is refused.
    decode : what makes phones' messages of those that come.
    mounts : how phones are worn.
    limits : of what a phone may send, and of how long it is kept.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        max_phones: int,
        decode: Decoder,
        mounts: MountBook,
        limits: Limits = LIMITS,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._decode = decode
        self._mounts = MountMinder(mounts, engine.novelty)
        self.recognizer = Recognizer(
            engine,
            max_phones=max_phones,
            rotation_of=self._mounts.rotation,
            unix_offset_s=time.time() - time.monotonic(),
            limits=limits,
        )
        self.behind: Container[str] = ()
        """Phones of which messages wait that came before those of others which have been taken."""
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self._next_tick_s = float("-inf")
        self._next_call_s = float("-inf")

    @property
    def roots(self) -> dict[str, object]:
        """What a later run must know to go on (:mod:`streamer.state`), each with ``kept``, the names of the attributes
        that it is in.
        """
        return {"recognizer": self.recognizer, "engine": self._engine, "mounts": self._mounts}

    @staticmethod
    def warm_up() -> None:
        """Load scipy now, not when the first message waits."""
        process(np.zeros((1, len(RAW_CHANNELS))))

    def take(self, messages: Sequence[Message]) -> None:
        """Take messages, and release what has waited for too long for others."""
        if self._mounts.refresh(time.monotonic()):
            self.recognizer.remount()
        for message in messages:
            self._tick(message.arrived_s)
            self._handle(message)
        if not messages:
            self._tick(time.monotonic())

    @property
    def too_soon_s(self) -> float:
        """How long to wait before the next call is due: many windows at once cost less than one by one."""
        return self._next_call_s - time.monotonic()

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to recognise."""
        return self.recognizer.is_waiting

    def recognise(self, clock: Clock | None = None) -> None:
        """Recognise all that waits; the clock is that of the arrivals, None the monotonic one."""
        if not self.is_waiting:
            return
        before_s = time.monotonic()
        predictions = self.recognizer.classify(clock or time.monotonic)
        self._next_call_s = before_s + self._engine.gather_s(len(predictions))
        if predictions:
            self._tell(predictions, 1000 * (time.monotonic() - before_s))

    def finish(self) -> None:
        """End all streams: what was still held back is recognised."""
        self._tell(self.recognizer.finish(time.monotonic), None)

    def _tell(self, predictions: Sequence[Prediction], took_ms: float | None) -> None:
        self._journal.recognised(predictions, self._mounts.news(predictions), took_ms)

    def _tick(self, now_s: float) -> None:
        """Release what has waited for too long by then: by when messages came, so that a capture gives the same."""
        if now_s < self._next_tick_s:
            return
        self._next_tick_s = now_s + TICK_S
        for phone, taken in self.recognizer.tick(now_s, self.behind).items():
            self._journal.released(phone, taken)
        self._forget()

    def _forget(self) -> None:
        """Forget all about phones whose streams have been given up."""
        for phone, evicted in self.recognizer.gone():
            self._engine.forget(phone)
            self._mounts.forget(phone)
            self._findings.pop(phone, None)
            self._journal.gone(phone, evicted)

    def _handle(self, message: Message) -> None:
        try:
            decoded = self._decode(message.topic, message.payload)
        except WireError as error:
            self._fault(error.phone, error)
            return
        if not decoded:
            self._journal.ignored()
        for each in decoded:
            self._take(each, message.arrived_s)

    def _take(self, message: PhoneMessage, arrived_s: float) -> None:
        phone = message.phone
        try:
            taken = self.recognizer.push(message, arrived_s)
        except WireError as error:
            self._fault(phone, error)
            return
        finally:
            if self.recognizer.has_gone:
                self._forget()
        if message.labels:
            self._journal.labels(phone, message.labels)
        if message.has_readings:
            self._journal.message(phone, message.n_samples, taken, arrived_s, message.format)
            stream = self.recognizer.stream(phone)
            if stream and stream.findings is not self._findings.get(phone, ()):
                self._findings[phone] = stream.findings
                self._journal.found(phone, stream.findings)

    def _fault(self, phone: str | None, error: WireError) -> None:
        log.debug("message of %s not used: %s", phone, error)
        self._journal.fault(phone, str(error), error.kind)
