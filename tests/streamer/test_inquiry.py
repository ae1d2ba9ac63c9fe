"""What the broker has taken without its acknowledgement being read: found out, and not published again."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.publishing.inquiry import GRACE_S, IN_VAIN, PATIENCE_S, Inquiry
from streamer.publishing.ledger import Ledger
from streamer.publishing.outbox import Outbox, Outgoing
from streamer.publishing.payloads import is_same
from streamer.publishing.pump import Pump
from streamer.publishing.topics import Topics

TOPICS = Topics()

EVENTS = {"har/+/event", "har/+/transition"}


def message(phone: str, number: int, *, is_event: bool = False, off: float = 0.0) -> Outgoing:
    """The phone's message of this number; ``off`` is by what the last decimals differ when it is made once more."""
    content = {"phone": phone, "time": 1e9 + number, "confidence": 0.5 + number / 1000 + off}
    content |= {"event_type": "walking"} if is_event else {"answer": "WALKING"}
    topic = TOPICS.event(phone) if is_event else TOPICS.activity(phone)
    return Outgoing(topic, msgspec.json.encode(content), retain=not is_event, phone=phone)


@dataclass
class Broker:
    """Keeps the latest of what is retained, and a session's events; gives everything to one reader."""

    retained: dict[str, bytes] = field(default_factory=dict)
    session: list[tuple[str, bytes]] = field(default_factory=list)
    reader: list[Outgoing] = field(default_factory=list)

    def take(self, sent: Outgoing) -> None:
        if sent.topic == TOPICS.echo:
            self.session.append((sent.topic, sent.payload))
            return
        self.reader.append(sent)
        if sent.retain:
            self.retained[sent.topic] = sent.payload
        else:
            self.session.append((sent.topic, sent.payload))


class Run:
    """A listener's side, from a connection to a kill."""

    def __init__(self, broker: Broker, ledger: Ledger, *, is_kept: bool) -> None:
        self.broker, self.ledger, self.now_s = broker, ledger, 0.0
        self.outbox = Outbox(on_published=ledger.acknowledged)
        self.outbox.put(*ledger.unpublished)
        self.inquiry = Inquiry(ledger, TOPICS, clock=lambda: self.now_s)
        self._messages: dict[int, Outgoing] = {}
        self._ids = itertools.count(1)
        self.pump = Pump(self.outbox, self._encode, lambda packet: packet, lambda: next(self._ids))
        self._is_kept = is_kept
        self._sent: list[bytes] = []
        self.connect()

    def _encode(self, outgoing: Outgoing, packet_id: int) -> bytes:
        self._messages[packet_id] = outgoing
        return b"%d" % packet_id

    def connect(self) -> bool:
        """Ask, if there is something to ask for; says so."""
        self.pump.restart(5)
        self._sent = []
        self.asked = dict(self.inquiry.begin(is_kept=self._is_kept))
        self.pump.is_held = self.inquiry.holds
        if self.inquiry.is_open:
            self.pump.push(self.inquiry.echo)
            self.inquiry.asked()
        return self.inquiry.is_open

    def answer(self) -> None:
        """What the broker has of what was asked for comes, in its order; then it is over."""
        if not self.inquiry.is_open:
            return
        self.inquiry.accepted()
        self.send()
        self.take(1, 1)
        for topic in self.asked:
            if topic in self.broker.retained:
                self.inquiry.hear(topic, self.broker.retained[topic])
        self.hear()
        self.now_s += 2 * GRACE_S
        assert self.inquiry.is_over
        self.inquiry.end()
        self.pump.release(self.inquiry.is_taken)

    def hear(self) -> None:
        """The broker gives what the session holds, and it is acknowledged."""
        for topic, payload in self.broker.session:
            self.inquiry.hear(topic, payload)
        self.broker.session.clear()

    def tell(self, outgoing: Outgoing) -> None:
        self.outbox.put(*self.ledger.enter(outgoing))

    def send(self) -> None:
        self._sent += self.pump.take()

    def take(self, taken: int, acknowledged: int) -> None:
        """The broker takes so many of what was sent, and of so many of these the acknowledgement is read."""
        for k, packet in enumerate(self._sent[:taken]):
            self.broker.take(self._messages[int(packet)])
            if k < acknowledged:
                self.pump.acknowledge(int(packet), refused=False)
        self._sent = self._sent[taken:]
        self.pump.tell()

    def finish(self) -> None:
        for _ in range(30):
            self.send()
            self.take(10, 10)
        assert self.pump.waiting == 0


def successor(ledger: Ledger) -> Ledger:
    """What the journal gives the next run: the same messages, made once more but for the last decimals."""
    after = Ledger()
    after.last = dict(ledger.last)
    made = []
    for each in ledger.unpublished:
        content = msgspec.json.decode(each.payload)
        content["confidence"] += 1e-6
        made.append(each._replace(payload=msgspec.json.encode(content)))
    after.unpublished = made
    return after


Steps = list[tuple[str, int, int]]

steps = st.lists(
    st.tuples(
        st.sampled_from(["tell a", "tell b", "event a", "send", "take", "hear", "kill", "kill-twice", "reconnect"]),
        *[st.integers(0, 6)] * 2,
    ),
    max_size=60,
)


