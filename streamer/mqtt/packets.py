"""The two packets that come and go by the thousand, as bytes: PUBLISH and PUBACK. Pure.

Sections are those of the OASIS standards MQTT 3.1.1 and MQTT 5.0, which differ here in the properties alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

PUBLISH: Final = 0x30
"""First byte of a PUBLISH without flags (3.1.1 and 5.0, section 3.3.1)."""

PUBACK: Final = 0x40
"""First byte of a PUBACK (3.4.1)."""

RETAIN: Final = 0x01
AT_LEAST_ONCE: Final = 0x02
EXACTLY_ONCE: Final = 0x04
DUP: Final = 0x08
"""Flags of a PUBLISH's first byte (3.3.1)."""

FAILURE: Final = 0x80
"""Reason codes from here on are failures (5.0, section 2.4)."""

TAKEN_OVER: Final = 0x8E
"""Reason code of a DISCONNECT: another client of the same id has come (5.0, section 3.14.2.1)."""

MAX_LENGTH_BYTES: Final = 4
"""Bytes of the longest length (2.2.3)."""


def encode_length(size: int) -> bytes:
    """What says how many bytes of a packet follow: seven bits a byte, the least first (2.2.3)."""
    if size < 0x80:
        return bytes((size,))
    encoded = bytearray()
    while size >= 0x80:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)


def decode_length(data: bytes, at: int) -> tuple[int, int] | None:
    """The length at ``at`` and the place after it; None if it does not end within ``data``.

    Raises
    ------
    ValueError : it has more than four bytes.
    """
    size = shift = 0
    for place in range(at, min(at + MAX_LENGTH_BYTES, len(data))):
        byte = data[place]
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return size, place + 1
        shift += 7
    if len(data) - at >= MAX_LENGTH_BYTES:
        raise ValueError("a length has more than four bytes")
    return None


def encode_publish(topic: str, payload: bytes, packet_id: int, *, retain: bool, properties: bool) -> bytes:
    """A PUBLISH of quality of service 1 (3.3); ``properties``: as MQTT 5 writes that there are none."""
    name = topic.encode()
    head = bytes((PUBLISH | AT_LEAST_ONCE | retain,))
    size = encode_length(4 + len(name) + properties + len(payload))
    rest = packet_id.to_bytes(2, "big") + b"\0" if properties else packet_id.to_bytes(2, "big")
    return b"".join((head, size, len(name).to_bytes(2, "big"), name, rest, payload))


def duplicate(publish: bytes) -> bytes:
    """The same PUBLISH as it is sent another time (3.3.1.1)."""
    return bytes((publish[0] | DUP,)) + publish[1:]


def encode_pubacks(packet_ids: Iterable[bytes]) -> bytes:
    """PUBACKs of these ids, two bytes each, one behind the other: what both versions read as success (3.4)."""
    return b"".join([b"\x40\x02" + packet_id for packet_id in packet_ids])
