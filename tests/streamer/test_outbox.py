"""What waits to be published: in order, bounded, and fair to phones."""

from __future__ import annotations

import itertools
import threading

from hypothesis import given
from hypothesis import strategies as st

from streamer.publishing.outbox import Outbox, Outgoing
from streamer.publishing.pump import Pump


def each(phone: str, number: int) -> Outgoing:
    return Outgoing(f"har/{phone}/activity", str(number).encode(), phone=phone)


def latest(phone: str, number: int) -> Outgoing:
    return Outgoing(f"har/{phone}/availability", str(number).encode(), phone=phone, is_latest=True)


def drain(outbox: Outbox) -> list[Outgoing]:
    return list(itertools.chain.from_iterable(iter(lambda: outbox.take(7), [])))


messages = st.lists(st.tuples(st.sampled_from([each, latest]), st.sampled_from("abc")), max_size=40)


@given(messages)
def test_order_is_kept_and_of_the_latest_only_the_last(kinds: list[tuple[object, str]]) -> None:
    put = [make(phone, k) for k, (make, phone) in enumerate(kinds)]  # type: ignore[operator]
    outbox = Outbox()
    outbox.put(*put)
    expected = [m for k, m in enumerate(put) if not m.is_latest or m.topic not in {x.topic for x in put[k + 1 :]}]
    assert len(outbox) == len(expected)
    assert drain(outbox) == expected
    assert (len(outbox), outbox.dropped) == (0, 0)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(8, 40))
def test_it_is_bounded_and_the_busiest_phones_lose_their_oldest(sizes: list[int], most: int) -> None:
    outbox = Outbox(most=most)
    put = [each(str(phone), k) for k in range(max(sizes)) for phone, size in enumerate(sizes) if k < size]
    for message in put:
        outbox.put(message)
        assert len(outbox) <= most
    left = drain(outbox)
    assert len(left) + outbox.dropped == len(put)
    for phone in map(str, range(len(sizes))):
        mine = [m for m in put if m.phone == phone]
        kept = [m for m in left if m.phone == phone]
        assert kept == mine[len(mine) - len(kept) :]
        assert kept


def test_a_flood_of_one_phone_drops_nothing_of_the_others() -> None:
    outbox = Outbox(most=100)
    quiet = [each("quiet", k) for k in range(10)]
    outbox.put(*quiet)
    outbox.put(*(each("flood", k) for k in range(1000)))
    left = drain(outbox)
    assert [m for m in left if m.phone == "quiet"] == quiet
    assert left[-1] == each("flood", 999)
    assert outbox.dropped == 1010 - len(left) >= 910


def test_what_matters_only_at_last_is_never_dropped() -> None:
    outbox = Outbox(most=10)
    outbox.put(*(latest(str(k), k) for k in range(100)), *(each("a", k) for k in range(50)))
    assert len([m for m in drain(outbox) if m.is_latest]) == 100


def test_who_takes_is_woken_by_the_first_only() -> None:
    woken: list[int] = []
    outbox = Outbox(on_first=lambda: woken.append(1))
    outbox.put(each("a", 0), each("a", 1))
    outbox.put(each("a", 2))
    assert woken == [1]
    drain(outbox)
    outbox.put()
    outbox.put(latest("a", 3))
    assert woken == [1, 1]


def test_threads_lose_nothing() -> None:
    outbox = Outbox()
    taken: list[Outgoing] = []

    def fill(phone: str) -> None:
        for k in range(500):
            outbox.put(each(phone, k))

    threads = [threading.Thread(target=fill, args=(phone,)) for phone in "abcd"]
    for thread in threads:
        thread.start()
    while len(taken) < 2000:
        taken += outbox.take(3)
    for phone in "abcd":
        assert [m for m in taken if m.phone == phone] == [each(phone, k) for k in range(500)]


def numbered_pump(outbox: Outbox, window: int) -> Pump:
    numbers = itertools.count(1)
    pump = Pump(
        outbox, lambda message, number: b"%d:%b" % (number, message.payload), lambda p: p + b"!", lambda: next(numbers)
    )
    pump.window = window
    return pump


