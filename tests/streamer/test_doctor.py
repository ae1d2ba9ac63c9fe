"""Every finding of the doctor, word for word, from what was seen; the tables and the exit status."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import streamer.intake
from streamer.doctor.advice import Advice, Diagnosis
from streamer.doctor.diagnose import diagnose
from streamer.doctor.seen import PhoneSeen, Seen, TopicSeen
from streamer.doctor.settings import changes_for
from streamer.doctor.tables import diagnosis_json, diagnosis_view
from streamer.doctor.watching import format_of
from streamer.formats.names import Format
from streamer.intake.report import Finding, IntakeReport, SensorReport
from streamer.readings import Sensor
from tests.streamer.turned_phones import RECORDING, payloads

ACC, GYRO, BODY = Sensor.TOTAL_ACCELERATION, Sensor.ANGULAR_VELOCITY, Sensor.BODY_ACCELERATION


def report(
    format_name: str = "har", rate_hz: float | None = 50.0, *, sensors: Any = (ACC, GYRO), **more: Any
) -> IntakeReport:
    return IntakeReport("s07", format_name, sensors=tuple(SensorReport(s, 500, rate_hz) for s in sensors), **more)


def phone(
    format_name: str = "har", rate_hz: float | None = 50.0, *, seen: dict[str, Any] | None = None, **more: Any
) -> PhoneSeen:
    usual: dict[str, Any] = {"messages": 20, "windows": 6}
    return PhoneSeen("s07", report=report(format_name, rate_hz, **more), **(usual | (seen or {})))


def seen(*phones: PhoneSeen, **more: Any) -> Seen:
    return Seen("10.0.0.2:1883", ("har/+/imu", "sensor-logger/#"), 10.0, phones, **more)


def advice(one: PhoneSeen) -> tuple[Advice, ...]:
    return diagnose(seen(one)).phones[0].advice


def test_a_phone_that_sends_as_it_should_is_well() -> None:
    diagnosis = diagnose(seen(phone()))
    assert diagnosis.exit_status == 0
    assert diagnosis.phones[0].advice == ()
    assert diagnosis.phones[0].summary == "total acceleration 50 Hz, angular velocity 50 Hz, 20 messages, 6 windows"
    assert drawn(diagnosis).endswith("All is well: 1 phone.\n")


GOLDEN = [
    (
        phone("sensorspot", 5.0),
        "low-rate",
        "total acceleration at 5 Hz, angular velocity at 5 Hz: too slow to recognise anything",
        "in SensorSpot, set the sampling period to 20000 µs (its own is 200000 µs, 5 Hz)",
    ),
    (
        phone("sensor-logger", 5.0),
        "low-rate",
        "total acceleration at 5 Hz, angular velocity at 5 Hz: too slow to recognise anything",
        "in Sensor Logger, set accelerometer, gravity and gyroscope to 50 Hz or more",
    ),
    (
        phone("har", 12.5),
        "low-rate",
        "total acceleration at 12.5 Hz, angular velocity at 12.5 Hz: too slow to recognise anything",
        "send 50 readings a second (one every 20 ms), or more",
    ),
    (
        phone("sensor-logger", sensors=(ACC,), findings=(Finding("no-gyroscope", "no gyroscope"),)),
        "no-gyroscope",
        "no gyroscope",
        "in Sensor Logger, turn on Gyroscope",
    ),
    (
        phone("sensorspot", sensors=(ACC,)),
        "no-gyroscope",
        "no angular velocity has come",
        "in SensorSpot, select the gyroscope beside the accelerometer",
    ),
    (
        phone("sensor-logger", sensors=(BODY, GYRO)),
        "no-gravity",
        "no total acceleration has come",
        "in Sensor Logger, turn on Gravity beside Accelerometer",
    ),
    (
        phone("har", findings=(Finding("no-gravity", "gravity is missing"),)),
        "no-gravity",
        "gravity is missing",
        "send the acceleration with gravity",
    ),
    (
        phone("har", 20_000.0, findings=(Finding("high-rate", "20000 Hz by its times: nothing is recognised"),)),
        "high-rate",
        "20000 Hz by its times: nothing is recognised",
        "send the times in seconds, as they were when the readings were taken",
    ),
    (
        phone("har", 17.0),
        "low-rate",
        "total acceleration at 17 Hz, angular velocity at 17 Hz: too slow to recognise much",
        "send 50 readings a second (one every 20 ms), or more",
    ),
    (
        phone("sensor-logger", findings=(Finding("sign-unknown", "the sign is not known"),)),
        "sign-unknown",
        "the sign is not known",
        "in Sensor Logger, turn on Standardise Units & Frames",
    ),
    (
        phone("har", findings=(Finding("unit-wrong", "said to be in g, but its median length is 9.8"),)),
        "unit-wrong",
        "said to be in g, but its median length is 9.8",
        'say it in the messages: "unit": {"acc": "m/s2", "gyro": "deg/s"}, or send g and rad/s',
    ),
    (
        phone("phyphox", findings=(Finding("clock-off", "the phone's clock is 90 s behind"),)),
        "clock-off",
        "the phone's clock is 90 s behind",
        "in the phone's settings, let the network set date and time",
    ),
    (
        phone("har", seen={"lost": 30}),
        "lost",
        "30 messages lost (60.0%); windows around them are left out",
        "publish with quality of service 1, and check the phone's way to the broker (Wi-Fi)",
    ),
    (
        phone("sensor-logger", seen={"lost": 30}),
        "lost",
        "30 messages lost (60.0%); windows around them are left out",
        "check the phone's way to the broker (Wi-Fi): the app sends each message once",
    ),
    (
        phone(late=3),
        "late",
        "3 messages came too late to be used",
        "check the phone's way to the broker (Wi-Fi)",
    ),
    (
        phone(seen={"silent_s": 7.2}),
        "silent",
        "nothing has come for the last 7 s",
        "see that the app still measures, with the screen off, too",
    ),
    (
        PhoneSeen("s07", malformed=4, last_fault="acc has 3 samples and gyro 2"),
        "malformed",
        "4 of 4 messages cannot be used, the last as acc has 3 samples and gyro 2",
        "compare its messages with the formats in docs/phones.md",
    ),
    (
        phone(seen={"worn": "the phone's -y axis points up"}),
        "worn",
        "the phone's -y axis points up",
        "if nobody lies, run: har-stream calibrate s07, or name the axes by --mount",
    ),
]


@pytest.mark.parametrize(
    ("one", "code", "words", "change"), GOLDEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_wrong_is_told_with_what_to_change_in_which_app(
    one: PhoneSeen, code: str, words: str, change: str
) -> None:
    assert advice(one) == (Advice(code, words, (change,)),)
    assert diagnose(seen(one)).exit_status == 1


NOTES = [
    (phone(repeated=5), "repeated", "5 messages came twice, and were used once"),
    (phone(reordered=2), "reordered", "2 messages overtook others, and were put in order"),
    (
        phone("sensor-logger", 471.0),
        "more-than-needed",
        "total acceleration at 471 Hz, angular velocity at 471 Hz: more than needed",
    ),
    (phone(seen={"messages": 2}), "slow-messages", "a message comes every 5.0 s, and predictions as much later"),
    (phone(seen={"messages": 500, "lost": 2}), "lost", "2 messages lost (0.4%); windows around them are left out"),
    (
        phone(findings=(Finding("sensor-clocks", "the sensors' clocks are 3 s apart"),)),
        "sensor-clocks",
        "the sensors' clocks are 3 s apart",
    ),
]


@pytest.mark.parametrize(("one", "code", "words"), NOTES, ids=lambda value: value if isinstance(value, str) else "")
def test_what_does_no_harm_is_a_note_and_all_is_well(one: PhoneSeen, code: str, words: str) -> None:
    (found,) = advice(one)
    assert (found.code, found.words, found.is_note) == (code, words, True)
    assert diagnose(seen(one)).exit_status == 0


def test_what_needs_a_change_comes_before_notes_and_each_thing_once() -> None:
    findings = (Finding("low-rate", "5 Hz of one"), Finding("low-rate", "5 Hz of the other"))
    found = advice(phone("sensorspot", 5.0, repeated=1, findings=findings))
    assert [each.code for each in found] == ["low-rate", "repeated"]


SOURCES = "".join(path.read_text("utf-8") for path in Path(streamer.intake.__file__).parent.glob("*.py"))
CODES = sorted(set(re.findall(r'(?:Finding\(|_findings\[)\s*"([a-z-]+)"', SOURCES)))
"""Of all findings of the intake, read from its source."""


@pytest.mark.parametrize("format_name", [*Format, "another", None])
def test_there_is_something_to_do_for_every_finding_in_every_app(format_name: str | None) -> None:
    assert {"low-rate", "no-gyroscope", "clock-off", "unit-wrong", "sign-unknown"} <= set(CODES)
    for code in (*CODES, "no-gravity", "lost", "late", "malformed", "silent", "worn", "slow-messages"):
        assert changes_for(code, format_name, "s07"), code
    assert changes_for("something new", format_name, "s07") == ()


def test_nothing_heard_tells_what_to_check() -> None:
    diagnosis = diagnose(seen())
    assert diagnosis.exit_status == 3
    (found,) = diagnosis.general
    assert (found.code, found.words) == ("nothing-heard", "nothing came on har/+/imu, sensor-logger/#")
    told = " ".join(found.changes)
    for words in ("10.0.0.2:1883", "WebSockets", "user and password"):
        assert words in told
    assert "No phone was heard at 10.0.0.2:1883 for 10 s." in drawn(diagnosis)


def test_test_messages_alone_tell_that_the_connection_works() -> None:
    diagnosis = diagnose(seen(unused=(TopicSeen("sensor-logger", 2),)))
    assert diagnosis.exit_status == 3
    (found,) = diagnosis.general
    assert found.words == "messages came on sensor-logger (2), but no samples: test messages, or other sensors"
    assert found.changes == ("the connection works: start the measurement in the app",)


def test_samples_on_another_topic_are_told_with_both_ways_out() -> None:
    others = (TopicSeen("my/phone", 40, "sensor-logger"), TopicSeen("zigbee2mqtt/lamp", 3))
    diagnosis = diagnose(seen(others=others))
    assert diagnosis.exit_status == 3
    (found,) = diagnosis.general
    assert found.words == "40 messages in Sensor Logger's format came on my/phone, where nobody listens"
    assert found.changes == ("set the topic sensor-logger in Sensor Logger, or listen with --topic my/phone",)
    assert diagnose(seen(phone(), others=others)).exit_status == 1
    assert diagnose(seen(phone(), others=others[1:])).exit_status == 0


@pytest.mark.parametrize(
    ("topic", "format_name"),
    [("har/ann/imu", "har"), ("sensor-logger", "sensor-logger"), ("android/sensor/mine", "sensorspot")],
)
def test_a_topic_that_is_right_but_not_listened_to_is_no_fault_of_the_phone(topic: str, format_name: str) -> None:
    (found,) = diagnose(seen(others=(TopicSeen(topic, 1, format_name),))).general
    assert found.words.startswith("1 message in ")
    assert found.changes == (f"listen with --topic {topic}",)


def test_other_things_at_the_broker_are_named_when_nothing_else_is_heard() -> None:
    others = tuple(TopicSeen(f"zigbee2mqtt/{k}", 9 - k) for k in range(7))
    words = diagnose(seen(others=others)).general[0].words
    assert "zigbee2mqtt/0 (9)" in words and "and 2 more topics is no phone's" in words


def test_samples_are_known_on_any_topic() -> None:
    own = payloads("s07", RECORDING.samples[:25])[0][1]
    assert format_of("some/where", own) == "har"
    spot = b'{"type":"android.sensor.accelerometer","timestamp":3925657519043709,"values":[0.319,-0.978,10.05]}'
    assert format_of("phones/mine", spot) == "sensorspot"
    for nothing in (b"", b"ON", b'{"temperature": 21.5}', b"\xff\x00"):
        assert format_of("zigbee2mqtt/lamp", nothing) is None


def drawn(diagnosis: Diagnosis, width: int = 80) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(diagnosis_view(diagnosis))
    return capture.get()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table_tells_everything_at_any_width(width: int) -> None:
    diagnosis = diagnose(seen(phone("sensorspot", 5.0), replace(phone(repeated=3), phone="s08")))
    plain = "".join(drawn(diagnosis, width).replace("│", "").replace("┃", "").split())
    for words in ("s07", "s08", "set the sampling period to 20000 µs", "note: 3 messages came twice", "1 of 2 phones"):
        assert "".join(words.split()) in plain
    assert all(len(line) <= width for line in drawn(diagnosis, width).splitlines())


def test_nothing_from_the_network_reaches_the_terminal() -> None:
    evil = "\x1b]0;owned\x07[bold]x[/bold]\n\x9b2J"
    one = PhoneSeen("s07", malformed=1, last_fault=evil, report=report(facts=(evil,)))
    text = drawn(diagnose(seen(one, others=(TopicSeen(evil, 3, "har"),))))
    assert not set(text) & {"\x1b", "\x07", "\x9b"}
    assert "[bold]x[/bold]" in text


def test_the_same_as_json() -> None:
    content = json.loads(json.dumps(diagnosis_json(diagnose(seen(phone("sensorspot", 5.0, facts=("a fact",)))))))
    assert content["well"] is False
    assert content["broker"] == "10.0.0.2:1883"
    (one,) = content["phones"]
    assert (one["phone"], one["format"], one["well"], one["facts"]) == ("s07", "sensorspot", False, ["a fact"])
    assert one["advice"][0]["code"] == "low-rate"
    assert "20000 µs" in one["advice"][0]["changes"][0]
    assert one["advice"][0]["note"] is False
