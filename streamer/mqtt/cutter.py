"""Cuts what a broker sends into messages and acknowledgements, many at a time. Pure.

Only PUBLISH of quality of service 0 and 1, and PUBACK, are understood; every other packet is given back whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from streamer.faults import TooLong
from streamer.inbox import Message
from streamer.mqtt.packets import (
    AT_LEAST_ONCE,
    DUP,
    EXACTLY_ONCE,
    PUBACK,
    PUBLISH,
    RETAIN,
    decode_length,
    encode_length,
)
from streamer.wire import MAX_PAYLOAD_BYTES, MAX_TOPICS

MAX_PACKET = MAX_PAYLOAD_BYTES + (1 << 17)
"""Bytes of a packet that is held: the longest payload of a phone, the longest topic, and as much again of properties.
A longer PUBLISH is refused by the length that it announces: of its payload nothing is held. No other packet is as long.
"""

MAX_HEAD = 2 + (1 << 16) + 2
"""Bytes that a PUBLISH begins with at most: its topic, after the length of that, and its id."""

MAX_TOPIC_BYTES = 256
"""Longer ones are no phone's, and not kept."""

_KIND = 0xF0 | EXACTLY_ONCE
"""Of a first byte: type and the upper bit of the quality of service."""


class MalformedStreamError(Exception):
    """What came is not MQTT."""


class OwnMessage(NamedTuple):
    """A message on a topic of the listener's own; ``retained``: the broker kept it from earlier."""

    topic: str
    payload: bytes
    retained: bool


class Batch(NamedTuple):
    """What has been cut, in the order in which it came, up to a packet that is given back."""

    messages: list[Message]
    own: list[OwnMessage]
    packet_ids: list[bytes]
    """Of the messages that are to be acknowledged, two bytes each."""

    acknowledged: list[tuple[int, int]]
    """Packet id and reason code (0 of MQTT 3.1.1) of what the broker has acknowledged."""

    other: bytes
    """A whole packet of another kind, empty if there is none; after it, cut again."""


