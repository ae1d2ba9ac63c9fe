"""Phones that come and go: who makes room, who is refused, who is forgotten, and that nothing of them stays."""

from __future__ import annotations

import contextlib
import gc
import tracemalloc
from collections import Counter
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from model.stateful.classifier import StreamClassifier
from streamer.formats.har import as_message
from streamer.inbox import Message
from streamer.limits import LIMITS, MAX_STRANGERS, Limits
from streamer.listener import Listener, ListenerOptions
from streamer.mount.watch import MountWatch
from streamer.outputs import Recent
from streamer.recognition.prediction import Engine, Prediction
from streamer.recognition.recognizer import Recognizer
from streamer.recognition.stream_engine import StreamEngine
from streamer.recognition.window_engine import WindowEngine
from streamer.tally import Tally
from streamer.wire import Label, Samples, WireError, encode_imu, encode_label
from tests.streamer.rules import Rules
from tests.streamer.scenes import EPOCH, Clock, told_by

N = 300
"""Samples in a message, more than two windows'."""

UPRIGHT = np.tile([1.0, 0, 0, 0, 0, 0], (N, 1)) + np.linspace(0, 0.01, 6 * N).reshape(N, 6)


def message(phone: str, at_s: float, seq: int = 0) -> Message:
    return Message(f"har/{phone}/imu", encode_imu(UPRIGHT, time_s=EPOCH + at_s, seq=seq), at_s)


def listener(max_phones: int, limits: Limits = LIMITS, engine: Engine | None = None) -> Listener:
    options = ListenerOptions(max_phones=max_phones, limits=limits)
    return Listener(options, engine or WindowEngine(Rules()), [Recent()])


def engine_of(kind: str) -> Engine:
    return WindowEngine(Rules()) if kind == "window" else StreamEngine(StreamClassifier.load())


def phones(listening: Listener) -> list[str]:
    followed = [report.phone for report in listening.recognizer.reports()]
    assert sorted(followed) == sorted(listening.tally.phones)
    return followed


def test_the_phone_that_has_been_silent_longest_makes_room_and_else_the_newcomer_is_refused() -> None:
    listening = listener(3)
    for at_s, phone in enumerate("abc"):
        listening.work([message(phone, at_s)])
    listening.work([message("a", 10, 1), message("d", 20)])
    assert phones(listening) == ["a", "b", "c"]
    assert listening.tally.totals.no_room_messages == 1
    assert listening.tally.totals.malformed_messages == 0
    listening.work([message("d", 61.5)])  # b has been silent for 60.5 s, c for 59.5
    assert phones(listening) == ["a", "c", "d"]
    listening.work([message("e", 61.6)])
    assert phones(listening) == ["a", "c", "d"]
    listening.work([message("e", 63), message("b", 100)])
    assert phones(listening) == ["d", "e", "b"]
    totals = listening.tally.totals
    assert (totals.evicted_phones, totals.no_room_messages, totals.messages) == (3, 2, 7)
    assert listening.tally.summary()["phones"] == 3


def test_however_many_newcomers_ask_they_take_the_place_of_the_idle_alone() -> None:
    listening = listener(100)
    listening.work([message(f"old{k}", k / 10) for k in range(100)])
    listening.work([message(f"old{k}", 65, 1) for k in range(50)])
    listening.work([message(f"new{k}", 70) for k in range(200)])
    assert Counter(phone[:3] for phone in phones(listening)) == {"old": 50, "new": 50}
    assert listening.tally.totals.no_room_messages == 150


def test_a_phone_that_is_silent_for_very_long_is_forgotten_and_begins_anew_when_it_comes_back() -> None:
    clock = Clock()
    with told_by(clock):
        listening = listener(9)
        listening.work([message("a", 0), message("b", 0)])
        listening.work([message("b", 3500, 1)])
        assert phones(listening) == ["a", "b"]
        clock.now_s = 3601 + LIMITS.forget_s / 60
        listening.work([])
        assert phones(listening) == ["b"]
        assert listening.tally.totals.forgotten_phones == 1
        before = listening.tally.totals.windows
        listening.work([message("a", 4000)])
        clock.now_s += 1
        listening.work([])
    assert listening.tally.phones["a"].counts.windows == listening.tally.totals.windows - before == 3
    assert listening.tally.totals.gaps == 1  # b's


def test_windows_of_a_phone_that_has_gone_are_not_recognised() -> None:
    """Nor do they bring it back."""
    with told_by(Clock()):
        listening = listener(1)
        listening._work._mounts._watches["a"] = MountWatch()
        listening._take([message("a", 0), message("b", 100)])
        listening.work([])
    assert phones(listening) == ["b"]
    assert not listening._work._mounts._watches
    assert listening.tally.totals.windows == 3


