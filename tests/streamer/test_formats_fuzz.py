"""Any bytes, on any topic, are messages or a WireError, in bounded memory."""

from __future__ import annotations

import json
import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.formats.detect import decode
from streamer.formats.names import CHOICES
from streamer.wire import MAX_PAYLOAD_BYTES, WireError
from tests.streamer.format_invariants import TOPICS, check
from tests.streamer.format_messages import Golden, golden

GOLDEN = [message.payload for message in golden()] + [msgspec.msgpack.encode(message.message) for message in golden()]

NAMES = sorted({key for message in golden() for key in message.message} | {"name", "values", "accuracy", "x", "y", "z"})

topics = st.sampled_from([*TOPICS, *(message.topic for message in golden())]) | st.text(max_size=20)

strange = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["accelerometer", "gyroscope", "annotation", "android.sensor.gyroscope", "WALKING"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=8),
    max_leaves=20,
)


@given(topic=topics, payload=st.binary(max_size=300), format_name=st.sampled_from(CHOICES))
def test_any_bytes(topic: str, payload: bytes, format_name: str) -> None:
    check(topic, payload, format_name)


@given(topic=topics, message=st.dictionaries(st.sampled_from(NAMES), strange, max_size=9), packed=st.booleans())
def test_anything_that_has_the_fields(topic: str, message: dict[str, object], packed: bool) -> None:
    try:
        payload = msgspec.msgpack.encode(message) if packed else json.dumps(message).encode()
    except OverflowError:  # MessagePack has no integers that long
        return
    check(topic, payload)


@given(
    topic=topics,
    payload=st.sampled_from(GOLDEN),
    edits=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=4)), min_size=1, max_size=5),
)
def test_golden_messages_that_were_tampered_with(
    topic: str, payload: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for at, removed, added in edits:
        place = at % len(payload) if payload else 0
        payload = payload[:place] + added + payload[place + removed :]
    check(topic, payload)


@given(topic=topics, message=st.sampled_from(golden()), field=st.integers(0), content=strange)
def test_golden_messages_with_a_field_of_another_kind(topic: str, message: Golden, field: int, content: object) -> None:
    changed = sorted(message.message)[field % len(message.message)]
    check(topic, json.dumps(message.message | {changed: content}).encode())


def filled(start: bytes, piece: bytes, end: bytes) -> bytes:
    return start + piece * ((MAX_PAYLOAD_BYTES - len(start) - len(end)) // len(piece)) + end


HOSTILE = [
    filled(b"", b"[", b""),
    filled(b'{"a":', b"[", b""),
    filled(b'{"a":', b'{"a":', b""),
    filled(b'{"messageId":1,"deviceId":"d","payload":[', b'{"name":"","time":0},', b'{"name":"","time":0}]}'),
    filled(b'{"messageId":1,"deviceId":"', b"d", b'","payload":[]}'),
    filled(b'{"t":[', b"0,", b'0],"accX":1}'),
    filled(b'{"t":0,"time":{"events":[', b'{"event":"","experimentTime":0,"systemTime":0},', b'],"accX":1}'),
    filled(b'{"timestamp":0,"values":[', b"0,", b"0]}"),
    filled(b'{"t":0,"acc":[', b"[0,0,0],", b"[0,0,0]]}"),
    b"\x82\xa1t\xdd\xff\xff\xff\xff",
    filled(b"\x82\xa1t\xca\x00\x00\x00\x00\xa3acc\xdd\xff\xff\xff\xff", b"\x93\x00\x00\x00", b""),
    filled(b"", b"\x91", b""),
]


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("topic", ["har/anna/imu", "har/anna/label", "sensor-logger", "phyphox"])
def test_hostile_messages_cost_little_memory(topic: str, payload: bytes) -> None:
    tracemalloc.start()
    try:
        decode(topic, payload)
    except WireError as error:
        assert len(str(error)) < 200
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 32 * MAX_PAYLOAD_BYTES
