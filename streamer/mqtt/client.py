"""A paho client whose messages come and go by the piece.

paho asks its socket for one byte, then another, then the payload, and writes every packet by a call of its own: some
forty microseconds a message that comes, more than a hundred for one that goes. Here paho connects, subscribes, keeps
the connection alive and reconnects; but the socket is read in pieces of 64 KiB, out of which :mod:`.cutter` cuts
messages and acknowledgements, and packets are written many at once. What else comes goes to paho, in its order.

All of that is above TLS and WebSockets, which paho's sockets hide.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from streamer.mqtt.cutter import Batch, Cutter, MalformedStreamError
from streamer.mqtt.packets import PUBLISH, encode_pubacks

PIECE = 1 << 16
"""Bytes asked of the socket at once."""

MOST = 1 << 20
"""Bytes that are read in a row, before what is to be sent has its turn."""

FLOOD = 1 << 17
"""Bytes at once of which there are enough without waiting for more."""

REST_S = 0.01
"""After something has come, it is looked for more so much later: one wake-up for many, where there are many."""

CHECK_S = 0.1
"""How often it is looked whether the connection is alive."""

PING_ANSWER_S = 10.0
"""A broker that is asked for a sign of life, and gives none for so long, is gone: the network may not tell."""


class ReadAhead:
    """A socket that gives paho only what it is fed, by ``recv``; else the socket itself."""

    def __init__(self, inner: Any, cutter: Cutter) -> None:
        self.cutter = cutter
        self.is_plain = isinstance(inner, socket.socket) and not isinstance(inner, ssl.SSLSocket)
        self._inner = inner
        self._fed = memoryview(b"")

    def read(self) -> bytes | None:
        """What has come, up to a piece; empty when the other side has closed, None when nothing is there.

        Raises
        ------
        OSError : the connection is lost.
        """
        try:
            return bytes(self._inner.recv(PIECE))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    def feed(self, packet: bytes) -> None:
        """Let ``recv`` give this packet."""
        self._fed = memoryview(packet)

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes of what was fed."""
        if not self._fed:
            raise BlockingIOError
        given, self._fed = self._fed[:size], self._fed[size:]
        return bytes(given)

    @property
    def is_fed(self) -> bool:
        """Whether ``recv`` has something to give."""
        return bool(self._fed)

    def pending(self) -> int:
        """Bytes that have come and that ``select`` does not know of."""
        return int(self._inner.pending()) if hasattr(self._inner, "pending") else 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Handlers(NamedTuple):
    """What the client calls on the network thread: ``batch`` with what has come, which says whether it was taken.

    Messages that were not are not acknowledged. ``is_own`` says of a topic that its messages are no phone's.
    """

    batch: Callable[[Batch], bool]
    is_own: Callable[[str], bool]


