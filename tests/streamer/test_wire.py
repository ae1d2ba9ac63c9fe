"""The wire format: exact round trips, and every fault a WireError."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from model.bundled import load_recording
from model.signals import Stage
from streamer import wire
from streamer.wire import Encoding, Label, WireError, decode_imu, decode_label, encode_imu, encode_label

ENCODINGS: tuple[Encoding, ...] = ("json", "msgpack")

sensible = st.floats(-wire.MAX_VALUE, wire.MAX_VALUE)


@given(
    values=npst.arrays(np.float64, st.tuples(st.integers(1, 30), st.just(6)), elements=sensible),
    time_s=st.floats(0, 4e9),
    seq=st.none() | st.integers(0, 2**62),
    stage=st.sampled_from(Stage),
    start=st.booleans(),
    encoding=st.sampled_from(ENCODINGS),
)
def test_samples_come_back_bit_for_bit(
    values: np.ndarray, time_s: float, seq: int | None, stage: Stage, start: bool, encoding: Encoding
) -> None:
    payload = encode_imu(values, time_s=time_s, seq=seq, stage=stage, start=start, encoding=encoding)
    samples = decode_imu(payload)
    assert samples.values.tobytes() == values.tobytes()
    assert samples.times[0] == time_s
    assert (samples.seq, samples.stage, samples.start) == (seq, stage, start)


packed_numbers = sensible | st.integers(-5, 5)
"""MessagePack has other forms for whole numbers."""


@given(
    rows=st.lists(st.lists(packed_numbers, min_size=2, max_size=4), max_size=20)
    | st.lists(st.lists(sensible, min_size=3, max_size=3), min_size=14, max_size=18),
    turning=st.integers(-1, 1),
    more=st.sampled_from([{}, {"seq": 7}, {"unit": {"acc": "m/s2"}}, {"start": True}, {"battery": [1, "x"]}]),
)
def test_packed_vectors_are_the_same_as_those_that_are_read_number_by_number(
    rows: list[list[float]], turning: int, more: dict[str, object]
) -> None:
    message = {"t": 1.0, "rate": 50.0, "acc": rows, "gyro": [[0.5, 1.0, -2.0]] * max(len(rows) + turning, 0), **more}
    payload = msgspec.msgpack.encode(message)
    as_text = msgspec.json.encode(message)
    try:
        expected = decode_imu(as_text)
    except WireError as error:
        with pytest.raises(WireError) as raised:
            decode_imu(payload)
        assert raised.value.kind == error.kind
        return
    samples = decode_imu(payload)
    assert samples.values.tobytes() == expected.values.tobytes()
    assert samples.values.flags.writeable
    assert samples.times.tolist() == expected.times.tolist()
    assert (samples.seq, samples.start) == (expected.seq, expected.start)


@given(at=st.integers(0, 2000), to=st.integers(0, 255))
def test_a_packed_message_with_any_byte_changed_is_what_its_numbers_say_or_refused(at: int, to: int) -> None:
    packed = bytearray(encode_imu(np.eye(20, 6), time_s=1.0, seq=3, encoding="msgpack"))
    packed[at % len(packed)] = to
    full = wire._DECODERS[wire.IMU, "msgpack"]
    try:
        message = full.decode(bytes(packed))
    except (msgspec.DecodeError, UnicodeDecodeError):
        with pytest.raises(WireError):
            decode_imu(bytes(packed))
        return
    try:
        samples = decode_imu(bytes(packed))
    except WireError:
        return
    if message.unit is None:
        assert samples.values.tolist() == np.hstack([message.acc, message.gyro]).tolist()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_recording_comes_back_bit_for_bit(encoding: Encoding) -> None:
    chunk = load_recording(3).samples[:25]
    samples = decode_imu(encode_imu(chunk, time_s=1732428000.12, seq=7, encoding=encoding))
    assert np.array_equal(samples.values, chunk)
    np.testing.assert_allclose(np.diff(samples.times), 0.02, atol=1e-6)


def test_the_contract_s_example_is_understood() -> None:
    payload = (
        b'{"seq": 412, "t": 1732428000.12, "rate": 50.0, "acc": [[0.98, -0.12, 0.10]], "gyro": [[0.01, 0.0, -0.02]]}'
    )
    samples = decode_imu(payload)
    assert samples.seq == 412
    assert samples.values.tolist() == [[0.98, -0.12, 0.10, 0.01, 0.0, -0.02]]
    assert samples.stage is Stage.RAW
    assert not samples.start


def test_units_are_converted_to_g_and_radians() -> None:
    message = {
        "t": [0.0, 0.02],
        "acc": [[9.80665, 0, 0], [0, 19.6133, 0]],
        "gyro": [[180, 0, 0], [0, 0, -90]],
        "unit": {"acc": "m/s2", "gyro": "deg/s"},
    }
    samples = decode_imu(json.dumps(message).encode())
    np.testing.assert_allclose(samples.values, [[1, 0, 0, np.pi, 0, 0], [0, 2, 0, 0, 0, -np.pi / 2]])
    assert samples.times.tolist() == [0.0, 0.02]


def test_integers_and_unknown_fields_are_accepted() -> None:
    samples = decode_imu(b'{"t": 5, "acc": [[1, 0, 0]], "gyro": [[0, 0, 0]], "battery": 80}')
    assert samples.times.tolist() == [5.0]


VECTOR = [[1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"hello", "malformed|MessagePack|trailing|Expected"),
        (b"{", "truncated"),
        (b"[1]", "Expected"),
        (b'{"t": 1}', "acc"),
        (b'{"t": 1, "acc": [], "gyro": []}', "length >= 1"),
        (b'{"t": 1, "acc": [[1, 2]], "gyro": [[1, 2, 3]]}', "length 3"),
        (b'{"t": "now", "acc": [[1, 2, 3]], "gyro": [[1, 2, 3]]}', "t"),
        (b'{"t": 1, "acc": [[1, 2, "x"]], "gyro": [[1, 2, 3]]}', "acc"),
        (b'{"t": 1, "acc": [[1, 2, NaN]], "gyro": [[1, 2, 3]]}', "malformed"),
        (b'{"t": 1, "rate": 0, "acc": [[1, 2, 3]], "gyro": [[1, 2, 3]]}', "rate"),
        (b'{"t": 1, "rate": 50, "acc": [[1, 2, 3]], "gyro": [[1, 2, 3], [1, 2, 3]]}', "gyro 2"),
        (b'{"t": 1, "acc": [[1, 2, 3], [1, 2, 3]], "gyro": [[1, 2, 3], [1, 2, 3]]}', "rate is missing"),
        (b'{"t": [1, 2], "acc": [[1, 2, 3]], "gyro": [[1, 2, 3]]}', "2 times for 1"),
        (b'{"seq": -1, "t": 1, "acc": [[1, 2, 3]], "gyro": [[1, 2, 3]]}', "seq"),
        (b'{"t": 1, "acc": [[1e400, 2, 3]], "gyro": [[1, 2, 3]]}', "range|finite"),
        (b'{"t": 1, "unit": {"acc": "ft"}, "acc": [[1, 2, 3]], "gyro": [[1, 2, 3]]}', "unit"),
        (msgspec.msgpack.encode({"t": 1.0, "acc": [[1.0, 2.0, float("nan")]], "gyro": VECTOR}), "finite"),
        (msgspec.msgpack.encode({"t": float("inf"), "acc": VECTOR, "gyro": VECTOR}), "finite"),
        (msgspec.json.encode({"t": 1.0, "acc": [[1.0, 2.0, 1.1e6]], "gyro": VECTOR}), "sensible"),
        (msgspec.json.encode({"t": 1.1e11, "acc": VECTOR, "gyro": VECTOR}), "sensible"),
        (b" " * (wire.MAX_PAYLOAD_BYTES + 1), "more than"),
        (msgspec.json.encode({"t": 1.0, "rate": 50.0, "acc": VECTOR * 1001, "gyro": VECTOR * 1001}), "<= 1000"),
    ],
)
def test_what_is_not_a_message_of_samples_says_why(payload: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        decode_imu(payload)


@given(st.binary(max_size=300))
def test_any_bytes_are_samples_or_a_wire_error(payload: bytes) -> None:
    for decode in (decode_imu, decode_label):
        try:
            decode(payload)
        except WireError as error:
            assert str(error)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("activity", ["WALKING", "SIT_TO_LIE", None])
def test_labels_come_back(activity: str | None, encoding: Encoding) -> None:
    label = Label(activity, 1732428000.12, 1732428001.5)
    assert decode_label(encode_label(label, encoding)) == label


@pytest.mark.parametrize(
    "payload", [b'{"activity": "FLYING", "start": 1, "end": 2}', b'{"activity": null, "end": 1}', b"null"]
)
def test_what_is_not_a_label_is_an_error(payload: bytes) -> None:
    with pytest.raises(WireError):
        decode_label(payload)


def test_topics_come_back() -> None:
    assert wire.topic("har", "s02-e03", wire.IMU) == "har/s02-e03/imu"
    assert wire.parse_topic("har/s02-e03/imu") == ("s02-e03", "imu")
    assert wire.parse_topic("home/har/a.b_c/label") == ("a.b_c", "label")
    assert wire.phone_topics("har") == ("har/+/imu", "har/+/label")


@pytest.mark.parametrize("phone", ["", "a b", "x" * 65, "\x1b[31m", "ü", "a/b", "+"])
def test_a_phone_s_name_is_checked(phone: str) -> None:
    with pytest.raises(WireError):
        wire.topic("har", phone, wire.IMU)
    if "/" not in phone:
        with pytest.raises(WireError):
            wire.parse_topic(f"har/{phone}/imu")


def test_a_topic_without_a_phone_is_an_error() -> None:
    with pytest.raises(WireError):
        wire.parse_topic("imu")
