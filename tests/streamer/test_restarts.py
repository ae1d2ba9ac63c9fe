"""A real listener, killed again and again while recordings are streamed: nothing is missing, and nothing told twice."""

from __future__ import annotations

import json
import random
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from streamer.inbox import Message
from streamer.listener import Listener, ListenerOptions
from streamer.recognition.loading import EngineOptions, load_engine
from streamer.recognition.prediction import Prediction
from tests.brokers import Mosquitto, start_mosquitto
from tests.processes import ROOT, assert_one_sentence, command, environment, listening, run
from tests.proxy import proxy
from tests.streamer.kept_listeners import Told
from tests.subscribers import Heard, subscriber

KILLS = 4
LATENCY_S = 0.05
"""Of the listener's network, each way: some of what it publishes is always on its way when it is killed."""
SUBJECTS = "2,20"


@contextmanager
def replaying(where: str) -> Iterator[subprocess.Popen[bytes]]:
    """Two subjects' recordings, forty times as fast as they were made."""
    words = command("replay", "test", "--broker", where, "--subjects", SUBJECTS, "--speed", "40", "--qos", "1")
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, cwd=ROOT, env=environment())
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def undisturbed(heard: Heard, model: str) -> dict[str, list[Prediction]]:
    """What one run tells of all that phones sent, but for what only the streams' end would add."""
    told = Told()
    listener = Listener(ListenerOptions(max_phones=100), load_engine(EngineOptions(model=model)), [told])
    sent = [Message(topic, payload, 1e9) for topic, payload in heard.messages if topic.endswith(("/imu", "/label"))]
    listener.work_again([sent])
    each: dict[str, list[Prediction]] = defaultdict(list)
    for prediction in told.predictions:
        each[prediction.phone].append(prediction)
    return each


def times(heard: Heard, phone: str, kind: str) -> list[float]:
    """Of all that was published of a phone, as often as it was."""
    return [json.loads(payload)["time"] for payload in heard.of(f"har/{phone}/{kind}")]


def in_order(payloads: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Those of one phone without what is there twice."""
    once: dict[float, dict[str, Any]] = {}
    for payload in payloads:
        before = once.setdefault(payload[key], payload)
        assert before["answer"] == payload["answer"]
        assert before["probabilities"] == pytest.approx(payload["probabilities"], abs=2e-6)
    return list(once.values())


@pytest.mark.parametrize("flags", [("--model", "window"), ("--model", "stream", "--home-assistant")])
def test_a_listener_that_is_killed_at_any_time_misses_nothing_and_tells_nothing_twice(
    flags: tuple[str, ...], mosquitto: Mosquitto, tmp_path: Path
) -> None:
    chance, lines = random.Random(len(flags)), list[dict[str, Any]]()
    with proxy(mosquitto.port) as network, subscriber(mosquitto.port) as heard, ExitStack() as replays:
        network.latency_s = LATENCY_S
        where = f"127.0.0.1:{network.port}"
        kept = ["--broker", where, "--state", tmp_path / "state", "-c", "-i", "kept", *flags]
        for k in range(KILLS):
            with listening(*kept) as listener:
                assert ("going on" in listener.greeting) == (k > 0)
                if k == 0:
                    replay = replays.enter_context(replaying(mosquitto.where))
                listener.wait_for(chance.randint(1, 60))
                listener.kill()
                lines += listener.of_type("prediction")
        with listening(*kept) as listener:
            assert replay.wait(120) == 0
            expected = undisturbed(heard, flags[1])
            listener.wait_until_quiet()
            summary = listener.stop()
            lines += listener.of_type("prediction")
        heard.wait_for_last(b"offline")
    assert len(expected) == 4
    for phone, predictions in expected.items():
        published = [json.loads(p) for p in heard.of(f"har/{phone}/activity")]
        assert [p["time"] for p in published] == [round(p.window.end_s, 6) for p in predictions]
        assert [p["answer"] for p in published] == [p.answer for p in predictions]
        assert [p["confidence"] for p in published] == pytest.approx([p.confidence for p in predictions], abs=1e-4)
        told = in_order([line for line in lines if line["phone"] == phone], "start_sample")
        assert [line["start_sample"] for line in told] == [p.window.start_sample for p in predictions]
        assert [line["label"] for line in told] == [p.window.label for p in predictions]
        assert times(heard, phone, "event") == [round(p.change.time_s, 6) for p in predictions if p.change]
        assert times(heard, phone, "transition") == [round(t.time_s, 6) for p in predictions for t in p.transitions]
    faults = ("lost_messages", "late_messages", "repeated_messages", "gaps", "dropped_messages", "malformed_messages")
    assert [summary[name] for name in faults] == [0] * len(faults)
    assert summary["messages"] == sum(topic.endswith("/imu") for topic, _ in heard.messages)
    assert summary["windows"] == sum(map(len, expected.values()))
    assert summary["state"]["unkept_messages"] == 0


@pytest.mark.parametrize("version", ["311", "5"])
def test_a_listener_whose_connection_breaks_tells_nothing_twice(version: str, tmp_path: Path) -> None:
    chance = random.Random(0)
    with ExitStack() as stack:
        broker = stack.enter_context(start_mosquitto(tmp_path, more=["max_inflight_messages 0"]))
        network = stack.enter_context(proxy(broker.port))
        network.latency_s = LATENCY_S
        heard = stack.enter_context(subscriber(broker.port))
        flags = ("--broker", f"127.0.0.1:{network.port}", "--state", tmp_path / "state", "-V", version)
        listener = stack.enter_context(listening(*flags))
        replay = stack.enter_context(replaying(broker.where))
        n_cuts = 0
        while n_cuts < KILLS and replay.poll() is None:  # each time much waits, so the stream may be over before
            listener.wait_for(min(len(listener.of_type("prediction")) + chance.randint(30, 80), 1000))
            network.cut()
            assert "lost" in listener.next_line_of_stderr()
            assert "again" in listener.next_line_of_stderr()
            n_cuts += 1
        assert n_cuts >= 2
        assert replay.wait(120) == 0
        expected = undisturbed(heard, "window")
        listener.wait_until_quiet()
        listener.stop()
        heard.wait_for_last(b"offline")
    assert len(expected) == 4
    for phone, predictions in expected.items():
        assert times(heard, phone, "activity") == [round(p.window.end_s, 6) for p in predictions]
        assert times(heard, phone, "event") == [round(p.change.time_s, 6) for p in predictions if p.change]


def test_a_state_that_cannot_be_used_is_told_once_and_another_listener_s_is_left_alone(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    arguments = ["--broker", mosquitto.where, "--state", tmp_path]
    with listening(*arguments) as listener:
        assert_one_sentence(run("streamer", "listen", *arguments), "Another listener", "--state")
        listener.stop()
    file = tmp_path / "checkpoint"
    file.write_bytes(file.read_bytes()[:-20])
    done = run("streamer", "listen", *arguments, "-W", "0.5")
    assert done.returncode == 27
    assert done.stderr.count("is not used") == 1
    assert f"{file}.unreadable" in done.stderr
    assert (tmp_path / "checkpoint.unreadable").exists()
    assert "Traceback" not in done.stderr
