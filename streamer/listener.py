"""The listener at work: messages in on one thread, recognised on another, predictions out."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from model.signals import RAW_CHANNELS, process
from streamer.formats import detect
from streamer.inbox import Inbox, Message
from streamer.mount.book import MountBook
from streamer.mount.minder import MountMinder
from streamer.outputs import Notice, Output
from streamer.readings import PhoneMessage
from streamer.recognition.prediction import Engine, Prediction
from streamer.recognition.recognizer import Recognizer
from streamer.tally import Tally
from streamer.wire import WireError

log = logging.getLogger(__name__)

Decoder = Callable[[str, bytes], Sequence[PhoneMessage]]
"""Topic and payload to the messages of phones in it; raises :class:`streamer.wire.WireError`."""

BATCH = 512
"""Messages that are taken at once at most, before the windows they complete are classified."""

MAX_PHONES = 10_000
"""Phones that are followed at most, unless told otherwise."""

SWITCH_INTERVAL_S = 0.0005
"""How long one thread may keep Python's global lock from the other: the default of 5 ms starves the network."""

TICK_S = 1.0
"""How often it is looked whether messages have waited for others for too long."""

IDLE_S = 0.2
"""How long the recognising thread waits for a message, and so how late a stop is noticed."""


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """``max_phones`` phones are followed; after ``max_predictions`` predictions the listener stops."""

    max_phones: int
    max_predictions: int | None = None


