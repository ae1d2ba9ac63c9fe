"""Packets as bytes, against paho's own, in whatever pieces they come."""

from __future__ import annotations

from typing import Any

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from streamer.faults import TooLong
from streamer.inbox import Message
from streamer.mqtt.cutter import MAX_PACKET, Cutter, MalformedStreamError, OwnMessage
from streamer.mqtt.packets import decode_length, duplicate, encode_length, encode_pubacks, encode_publish

VERSIONS = {False: mqtt.MQTTv311, True: mqtt.MQTTv5}


class Paho(mqtt.Client):
    """Keeps the packets that it would send."""

    def __init__(self, *, properties: bool) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, protocol=VERSIONS[properties])
        self.packets: list[bytes] = []

    def publish_packet(self, packet_id: int, topic: str, payload: bytes, qos: int, *flags: Any) -> bytes:
        self._sock = self  # type: ignore[assignment]
        self._send_publish(packet_id, topic.encode(), payload, qos, *flags)
        self._sock = None
        return self.packets.pop()

    def _packet_queue(self, _command: int, packet: Any, *_: Any) -> Any:
        self.packets.append(bytes(packet))


PAHO = {properties: Paho(properties=properties) for properties in VERSIONS}

topics = st.text(st.characters(codec="utf-8", exclude_characters="\0#+"), min_size=1, max_size=150)
packet_ids = st.integers(1, 65535)


@st.composite
def property_lists(draw: st.DrawFn) -> Properties:
    found = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if draw(st.booleans()):
        found.UserProperty = [("a", "b" * draw(st.integers(0, 200)))]
    if draw(st.booleans()):
        found.MessageExpiryInterval = 60
    return found


@given(topics, st.binary(max_size=300), packet_ids, st.booleans(), st.booleans())
def test_a_message_is_encoded_as_paho_does_the_first_and_any_other_time(
    topic: str, payload: bytes, packet_id: int, retain: bool, properties: bool
) -> None:
    packet = encode_publish(topic, payload, packet_id, retain=retain, properties=properties)
    paho = PAHO[properties]
    assert packet == paho.publish_packet(packet_id, topic, payload, 1, retain)
    assert duplicate(packet) == paho.publish_packet(packet_id, topic, payload, 1, retain, True)


@given(st.integers(0, 268_435_455), st.binary(max_size=3))
def test_a_length_is_read_as_it_was_written(size: int, more: bytes) -> None:
    encoded = encode_length(size)
    assert decode_length(b"x" + encoded + more, 1) == (size, 1 + len(encoded))
    assert all(decode_length(encoded[:k], 0) is None for k in range(len(encoded)))


@st.composite
def streams(draw: st.DrawFn) -> tuple[bool, list[tuple[str, Any, bytes]]]:
    """Whether there are properties, and packets: kind, what it is to come out as, bytes."""
    properties = draw(st.booleans())
    packets: list[tuple[str, Any, bytes]] = []
    for kind in draw(st.lists(st.sampled_from(["message", "own", "acknowledged", "other"]), max_size=12)):
        packet_id = draw(packet_ids)
        if kind == "acknowledged":
            code = draw(st.sampled_from([0, 0x10, 0x87])) if properties else 0
            body = packet_id.to_bytes(2, "big") + bytes([code]) * bool(code)
            packets.append((kind, (packet_id, code), b"\x40" + bytes([len(body)]) + body))
            continue
        topic = draw(topics) + ("/own" if kind == "own" else "/imu")
        payload = draw(st.binary(max_size=400))
        qos, retain, dup = draw(st.sampled_from([0, 1])), draw(st.booleans()), draw(st.booleans())
        if kind == "other":  # exactly once, or a PINGRESP
            qos = 2
        flags = (retain, dup, None, draw(property_lists()) if properties else None)
        packet = PAHO[properties].publish_packet(packet_id, topic, payload, qos, *flags)
        if kind == "other" and draw(st.booleans()):
            packet = b"\xd0\x00"
        ids = [packet_id.to_bytes(2, "big")] if qos == 1 else []
        found = {"message": (topic, payload), "own": OwnMessage(topic, payload, retain), "other": packet}[kind]
        packets.append((kind, (found, ids), packet))
    return properties, packets


