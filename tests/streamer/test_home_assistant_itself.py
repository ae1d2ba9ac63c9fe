"""Home Assistant itself as the consumer: its entities come up, follow the stream, and go.

It needs a newer Python than the product and is no dependency of the tests: ``make home-assistant`` installs it and
runs this. ``HAR_TEST_HOME_ASSISTANT`` is the command of a Python that has it.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import pytest

from tests.brokers import Mosquitto
from tests.processes import ROOT, TIMEOUT_S, Listening, run

COMMAND = os.environ.get("HAR_TEST_HOME_ASSISTANT")

pytestmark = pytest.mark.skipif(COMMAND is None, reason="HAR_TEST_HOME_ASSISTANT names no Python with Home Assistant")

PHONE = "s20_e40"
ACTIVITY, CONFIDENCE, TRANSITION = (
    f"{platform}.har_{PHONE}_{name}"
    for platform, name in (("sensor", "activity"), ("sensor", "confidence"), ("event", "transition"))
)


class HomeAssistant:
    """The probe as a process; ``lines`` are the changes of state so far."""

    def __init__(self, port: int) -> None:
        assert COMMAND
        self.lines: list[dict[str, Any]] = []
        self.errors: list[str] = []
        probe = (ROOT / "tests" / "home_assistant_probe.py").read_text(encoding="utf-8")
        self._process = subprocess.Popen(  # the script as an argument: the Python may live in another root folder
            [*shlex.split(COMMAND), "-c", probe, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()
        self.wait_for(lambda: self.state("started") is True)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.lines.append(json.loads(line))

    def _read_errors(self) -> None:
        assert self._process.stderr
        self.errors += self._process.stderr

    def of(self, entity: str) -> list[dict[str, Any]]:
        return [line for line in list(self.lines) if line["entity"] == entity]

    def state(self, entity: str) -> Any:
        """Its state now; None before it is there and when it has been removed."""
        lines = self.of(entity)
        return lines[-1]["state"] if lines else None

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, f"{self.lines[-20:]} {''.join(self.errors[-20:])}"
            time.sleep(0.1)

    def stop(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def home_assistant(mosquitto: Mosquitto) -> Iterator[HomeAssistant]:
    started = HomeAssistant(mosquitto.port)
    yield started
    started.stop()


def runs(states: list[str]) -> list[str]:
    return [state for state, _ in groupby(states)]


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(state in rest for state in part)


def test_a_phone_s_entities_come_up_follow_the_stream_and_go(
    mosquitto: Mosquitto, home_assistant: HomeAssistant
) -> None:
    listener = Listening("--broker", mosquitto.where, "--home-assistant", "--offline-after", 5)
    try:
        done = run("replay", "test", "--broker", mosquitto.where, "--subjects", "20", "--speed", "10")
        assert done.returncode == 0, done.stderr
        listener.wait_until_quiet()
        mine = [line for line in listener.of_type("prediction") if line["phone"] == "s20-e40"]
        home_assistant.wait_for(lambda: home_assistant.state(ACTIVITY) == "unavailable")  # silent: offline
        check_states(home_assistant, mine)
        check_events(home_assistant, [line for line in listener.of_type("event") if line["phone"] == "s20-e40"])
    finally:
        listener.kill()
    check_availability_and_removal(mosquitto, home_assistant)
    assert not [line for line in home_assistant.errors if "mqtt" in line and ("WARNING" in line or "ERROR" in line)]


def check_states(home_assistant: HomeAssistant, predictions: list[dict[str, Any]]) -> None:
    """The activity's states are the answers, but for those that came faster than Home Assistant writes states."""
    answers = runs([line["answer"].lower() for line in predictions])
    states = runs([x["state"] for x in home_assistant.of(ACTIVITY) if x["state"] not in ("unavailable", "unknown")])
    known = runs([answer for answer in answers if answer != "unknown"])
    assert is_subsequence(states, known)
    assert len(states) >= 0.8 * len(known)
    assert states[-1] == known[-1]
    attributes = home_assistant.of(ACTIVITY)[-1]["attributes"]
    assert attributes["device_class"] == "enum"
    assert set(answers) <= set(attributes["options"])
    assert attributes["friendly_name"] == "s20-e40 Activity"
    levels = [x for x in home_assistant.of(CONFIDENCE) if x["state"] not in ("unavailable", "unknown")]
    assert len(levels) > 10
    assert all(0 <= int(x["state"]) <= 100 for x in levels)
    assert levels[-1]["attributes"]["unit_of_measurement"] == "%"
    assert levels[-1]["attributes"]["state_class"] == "measurement"


def check_events(home_assistant: HomeAssistant, events: list[dict[str, Any]]) -> None:
    told = [x["attributes"] for x in home_assistant.of(TRANSITION) if x["attributes"].get("event_type")]
    distinct = [attributes for attributes, _ in groupby(told)]
    assert len(events) > 3
    assert [(x["event_type"], x["from"], x["to"], x["time"], x["duration"]) for x in distinct] == [
        (e["to"].lower(), e["from"], e["to"], e["time_s"], e["duration_s"]) for e in events
    ]


def check_availability_and_removal(mosquitto: Mosquitto, home_assistant: HomeAssistant) -> None:
    """A killed listener takes its phones along, by its last will; a forgotten phone's entities are removed."""
    listener = Listening("--broker", mosquitto.where, "--home-assistant")
    try:
        run("replay", "test", "--broker", mosquitto.where, "--subjects", "20", "--speed", "max")
        home_assistant.wait_for(lambda: home_assistant.state(ACTIVITY) not in ("unavailable", "unknown"))
        listener.wait_until_quiet()
        listener.kill()
        home_assistant.wait_for(lambda: home_assistant.state(ACTIVITY) == "unavailable")
    finally:
        listener.kill()
    later = HomeAssistant(mosquitto.port)
    try:
        later.wait_for(lambda: later.state(ACTIVITY) == "unavailable")  # found by what the broker keeps
    finally:
        later.stop()
    assert run("streamer", "forget", "s20-e40", "--broker", mosquitto.where).returncode == 0
    home_assistant.wait_for(lambda: {home_assistant.state(x) for x in (ACTIVITY, CONFIDENCE, TRANSITION)} == {None})
    assert home_assistant.state("sensor.har_s20_e41_activity") == "unavailable"
