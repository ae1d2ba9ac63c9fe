"""A phone that has fallen silent: what it sent last is recognised while other phones go on, or nobody sends at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest

from model.activities import ACTIVITIES
from streamer.inbox import Message
from streamer.listener import Listener, ListenerOptions
from streamer.outputs import Recent
from streamer.phone_stream import ReadyWindow
from streamer.recognition.prediction import Prediction
from streamer.recognition.window_engine import WindowEngine
from streamer.wire import encode_imu
from tests.streamer.rules import Rules
from tests.streamer.scenes import EPOCH, Clock, told_by

UPRIGHT = np.tile([1.0, 0, 0, 0, 0, 0], (25, 1))


def message(phone: str, k: int) -> Message:
    """The k-th half second."""
    return Message(f"har/{phone}/imu", encode_imu(UPRIGHT, time_s=EPOCH + k / 2, seq=k), k / 2)


@pytest.mark.parametrize("others", [True, False])
def test_what_it_sent_last_is_recognised_and_its_loss_is_counted(others: bool) -> None:
    clock = Clock()
    with told_by(clock):
        listener = Listener(ListenerOptions(max_phones=2), WindowEngine(Rules()), [Recent()])
        listener.work([message("a", k) for k in range(20) if k != 17])
        silent = listener.tally.phones["a"]
        assert (silent.counts.windows, silent.counts.lost_messages) == (5, 0)
        for k in range(20, 40):
            clock.now_s = k / 2
            listener.work([message("b", k)] if others else [])
    assert (silent.counts.windows, silent.counts.lost_messages, silent.counts.messages) == (6, 1, 19)
    assert listener.tally.totals.lost_messages == 1
    assert silent.answer in ACTIVITIES


class Counting(WindowEngine):
    """Keeps how many windows each call had."""

    def __init__(self) -> None:
        super().__init__(Rules())
        self.calls: list[int] = []

    def recognise(self, windows: Sequence[ReadyWindow], clock: Callable[[], float]) -> list[Prediction]:
        self.calls.append(len(windows))
        return super().recognise(windows, clock)


class Gathering(Counting):
    """Its calls are a tenth of a second apart."""

    def gather_s(self, n_windows: int) -> float:
        return 0.1


def test_windows_of_many_phones_wait_for_each_other_and_a_phone_alone_for_nobody() -> None:
    clock, engine = Clock(), Gathering()
    with told_by(clock):
        listener = Listener(ListenerOptions(max_phones=9), engine, [Recent()])
        for k in range(6):  # the last, at 0 s, completes a window
            clock.now_s = 0.5 * (k - 5)
            listener.work([message(phone, k) for phone in "abcd"] if k < 5 else [message("a", k)])
        assert engine.calls == [1]
        for phone, now_s in (("b", 0.02), ("c", 0.05), ("d", 0.08)):
            clock.now_s = now_s
            listener.work([message(phone, 5)])
        assert engine.calls == [1]
        clock.now_s = 0.1
        listener.work([])
        assert engine.calls == [1, 3]
        clock.now_s = 1.28
        listener.work([message("a", k) for k in (6, 7, 8)])
        assert engine.calls == [1, 3, 1]


@pytest.mark.parametrize("n_phones", [1, 8])
def test_the_next_call_comes_sooner_while_calls_are_large(n_phones: int) -> None:
    """Small calls cost more a window, large ones do not."""
    clock, engine, phones = Clock(), Counting(), "abcdefgh"[:n_phones]
    with told_by(clock):
        listener = Listener(ListenerOptions(max_phones=9), engine, [Recent()])
        for k in range(6):
            clock.now_s = 0.5 * (k - 5)
            listener.work([message(phone, k) for phone in phones])
        clock.now_s = 0.015
        listener.work([message(phone, k) for k in (6, 7, 8) for phone in phones])
        assert engine.calls == ([n_phones] if n_phones == 1 else [n_phones] * 2)
        clock.now_s = 0.025
        listener.work([])
        assert engine.calls == [n_phones] * 2


def test_what_still_waits_at_the_end_is_recognised() -> None:
    engine = Gathering()
    listener = Listener(ListenerOptions(max_phones=9), engine, [Recent()])
    listener.start()
    for phone in "abcdefgh":
        for k in range(6):
            listener.receive_many([message(phone, k)._replace(arrived_s=time.monotonic())])
    summary = listener.stop()
    assert summary["windows"] == sum(engine.calls) == 8


def test_what_a_phone_holds_back_waits_as_long_as_messages_of_its_own_wait_to_be_taken() -> None:
    """Others that had their turn first are further on in time."""
    listener, now_s = Listener(ListenerOptions(max_phones=2), WindowEngine(Rules()), [Recent()]), time.monotonic()

    def later(phone: str, numbers: Iterable[int], every_s: float) -> list[Message]:
        return [message(phone, k)._replace(arrived_s=now_s + every_s * k) for k in numbers]

    listener.inbox.put(*later("a", [0, 2, *range(3, 1000)], 0.001))
    listener.work(listener.inbox.take(2, 0))
    assert "a" in listener.inbox.behind
    listener.work(later("b", range(40), 0.5))
    assert listener.tally.totals.lost_messages == 0
    listener._work.behind = ()
    listener.work(later("b", range(40, 60), 0.5))
    assert listener.tally.totals.lost_messages > 0
