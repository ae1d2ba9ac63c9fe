"""Every app as a real MQTT client: mosquitto_pub sends a recording in its format, the listener recognises it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import pytest

from model.bundled import load_recording
from model.signals import SAMPLING_RATE
from model.windows import WINDOW_LENGTH
from tests.brokers import Mosquitto
from tests.processes import Listening
from tests.streamer import recorded_phones
from tests.streamer.recorded_phones import START_S, Sent, Worn, worn

ACTIVITIES = ("STANDING", "WALKING", "LAYING")

APPS: dict[str, Callable[[Worn, str], Iterator[Sent]]] = {
    "har": recorded_phones.har,
    "sensor-logger-ios": partial(recorded_phones.sensor_logger, ios=True),
    "sensor-logger-android": partial(recorded_phones.sensor_logger, ios=False),
    "sensorspot": partial(recorded_phones.sensorspot, dedicated=False),
    "sensorspot-dedicated": partial(recorded_phones.sensorspot, dedicated=True),
    "phyphox": recorded_phones.phyphox,
}

TOLD = {
    "har": [],
    "sensor-logger-ios": ["iOS's sign, as a phone worn as told has its x axis up, and it points down"],
    "sensor-logger-android": ["Android's sign: there is a total acceleration"],
    "sensorspot": ["SensorSpot sends m/s²"],
    "sensorspot-dedicated": ["SensorSpot sends m/s²"],
    "phyphox": ["phyphox sends m/s²"],
}
"""What the phone's owner is told of units and signs, and nothing else."""

SETTLING_S = 6.0
"""Around a change of activity, windows hold both, and smoothing and filters need their time."""


@cache
def phone() -> Worn:
    return worn(load_recording(1), ACTIVITIES)


def send(broker: Mosquitto, messages: Iterator[Sent]) -> None:
    """By mosquitto_pub, one for each topic, in turns and no faster than they keep step."""
    command = shutil.which("mosquitto_pub")
    if command is None and os.environ.get("CI") != "true":
        pytest.skip("mosquitto_pub is not installed")
    assert command, "mosquitto_pub is not installed, but CI tests with it"
    clients: dict[str, subprocess.Popen[str]] = {}
    for number, (topic, payload) in enumerate(messages):
        if topic not in clients:
            arguments = [command, "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1", "-t", topic, "-l"]
            clients[topic] = subprocess.Popen(arguments, stdin=subprocess.PIPE, text=True)
        pipe = clients[topic].stdin
        assert pipe
        pipe.write(f"{payload}\n")
        if number % 20 == 19:
            for client in clients.values():
                assert client.stdin
                client.stdin.flush()
            time.sleep(0.01 if len(clients) == 1 else 0.05)
    for client in clients.values():
        client.communicate(timeout=60)
        assert client.returncode == 0


@pytest.mark.parametrize("app", APPS)
def test_an_app_s_phone_is_recognised(mosquitto: Mosquitto, app: str) -> None:
    listener = Listening("--broker", mosquitto.where)
    try:
        assert listener.greeting.startswith("Listening to ")
        messages = APPS[app](phone(), "anna")
        send(mosquitto, messages)
        listener.wait_until_quiet()
        summary = listener.stop()
    finally:
        listener.kill()
    predictions = listener.of_type("prediction")
    assert {prediction["phone"] for prediction in predictions} == {"anna"}
    assert summary["malformed_messages"] == summary["lost_messages"] == 0
    assert len(predictions) > phone().duration_s / 1.28 - 6, listener.of_type("warning")
    settled = [p for p in predictions if is_settled(begin_s(app, p))]
    right = [p["answer"] == phone().activity_at(begin_s(app, p)) for p in settled]
    assert len(settled) > 10
    assert sum(right) / len(right) > 0.95, [(begin_s(app, p), p["answer"]) for p in settled]
    told = [warning["reason"] for warning in listener.of_type("warning")]
    assert [words for words in TOLD[app] if not any(words in reason for reason in told)] == []
    assert len(told) == len(TOLD[app]), told
    if app.startswith("sensor-logger"):
        assert {p["label"] for p in settled} == set(ACTIVITIES)


def begin_s(app: str, prediction: dict[str, Any]) -> float:
    """When a window begins, from the phone's start on; boot times that are sent too fast make no Unix times."""
    if app.startswith("sensorspot"):
        return float(prediction["start_sample"]) / SAMPLING_RATE
    return float(prediction["start_s"]) - START_S


def is_settled(start_s: float) -> bool:
    end_s = start_s + WINDOW_LENGTH / SAMPLING_RATE
    return all(end_s <= at_s or start_s >= at_s + SETTLING_S for at_s, _ in phone().activities)
