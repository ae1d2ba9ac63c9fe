"""A broker of one client at a time, played by the test."""

from __future__ import annotations

import socket

from streamer.mqtt.packets import decode_length
from tests.waiting import PATIENCE_S


class Obedient:
    """A broker of one client, played by the test."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.where = f"127.0.0.1:{self.port}"

    def accept(self, answer: bytes = b"\x20\x02\x00\x00") -> None:
        self._connection, _ = self._listening.accept()
        self._connection.settimeout(PATIENCE_S)
        self._stream = self._connection.makefile("rb")
        assert self.packet()[0] == 0x10
        self.say(answer)

    def say(self, *packets: bytes) -> None:
        self._connection.sendall(b"".join(packets))

    def packet(self) -> bytes:
        head = self._stream.read(2)
        while (length := decode_length(head, 1)) is None:
            head += self._stream.read(1)
        return bytes(head + self._stream.read(length[0]))

    def take_subscription(self, properties: bytes = b"") -> None:
        """To one topic, at quality of service 1."""
        subscribe = self.packet()
        assert subscribe[0] == 0x82
        answer = subscribe[2:4] + properties + b"\x01"
        self.say(bytes((0x90, len(answer))) + answer)

    def hang_up(self) -> None:
        """End the connection."""
        self._stream.close()
        self._connection.close()

    def close(self) -> None:
        self.hang_up()
        self._listening.close()
