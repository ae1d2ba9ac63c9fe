"""The listener at work: messages in on one thread, recognised on another, predictions out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Protocol

from streamer.account import Account
from streamer.acknowledging import Progress
from streamer.admission.fair_inbox import FairInbox, losses_of
from streamer.formats import detect
from streamer.inbox import Message
from streamer.limits import BATCH, LIMITS, UNLIMITED, Limits
from streamer.mount.book import MountBook
from streamer.outputs import Output
from streamer.recognition.prediction import Engine
from streamer.runtime import tune
from streamer.work import Decoder, Work

IDLE_S = 0.2
"""How long the recognising thread waits for a message, and so how late a stop is noticed."""


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """``max_phones`` phones are followed; after ``max_predictions`` predictions the listener stops. ``limits`` are of
    what phones may send, and of how long they are kept; ``has_traces``: somebody draws their signals.
    """

    max_phones: int
    max_predictions: int | None = None
    limits: Limits = LIMITS
    has_traces: bool = True


class Keeping(Protocol):
    """What keeps a listener's state for a later run (:class:`streamer.state.keeper.Keeper`)."""

    def keep(self, messages: Sequence[Message], receive: Callable[..., None]) -> None:
        """Keep messages, and call ``receive`` with them."""

    def tick(self) -> None:
        """All that was taken has been worked off and told."""


class Listener:
    """Takes messages from any thread by :meth:`receive_many`, and recognises them on its own.

    ``lock`` is held while ``tally`` and the phones' reports change; whoever draws takes it for the time of a snapshot.

    Parameters
    ----------
    engine : the model at work.
    outputs : where predictions go.
    decode : what makes phones' messages of those that come.
    mounts : how phones are worn; None: as the data set's.
    keeper : what keeps all of it for a later run, which then ends no stream; None: nothing does.
    """

    def __init__(
        self,
        options: ListenerOptions,
        engine: Engine,
        outputs: Sequence[Output],
        decode: Decoder = detect.decode,
        mounts: MountBook | None = None,
        keeper: Keeping | None = None,
    ) -> None:
        self.kind = engine.kind
        self._account = Account(
            outputs, options.max_phones, options.max_predictions, options.limits, has_traces=options.has_traces
        )
        self.tally, self.lock, self.done = self._account.tally, self._account.lock, self._account.done
        self.arrivals = self._account.arrivals
        self._work = Work(engine, self._account, options.max_phones, decode, mounts or MountBook(), options.limits)
        self.recognizer = self._work.recognizer
        self.inbox = FairInbox(options.limits)
        self._work.behind = self.inbox.behind
        self.failure: Exception | None = None
        self.last_message_s = time.monotonic()
        self._outputs = outputs
        self._keeper = keeper
        self._turned_s: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recognise", daemon=True)

    @property
    def progress(self) -> Progress:
        """How far it is with what it received."""
        return self.inbox

    def keep_all(self) -> None:
        """Messages are acknowledged by :attr:`progress`: whoever hands them over waits for room, none is dropped."""
        self.inbox.keeps_all = True

    @property
    def turned_s(self) -> float:
        """When the recognising thread last turned; now while it has not begun."""
        return time.monotonic() if self._turned_s is None else self._turned_s

    @property
    def n_queued(self) -> int:
        """Messages that wait to be worked off."""
        return len(self.inbox)

    @property
    def losses(self) -> dict[str, int]:
        """Messages that are not recognised, as too many came: by why."""
        return losses_of([self.inbox])

    @property
    def roots(self) -> dict[str, object]:
        """What a later run must know to go on."""
        return self._work.roots | {"tally": self.tally}

    def work_again(self, messages: Iterable[Sequence[Message]]) -> None:
        """Work off what an earlier run received, as it did; then :meth:`start`."""
        with self._account.uncounted():
            for batch in messages:
                if batch:
                    self._take(batch)
                    self._work.recognise(partial(float, batch[-1].arrived_s))

    def start(self) -> None:
        """Recognise from now on."""
        self._work.warm_up()
        tune()
        self._thread.start()

    def receive_many(self, messages: Sequence[Message]) -> None:
        """Take messages, at least one, which have arrived by the monotonic clock; safe on the network thread."""
        self.last_message_s = messages[-1].arrived_s
        if self._keeper is None:
            self.inbox.put(*messages)
        elif admitted := self.inbox.admit(messages):
            self.inbox.wait_for_room(admitted)
            self._keeper.keep(admitted, self.inbox.add)

    def stop(self) -> dict[str, Any]:
        """Recognise what has been received, and give the summary."""
        self._stopping.set()
        self.inbox.close()
        self._thread.join()
        if not self.failure:
            self.inbox.settle()
        return self.tally.summary() | self.losses

    def recognise(self, messages: Iterable[Message]) -> dict[str, Any]:
        """Recognise what was recorded, here and now, in place of start, receive_many and stop; gives the summary.

        The messages' arrivals are Unix time. Nothing is dropped, however long it takes. Errors of outputs and of
        ``messages`` are passed on.
        """
        self.recognizer.unix_offset_s, self.recognizer.limits = 0.0, UNLIMITED
        waiting = iter(messages)
        while batch := list(islice(waiting, BATCH)):
            self._take(batch)
            self._work.recognise()
        self._work.finish()
        return self.tally.summary() | self.losses

    def finish(self, summary: dict[str, Any]) -> None:
        """Finish the outputs; the listener has stopped."""
        for output in self._outputs:
            output.finish(summary)

    def work_off(self) -> None:
        """Recognise all that waits, though it be too soon."""
        self._work.recognise()

    def work(self, messages: Sequence[Message]) -> None:
        """Take messages, and recognise what they complete if it is time to."""
        self._take(messages)
        if self._work.too_soon_s <= 0:
            self._work.recognise()

    def _take(self, messages: Sequence[Message]) -> None:
        with self.lock:
            self._work.take(messages)
        self._account.tell()

    def _run(self) -> None:
        try:
            while not (self._stopping.is_set() and not len(self.inbox)):
                self._turned_s = time.monotonic()
                if (too_soon_s := self._work.too_soon_s) > 0:
                    self._stopping.wait(too_soon_s)
                self.work(self.inbox.take(BATCH, 0.0 if self._work.is_waiting else IDLE_S))
                if not self._work.is_waiting:  # what they completed has been told
                    self.inbox.settle()
                    if self._keeper:
                        self._keeper.tick()
            if self._keeper:
                self._work.recognise()
            else:
                self._work.finish()
        except Exception as error:  # an output's file or pipe, or the model: told by the main thread
            self.failure = error
        finally:
            self.done.set()
