"""A paho client that reads its socket in large pieces.

paho asks the socket for one byte, then another, then the payload. Each call gives up Python's global lock, and
while another thread computes, getting it back takes up to ``sys.getswitchinterval()``: a few hundred messages a
second at most. Read in pieces of 64 KiB, that happens once for some fifty messages.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

PIECE = 1 << 16
"""Bytes asked of the socket at once."""


class ReadAhead:
    """A socket whose ``recv`` is served from what was read before; else the socket itself.

    ``pending`` tells what is held, as an SSL socket's does: paho and :meth:`ReadAheadClient.turn` do not wait
    for the network while there is something.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._piece = memoryview(b"")

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes; as ``socket.recv``."""
        if not self._piece:
            self._piece = memoryview(self._inner.recv(max(PIECE, size)))
        given, self._piece = self._piece[:size], self._piece[size:]
        return bytes(given)

    def pending(self) -> int:
        """Bytes that ``recv`` gives without asking the network."""
        inner = self._inner.pending() if hasattr(self._inner, "pending") else 0
        return len(self._piece) + int(inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class ReadAheadClient(mqtt.Client):
    """A client whose sockets are :class:`ReadAhead`; its network loop is :meth:`turn`."""

    def _create_socket_connection(self) -> socket.socket:
        connection = super()._create_socket_connection()
        # paho leaves Nagle's algorithm on, which delays acknowledgements by up to 40 ms.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _create_socket(self) -> Any:
        return ReadAhead(super()._create_socket())

    def turn(self, timeout_s: float) -> MQTTErrorCode:
        """Wait up to ``timeout_s`` for the network, then handle all that has come."""
        result = self.loop(timeout_s)
        while result == mqtt.MQTT_ERR_SUCCESS and self._holds():
            result = self.loop_read()
        return result

    def wake(self) -> None:
        """End the wait of :meth:`turn`; safe on any thread, as it writes to paho's own pair of sockets for that."""
        waker = self._sockpairW
        if waker is not None:
            with contextlib.suppress(OSError):  # full: it wakes anyway; closed: nobody waits
                waker.send(b"\0")

    def _holds(self) -> bool:
        connection = self.socket()
        return connection is not None and getattr(connection, "pending", lambda: 0)() > 0