class Listener:
    """Takes messages from any thread by :meth:`receive`, and recognises them on its own.

    ``lock`` is held while ``tally`` and the phones' reports change; whoever draws takes it for the time of a snapshot.

    Parameters
    ----------
    engine : the model at work.
    outputs : where predictions go.
    decode : what makes phones' messages of those that come.
    mounts : how phones are worn; None: as the data set's.
    """

    def __init__(
        self,
        options: ListenerOptions,
        engine: Engine,
        outputs: Sequence[Output],
        decode: Decoder = detect.decode,
        mounts: MountBook | None = None,
    ) -> None:
        self.engine = engine
        self._mounts = MountMinder(mounts or MountBook(), engine.novelty)
        self.tally = Tally(max_phones=options.max_phones)
        self.recognizer = Recognizer(
            engine,
            max_phones=options.max_phones,
            rotation_of=self._mounts.rotation,
            unix_offset_s=time.time() - time.monotonic(),
        )
        self.lock = threading.Lock()
        self.done = threading.Event()
        self.inbox = Inbox()
        self.failure: Exception | None = None
        self.last_message_s = time.monotonic()
        self._options = options
        self._outputs = outputs
        self._decode = decode
        self._predictions = 0
        self._next_tick_s = float("-inf")
        self._next_call_s = float("-inf")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recognise", daemon=True)

    @property
    def done_by_count(self) -> bool:
        """Whether it has made as many predictions as it was asked for."""
        return self._predictions == self._options.max_predictions

    def start(self) -> None:
        """Recognise from now on."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        process(np.zeros((1, len(RAW_CHANNELS))))  # loads scipy now, not when the first message waits
        self._thread.start()

    def receive(self, topic: str, payload: bytes) -> None:
        """Take a message; quick, and safe on the network thread."""
        self.last_message_s = time.monotonic()
        self.inbox.put(Message(topic, payload, self.last_message_s))

    def arrivals(self) -> dict[str, float]:
        """When each phone was last heard of, on the monotonic clock [s]."""
        with self.lock:
            phones = self.tally.phones.values()
            return {p.phone: p.last_arrival_s for p in phones if p.last_arrival_s is not None}

    def stop(self) -> dict[str, Any]:
        """Recognise what has been received, and give the summary."""
        self._stopping.set()
        self.inbox.close()
        self._thread.join()
        return self.tally.summary() | {"dropped_messages": self.inbox.dropped}

    def recognise(self, messages: Iterable[Message]) -> dict[str, Any]:
        """Recognise what was recorded, here and now, in place of start, receive and stop; gives the summary.

        The messages' arrivals are Unix time. Nothing is dropped, however long it takes. Errors of outputs and of
        ``messages`` are passed on.
        """
        self.recognizer.unix_offset_s = 0.0
        waiting = iter(messages)
        while batch := list(islice(waiting, BATCH)):
            self._work(batch)
            self._recognise_waiting()
        self._give(self.recognizer.finish(time.monotonic))
        return self.tally.summary() | {"dropped_messages": 0}

    def finish(self, summary: dict[str, Any]) -> None:
        """Finish the outputs; the listener has stopped."""
        for output in self._outputs:
            output.finish(summary)

    def _run(self) -> None:
        try:
            while not (self._stopping.is_set() and not len(self.inbox)):
                self._wait_for_company()
                self._work(self.inbox.take(BATCH, IDLE_S))
            self._give(self.recognizer.finish(time.monotonic))
        except Exception as error:  # an output's file or pipe, or the model: told by the main thread
            self.failure = error
        finally:
            self.done.set()

    def _work(self, messages: Sequence[Message]) -> None:
        notices: list[Notice] = []
        with self.lock:
            if self._mounts.refresh(time.monotonic()):
                self.recognizer.remount()
            for message in messages:
                notices += self._tick(message.arrived_s)
                notices += self._handle(message)
            if not messages:
                notices += self._tick(time.monotonic())
        for notice in notices:
            for output in self._outputs:
                output.warning(notice)
        if time.monotonic() >= self._next_call_s:
            self._recognise_waiting()

    def _wait_for_company(self) -> None:
        """Take no message before the next call is due: many taken at once cost less than one by one."""
        if (too_soon_s := self._next_call_s - time.monotonic()) > 0:
            self._stopping.wait(too_soon_s)

    def _recognise_waiting(self) -> None:
        if not self.recognizer.is_waiting:
            return
        before_s = time.monotonic()
        self._next_call_s = before_s + self.engine.gather_s
        predictions = self.recognizer.classify(time.monotonic)
        if predictions:
            with self.lock:
                self.tally.batch(len(predictions), 1000 * (time.monotonic() - before_s))
        self._give(predictions)

    def _tick(self, now_s: float) -> list[Notice]:
        """Release what has waited for too long by then: by when messages came, so that a capture gives the same."""
        if now_s < self._next_tick_s:
            return []
        self._next_tick_s = now_s + TICK_S
        released = self.recognizer.tick(now_s)
        for phone, taken in released.items():
            self.tally.released(phone, taken)
        return [Notice(phone, words) for phone, taken in released.items() for words in taken.news]

    def _handle(self, message: Message) -> list[Notice]:
        try:
            decoded = self._decode(message.topic, message.payload)
        except WireError as error:
            return self._fault(error.phone, error)
        if not decoded:
            self.tally.ignore()
        return [notice for one in decoded for notice in self._take(one, message.arrived_s)]

    def _take(self, message: PhoneMessage, arrived_s: float) -> list[Notice]:
        try:
            taken = self.recognizer.push(message, arrived_s)
        except WireError as error:
            return self._fault(message.phone, error)
        for label in message.labels:
            self.tally.label(message.phone, label)
        if message.readings:
            self.tally.message(message.phone, message.n_samples, taken, arrived_s, message.format)
            if stream := self.recognizer.stream(message.phone):
                self.tally.found(message.phone, stream.findings)
        return [Notice(message.phone, words) for words in taken.news]

    def _fault(self, phone: str | None, error: WireError) -> list[Notice]:
        log.debug("message of %s not used: %s", phone, error)
        return [Notice(phone, str(error))] if self.tally.fault(phone, str(error)) else []

    def _give(self, predictions: Sequence[Prediction]) -> None:
        mounts = self._mounts.news(predictions)
        for place, prediction in enumerate(predictions):
            if self.done_by_count:
                break
            self._predictions += 1
            with self.lock:
                is_news = self.tally.prediction(prediction, time.monotonic())
            news = ["; ".join(prediction.reasons)] if is_news else []
            if place in mounts:
                news.append(mounts[place])
            for output in self._outputs:
                output.prediction(prediction)
                for words in news:
                    output.warning(Notice(prediction.phone, words))
                if prediction.change:
                    output.change(prediction.phone, prediction.change)
                for transition in prediction.transitions:
                    output.transition(prediction.phone, transition)
        if self.done_by_count:
            self.done.set()