def test_the_pump_keeps_few_under_way_and_counts_what_the_broker_says() -> None:
    outbox = Outbox()
    pump = numbered_pump(outbox, window=3)
    outbox.put(*(each("a", k) for k in range(5)))
    assert pump.take() == [b"1:0", b"2:1", b"3:2"]
    assert (pump.take(), pump.waiting, pump.is_blocked) == ([], 5, True)
    pump.acknowledge(2, refused=False)
    pump.acknowledge(2, refused=False)
    pump.acknowledge(1, refused=True)
    assert pump.take() == [b"4:3", b"5:4"]
    assert (pump.waiting, pump.published, pump.refused, pump.is_blocked) == (3, 1, 1, False)


@given(st.lists(st.sampled_from(["send", "acknowledge", "reconnect"]), max_size=40), st.integers(1, 4))
def test_whatever_happens_to_connections_the_broker_has_all_in_order(events: list[str], window: int) -> None:
    """Each connection is told first what an earlier one did not acknowledge; once all is, all has been said."""
    outbox = Outbox()
    pump = numbered_pump(outbox, window)
    wanted = [b"%d:%d" % (k + 1, k) for k in range(10)]
    outbox.put(*(each("a", k) for k in range(10)))
    taken: list[bytes] = []
    sent: list[bytes] = []
    for event in [*events, *("send", "acknowledge") * 10]:
        if event == "send":
            sent += pump.take()
        elif event == "acknowledge" and sent:
            taken.append(sent.pop(0).rstrip(b"!"))
            pump.acknowledge(int(taken[-1].split(b":")[0]), refused=False)
        elif event == "reconnect":
            pump.restart(window)
            sent = []
        assert len(sent) <= window
    assert taken == wanted
    assert (pump.waiting, pump.ids, pump.published) == (0, set(), 10)


def test_on_a_new_connection_what_is_pushed_comes_before_what_was_under_way() -> None:
    outbox = Outbox()
    pump = numbered_pump(outbox, window=2)
    outbox.put(*(each("a", k) for k in range(3)))
    pump.take()
    pump.restart(window=3)
    pump.push(each("b", 9))
    assert pump.take() == [b"3:9", b"1:0!", b"2:1!"]
    pump.acknowledge(1, refused=False)
    assert pump.take() == [b"4:2"]
    assert pump.ids == {2, 3, 4}


def test_while_it_is_held_only_what_is_pushed_is_sent_and_what_was_taken_meanwhile_never() -> None:
    outbox = Outbox()
    pump = numbered_pump(outbox, window=2)
    outbox.put(*(each("a", k)._replace(number=k) for k in range(1, 6)), latest("a", 6), each("b", 1)._replace(number=1))
    assert pump.take() == [b"1:1", b"2:2"]
    pump.restart(window=4)
    pump.is_held = True
    pump.push(each("", 8))
    pump.push(each("", 9))
    assert pump.take() == [b"4:9", b"3:8"]
    assert pump.take() == []
    pump.acknowledge(4, refused=False)
    pump.release(lambda phone, number: phone == "a" and number in (1, 3))
    assert pump.take() == [b"2:2!", b"5:4", b"6:5"]
    assert (pump.waiting, pump.published, pump.ids) == (6, 2, {2, 3, 5, 6})
    for packet_id in (2, 3, 5, 6):
        pump.acknowledge(packet_id, refused=False)
    assert pump.take() == [b"7:6", b"8:1"]


def test_what_was_pushed_on_a_connection_before_is_held_as_the_rest() -> None:
    pump = numbered_pump(Outbox(), window=4)
    pump.push(each("", 1))
    pump.restart(window=4)
    pump.is_held = True
    pump.push(each("", 2))
    assert pump.take() == [b"2:2"]
    pump.release(lambda _phone, _number: False)
    assert pump.take() == [b"1:1"]