@pytest.mark.parametrize("kind", ["window", "stream"])
def test_what_is_said_of_those_that_stay_does_not_depend_on_those_that_went(kind: str) -> None:
    def said(company: int) -> dict[str, list[Prediction]]:
        recognizer, predictions, went = Recognizer(engine_of(kind), max_phones=40), [], 0
        for step in range(30):
            for phone in (*[f"{step}-{k}" for k in range(company)], "a", "b"):
                values = UPRIGHT * (1 + (ord(phone) / 1000 if phone in "ab" else 0.0))
                samples = Samples(values, EPOCH + step * N / 50 + np.arange(N) / 50, step)
                with contextlib.suppress(WireError):
                    recognizer.push(as_message(phone, samples), step * N / 50)
            for phone, _ in recognizer.gone():
                recognizer._engine.forget(phone)
                went += 1
            predictions += recognizer.classify(lambda: 0.0)
        assert went == bool(company) * 76
        return {phone: [p for p in predictions if p.phone == phone] for phone in "ab"}

    alone, among_others = said(0), said(10)
    for phone in "ab":
        assert len(alone[phone]) == len(among_others[phone]) > 100
        for mine, other in zip(alone[phone], among_others[phone], strict=True):
            assert mine.window.start_sample == other.window.start_sample
            np.testing.assert_allclose(mine.probabilities, other.probabilities, atol=1e-5)


def living() -> Counter[str]:
    gc.collect()
    names = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    return Counter(name for name in names if name.startswith(("streamer.", "model.")))


@pytest.mark.parametrize("kind", ["window", "stream"])
def test_nothing_stays_of_phones_that_sent_one_message(kind: str) -> None:
    clock = Clock()
    payload = encode_imu(UPRIGHT[:150], time_s=EPOCH)
    without_gyroscope = msgspec.json.encode({"t": EPOCH, "rate": 50, "acc": UPRIGHT[:, :3].tolist()})
    engine = engine_of(kind)

    def wave(name: str, count: int) -> None:
        for k in range(0, count, 100):
            some = [f"{name}{number}" for number in range(k, k + 100)]
            for each in (payload, b"{"):
                clock.now_s += 1
                listening.work([Message(f"har/{phone}/imu", each, clock.now_s) for phone in some])
            listening.work([Message(f"har/{phone}-faulty/imu", without_gyroscope, clock.now_s) for phone in some[::10]])
        assert len(listening.tally.phones) >= count
        clock.now_s += 2 * LIMITS.forget_s
        listening.work([])

    with told_by(clock):
        listening = listener(10_000, engine=engine)
        wave("first", 100)
        assert listening.tally.totals.windows >= 100
        before, n_before = living(), len(gc.get_objects())
        tracemalloc.start()
        start, _ = tracemalloc.get_traced_memory()
        wave("later", 600)
        after, n_after = living(), len(gc.get_objects())
        left, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert listening.tally.totals.forgotten_phones == 770
    assert {name: n for name, n in (after - before).items() if n > 5} == {}
    assert n_after - n_before < 300
    assert peak - start > 6e6
    assert left - start < 8e5, f"{(left - start) / 600:.0f} bytes a phone"


def test_strangers_take_nobody_s_place() -> None:
    listening = listener(200)
    listening.work([Message(f"har/stranger{k}/imu", b"{", 0.0) for k in range(5000)])
    assert len(listening.tally.phones) == MAX_STRANGERS
    listening.work([message(f"p{k}", 0) for k in range(200)])
    assert len(listening.recognizer.reports()) == 200
    assert {f"p{k}" for k in range(200)} == listening.tally.phones.keys()
    assert listening.tally.totals.malformed_messages == listening.tally.totals.undecodable_messages == 5000


def test_lines_about_one_phone_are_bounded() -> None:
    tally = Tally(max_phones=2)
    tally.fault("a", "x")
    told = [tally.may_tell("a", k / 100, 50) for k in range(1000)]
    assert sum(told) == 50 + 10
    assert tally.totals.untold_notices == 1000 - sum(told)
    assert tally.may_tell("b", 10.0, 50)
    assert tally.may_tell(None, 10.0, 50)


def test_samples_that_come_faster_than_any_sensor_gives_them_are_refused() -> None:
    limits = replace(LIMITS, samples_per_s=1000, samples_at_once=2000)
    recognizer = Recognizer(WindowEngine(Rules()), max_phones=2, limits=limits)
    taken: Counter[str] = Counter()
    for k in range(100):  # 3000 a second of one, 600 of the other
        for phone in ("flood", "quiet") if k % 5 == 0 else ("flood",):
            samples = Samples(UPRIGHT, k * N / 50 + np.arange(N) / 50, k if phone == "flood" else k // 5)
            try:
                recognizer.push(as_message(phone, samples), k / 10)
            except WireError as error:
                assert error.kind == "too_fast_messages"
                continue
            taken[phone] += N
    assert taken["quiet"] == 20 * N
    assert 2000 + 9900 - N <= taken["flood"] <= 2000 + 9900


def test_what_was_recorded_is_taken_however_fast_it_comes() -> None:
    recorded = [message("a", 0.0, seq)._replace(arrived_s=1e9) for seq in range(3)]
    listening = listener(1, replace(LIMITS, samples_at_once=N))
    summary = listening.recognise([*recorded, Message("har/a/label", encode_label(Label(None, 0, 1)), 2e9)])
    assert summary["messages"] == 3
    assert summary["too_fast_messages"] == summary["forgotten_phones"] == 0
