"""Plain sockets to a broker: those that many phones share, and the one that hears."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

from benchmarks.load.packets import CONNACK, DISCONNECT, PUBLISH, SUBACK, Reader, connect, subscribe

TIMEOUT_S = 10.0
RECEIVE = 1 << 18


class Connection:
    """One connection; sending waits until the broker takes what is sent."""

    def __init__(self, port: int, client_id: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader()
        self._ask(connect(client_id), CONNACK)

    def _ask(self, packet: bytes, answer: int) -> None:
        self.socket.sendall(packet)
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            for first, body in self.reader.push(self.socket.recv(RECEIVE)):
                if first == answer:
                    if body[-1] & 0x80 or (answer == CONNACK and body[-1]):
                        raise ConnectionRefusedError(f"the broker refused, code {body[-1]}")
                    return
        raise TimeoutError("the broker does not answer")

    def subscribe(self, topic_filter: str) -> None:
        """Hear what is published there."""
        self._ask(subscribe(topic_filter), SUBACK)

    def send(self, packets: bytes) -> None:
        """Send any number of packets."""
        self.socket.sendall(packets)

    def receive(self) -> bytes:
        """What has come.

        Raises
        ------
        ConnectionResetError : the broker has closed the connection.
        """
        piece = self.socket.recv(RECEIVE)
        if not piece:
            raise ConnectionResetError("the broker closed the connection")
        return piece

    def close(self) -> None:
        """Say goodbye."""
        self.socket.sendall(DISCONNECT)
        self.socket.close()


class Ears:
    """Waits for what comes on several connections: predictions on one, acknowledgements on the others."""

    def __init__(
        self, hearing: Connection, others: list[Connection], take: Callable[[memoryview, float], None]
    ) -> None:
        self._hearing = hearing
        self._others = {other.socket.fileno(): other for other in others}
        self._take = take
        self._poll = select.poll()
        for connection in (hearing, *others):
            self._poll.register(connection.socket.fileno(), select.POLLIN)

    def listen(self, timeout_s: float) -> None:
        """Take all that comes until then."""
        for number, _ in self._poll.poll(max(0.0, 1000 * timeout_s)):
            if other := self._others.get(number):
                other.receive()  # acknowledgements, which nobody counts
                continue
            piece = self._hearing.receive()
            now_s = time.monotonic()
            for first, body in self._hearing.reader.push(piece):
                if first & 0xF0 == PUBLISH:
                    self._take(body, now_s)
