"""The formats: golden messages to exact values, what is not for us, and every fault with its phone."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from streamer.formats.detect import decode
from streamer.formats.names import AUTO, CHOICES, Format, app_topics, default_topics, phone_name
from streamer.readings import PhoneMessage
from streamer.wire import MAX_PAYLOAD_BYTES, MAX_SAMPLES, WireError, encode_imu
from tests.streamer.format_messages import Golden, golden, golden_message


def described(message: PhoneMessage) -> dict[str, Any]:
    """As the golden files write it."""
    return {
        "phone": message.phone,
        "format": message.format,
        "seq": message.seq,
        "clock": message.clock,
        "facts": len(message.facts),
        "labels": [
            [label.activity, label.start_s] + ([label.end_s] if label.end_s < np.inf else [])
            for label in message.labels
        ],
        "readings": [
            {
                "sensor": readings.sensor,
                "unit": readings.unit,
                "sign": readings.sign,
                "times": readings.times.tolist(),
                "values": readings.values.tolist(),
            }
            for readings in message.readings
        ],
    }


@pytest.mark.parametrize("name", [message.name for message in golden()])
def test_a_golden_message_gives_exact_values(name: str) -> None:
    message = golden_message(name)
    for format_name in (AUTO, message.decoded["format"]):
        [found] = decode(message.topic, message.payload, format_name)
        result, expected = described(found), message.decoded
        for given, wanted in zip(result["readings"], expected["readings"], strict=True):
            # times of nanoseconds and of a clock's shift are sums: right to the microsecond
            np.testing.assert_allclose(given.pop("times"), wanted["times"], rtol=0, atol=1e-6)
            assert given == {key: value for key, value in wanted.items() if key != "times"}
        for label, wanted in zip(result["labels"], expected["labels"], strict=True):
            assert label[0] == wanted[0]
            np.testing.assert_allclose(label[1:], wanted[1:], rtol=0, atol=1e-6)
        leave = {"readings", "labels"}
        assert {k: v for k, v in result.items() if k not in leave} == {
            k: v for k, v in expected.items() if k not in leave
        }


def test_there_is_a_golden_message_for_every_format() -> None:
    assert {message.decoded["format"] for message in golden()} == set(Format)


@pytest.mark.parametrize("message", golden(), ids=lambda message: message.name)
def test_another_format_is_not_for_us_where_one_is_asked_for(message: Golden) -> None:
    for format_name in set(Format) - {message.decoded["format"]}:
        if format_name is Format.HAR or message.decoded["format"] != Format.HAR:
            assert decode(message.topic, message.payload, format_name) == []


def test_an_app_may_publish_on_a_topic_of_ours() -> None:
    message = golden_message("sensor-logger-ios")
    [found] = decode("har/anna/imu", message.payload)
    assert found.format == Format.SENSOR_LOGGER
    assert found.phone == message.decoded["phone"]


def test_messagepack_is_told_from_json() -> None:
    [found] = decode("har/anna/imu", encode_imu(np.ones((3, 6)), time_s=5.0, seq=1, encoding="msgpack"))
    assert [len(readings.times) for readings in found.readings] == [3, 3]
    without = msgspec.msgpack.encode({"t": 5.0, "acc": [[1.0, 0.0, 0.0]]})
    [found] = decode("har/anna/imu", without)
    assert [readings.sensor for readings in found.readings] == ["total acceleration"]


NOT_FOR_US = [
    b"",
    b"Tap to Test",
    b"  hello  ",
    b"42",
    b"null",
    b"[1, 2, 3]",
    b'"text"',
    b"{}",
    b'{"message": "This is a test from Sensor Logger", "time": 1698501144401}',
    b'{"type": "android.gps", "longitude": 1.5, "latitude": 2.5, "time": 1727845963000}',
    b'{"type": "android.sensor.light", "timestamp": 5, "values": [12.5]}',
    b'{"payload": [1, 2]}',
]


@pytest.mark.parametrize("payload", NOT_FOR_US)
@pytest.mark.parametrize("topic", ["sensor-logger", "android/sensor", "android/sensor/light", "phyphox", "a/b/c"])
@pytest.mark.parametrize("format_name", CHOICES)
def test_what_no_sensor_of_ours_sends_gives_nothing(topic: str, payload: bytes, format_name: str) -> None:
    assert decode(topic, payload, format_name) == []


def test_our_own_other_topics_give_nothing() -> None:
    assert decode("har/anna/activity", b'{"activity": "WALKING", "values": 1}') == []


def logger(*readings: object, **changes: object) -> bytes:
    return json.dumps({"messageId": 1, "sessionId": "s", "deviceId": "d", "payload": readings} | changes).encode()


def vector(name: str, **changes: object) -> dict[str, object]:
    return {"name": name, "time": 1698501144401773000, "values": {"x": 0.0, "y": 0.0, "z": 9.8}} | changes


MANY = [vector("gyroscope")] * (MAX_SAMPLES + 1)

FAULTS = [
    ("sensor-logger", logger(vector("gravity", values={"x": 1.0})), "d", "missing required field `y`"),
    ("sensor-logger", logger(vector("gravity", time="now")), "d", "Expected `float`"),
    ("sensor-logger", logger(vector("gravity", time=1e300)), "d", "time"),
    ("sensor-logger", logger(vector("gravity", values={"x": 1e9, "y": 0, "z": 0})), "d", "value"),
    ("sensor-logger", logger(vector("annotation", values={"text": 5})), "d", "Expected `str`"),
    ("sensor-logger", logger(vector("annotation", time=1e300)), "d", "time"),
    ("sensor-logger", logger(*MANY), "d", "1001 readings of angular velocity"),
    ("sensor-logger", logger(payload="none"), "d", "payload"),
    ("sensor-logger", logger(messageId=-1), "d", "messageId"),
    ("sensor-logger", logger(deviceId=None), None, "deviceId"),
    ("sensor-logger", b'{"messageId": 1, "payload": []}', None, "deviceId"),
    ("sensor-logger", b'{"messageId": 1, "payload": [', None, "begins as JSON"),
    ("sensor-logger", b"\xff\xfe\x00", None, "neither JSON nor text"),
    ("android/sensor", b'{"type": "android.sensor.gyroscope", "timestamp": 5, "values": [1]}', "android-sensor", "1 "),
    ("android/sensor/gyroscope", b'{"timestamp": 5, "values": "x"}', "android-sensor", "values"),
    ("android/sensor/anna/gyroscope", b'{"timestamp": 5, "values": [1e9, 0, 0]}', "anna", "value"),
    ("phyphox", b'{"accX": [1], "accY": [1]}', "phyphox", "missing"),
    ("phyphox/anna", b'{"accX": [1], "accY": [1], "accZ": [1]}', "anna", "missing"),
    ("phyphox/anna", b'{"t": [1], "accX": [1], "accY": [1, 2, 3, 4], "accZ": [1]}', "anna", "unequal"),
    ("phyphox/anna", b'{"t": ["1"], "accX": [1], "accY": [1], "accZ": [1]}', "anna", "Expected"),
    ("phyphox/anna", json.dumps({"t": 1, "accX": [1] * (MAX_SAMPLES + 1)}).encode(), "anna", "<= 1000"),
    ("har/anna/imu", b'{"t": 1e300, "acc": [[1, 0, 0]]}', "anna", "time"),
    ("har/anna/imu", b'{"t": 1, "acc": [[1e300, 0, 0]]}', "anna", "value"),
    ("har/anna/imu", b"Tap to Test", "anna", "."),
    ("har/anna/label", b'{"activity": "FLYING", "start": 1, "end": 2}', "anna", "activity"),
]


@pytest.mark.parametrize(("topic", "payload", "phone", "reason"), FAULTS, ids=range(len(FAULTS)))
def test_a_fault_says_why_and_whose(topic: str, payload: bytes, phone: str | None, reason: str) -> None:
    with pytest.raises(WireError, match=reason) as caught:
        decode(topic, payload)
    assert caught.value.phone == phone


@pytest.mark.parametrize("topic", ["har/anna/imu", "sensor-logger", "android/sensor", "phyphox"])
def test_what_is_too_long_is_refused_before_it_is_decoded(topic: str) -> None:
    with pytest.raises(WireError, match="more than"):
        decode(topic, b" " * (MAX_PAYLOAD_BYTES + 1))


def test_unknown_sensors_do_not_matter_whatever_their_values() -> None:
    payload = logger(
        {"name": "camera", "time": 5, "values": {"image": "xxxx"}},
        {"name": "x", "time": 5},
        {"name": "y", "time": 5, "values": None, "accuracy": "high"},
        vector("gravity", accuracy=None),
    )
    [found] = decode("sensor-logger", payload)
    assert [readings.sensor for readings in found.readings] == ["gravity"]
    assert found.readings[0].sign is None


def test_phyphox_arrays_that_were_torn_apart_are_cut_to_what_they_share() -> None:
    [found] = decode("phyphox", b'{"t": [1, 2, 3], "accX": [1, 2], "accY": [1, 2], "accZ": [1, 2, 3]}')
    assert found.readings[0].times.tolist() == [1.0, 2.0]


def test_empty_phyphox_buffers_are_no_readings() -> None:
    [found] = decode("phyphox", b'{"t": [], "accX": [], "accY": [], "accZ": []}')
    assert found.readings == ()


@pytest.mark.parametrize(
    ("topic", "is_dedicated", "phone"),
    [
        ("android/sensor", False, "android-sensor"),
        ("android/sensor/gyroscope", True, "android-sensor"),
        ("android/sensor/anna", False, "anna"),
        ("android/sensor/anna/gyroscope", True, "anna"),
        ("home/anna", False, "home-anna"),
        ("home/bert/gyroscope", True, "home-bert"),
        ("anna", False, "anna"),
        ("gyroscope", True, "gyroscope"),
    ],
)
def test_sensorspot_phones_are_told_apart_by_their_topics(topic: str, is_dedicated: bool, phone: str) -> None:
    message: dict[str, object] = {"timestamp": 5, "values": [0.0, 0.0, 0.0]}
    if not is_dedicated:
        message["type"] = "android.sensor.gyroscope"
    [found] = decode(topic, json.dumps(message).encode())
    assert found.phone == phone


def test_names_are_made_valid_and_stay_apart() -> None:
    assert phone_name("s02-e03") == "s02-e03"
    made = [phone_name(text) for text in ("", "Anna's", "Anna?s", "a" * 65, "a" * 66, "\x1b[31m", "häuser", "\ud800")]
    assert len(set(made)) == len(made)
    for name in made:
        assert decode(f"har/{name}/imu", encode_imu(np.ones((1, 6)), time_s=0.0))[0].phone == name


def test_no_topic_filter_takes_a_message_twice() -> None:
    assert default_topics(AUTO, "har") == default_topics("har", "har") == ("har/+/imu", "har/+/label")
    assert app_topics(AUTO) == ("sensor-logger/#", "android/sensor/#", "phyphox/#")
    assert sum((app_topics(name) for name in Format), ()) == app_topics(AUTO)
    assert app_topics("har") == default_topics("phyphox", "har") == ()
