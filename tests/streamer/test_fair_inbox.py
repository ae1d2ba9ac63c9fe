"""The listener's queue: nobody's flood is another's delay, and what goes when too much comes is counted."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.admission.fair_inbox import FairInbox
from streamer.admission.rates import Rates
from streamer.formats.detect import phone_of
from streamer.inbox import Message
from streamer.limits import BATCH, BATCH_BYTES, LIMITS


def message(phone: str, number: int = 0, size: int = 4, arrived_s: float | None = None) -> Message:
    at_s = time.monotonic() if arrived_s is None else arrived_s
    return Message(f"har/{phone}/imu", number.to_bytes(4, "big") + bytes(size - 4), at_s)


def numbers(messages: list[Message], phone: str) -> list[int]:
    return [int.from_bytes(m.payload[:4], "big") for m in messages if m.topic == f"har/{phone}/imu"]


def drain(inbox: FairInbox, most: int = BATCH) -> list[Message]:
    taken: list[Message] = []
    while len(inbox):
        taken += inbox.take(most, 0)
    return taken


puts = st.tuples(st.just("put"), st.lists(st.sampled_from("abc"), min_size=1, max_size=9))
takes = st.tuples(st.just("take"), st.integers(1, 6))


@given(st.lists(puts | takes, max_size=40))
def test_a_phone_s_messages_stay_in_order_and_what_is_handled_is_a_beginning(
    steps: list[tuple[str, object]],
) -> None:
    inbox, put, taken, sent = FairInbox(), [], [], defaultdict(int)  # type: ignore[var-annotated]
    for kind, what in [*steps, ("take", 1000)]:
        if kind == "put":
            batch = []
            for phone in what:  # type: ignore[attr-defined]
                batch.append(message(phone, sent[phone]))
                sent[phone] += 1
            put += batch
            inbox.put(*batch)
        else:
            taken += inbox.take(what, 0)  # type: ignore[arg-type]
            inbox.settle()
        assert inbox.accepted == len(put)
        assert len(inbox) == len(put) - len(taken)
        assert {id(m) for m in put[: inbox.handled]} <= {id(m) for m in taken}
    assert inbox.handled == len(put)
    for phone in "abc":
        assert numbers(taken, phone) == list(range(sent[phone]))


@pytest.mark.parametrize("size", [4, 1 << 20])
def test_a_flood_delays_another_phone_by_one_batch_at_most(size: int) -> None:
    inbox = FairInbox()
    inbox.put(*[message("flood", k, size) for k in range((64 << 20) // size if size > 4 else 20_000)])
    inbox.take(BATCH, 0)
    waits = len(inbox)
    inbox.put(message("quiet"))
    taken = inbox.take(BATCH, 0)
    assert numbers(taken, "quiet") == [0]
    assert sum(len(m.payload) for m in taken) <= BATCH_BYTES + size
    assert "quiet" not in inbox.behind
    assert "flood" in inbox.behind
    assert len(inbox) == waits + 1 - len(taken)


def test_phones_that_are_behind_share_evenly() -> None:
    inbox = FairInbox()
    inbox.put(*[message("busy", k) for k in range(3000)], *[message("less", k) for k in range(600)])
    taken = inbox.take(BATCH, 0)
    assert abs(len(numbers(taken, "busy")) - len(numbers(taken, "less"))) <= 16


def test_when_it_is_full_the_oldest_of_the_busiest_go() -> None:
    inbox = FairInbox(replace(LIMITS, inbox_bytes=100_000))
    inbox.put(*[message("quiet", k, 100) for k in range(50)])
    for k in range(200):
        inbox.put(message("flood", k, 1000))
        assert sum(len(m.payload) for m in inbox._messages) + inbox._backlog.bytes <= 100_000
    taken = drain(inbox)
    assert numbers(taken, "quiet") == list(range(50))
    assert numbers(taken, "flood") == list(range(200 - len(numbers(taken, "flood")), 200))
    assert len(numbers(taken, "flood")) >= 80
    assert inbox.losses.crowded_messages == inbox.dropped == 250 - len(taken)


def test_messages_of_hardly_any_bytes_are_bounded_too() -> None:
    inbox = FairInbox(replace(LIMITS, inbox_messages=1000))
    inbox.put(*[message("quiet", k) for k in range(100)])
    for k in range(0, 3000, 10):
        inbox.put(*[message("flood", n) for n in range(k, k + 10)])
        assert len(inbox) <= 1000
    taken = drain(inbox)
    assert numbers(taken, "quiet") == list(range(100))
    assert numbers(taken, "flood") == list(range(3100 - len(taken), 3000))
    assert inbox.losses.crowded_messages == 3100 - len(taken)


def test_what_has_waited_for_too_long_goes_and_nothing_else() -> None:
    inbox, now_s = FairInbox(), time.monotonic()
    inbox.put(*[message("flood", k, arrived_s=now_s - LIMITS.max_wait_s - 1) for k in range(BATCH + 100)])
    inbox.put(*[message("flood", k, arrived_s=now_s - 60) for k in range(BATCH + 100, BATCH + 200)])
    assert numbers(drain(inbox), "flood") == list(range(BATCH + 100, BATCH + 200))
    assert inbox.losses.outdated_messages == inbox.dropped == BATCH + 100


def test_where_messages_are_kept_elsewhere_whoever_puts_waits_and_nothing_goes() -> None:
    inbox = FairInbox(replace(LIMITS, inbox_bytes=10_000, max_wait_s=0.0))
    inbox.keeps_all = True

    def write() -> None:
        for k in range(100):
            inbox.put(message("a", k, 1000))

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    taken: list[Message] = []
    deadline = time.monotonic() + 60
    while len(taken) < 100 and time.monotonic() < deadline:
        taken += inbox.take(3, 5)
        assert sum(len(m.payload) for m in inbox._messages) + inbox._backlog.bytes <= 10_000
    assert numbers(taken, "a") == list(range(100))
    assert inbox.dropped == 0
    writer.join(5)


def test_who_waits_for_room_does_not_wait_for_ever_when_it_is_closed() -> None:
    inbox = FairInbox(replace(LIMITS, inbox_bytes=10))
    inbox.keeps_all = True
    inbox.put(message("a", 0, 10))
    writer = threading.Thread(target=inbox.put, args=[message("a", 1, 10)], daemon=True)
    writer.start()
    inbox.close()
    writer.join(5)
    assert not writer.is_alive()
    assert len(inbox) == 2


SLOW = replace(LIMITS, messages_per_s=10, messages_at_once=50)


def app(device: str, arrived_s: float) -> Message:
    return Message("sensor-logger", b'{"messageId":0,"deviceId":"%s","payload":[]}' % device.encode(), arrived_s)


@pytest.mark.parametrize("is_app", [False, True])
def test_what_a_phone_sends_too_fast_is_refused_and_all_else_is_let_in(is_app: bool) -> None:
    """Also of a phone that shares its topic with others."""
    told: list[str] = []
    rates, admitted = Rates(SLOW, phone_of, told.append), defaultdict[str, int](int)
    for k in range(3000):  # 100 a second of one, 5 of the other
        at_s = k / 100
        both = [app("flood", at_s) if is_app else message("flood", k, arrived_s=at_s)]
        if k % 20 == 0:
            both.append(app("quiet", at_s) if is_app else message("quiet", k, arrived_s=at_s))
        for each in rates.admit(both):
            admitted[phone_of(each.topic, each.payload)] += 1
    assert admitted["quiet"] == 150
    assert 300 <= admitted["flood"] <= 50 + 300 + 110  # the first second is not watched yet
    assert told == ["flood"]
    assert rates.flooding == {"flood"}
    assert len(rates.admit([message("flood", arrived_s=1000.0)] * 40)) == 40
    assert not rates.flooding


def test_a_backlog_that_comes_at_once_is_let_in() -> None:
    rates = Rates(SLOW, phone_of)
    sent = [[message("a", k, arrived_s=100 + k / 40) for k in range(n, n + 20)] for n in range(0, 60, 20)]
    assert [list(rates.admit(batch)) for batch in sent] == sent


def test_a_flood_is_counted_and_told_by_the_inbox(caplog: pytest.LogCaptureFixture) -> None:
    inbox = FairInbox(replace(LIMITS, messages_per_s=10, messages_at_once=20))
    for at_s in range(100, 105):
        inbox.put(*[message("\x1b[31m", k, arrived_s=at_s) for k in range(100)])
    assert inbox.losses.flood_messages == 500 - inbox.accepted
    assert inbox.accepted < 180
    (record,) = caplog.records
    assert "more than 10 messages a second" in record.getMessage()
    assert "\x1b" not in record.getMessage()


def test_many_connections_lose_nothing() -> None:
    """A cluster's partitions each have a thread of their own."""
    inbox, now_s = FairInbox(replace(LIMITS, messages_per_s=100, messages_at_once=1e9)), time.monotonic()
    phones = [f"p{k}" for k in range(4)]

    def write(phone: str) -> None:
        for k in range(100):
            inbox.put(message(phone, k, arrived_s=now_s + k / 50))

    writers = [threading.Thread(target=write, args=[phone]) for phone in phones]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    taken = drain(inbox)
    for phone in phones:
        assert numbers(taken, phone) == list(range(100))
