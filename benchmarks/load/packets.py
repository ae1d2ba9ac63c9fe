"""As much of MQTT 3.1.1 as a load generator needs, as bytes. Section numbers are those of the OASIS standard. Pure."""

from __future__ import annotations

from collections.abc import Iterator

CONNACK, PUBLISH, PUBACK, SUBACK = 0x20, 0x30, 0x40, 0x90
"""Types of packets, the upper four bits of the first byte (2.2.1)."""

DISCONNECT = b"\xe0\x00"


def remaining_length(size: int) -> bytes:
    """What says how many bytes of a packet follow: seven bits a byte, the least first (2.2.3)."""
    encoded = bytearray()
    while True:
        size, low = divmod(size, 128)
        encoded.append(low | (0x80 if size else 0))
        if not size:
            return bytes(encoded)


def string(text: str) -> bytes:
    """UTF-8 behind its length in two bytes (1.5.3)."""
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def connect(client_id: str) -> bytes:
    """CONNECT with a clean session and without keep-alive (3.1)."""
    body = string("MQTT") + b"\x04\x02\x00\x00" + string(client_id)
    return b"\x10" + remaining_length(len(body)) + body


def subscribe(topic_filter: str) -> bytes:
    """SUBSCRIBE to one filter at quality of service 0 (3.8)."""
    body = b"\x00\x01" + string(topic_filter) + b"\x00"
    return b"\x82" + remaining_length(len(body)) + body


def publish_head(topic_size: int, payload_size: int, qos: int) -> bytes:
    """What precedes the topic's characters in a PUBLISH (3.3); with ``qos`` 1 a packet id follows the topic."""
    body = 2 + topic_size + (2 if qos else 0) + payload_size
    return bytes([PUBLISH | qos << 1]) + remaining_length(body) + topic_size.to_bytes(2, "big")


class Reader:
    """Cuts what a broker sends into packets, wherever the pieces end."""

    def __init__(self) -> None:
        self._held = b""

    def push(self, piece: bytes) -> Iterator[tuple[int, memoryview]]:
        """First byte and body of each packet that is now complete; the body is valid until the next call."""
        data = self._held + piece if self._held else piece
        view, at, end = memoryview(data), 0, len(data)
        while at + 2 <= end:
            size, shift, body = 0, 0, at + 1
            while body < end and shift <= 21:
                size |= (data[body] & 0x7F) << shift
                body += 1
                if not data[body - 1] & 0x80:
                    break
                shift += 7
            else:
                if shift > 21:
                    raise ValueError("the broker sent a length of more than four bytes")
                break
            if body + size > end:
                break
            yield data[at], view[body : body + size]
            at = body + size
        self._held = data[at:]
