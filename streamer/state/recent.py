"""Whether a message that the broker may have delivered before has come before. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from zlib import crc32

from streamer.inbox import Message

MOST = 16_384
"""Messages that are remembered: more than a broker delivers without an acknowledgement of the first (Mosquitto: 20
unless told otherwise, NATS: 1024; what fits into the connection's buffers comes on top)."""


class Recent:
    """The last :data:`MOST` messages, by checksum and length."""

    def __init__(self) -> None:
        self._ring = array("Q", bytes(8 * MOST))
        self._next = 0

    def add(self, messages: Iterable[Message]) -> None:
        """Remember them."""
        for message in messages:
            self._ring[self._next] = _digest(message)
            self._next = (self._next + 1) % MOST

    def __contains__(self, message: Message) -> bool:
        """Whether the same topic and payload came not long ago."""
        return _digest(message) in self._ring

    def take(self) -> bytes:
        """All of it."""
        digests = self._ring[self._next :] + self._ring[: self._next]
        return array("Q", [digest for digest in digests if digest]).tobytes()

    def give(self, taken: bytes) -> None:
        """What :meth:`take` gave, of an earlier run."""
        digests = array("Q", taken)[-MOST:]
        self._ring = array("Q", bytes(8 * (MOST - len(digests)))) + digests
        self._next = 0


def _digest(message: Message) -> int:
    return crc32(message.payload, crc32(message.topic.encode())) | len(message.payload) + 1 << 32