def played(events: Steps, *, is_kept: bool) -> tuple[list[Outgoing], Broker, Run]:
    """What was told, and what became of it, however often the listener was killed and its connection broke."""
    broker, told, numbers = Broker(), list[Outgoing](), defaultdict[str, int](int)
    run = Run(broker, Ledger(), is_kept=is_kept)
    run.answer()
    for what, one, other in events:
        kind, _, phone = what.partition(" ")
        if phone:
            numbers[phone] += 1
            told.append(message(phone, numbers[phone], is_event=kind == "event"))
            run.tell(told[-1])
        elif what == "send":
            run.send()
        elif what == "take":
            run.take(max(one, other), min(one, other))
        elif what == "hear" and is_kept:
            run.hear()
        elif what == "reconnect":
            run.connect()
            run.answer()
        elif what.startswith("kill"):
            for _ in what.split("-"):  # twice: while what it asked is answered, too
                if not is_kept:
                    broker.session.clear()
                run = Run(broker, successor(run.ledger), is_kept=is_kept)
                run.hear()
            run.answer()
    run.connect()
    run.answer()
    run.finish()
    return told, broker, run


def of(messages: Sequence[Outgoing], phone: str) -> list[tuple[str, float]]:
    return [(m.topic, msgspec.json.decode(m.payload)["time"]) for m in messages if m.phone == phone]


@given(steps)
def test_with_a_session_every_message_is_at_the_reader_once_and_in_order(events: Steps) -> None:
    told, broker, run = played(events, is_kept=True)
    for phone in "ab":
        assert of(broker.reader, phone) == of(told, phone)
    assert run.ledger.unpublished == []


@given(steps)
def test_without_a_session_every_prediction_is_there_once_and_only_an_event_may_be_there_twice(events: Steps) -> None:
    told, broker, _ = played(events, is_kept=False)
    for phone in "ab":
        came = of(broker.reader, phone)
        assert list(dict.fromkeys(came)) == of(told, phone)
        activities = [each for each in came if each[0] == TOPICS.activity(phone)]
        assert len(activities) == len(set(activities))


def test_a_broker_that_does_not_answer_is_told_everything_after_a_while() -> None:
    ledger = Ledger()
    for number in (1, 2):
        ledger.enter(message("a", number))
    run = Run(Broker(), ledger, is_kept=True)
    assert set(run.asked) == {*EVENTS, TOPICS.echo, "har/a/activity"}
    run.send()
    assert [m.topic for m in run._messages.values()] == [TOPICS.echo]
    run.now_s = PATIENCE_S
    assert not run.inquiry.is_over
    run.now_s += 0.1
    assert run.inquiry.is_over
    run.inquiry.end()
    run.pump.release(run.inquiry.is_taken)
    run.finish()
    assert of(run.broker.reader, "a") == [("har/a/activity", 1e9 + 1), ("har/a/activity", 1e9 + 2)]


def test_what_the_broker_keeps_is_waited_for_no_longer_than_it_takes() -> None:
    ledger = Ledger()
    ledger.enter(message("a", 1))
    run = Run(Broker(), ledger, is_kept=False)
    run.inquiry.hear(TOPICS.echo, b"another's")
    run.now_s = PATIENCE_S - 0.1
    assert not run.inquiry.is_over
    run.inquiry.hear(TOPICS.echo, run.inquiry.echo.payload)
    assert not run.inquiry.is_over
    run.inquiry.hear("har/a/activity", b"of whomever")
    assert run.inquiry.is_over
    assert not run.inquiry.is_taken("a", 1)


def test_where_nothing_waits_nothing_is_held_and_without_a_session_nothing_asked() -> None:
    run = Run(Broker(), Ledger(), is_kept=True)
    assert set(run.asked) == {*EVENTS, TOPICS.echo}
    assert not run.pump.is_held
    run = Run(Broker(), Ledger(), is_kept=False)
    assert (run.asked, run.inquiry.is_open) == ({}, False)


def test_a_broker_that_hangs_up_on_who_asks_is_not_asked_every_time() -> None:
    ledger = Ledger()
    ledger.enter(message("a", 1))
    run = Run(Broker(), ledger, is_kept=False)
    assert [run.connect() for _ in range(2 * IN_VAIN)] == [True, False, True, True]
    run.inquiry.accepted()
    assert [run.connect() for _ in range(IN_VAIN + 1)] == [True, True, False]


@pytest.mark.parametrize(
    "payload",
    [
        message("a", 9).payload,
        message("b", 2).payload,
        message("a", 2, is_event=True).payload,
        message("a", 2, off=0.01).payload,
        message("a", 10**9).payload,
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"phone":"a"}',
        b'{"phone":"a","time":"1"}',
        b"[" * 5000,
        b'{"x":' + b"[" * 5000,
        message("a", 2).payload + b" " * 10_000,
    ],
)
def test_what_anybody_publishes_in_its_place_suppresses_nothing(payload: bytes) -> None:
    ledger = Ledger()
    for number in (1, 2, 3):
        ledger.enter(message("a", number))
    inquiry = Inquiry(ledger, TOPICS)
    inquiry.begin(is_kept=True)
    inquiry.hear("har/a/activity", payload)
    inquiry.hear("har/a/event", payload)
    inquiry.hear("har/b/activity", payload)
    inquiry.hear("har", payload)
    inquiry.end()
    assert len(ledger.unpublished) == 3


def test_the_same_made_once_more_is_the_same() -> None:
    assert is_same(message("a", 2).payload, message("a", 2, off=2e-6).payload)
    assert not is_same(message("a", 2).payload, message("a", 3).payload)
