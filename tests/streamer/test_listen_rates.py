"""Phones of other rates, jittered, reordered, repeated, through a broker: recognised as well as the recordings are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.brokers import start_mosquitto
from tests.processes import Listening, run


@pytest.mark.parametrize(
    "faults",
    [
        ("--rate", "104", "--unit", "m/s2", "--batch", "104", "--reorder", "0.05", "--duplicate", "0.05"),
        ("--rate", "31", "--encoding", "msgpack", "--batch", "1", "--drop", "0.02", "--jitter-ms", "300"),
    ],
    ids=["104 Hz", "31 Hz"],
)
def test_a_phone_of_another_rate_is_recognised(faults: tuple[str, ...], tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as mosquitto:
        listener = Listening("--broker", mosquitto.where)
        try:
            assert listener.greeting.startswith("Listening to "), listener.greeting
            replay = ("replay", "test", "--broker", mosquitto.where, "--subjects", "20", "--speed", "max", "--json")
            done = run(*replay, *faults)
            assert done.returncode == 0, done.stderr
            listener.wait_until_quiet()
            summary = listener.stop()
        finally:
            listener.kill()
    sent = json.loads(done.stdout)
    assert summary["malformed_messages"] == summary["late_messages"] == summary["gaps"] == 0
    assert summary["messages"] == sent["messages"]
    assert 0.95 * sent["dropped"] <= summary["lost_messages"] <= sent["dropped"]
    assert summary["repeated_messages"] == sent["duplicated"]
    assert summary["reordered_messages"] == sent["reordered"]
    assert summary["labelled_windows"] > 250
    assert summary["accuracy"] > 0.95
