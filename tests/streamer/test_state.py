"""What a listener keeps: wherever it ends and however, the next one goes on as though nothing had been."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.activities import ACTIVITIES, TRANSITION
from model.bundled import load_recordings
from model.smoothing import FilterSettings
from streamer.inbox import Message
from streamer.publishing.outbox import Outgoing
from streamer.recognition.prediction import Engine, Prediction
from streamer.recognition.stream_engine import StreamEngine
from streamer.recognition.window_engine import WindowEngine
from streamer.state import keeper as keeping
from streamer.tally import PhoneTally, Tally
from streamer.wire import Label, encode_label
from tests.model.stateful_models import small_classifier
from tests.streamer.kept_listeners import Told, kept_listener
from tests.streamer.recorded_phones import START_S, Sent, har, phyphox, sensor_logger, sensorspot, worn


class ByMeans:
    """A classifier that needs no model: a window's probabilities are by its channels' means."""

    classes = (*ACTIVITIES, TRANSITION)
    novelty = None

    def class_probabilities(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        weights = np.exp(3 * windows.mean(axis=1)[:, :7])
        scaled: npt.NDArray[np.float32] = weights / weights.sum(axis=1, keepdims=True)
        return scaled


def engine(kind: str) -> Engine:
    if kind == "stream":
        return StreamEngine(small_classifier(), 3, "small")
    return WindowEngine(ByMeans(), FilterSettings(lag=2 if kind == "lag" else 0), "means")


@cache
def messages() -> tuple[Message, ...]:
    """All formats at once for half a minute, our own with all that goes wrong on the way, in order of arrival."""
    phone = worn(load_recordings((2,))[0], ("STANDING", "WALKING"))
    chance = random.Random(1)
    mine: list[Sent] = list(har(phone, "faulty"))
    places = range(len(mine))
    faulty = sorted((k + chance.choice((0, 0, 0, 2.5)), mine[k]) for k in places if chance.random() > 0.05)
    faulty += [(at + chance.random(), sent) for at, sent in faulty if chance.random() < 0.1]
    due = [(at / 2, *sent) for at, sent in faulty]
    for name, sent, each_s in (
        ("straight", har(phone, "straight"), 0.5),
        ("android", sensor_logger(phone, "android", ios=False), 1.0),
        ("iphone", sensor_logger(phone, "iphone", ios=True), 1.0),
        ("spot", islice(sensorspot(phone, "spot", dedicated=True), 800), 1 / 104),
        ("phyphox", phyphox(phone, "phyphox"), 0.5),
    ):
        due += [(k * each_s + len(name) / 100, topic, payload) for k, (topic, payload) in enumerate(sent)]
    due += [(12.0, "har/straight/label", encode_label(Label("WALKING", START_S + 10.0, START_S + 25.0)).decode())]
    due += [(13.0, "har/straight/imu", "{")]
    return tuple(Message(topic, payload.encode(), START_S + 0.3 + at) for at, topic, payload in sorted(due))


def by_phone(predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    each: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        each[prediction.phone].append(prediction)
    return each


def account(tally: Tally) -> dict[str, object]:
    """Everything that is counted and remembered, but for what is of the moment."""
    moment = {"rate", "traces", "time_line", "confusion", "confidence", "probabilities"}
    names = [field.name for field in fields(PhoneTally) if field.name not in moment]
    phones = {
        name: [*(getattr(phone, each) for each in names), phone.time_line.codes, phone.confusion.tolist()]
        for name, phone in tally.phones.items()
    }
    return {"phones": phones, "totals": tally.totals, "all": tally.confusion.tolist(), "fault": tally.last_fault}


@cache
def undisturbed(kind: str) -> tuple[dict[str, list[Prediction]], list[Outgoing], dict[str, object]]:
    told, published = Told(), list[Outgoing]()
    with TemporaryDirectory() as folder, kept_listener(Path(folder), engine(kind), told, published) as listener:
        for at in range(0, len(messages()), 50):
            listener.give(messages()[at : at + 50])
        listener.acknowledge()
        return by_phone(told.predictions), published, account(listener.listener.tally)


def assert_same(found: Sequence[Prediction], expected: Sequence[Prediction]) -> None:
    assert [p.window.start_sample for p in found] == [p.window.start_sample for p in expected]
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.window.values, other.window.values)
        assert (one.window.start_s, one.window.end_s) == (other.window.start_s, other.window.end_s)
        assert (one.window.label, one.window.piece) == (other.window.label, other.window.piece)
        assert (one.answer, one.change, one.reasons) == (other.answer, other.change, other.reasons)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


@pytest.mark.parametrize("kind", ["window", "lag", "stream"])
@settings(max_examples=5)
@given(
    cuts=st.lists(st.tuples(st.integers(0, 1200), st.booleans(), st.integers(0, 200)), min_size=1, max_size=3),
    every_s=st.sampled_from([0.0, 1e9]),
)
def test_however_often_it_ends_and_begins_again_all_is_told_once_and_as_without(
    kind: str, cuts: list[tuple[int, bool, int]], every_s: float
) -> None:
    told, published = Told(), list[Outgoing]()
    ends = sorted((min(at, len(messages())), crash, taken) for at, crash, taken in cuts)
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "EVERY_S", every_s)
        patch.setattr(keeping, "SHARE", float("inf"))
        begin = 0
        for number, (end, crash, taken) in enumerate([*ends, (len(messages()), False, 10**6)]):
            with kept_listener(Path(name), engine(kind), told, published) as listener:
                assert listener.goes_on == (number > 0)
                for at in range(begin, end, 100):
                    listener.give(messages()[at : min(at + 100, end)])
                    listener.acknowledge(taken)
                listener.acknowledge(taken)
                tally = account(listener.listener.tally)
                if crash:
                    listener.crash()
                else:
                    listener.stop()
            begin = end
    expected, published_before, tally_before = undisturbed(kind)
    found = by_phone(told.predictions)
    assert found.keys() == expected.keys()
    for phone, predictions in expected.items():
        assert_same(found[phone], predictions)
    for phone in expected:
        mine = [(m.number, m.topic) for m in published if m.phone == phone]
        assert mine == [(m.number, m.topic) for m in published_before if m.phone == phone]
    assert tally == tally_before