class BulkClient(mqtt.Client):
    """Speaks MQTT over sockets that are :class:`ReadAhead`; its network loop is :meth:`turn`, then :meth:`send`.

    ``ids_in_use`` are packet ids that paho shall not take.
    """

    def __init__(self, handlers: Handlers, **options: Any) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, **options)
        self.ids_in_use: Collection[int] = ()
        self.fault: OSError | None = None  # by which the last connection ended
        self._handlers = handlers
        self._is_woken = False
        self._is_busy = False
        self._is_ending = False
        self._to_acknowledge: list[bytes] = []
        self._checked_s = 0.0

    def turn(self, timeout_s: float, *, is_urgent: bool = False) -> MQTTErrorCode:
        """Handle all that has come, after waiting up to ``timeout_s`` for it or for :meth:`wake`.

        While much comes it is only looked for every :data:`REST_S` seconds, unless what comes is urgent. What was put
        somewhere before a call of :meth:`wake` is there when this returns; then :meth:`send` is to be called.
        """
        connection, waker = self._sock, self._sockpairR
        if not isinstance(connection, ReadAhead) or waker is None:
            return self.loop(timeout_s)  # makes the pair of sockets, or says that there is no connection
        ready: list[Any] = []
        if self._is_busy and not is_urgent:
            time.sleep(REST_S)
        elif not connection.pending():
            ready = _wait_for([connection, waker], [connection] if self.want_write() else [], timeout_s)
        result = self.loop_read()
        if self._is_woken or waker in ready:
            self._is_busy = True
            with contextlib.suppress(BlockingIOError):
                waker.recv(PIECE)
            self._is_woken = False
        return result or self._look_after()

    def _look_after(self) -> MQTTErrorCode:
        """Write what is left, and keep the connection alive."""
        if self.want_write() and (result := self.loop_write()):
            return result
        now_s = time.monotonic()
        if now_s < self._checked_s + CHECK_S:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        self._checked_s = now_s
        if self._ping_t and min(now_s - self._ping_t, now_s - self.heard_s) > PING_ANSWER_S:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_KEEPALIVE)
        return self.loop_misc()

    @property
    def heard_s(self) -> float:
        """When something came last, on the monotonic clock."""
        return float(self._last_bytes_received)

    def wake(self) -> None:
        """End the wait of :meth:`turn`; safe on any thread, as it writes to paho's own pair of sockets for that."""
        waker = self._sockpairW
        if waker is not None and not self._is_woken:
            self._is_woken = True
            with contextlib.suppress(OSError):  # full: it wakes anyway; closed: nobody waits
                waker.send(b"\0")

    def send(self, *packets: bytes) -> MQTTErrorCode:
        """Write the acknowledgements of what has come, and whole packets, behind what waits to be written already.

        What does not go out now does so later.
        """
        data = b"".join((encode_pubacks(self._to_acknowledge), *packets))
        self._to_acknowledge.clear()
        if not data:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        # As paho knows it: one packet that is nobody's, and of which nobody is told.
        self._out_packet.append(
            {
                "command": PUBLISH,
                "mid": 0,
                "qos": 1,
                "pos": 0,
                "to_process": len(data),
                "packet": data,
                "info": None,
            }
        )
        return self.loop_write()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read what has come, and hand it over."""
        read = 0
        while read < MOST:
            connection = self._sock
            if not isinstance(connection, ReadAhead):
                return MQTTErrorCode.MQTT_ERR_NO_CONN
            try:
                piece = connection.read()
            except OSError as error:
                self.fault = error
                piece = b""
            if piece is None:
                break
            if not piece:
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
            if result := self._take(connection, piece):
                return result
            read += len(piece)
            if len(piece) < PIECE and connection.is_plain:
                break
        self._is_busy = 0 < read < FLOOD
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _loop_rc_handle(self, rc: MQTTErrorCode) -> MQTTErrorCode:
        """The connection ends: what has come by then is taken first, as a broker that died may not send it again."""
        connection = self._sock
        if rc and isinstance(connection, ReadAhead) and not self._is_ending:
            self._is_ending = True
            try:
                while (piece := connection.read()) and not self._take(connection, piece):
                    pass
            except MalformedStreamError:
                pass
            except OSError as error:
                self.fault = self.fault or error
            self._is_ending = False
        return super()._loop_rc_handle(rc)

    def _take(self, connection: ReadAhead, piece: bytes) -> MQTTErrorCode:
        now_s = time.monotonic()
        with self._msgtime_mutex:
            self._last_bytes_received = now_s
        connection.cutter.push(piece)
        while True:
            try:
                batch = connection.cutter.cut(now_s)
            except MalformedStreamError:
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL)
            if self._handlers.batch(batch):
                self._to_acknowledge += batch.packet_ids
            if not batch.other:
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            if result := self._give(connection, batch.other):
                return result

    def _give(self, connection: ReadAhead, packet: bytes) -> MQTTErrorCode:
        """Let paho handle this packet."""
        connection.feed(packet)
        while connection.is_fed:
            if result := super().loop_read():
                return result
            if self._sock is not connection:
                return MQTTErrorCode.MQTT_ERR_CONN_LOST
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def new_id(self) -> int:
        """A packet id that is not in use, among paho's own."""
        return self._mid_generate()

    def _mid_generate(self) -> int:
        while True:
            packet_id = super()._mid_generate()
            if packet_id not in self.ids_in_use:
                return packet_id

    def _create_socket_connection(self) -> socket.socket:
        connection = super()._create_socket_connection()
        # paho leaves Nagle's algorithm on, which delays acknowledgements by up to 40 ms.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _create_socket(self) -> Any:
        self._to_acknowledge.clear()  # another connection's
        self.fault = None
        cutter = Cutter(properties=self._protocol == mqtt.MQTTv5, is_own=self._handlers.is_own)
        return ReadAhead(super()._create_socket(), cutter)


def _wait_for(reading: list[Any], writing: list[Any], timeout_s: float) -> list[Any]:
    """Those that can be read, once any can be read or written."""
    try:
        return select.select(reading, writing, [], timeout_s)[0]
    except (OSError, ValueError):  # closed: reading says so
        return []