@given(streams(), st.lists(st.integers(1, 60), max_size=30))
def test_a_stream_is_cut_into_the_same_in_whatever_pieces_it_comes(
    stream: tuple[bool, list[tuple[str, Any, bytes]]], sizes: list[int]
) -> None:
    properties, packets = stream
    cutter = Cutter(properties=properties, is_own=lambda topic: topic.endswith("/own"))
    data = b"".join(packet for _, _, packet in packets)
    came: dict[str, list[Any]] = {"message": [], "own": [], "acknowledged": [], "other": [], "ids": []}
    order: list[str] = []
    for number, size in enumerate([*sizes, len(data) + 1]):
        piece, data = data[:size], data[size:]
        cutter.push(piece)
        while True:
            batch = cutter.cut(float(number))
            assert all(message.arrived_s == number for message in batch.messages)
            came["message"] += [(message.topic, message.payload) for message in batch.messages]
            came["own"] += batch.own
            came["acknowledged"] += batch.acknowledged
            came["ids"] += batch.packet_ids
            order += ["x"] * (len(batch.messages) + len(batch.own) + len(batch.acknowledged))
            if not batch.other:
                break
            came["other"].append(batch.other)
            order.append("other")
    for kind in ("message", "own", "other"):
        assert came[kind] == [found[0] for name, found, _ in packets if name == kind]
    assert came["acknowledged"] == [found for name, found, _ in packets if name == "acknowledged"]
    assert came["ids"] == [i for name, found, _ in packets if name in ("message", "own") for i in found[1]]
    assert order == [name if name == "other" else "x" for name, _, _ in packets]


def test_pubacks_are_joined() -> None:
    assert encode_pubacks([b"\0\1", b"\xff\xfe"]) == b"\x40\2\0\1\x40\2\xff\xfe"


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("size", [3, 100, 65_000])
@pytest.mark.parametrize("properties", [False, True])
def test_a_message_that_is_too_long_is_refused_by_its_length_and_nothing_of_it_is_held(
    properties: bool, size: int, qos: int
) -> None:
    paho, n_bytes = PAHO[properties], MAX_PACKET + 300_000
    stream = paho.publish_packet(7, "har/p/imu", b"x" * n_bytes, qos) + paho.publish_packet(8, "har/p/imu", b"next", 1)
    cutter = Cutter(properties=properties, is_own=lambda _topic: False)
    messages: list[Message] = []
    others: list[bytes] = []
    ids: list[bytes] = []
    for start in range(0, 500 * size, size) if size < 1000 else [0]:
        cutter.push(stream[start : start + size])
        batch = cutter.cut(0.0)
        messages += batch.messages
        others += [batch.other] * bool(batch.other)
        ids += batch.packet_ids
        assert len(cutter._held) < 100
    cutter.push(stream[500 * size if size < 1000 else size :])
    batch = cutter.cut(0.0)
    if qos == 2:
        assert [*others, batch.other] == [paho.publish_packet(7, "har/p/imu", b"", 2), b""]
    else:
        (refused,) = messages
        assert (refused.topic, refused.payload) == ("har/p/imu", b"")
        assert isinstance(refused.payload, TooLong)
        assert refused.payload.n_bytes >= n_bytes
    assert [message.payload for message in batch.messages] == [b"next"]
    assert [*ids, *batch.packet_ids] == [b"\0\7"] * (qos == 1) + [b"\0\x08"]


def test_another_packet_that_is_too_long_ends_the_connection_before_it_is_held() -> None:
    cutter = Cutter(properties=True, is_own=lambda _topic: False)
    cutter.push(b"\x90\xff\xff\xff\x7f")  # a SUBACK of 256 MB
    with pytest.raises(MalformedStreamError, match="no PUBLISH"):
        cutter.cut(0.0)


@pytest.mark.parametrize(
    "stream",
    [
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x30\x01a",  # no topic
        b"\x30\x04\x00\x09ab",  # a topic that is longer than the packet
        b"\x32\x05\x00\x02ab\x00",  # half a packet id
        b"\x40\x01\x00",
    ],
)
@pytest.mark.parametrize("properties", [False, True])
def test_what_is_no_mqtt_is_refused(stream: bytes, properties: bool) -> None:
    cutter = Cutter(properties=properties, is_own=lambda _topic: False)
    cutter.push(stream + bytes(8))
    with pytest.raises(MalformedStreamError):
        cutter.cut(0.0)