class Cutter:
    """Of one connection: pieces in by :meth:`push`, batches out by :meth:`cut`.

    Parameters
    ----------
    properties : packets have properties, as those of MQTT 5 do.
    is_own : whether messages of a topic are the listener's own.
    """

    def __init__(self, *, properties: bool, is_own: Callable[[str], bool]) -> None:
        self._properties = properties
        self._is_own = is_own
        self._data = b""
        self._at = 0
        self._held = bytearray()
        self._needed = 0
        self._passed_over = 0
        self._emptied = b""
        self._topics: dict[bytes, tuple[str, bool]] = {}

    def push(self, piece: bytes) -> None:
        """Take what came next; what was pushed before has been cut as far as possible."""
        if self._passed_over:
            skipped = min(self._passed_over, len(piece))
            self._passed_over -= skipped
            piece = piece[skipped:]
        if not self._held:
            self._data, self._at = piece, 0
            return
        self._held += piece
        if len(self._held) >= self._needed:
            self._data, self._at = bytes(self._held), 0
            self._held.clear()

    def cut(self, arrived_s: float) -> Batch:
        """All messages and acknowledgements up to a packet of another kind, or to the end of what has come.

        Raises
        ------
        MalformedStreamError : it is no MQTT.
        """
        batch = Batch([], [], [], [], b"")
        data, at = self._data, self._at
        end = len(data)
        self._needed = 0
        while end - at >= 2:
            first, size, body = data[at], data[at + 1], at + 2
            if size >= 0x80:
                if (length := _length(data, at + 1)) is None:
                    break
                size, body = length
            stop = body + size
            if stop > end:
                at = self._begin(batch, at, body, stop, arrived_s)
                break
            if first & _KIND == PUBLISH:
                self._publish(batch, body, stop, arrived_s, first)
            elif first == PUBACK:
                batch.acknowledged.append(_puback(data, body, size))
            else:
                self._at = stop
                return batch._replace(other=data[at:stop])
            at = stop
        self._held += data[at:]
        self._data, self._at = b"", 0
        other, self._emptied = self._emptied, b""
        return batch._replace(other=other) if other else batch

    def _publish(self, batch: Batch, body: int, stop: int, arrived_s: float, first: int) -> None:
        data = self._data
        place = body + 2 + (data[body] << 8 | data[body + 1]) if stop - body >= 2 else stop + 1
        name = data[body + 2 : place]
        if first & AT_LEAST_ONCE:
            packet_id = data[place : place + 2]
            place += 2
        if self._properties:
            place = _after_properties(data, place, stop)
        if place > stop:
            raise MalformedStreamError("a PUBLISH is shorter than what it begins with")
        if first & AT_LEAST_ONCE:
            batch.packet_ids.append(packet_id)
        topic, is_own = self._topics.get(name) or self._topic(name)
        if is_own:
            batch.own.append(OwnMessage(topic, data[place:stop], bool(first & RETAIN)))
        else:
            batch.messages.append(Message(topic, data[place:stop], arrived_s, first & DUP != 0))

    def _topic(self, name: bytes) -> tuple[str, bool]:
        topic = name.decode("utf-8", "replace")
        known = topic, self._is_own(topic)
        if len(name) <= MAX_TOPIC_BYTES:
            if len(self._topics) >= MAX_TOPICS:
                self._topics.clear()
            self._topics[name] = known
        return known

    def _begin(self, batch: Batch, at: int, body: int, stop: int, arrived_s: float) -> int:
        """The beginning of a packet is to be held, but of one that is too long only until it is known whose it is;
        gives what was done with.
        """
        data, first = self._data, self._data[at]
        end, size = len(data), stop - at
        self._needed = size
        if size <= MAX_PACKET:
            return at
        if first & 0xF0 != PUBLISH:
            raise MalformedStreamError(f"a packet of {size} bytes is no PUBLISH")
        place = body + 2 + (data[body] << 8 | data[body + 1]) if end - body >= 2 else end + 1
        has_id = first & (AT_LEAST_ONCE | EXACTLY_ONCE)
        if place + 2 * bool(has_id) > end:
            self._needed = body - at + MAX_HEAD if end - body < 2 else place + 2 - at
            return at
        self._passed_over = stop - end
        if first & EXACTLY_ONCE:
            self._emptied = _emptied(first, data[body : place + 2], self._properties)
            return end
        if has_id:
            batch.packet_ids.append(data[place : place + 2])
        topic, is_own = self._topics.get(name := data[body + 2 : place]) or self._topic(name)
        if not is_own:
            batch.messages.append(Message(topic, TooLong.of(stop - place), arrived_s))
        return end


def _emptied(first: int, head: bytes, properties: bool) -> bytes:
    """A PUBLISH of this head, topic and id, with an empty payload: who delivers exactly once needs no more."""
    body = head + b"\0" if properties else head
    return bytes((first,)) + encode_length(len(body)) + body


def _length(data: bytes, at: int) -> tuple[int, int] | None:
    try:
        return decode_length(data, at)
    except ValueError as error:
        raise MalformedStreamError(str(error)) from error


def _after_properties(data: bytes, place: int, stop: int) -> int:
    """The place behind the properties (5.0, section 3.3.2.3): their length, then so many bytes."""
    if place >= stop:
        return stop + 1
    if data[place] == 0:
        return place + 1
    length = _length(data[:stop], place) if stop < place + 4 else _length(data, place)
    return stop + 1 if length is None else length[1] + length[0]


def _puback(data: bytes, body: int, size: int) -> tuple[int, int]:
    """Packet id and reason code, which is left out where it is success (5.0, section 3.4.2.1)."""
    if size < 2:
        raise MalformedStreamError("a PUBACK has no packet id")
    return data[body] << 8 | data[body + 1], data[body + 2] if size > 2 else 0
