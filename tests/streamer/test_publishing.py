"""Predictions out of a real listener, through a real Mosquitto, to real consumers."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from model.bundled import load_recordings
from model.decision import ANSWERS
from model.windows import cut
from tests.brokers import USER, Mosquitto, free_port, start_mosquitto
from tests.processes import TIMEOUT_S, Listening, assert_one_sentence, run
from tests.subscribers import Heard, subscriber

PHONES = ("s20-e40", "s20-e41")

OWN = "har/+/activity/#", "har/+/event", "har/+/availability", "har/bridge/status"


@pytest.fixture
def listener(mosquitto: Mosquitto) -> Iterator[Listening]:
    started = Listening("--broker", mosquitto.where, "--offline-after", 2, "--home-assistant")
    assert started.greeting.startswith("Listening to "), started.greeting
    yield started
    started.kill()


def replay(where: str, *arguments: object) -> None:
    done = run("replay", "test", "--broker", where, "--speed", "max", "--subjects", "20", *arguments)
    assert done.returncode == 0, done.stderr


def kept(where: str, *patterns: str) -> dict[str, str]:
    """What mosquitto_sub, subscribing now, is given at once."""
    tool = shutil.which("mosquitto_sub")
    if tool is None:
        pytest.skip("mosquitto_sub is not installed")
    topics = [x for pattern in patterns for x in ("-t", pattern)]
    command = [tool, "-p", where.split(":")[1], *topics, "--retained-only", "-W", "1", "-F", "%t %p"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def wait_for_availability(where: str, payload: str) -> None:
    wanted = {f"har/{phone}/availability": payload for phone in PHONES}
    wait_until(lambda: kept(where, "har/+/availability") == wanted, f"not all {payload}")


def states(heard: Heard, phone: str) -> list[dict[str, Any]]:
    return [json.loads(payload) for payload in heard.of(f"har/{phone}/activity")]


def n_windows() -> int:
    return sum(len(cut(r.signals())) for r in load_recordings((20,)))


def test_a_consumer_hears_every_prediction_and_event_once_and_in_order(
    mosquitto: Mosquitto, listener: Listening
) -> None:
    with subscriber(mosquitto.port, "har/#") as heard:
        replay(mosquitto.where)
        listener.wait_for(n_windows() - len(PHONES))
        listener.wait_until_quiet()
        summary = listener.stop()
        wait_until(lambda: heard.of("har/bridge/status")[-1:] == [b"offline"], "the listener did not say that it ends")
    for phone in PHONES:
        lines = [line for line in listener.of_type("prediction") if line["phone"] == phone]
        told = states(heard, phone)
        assert [(s["time"], s["answer"], s["confidence"]) for s in told] == [
            (line["end_s"], line["answer"], line["confidence"]) for line in lines
        ]
        assert all(s["since"] <= s["time"] and s["answer"] in ANSWERS for s in told)
        events = [json.loads(payload) for payload in heard.of(f"har/{phone}/event")]
        expected = [line for line in listener.of_type("event") if line["phone"] == phone]
        assert len(events) > 5
        assert [(e["from"], e["to"], e["time"], e["duration"]) for e in events] == [
            (line["from"], line["to"], line["time_s"], line["duration_s"]) for line in expected
        ]
        assert heard.of(f"har/{phone}/availability")[-1] == b"offline"
        names = [name.decode() for name in heard.of(f"har/{phone}/activity/state")]
        assert names[-1] == told[-1]["answer"]
        assert len(names) < len(told)
    assert summary["unpublished_messages"] == 0
    assert summary["published_messages"] >= summary["windows"]
    assert summary["malformed_messages"] == 0


def test_who_subscribes_late_has_the_state_and_what_is_silent_is_offline(
    mosquitto: Mosquitto, listener: Listening
) -> None:
    replay(mosquitto.where)
    listener.wait_for(n_windows() - len(PHONES))
    wait_for_availability(mosquitto.where, "offline")
    late = kept(mosquitto.where, *OWN)
    assert late.pop("har/bridge/status") == "online"
    last = {p: next(x for x in reversed(listener.of_type("prediction")) if x["phone"] == p) for p in PHONES}
    for phone in PHONES:
        assert json.loads(late.pop(f"har/{phone}/activity"))["time"] == last[phone]["end_s"]
        assert late.pop(f"har/{phone}/activity/state") == last[phone]["answer"]
        assert late.pop(f"har/{phone}/activity/confidence") == f"{round(100 * last[phone]['confidence'])}"
        assert late.pop(f"har/{phone}/availability") == "offline"
    assert late == {}
    configs = kept(mosquitto.where, "homeassistant/#")
    assert set(configs) == {f"homeassistant/device/har_{phone}/config" for phone in PHONES}


def test_when_the_listener_is_killed_the_broker_says_so_and_its_successor_puts_phones_right(
    mosquitto: Mosquitto,
) -> None:
    killed = Listening("--broker", mosquitto.where)
    replay(mosquitto.where)
    killed.wait_for(100)
    wait_for_availability(mosquitto.where, "online")
    killed.kill()
    wait_until(lambda: kept(mosquitto.where, "har/bridge/status") == {"har/bridge/status": "offline"}, "no last will")
    successor = Listening("--broker", mosquitto.where, "--offline-after", 1)
    try:
        assert kept(mosquitto.where, "har/bridge/status") == {"har/bridge/status": "online"}
        wait_for_availability(mosquitto.where, "offline")
        successor.stop(signal.SIGTERM)
    finally:
        successor.kill()
    assert kept(mosquitto.where, "har/bridge/status") == {"har/bridge/status": "offline"}


def test_what_is_recognised_while_the_broker_is_away_comes_afterwards_in_order_with_its_times(tmp_path: Path) -> None:
    """The broker goes right after it has taken the samples: most predictions are made without one."""
    with start_mosquitto(tmp_path) as broker:
        listener = Listening("--broker", broker.where)
        try:
            assert listener.greeting
            replay(broker.where)
            broker.stop()
            assert "lost" in listener.next_line_of_stderr()
            listener.wait_until_quiet()
            broker.start()
            with subscriber(broker.port, "har/#") as heard:
                assert "again" in listener.next_line_of_stderr()
                last = {p: next(x for x in reversed(listener.of_type("prediction")) if x["phone"] == p) for p in PHONES}
                for phone in PHONES:
                    topic = f"har/{phone}/activity"
                    wait_until(
                        lambda topic=topic, end_s=last[phone]["end_s"]: any(  # type: ignore[misc]
                            json.loads(payload)["time"] == end_s for payload in heard.of(topic)
                        ),
                        f"the last state of {phone} has not come",
                    )
                assert kept(broker.where, "har/bridge/status") == {"har/bridge/status": "online"}
                summary = listener.stop()
        finally:
            listener.kill()
    assert summary["unpublished_messages"] == 0
    for phone in PHONES:
        times = [line["end_s"] for line in listener.of_type("prediction") if line["phone"] == phone]
        came = list(dict.fromkeys(state["time"] for state in states(heard, phone)))  # what was under way comes twice
        assert came == times[len(times) - len(came) :]
        assert len(came) > 10


def test_a_listener_that_hears_everything_does_not_hear_itself(mosquitto: Mosquitto) -> None:
    listener = Listening("--broker", mosquitto.where, "-t", "#", "--home-assistant")
    try:
        replay(mosquitto.where)
        listener.wait_until_quiet()
        summary = listener.stop()
    finally:
        listener.kill()
    assert (summary["phones"], summary["malformed_messages"]) == (2, 0)
    assert summary["windows"] == n_windows()


def test_nothing_is_published_when_nobody_wants_it(mosquitto: Mosquitto) -> None:
    listener = Listening("--broker", mosquitto.where, "--no-publish")
    try:
        replay(mosquitto.where)
        listener.wait_for(50)
        assert kept(mosquitto.where, "#") == {}
        assert listener.stop()["published_messages"] == 0
    finally:
        listener.kill()
    assert kept(mosquitto.where, "#") == {}


def test_another_root_has_its_own_topics(mosquitto: Mosquitto) -> None:
    listener = Listening("--broker", mosquitto.where, "--root", "home/har")
    try:
        replay(mosquitto.where, "--root", "home/har")
        listener.wait_for(50)
        listener.stop()  # publishes the last of what is printed before it ends
        topics = set(kept(mosquitto.where, "#"))
        assert {"home/har/bridge/status", "home/har/s20-e40/activity"} <= topics
        assert all(topic.startswith("home/har/") for topic in topics)
    finally:
        listener.kill()


def test_home_assistant_s_start_is_answered(mosquitto: Mosquitto, listener: Listening) -> None:
    with subscriber(mosquitto.port, "homeassistant/#") as heard:
        replay(mosquitto.where)
        listener.wait_for(10)
        heard.wait_for(2)
        tool = shutil.which("mosquitto_pub")
        assert tool
        subprocess.run([tool, "-p", str(mosquitto.port), "-t", "homeassistant/status", "-m", "online"], check=True)
        heard.wait_for(5)
    configs = [topic for topic, _ in heard.messages if topic.endswith("/config")]
    assert {configs.count(topic) for topic in configs} == {2}


def test_a_forgotten_phone_leaves_nothing_behind(mosquitto: Mosquitto, listener: Listening) -> None:
    replay(mosquitto.where)
    listener.wait_for(n_windows() - len(PHONES))
    wait_for_availability(mosquitto.where, "offline")
    done = run("streamer", "forget", "s20-e40", "--broker", mosquitto.where)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 forgotten: s20-e40\n", "")
    listener.stop()
    left = kept(mosquitto.where, "#")
    assert not [topic for topic in left if "s20-e40" in topic]
    assert "har/s20-e41/activity" in left


def test_what_cannot_be_forgotten_or_published_is_one_sentence(mosquitto: Mosquitto, tmp_path: Path) -> None:
    assert_one_sentence(run("streamer", "forget", "a/b", "--broker", mosquitto.where), "a/b")
    assert_one_sentence(run("streamer", "forget", "a", "--broker", f"127.0.0.1:{free_port()}"), "--broker")
    listen = ("streamer", "listen", "--broker", mosquitto.where)
    assert_one_sentence(run(*listen, "--root", "a/#"), "--root")
    assert_one_sentence(run(*listen, "--no-publish", "--home-assistant"), "--no-publish")
    with start_mosquitto(tmp_path, password="right") as broker:
        assert_one_sentence(run("streamer", "forget", "a", "--broker", broker.where, "-u", USER), status=5)
