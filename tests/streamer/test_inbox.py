"""The bounded queue: order kept, refusals counted, nothing taken twice."""

from __future__ import annotations

import threading
import time

from streamer.inbox import Inbox, Message


def test_messages_come_out_in_order_and_bounded_in_number() -> None:
    inbox = Inbox()
    for k in range(10):
        inbox.put(Message("t", bytes([k]), 0.0))
    assert [m.payload[0] for m in inbox.take(4, 0)] == [0, 1, 2, 3]
    assert [m.payload[0] for m in inbox.take(100, 0)] == list(range(4, 10))
    assert inbox.take(1, 0) == []


def test_a_full_inbox_drops_and_counts_and_takes_again_when_there_is_room() -> None:
    inbox = Inbox(max_bytes=100)
    for _ in range(5):
        inbox.put(Message("t", bytes(40), 0.0))
    assert (len(inbox), inbox.dropped) == (2, 3)
    inbox.take(1, 0)
    inbox.put(Message("t", bytes(40), 0.0))
    assert (len(inbox), inbox.dropped) == (2, 3)


def test_taking_waits_for_a_message_and_closing_ends_the_wait() -> None:
    inbox = Inbox()
    threading.Timer(0.05, inbox.put, [Message("t", b"x", 0.0)]).start()
    assert [m.payload for m in inbox.take(1, 10)] == [b"x"]
    threading.Timer(0.05, inbox.close).start()
    before = time.monotonic()
    assert inbox.take(1, 60) == []
    assert time.monotonic() - before < 30


def write(inbox: Inbox, name: str) -> None:
    for k in range(500):
        inbox.put(Message(name, b"%d" % k, 0.0))


def test_many_writers_lose_nothing() -> None:
    inbox = Inbox()
    names = ["a", "b", "c", "d"]
    for name in names:
        threading.Thread(target=write, args=(inbox, name)).start()
    taken: list[Message] = []
    while len(taken) < 2000:
        taken += inbox.take(64, 5)
    for name in names:
        assert [int(m.payload) for m in taken if m.topic == name] == list(range(500))
