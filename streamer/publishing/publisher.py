"""What becomes of predictions: messages in the outbox, and each phone's availability. No network."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from model.changes import ActivityChange
from model.stateful.transitions import PosturalTransition
from streamer.outputs import Notice
from streamer.publishing.home_assistant import discovery_payload
from streamer.publishing.inquiry import Inquiry
from streamer.publishing.ledger import Ledger
from streamer.publishing.outbox import Outbox, Outgoing
from streamer.publishing.payloads import event_payload, percent, state_payload, transition_payload
from streamer.publishing.presence import Presence
from streamer.publishing.topics import CONFIDENCE, OFFLINE, ONLINE, STATE, Topics
from streamer.recognition.prediction import Prediction
from streamer.wire import WireError, parse_topic

log = logging.getLogger(__name__)

UPDATE_S = 1.0
"""How often it is looked which phones are silent."""

EXPIRE = 2
"""Home Assistant knows nothing of a phone after so many times the silence that makes it offline."""

Arrivals = Callable[[], Mapping[str, float]]
"""Gives when each phone was last heard of [s]."""


@dataclass(frozen=True, slots=True)
class PublisherOptions:
    """``offline_after_s`` seconds of silence make a phone offline; ``home_assistant``: describe phones to it too.

    ``max_phones`` are followed at most; ``transitions``: the model tells postural transitions; ``version`` is the
    product's own. ``shared``: other listeners publish below the same root about phones of theirs.
    """

    topics: Topics
    offline_after_s: float
    max_phones: int
    home_assistant: bool = False
    transitions: bool = False
    version: str = ""
    shared: bool = False


@dataclass(slots=True)
class _Phone:
    """What was published of a phone last, and since when its answer lasts."""

    topic: str
    state_topic: str
    confidence_topic: str
    answer: str = ""
    since_s: float = 0.0
    state: str = ""
    confidence: bytes = b""


class Publisher:
    """An output (:class:`streamer.outputs.Output`) that fills an outbox; what is in there goes out elsewhere.

    Safe on any thread: predictions come from the recognising thread, :meth:`connected` and :meth:`hear` from the
    network's, and a thread of its own looks for silent phones.

    Parameters
    ----------
    options : what to publish and where.
    outbox : holds what is to be published.
    clock : the clock of the arrivals [s].
    ledger : keeps account of what the broker has taken; None: nobody does.
    """

    kept = ("phones",)

    def __init__(
        self,
        options: PublisherOptions,
        outbox: Outbox | None = None,
        clock: Callable[[], float] = time.monotonic,
        ledger: Ledger | None = None,
    ) -> None:
        self.outbox = Outbox() if outbox is None else outbox
        self.topics = options.topics
        self.birth: Outgoing | None = Outgoing(options.topics.status, ONLINE)
        self.will: Outgoing | None = Outgoing(options.topics.status, OFFLINE)
        self.ledger = ledger
        self.inquiry = Inquiry(ledger, options.topics) if ledger else None
        if ledger:
            self.outbox.on_published = ledger.acknowledged
        self._options = options
        self._clock = clock
        self._presence = Presence(options.offline_after_s, options.max_phones)
        self._phones: dict[str, _Phone] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._told_dropped = 0
        self._ending = False

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """What else to subscribe to: what an earlier run left behind, and Home Assistant's birth.

        A phone that another listener serves is none of ours; there the own status alone is heard, which the broker may
        set to offline late, for the listener of the same name that was here before.
        """
        more = (self.topics.home_assistant_status,) if self._options.home_assistant else ()
        return (self.topics.status if self._options.shared else self.topics.any_availability, *more)

    def start(self, arrivals: Arrivals) -> None:
        """Look for silent phones from now on."""
        self._thread = threading.Thread(target=self._watch, args=(arrivals,), name="presence", daemon=True)
        self._thread.start()

    def prediction(self, prediction: Prediction) -> None:
        """The phone's state, and what of it changed as topics of their own."""
        phone, now_s = prediction.phone, self._clock()
        with self._lock:
            is_old = prediction.window.arrived_s <= now_s - self._options.offline_after_s
            if self._ending and is_old and phone not in self._presence:
                return  # the rest of a stream whose phone went offline, perhaps long ago, and may be forgotten
            if self._presence.hear(phone, now_s):  # now: the listener may be behind, but the phone is there
                self._introduce(phone)
            known = self._phones.get(phone) or self._follow(phone)
            if prediction.change and prediction.change.after == prediction.answer:
                known.answer, known.since_s = prediction.answer, prediction.change.time_s
            elif prediction.answer != known.answer:
                known.answer, known.since_s = prediction.answer, prediction.window.start_s
            state = Outgoing(known.topic, state_payload(prediction, known.since_s), phone=phone)
            self.outbox.put(*self._entered(state), *_parts(known, prediction))

    def change(self, phone: str, change: ActivityChange) -> None:
        """An event, which no broker keeps."""
        event = Outgoing(self.topics.event(phone), event_payload(phone, change), retain=False, phone=phone)
        self.outbox.put(*self._entered(event))

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        """Another kind of event."""
        payload = transition_payload(phone, transition)
        event = Outgoing(self.topics.transition(phone), payload, retain=False, phone=phone)
        self.outbox.put(*self._entered(event))

    def warning(self, warning: Notice) -> None:
        """Nothing: warnings are for whoever runs the listener."""

    def finish(self, summary: dict[str, Any]) -> None:
        """Nothing: the connection is closed by now."""

    def is_own(self, topic: str) -> bool:
        """Whether the listener itself publishes there, or Home Assistant."""
        return self.topics.is_own(topic)

    def connected(self) -> None:
        """The connection is there (again): the broker may have forgotten what it kept."""
        with self._lock:
            for phone in self._presence.online():
                self._introduce(phone)
            for known in self._phones.values():
                known.state, known.confidence = "", b""

    def hear(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Take a message on one of the own topics.

        A phone that an earlier run left online is taken over, to be offline when it stays silent. Home Assistant's
        birth is answered with all phones. What the broker gives out of the listener's own it has taken.
        """
        if self.inquiry:
            self.inquiry.hear(topic, payload)
        if topic == self.topics.home_assistant_status and self._options.home_assistant and payload == ONLINE:
            self.connected()
        elif topic == self.topics.status:
            if self._options.shared and payload == OFFLINE and self.birth and not self._stopping.is_set():
                self.outbox.put(self.birth)
        elif retained and payload == ONLINE:
            self._expect(topic)

    def update(self, arrivals: Mapping[str, float]) -> None:
        """Tell which phones have come and gone, by when each was last heard of."""
        with self._lock:
            came, went = self._presence.update(arrivals, self._clock())
            for phone in came:
                self._introduce(phone)
            for phone in went:
                self._dismiss(phone)

    def end(self) -> None:
        """No message is heard any more; the predictions that still come are the last."""
        self._ending = True

    def close(self, *, dismiss: bool = True) -> None:
        """All phones go offline, and then the listener itself; nothing is published afterwards.

        Without ``dismiss`` they stay online, as another listener has taken them over.
        """
        self._stopping.set()
        if self._thread:
            self._thread.join()
        if not dismiss:
            return
        with self._lock:
            for phone in self._presence.clear():
                self._dismiss(phone)
            self.outbox.put(Outgoing(self.topics.status, OFFLINE))

    @property
    def phones(self) -> dict[str, _Phone]:
        """What was published last of each; another thread may forget some meanwhile."""
        with self._lock:
            return dict(self._phones)

    @phones.setter
    def phones(self, phones: dict[str, _Phone]) -> None:
        with self._lock:
            self._phones = phones

    def _entered(self, message: Outgoing) -> list[Outgoing]:
        return self.ledger.enter(message) if self.ledger else [message]

    def _watch(self, arrivals: Arrivals) -> None:
        while not self._stopping.wait(UPDATE_S):
            self.update(arrivals())
            self._tell_dropped()

    def _tell_dropped(self) -> None:
        dropped = self.outbox.dropped
        if dropped and not self._told_dropped:
            log.warning("more is to be published than the broker takes: the oldest predictions are dropped")
        self._told_dropped = dropped

    def _expect(self, topic: str) -> None:
        try:
            phone, _ = parse_topic(topic)
        except WireError:
            return
        with self._lock:
            self._presence.expect(phone, self._clock())

    def _introduce(self, phone: str) -> None:
        options = self._options
        if options.home_assistant:
            expire_after_s = ceil(EXPIRE * options.offline_after_s)
            payload = discovery_payload(
                self.topics,
                phone,
                expire_after_s=expire_after_s,
                version=options.version,
                transitions=options.transitions,
            )
            self._put_latest(phone, self.topics.discovery(phone), payload)
        self._put_latest(phone, self.topics.availability(phone), ONLINE)

    def _dismiss(self, phone: str) -> None:
        self._phones.pop(phone, None)
        self._put_latest(phone, self.topics.availability(phone), OFFLINE)

    def _put_latest(self, phone: str, topic: str, payload: bytes) -> None:
        self.outbox.put(Outgoing(topic, payload, phone=phone, is_latest=True))

    def _follow(self, phone: str) -> _Phone:
        activity = self.topics.activity
        known = self._phones[phone] = _Phone(activity(phone), activity(phone, STATE), activity(phone, CONFIDENCE))
        return known


def _parts(known: _Phone, prediction: Prediction) -> list[Outgoing]:
    """Answer and confidence on topics of their own, where they are not what they were."""
    parts = []
    phone, confidence = prediction.phone, percent(prediction.confidence)
    if prediction.answer != known.state:
        known.state = prediction.answer
        parts.append(Outgoing(known.state_topic, known.state.encode("ascii"), phone=phone, is_latest=True))
    if confidence != known.confidence:
        known.confidence = confidence
        parts.append(Outgoing(known.confidence_topic, confidence, phone=phone, is_latest=True))
    return parts
