"""har-stream doctor as a process, at a real broker, with phones that send as phones should not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from model.signals import STANDARD_GRAVITY, FloatArray
from streamer.mount.notation import parse_rotation
from tests.brokers import Mosquitto, free_port, start_mosquitto
from tests.processes import ROOT, assert_one_sentence, command, environment, run
from tests.publishers import sender
from tests.streamer.app_phones import sensor_logger, sensorspot
from tests.streamer.turned_phones import RECORDING, payloads, segments_of, worn
from tests.subscribers import subscriber

WALKS = segments_of(RECORDING, "WALKING")[0][0]


@contextmanager
def replaying(broker: Mosquitto, *arguments: object) -> Iterator[None]:
    """A simulated phone, s02-e03, that sends already and as long as the block lasts."""
    options = ("test", "--subjects", "2", "--phones", "1", "--broker", broker.where, "--loop", *arguments)
    process = subprocess.Popen(
        command("replay", *options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), cwd=ROOT
    )
    try:
        with subscriber(broker.port, "har/+/imu") as heard:
            heard.wait_for(1)
        yield
    finally:
        process.kill()
        process.wait()


def examine(where: str, *arguments: object, seconds: float = 6) -> tuple[int, dict[str, Any]]:
    """Exit status and diagnosis."""
    done = run("streamer", "doctor", "--broker", where, "--seconds", seconds, "--json", *arguments)
    assert done.stderr.startswith("Watching "), done.stderr
    diagnosis: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, diagnosis


def codes(diagnosis: dict[str, Any], *, notes: bool = False) -> set[str]:
    return {a["code"] for p in diagnosis["phones"] for a in p["advice"] if notes or not a["note"]}


class Watching:
    """The doctor in the background, for phones that are sent while it watches."""

    def __init__(self, where: str, *arguments: object, seconds: float = 4) -> None:
        self._process = subprocess.Popen(
            command("streamer", "doctor", "--broker", where, "--seconds", seconds, "--json", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=ROOT,
        )
        assert self._process.stderr
        assert self._process.stderr.readline().startswith("Watching ")

    def end(self) -> tuple[int, dict[str, Any]]:
        out, errors = self._process.communicate(timeout=60)
        assert out, errors
        return self._process.returncode, json.loads(out)


def test_phones_that_send_as_they_should_are_well(mosquitto: Mosquitto) -> None:
    with replaying(mosquitto, "--unit", "m/s2", "--encoding", "msgpack"):
        status, diagnosis = examine(mosquitto.where)
    assert (status, diagnosis["well"], codes(diagnosis)) == (0, True, set())
    (phone,) = diagnosis["phones"]
    assert (phone["phone"], phone["format"]) == ("s02-e03", "har")
    assert diagnosis["general"] == []


def test_losses_ask_for_a_change_and_repeats_do_not(mosquitto: Mosquitto) -> None:
    with replaying(mosquitto, "--drop", "0.5"):
        status, diagnosis = examine(mosquitto.where)
    assert status == 1
    assert codes(diagnosis) == {"lost"}
    with replaying(mosquitto, "--duplicate", "0.5"):
        status, diagnosis = examine(mosquitto.where)
    assert status == 0
    assert codes(diagnosis, notes=True) == {"repeated"}


@pytest.mark.parametrize(
    ("sent", "format_name", "change"),
    [
        (lambda samples: sensorspot(samples, 10), "sensorspot", "20000 µs"),
        (lambda samples: sensor_logger(samples, 10), "sensor-logger", "Sensor Logger, set accelerometer, gravity and"),
    ],
    ids=["SensorSpot", "Sensor Logger"],
)
def test_an_app_at_5_hz_is_told_its_own_setting(
    sent: Callable[[FloatArray], list[tuple[str, bytes]]], format_name: str, change: str, mosquitto: Mosquitto
) -> None:
    watching = Watching(mosquitto.where)
    with sender(mosquitto.port) as phone:
        phone.send(sent(RECORDING.samples[WALKS : WALKS + 600]))
    status, diagnosis = watching.end()
    assert status == 1
    (one,) = diagnosis["phones"]
    assert one["format"] == format_name
    (found,) = [advice for advice in one["advice"] if advice["code"] == "low-rate"]
    assert "total acceleration at 5 Hz, angular velocity at 5 Hz" in found["words"]
    assert change in found["changes"][0]


def test_a_replay_at_5_hz_is_too_slow_in_any_app(mosquitto: Mosquitto) -> None:
    with replaying(mosquitto, "--rate", "5", "--batch", "3"):
        status, diagnosis = examine(mosquitto.where, seconds=8)
    assert status == 1
    assert "low-rate" in codes(diagnosis)


def test_a_sensor_that_is_off_is_told_by_its_apps_name_for_it(mosquitto: Mosquitto) -> None:
    watching = Watching(mosquitto.where)
    with sender(mosquitto.port) as phone:
        phone.send(sensor_logger(RECORDING.samples[:600], without=("gyroscope",)))
    status, diagnosis = watching.end()
    assert status == 1
    assert codes(diagnosis) == {"no-gyroscope"}
    assert diagnosis["phones"][0]["advice"][0]["changes"] == ["in Sensor Logger, turn on Gyroscope"]


def test_a_phone_in_another_unit_than_it_says_is_told(mosquitto: Mosquitto) -> None:
    watching = Watching(mosquitto.where)
    with sender(mosquitto.port) as phone:
        phone.send(payloads("s07", RECORDING.samples[WALKS : WALKS + 600] * ([STANDARD_GRAVITY] * 3 + [1.0] * 3)))
    status, diagnosis = watching.end()
    assert status == 1
    assert "unit-wrong" in codes(diagnosis)


def test_a_phone_upside_down_is_told_and_by_its_calibration_it_is_well(mosquitto: Mosquitto, tmp_path: Path) -> None:
    done = run("streamer", "calibrate", "s07", "--axes", "-x,-y,+z", "--state", tmp_path / "state")
    assert done.returncode == 0, done.stderr
    upside_down = worn(RECORDING, parse_rotation("-x,-y,+z"))[WALKS : WALKS + 600]
    found = []
    for state in ("elsewhere", "state"):
        watching = Watching(mosquitto.where, "--state", tmp_path / state)
        with sender(mosquitto.port) as phone:
            phone.send(payloads("s07", upside_down))
        found.append(codes(watching.end()[1]))
    assert found == [{"worn"}, set()]


def test_what_cannot_be_used_or_comes_where_nobody_listens_is_told(mosquitto: Mosquitto) -> None:
    good = RECORDING.samples[:600]
    watching = Watching(mosquitto.where)
    with sender(mosquitto.port) as phone:
        phone.send([*payloads("s07", good), ("har/s07/imu", b'{"t": 1}'), ("har/s08/imu", b"\x00")])
        phone.send(sensor_logger(good, topic="my/phone"))
        phone.send([("zigbee2mqtt/lamp", b'{"state": "ON"}'), ("har/s07/activity", b"{}")])
    status, diagnosis = watching.end()
    assert status == 1
    by_phone = {phone["phone"]: phone for phone in diagnosis["phones"]}
    assert set(by_phone) == {"s07", "s08"}
    assert [a["code"] for a in by_phone["s08"]["advice"]] == ["malformed"]
    assert by_phone["s07"]["advice"][0]["words"].startswith("1 of 25 messages cannot be used, the last as ")
    (general,) = diagnosis["general"]
    assert general["code"] == "wrong-topic"
    assert (
        "20 messages" not in general["words"]
        and "12 messages in Sensor Logger's format came on my/phone" in general["words"]
    )


def test_nothing_at_all_and_no_broker_have_their_own_status(mosquitto: Mosquitto, tmp_path: Path) -> None:
    done = run("streamer", "doctor", "--broker", mosquitto.where, "--seconds", 1)
    assert done.returncode == 3
    assert "nothing came on har/+/imu" in " ".join(done.stdout.split())
    nobody = run("streamer", "doctor", "--broker", f"127.0.0.1:{free_port()}", "--seconds", 1)
    assert_one_sentence(nobody, "There is no broker", status=4)
    with start_mosquitto(tmp_path, password="secret") as guarded:
        assert_one_sentence(run("streamer", "doctor", "--broker", guarded.where), "does not let", status=4)


def test_a_test_message_shows_that_the_connection_works(mosquitto: Mosquitto) -> None:
    watching = Watching(mosquitto.where, seconds=2)
    with sender(mosquitto.port) as phone:
        phone.send([("sensor-logger", b"Hello from Sensor Logger")])
    status, diagnosis = watching.end()
    assert (status, [each["code"] for each in diagnosis["general"]]) == (3, ["no-samples"])
