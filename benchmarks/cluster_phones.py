"""Simulated phones that cost little: MQTT 3.1.1 written by hand on asyncio, payloads encoded beforehand, QoS 1.

What a phone's MQTT library does is done here too: one message after the other at its time, unacknowledged ones sent
again after a reconnection, another node of the list when one is gone. What is acknowledged when is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.load.packets import CONNACK, PUBACK, publish_head, remaining_length, string

CONNECT_TIMEOUT_S = 3.0
"""How long a node may take to answer before the next one is tried."""

RETRY_S = 0.25
"""Pause before the next node is tried."""

Node = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class Due:
    """A message that is to be sent ``at_s`` seconds after the start."""

    at_s: float
    topic: str
    payload: bytes
    retain: bool = False


@dataclass(slots=True)
class SimulatedPhone:
    """A phone and what became of its messages.

    ``acked_s`` and ``sent_s`` have the moment (``time.monotonic``) of each message, by its place in ``messages``.
    ``nodes`` are tried in their order, the first one first.
    """

    name: str
    messages: Sequence[Due]
    nodes: Sequence[Node]
    qos: int = 1
    user: tuple[str, str] | None = None
    acked_s: dict[int, float] = field(default_factory=dict)
    sent_s: dict[int, float] = field(default_factory=dict)
    reconnections: int = 0
    _waiting: dict[int, bytes] = field(default_factory=dict)
    _next: int = 0

    @property
    def is_done(self) -> bool:
        """Whether all is sent, and acknowledged where that is asked for."""
        return self._next == len(self.messages) and not self._waiting

    async def run(self, start_s: float) -> None:
        """Send everything; ends when all is acknowledged. Cancel it to end it before."""
        attempt = 0
        while not self.is_done:
            node = self.nodes[attempt % len(self.nodes)]
            attempt += 1
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await self._connection(node, start_s)
            if not self.is_done:
                self.reconnections += 1
                await asyncio.sleep(RETRY_S)

    async def _connection(self, node: Node, start_s: float) -> None:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(*node), CONNECT_TIMEOUT_S)
        try:
            writer.write(_connect(f"phone-{self.name}", self.user))
            kind, body = await asyncio.wait_for(_packet(reader), CONNECT_TIMEOUT_S)
            if kind != CONNACK or body[1] != 0:
                raise ConnectionRefusedError(f"the node gives code {body[1]}")
            for packet in list(self._waiting.values()):
                _check(writer)
                writer.write(bytes([packet[0] | 8]) + packet[1:])  # DUP
            await self._both(reader, writer, start_s)
        finally:
            writer.close()

    async def _both(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start_s: float) -> None:
        hearing = asyncio.create_task(self._hear(reader))
        sending = asyncio.create_task(self._send(writer, start_s))
        try:
            done, _ = await asyncio.wait({hearing, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending in done and not sending.exception() and not self.is_done:
                await hearing
            for task in done:
                task.result()
        finally:
            for task in (hearing, sending):
                task.cancel()
            await asyncio.gather(hearing, sending, return_exceptions=True)

    async def _send(self, writer: asyncio.StreamWriter, start_s: float) -> None:
        while self._next < len(self.messages):
            index, message = self._next, self.messages[self._next]
            wait_s = start_s + message.at_s - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            packet = _publish(message, index + 1 if self.qos else None)
            if self.qos:
                self._waiting[index] = packet
            self._next += 1
            self.sent_s[index] = time.monotonic()
            _check(writer)
            writer.write(packet)
            await writer.drain()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while not self.is_done:
            kind, body = await _packet(reader)
            if kind == PUBACK:
                index = struct.unpack(">H", body)[0] - 1
                if self._waiting.pop(index, None) is not None:
                    self.acked_s[index] = time.monotonic()


def _check(writer: asyncio.StreamWriter) -> None:
    """asyncio writes to a connection that is gone without a word."""
    if writer.is_closing():
        raise ConnectionResetError("the node has closed the connection")


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    kind = (await reader.readexactly(1))[0] & 0xF0
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return kind, await reader.readexactly(length)


def _connect(client_id: str, user: tuple[str, str] | None) -> bytes:
    flags = 2 | (0xC0 if user else 0)  # a clean session; user and password
    body = string("MQTT") + bytes([4, flags, 0, 0]) + b"".join(map(string, (client_id, *(user or ()))))
    return b"\x10" + remaining_length(len(body)) + body


def _publish(message: Due, packet_id: int | None) -> bytes:
    """A packet of QoS 1, or 0 without ``packet_id``."""
    name, payload = message.topic.encode(), message.payload
    number = b"" if packet_id is None else struct.pack(">H", packet_id)
    head = publish_head(len(name), len(payload), int(packet_id is not None))
    return bytes([head[0] | message.retain]) + head[1:] + name + number + payload
