"""Several processes recognise what one would, count what it would count, and end when one of them ends."""

import os
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bundled import load_recording
from model.changes import ActivityChange
from model.errors import HarError
from model.stateful.transitions import PosturalTransition
from streamer.formats.detect import phone_of
from streamer.inbox import Message
from streamer.listener import Listener, ListenerOptions
from streamer.mount.book import MountOptions
from streamer.outputs import Notice
from streamer.recognition.loading import EngineOptions, load_engine
from streamer.recognition.prediction import Prediction
from streamer.wire import Label, encode_imu, encode_label
from streamer.workers.pool import Pool, worker_of
from streamer.workers.process import WorkerOptions

PHONES = [f"s{number:02d}" for number in range(6)]


class Kept:
    """An output that keeps what it is given."""

    def __init__(self) -> None:
        self.predictions: dict[str, list[Prediction]] = defaultdict(list)
        self.changes: dict[str, list[ActivityChange]] = defaultdict(list)
        self.notices: list[Notice] = []

    def prediction(self, prediction: Prediction) -> None:
        self.predictions[prediction.phone].append(prediction)

    def change(self, phone: str, change: ActivityChange) -> None:
        self.changes[phone].append(change)

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        raise AssertionError("the window model tells none")

    def warning(self, warning: Notice) -> None:
        self.notices.append(warning)

    def finish(self, summary: dict[str, object]) -> None:
        pass


def messages() -> Iterator[tuple[str, bytes]]:
    """Half a minute of six phones, with labels, a gap, a repeat, and what nobody can use."""
    recordings = [load_recording(1 + number).samples[2000:5000] for number in range(len(PHONES))]
    for seq in range(60):
        for number, phone in enumerate(PHONES):
            payload = encode_imu(
                recordings[number][25 * seq : 25 * seq + 25], time_s=1e9 + seq / 2, seq=seq, start=seq == 0
            )
            if seq == 0:
                yield f"har/{phone}/label", encode_label(Label("STANDING", 1e9, 1e9 + 30))
            if not (number == 4 and 20 <= seq < 30):
                yield f"har/{phone}/imu", payload
            if number == 5 and seq == 7:
                yield f"har/{phone}/imu", payload
        yield "har/s01/imu", b"{}"
        yield "elsewhere", b"hello"


def workers() -> WorkerOptions:
    return WorkerOptions(EngineOptions(), "auto", MountOptions(), max_phones=100)


def test_two_processes_tell_what_one_tells() -> None:
    alone, together = Kept(), Kept()
    limits = ListenerOptions(max_phones=100)
    listener = Listener(limits, load_engine(EngineOptions()), [alone])
    pool = Pool(limits, workers(), 2, "window", [together])
    summaries = []
    for each in (listener, pool):
        each.start()
        for topic, payload in messages():
            each.receive_many([Message(topic, payload, time.monotonic())])
        summaries.append(each.stop())
        assert each.failure is None
        each.finish(summaries[-1])
    assert set(together.predictions) == set(PHONES)
    for phone in PHONES:
        assert len(together.predictions[phone]) == len(alone.predictions[phone]) >= 16
        for ours, theirs in zip(together.predictions[phone], alone.predictions[phone], strict=True):
            assert ours.window.start_sample == theirs.window.start_sample
            assert (ours.answer, ours.window.label, ours.reasons) == (
                theirs.answer,
                theirs.window.label,
                theirs.reasons,
            )
            np.testing.assert_array_equal(ours.window.values, theirs.window.values)
            np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=1e-5)
    assert together.changes == alone.changes
    assert Counter(together.notices) == Counter(alone.notices)
    for summary in summaries:
        assert summary.pop("latency_ms")["p50"] is not None
    assert summaries[0] == summaries[1]
    assert summaries[0]["malformed_messages"] == summaries[0]["ignored_messages"] == 60
    assert summaries[0]["gaps"] == 1
    assert pool.arrivals().keys() == listener.arrivals().keys()


def test_a_worker_that_is_killed_ends_the_whole_with_a_reason() -> None:
    pool = Pool(ListenerOptions(max_phones=9), workers(), 1, "window", [Kept()])
    pool.start()
    victim = pool.processes[0]
    assert victim.pid
    os.kill(victim.pid, signal.SIGKILL)
    assert pool.done.wait(10)
    with pytest.raises(HarError, match=r"worker 1 of 1 has ended \(status -9\); start again"):
        raise pool.failure or AssertionError
    pool.receive_many([Message("har/a/imu", b"{}", time.monotonic())])
    began_s = time.monotonic()
    pool.stop()
    assert time.monotonic() - began_s < 10


@given(
    phone=st.text("abcXYZ019_.-", min_size=1, max_size=12), n=st.integers(1, 9), kind=st.sampled_from(["imu", "label"])
)
def test_all_of_a_phones_messages_are_one_workers(phone: str, n: int, kind: str) -> None:
    assert phone_of(f"har/{phone}/{kind}", b"anything") == phone
    assert 0 <= worker_of(phone, n) == worker_of(phone, n) < n


def test_an_app_s_phone_is_with_its_labels() -> None:
    logger = b'{"messageId": 1, "deviceId": "ann", "payload": []}'
    assert phone_of("sensor-logger", logger) == phone_of("har/ann/label", b"{}")
    assert phone_of("sensor-logger", b"\xff{") == "sensor-logger"


def test_phones_are_shared_out_evenly() -> None:
    counts = Counter(worker_of(f"phone-{number}", 4) for number in range(4000))
    assert min(counts.values()) > 900
