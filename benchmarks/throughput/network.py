"""What receiving and publishing cost the network thread, against a broker that only plays back.

The thread's own CPU time is read from its clock, so that the other end, in this process, does not count.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence

from benchmarks.load.packets import PUBLISH, Reader, publish_head
from streamer.address import BrokerAddress
from streamer.inbox import Inbox, Message
from streamer.publishing.outbox import Outbox, Outgoing
from streamer.publishing.pump import SendOnly
from streamer.subscriber import Subscriber
from streamer.subscription import SubscriberOptions

CONNACK = b"\x20\x02\x00\x00"
ROUNDS = 3
PATIENCE_S = 60.0


class Player:
    """A broker for one client: answers, acknowledges, and sends what it is told."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.acknowledged = 0
        self.connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection, reader = connection, Reader()
        while piece := connection.recv(1 << 16):
            answers = []
            for first, body in reader.push(piece):
                if first == 0x10:
                    answers.append(CONNACK)
                elif first == 0x82:
                    answers.append(b"\x90" + bytes([2 + len(_filters(body))]) + bytes(body[:2]) + _filters(body))
                elif first & 0xF6 == PUBLISH | 2:
                    size = int.from_bytes(body[:2], "big")
                    answers.append(b"\x40\x02" + bytes(body[2 + size : 4 + size]))
                    self.acknowledged += 1
            if answers:
                connection.sendall(b"".join(answers))

    def close(self) -> None:
        """End the connection, if there is one."""
        self._server.close()
        if self.connection:
            with contextlib.suppress(OSError):  # the client has gone already
                self.connection.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self.connection.close()


def _filters(body: memoryview) -> bytes:
    """A granted quality of service of 1 for each filter of a SUBSCRIBE."""
    at, granted = 2, 0
    while at < len(body):
        at += 3 + int.from_bytes(body[at : at + 2], "big")
        granted += 1
    return b"\x01" * granted


def receiving_s(messages: Sequence[Message]) -> float:
    """CPU seconds of the network thread for each message, up to the inbox."""
    packets = b"".join(
        publish_head(len(message.topic), len(message.payload), 0) + message.topic.encode() + message.payload
        for message in messages
    )

    def once() -> float:
        inbox, all_came = Inbox(), threading.Event()

        def receive(came: Sequence[Message]) -> None:
            inbox.put(*came)
            if len(inbox) == len(messages):
                all_came.set()

        player = Player()
        subscriber = _subscriber(player.port, receive, None)
        before_s = _cpu_s(subscriber)
        assert player.connection
        player.connection.sendall(packets)
        assert all_came.wait(PATIENCE_S)
        took_s = _cpu_s(subscriber) - before_s
        subscriber.stop()
        player.close()
        return took_s / len(messages)

    return min(once() for _ in range(ROUNDS))


def sending_s(outgoing: Sequence[Outgoing]) -> float:
    """CPU seconds of the network thread for each message that it publishes, acknowledgement included."""

    def once() -> float:
        player, outbox = Player(), Outbox()
        subscriber = _subscriber(player.port, lambda _messages: None, SendOnly(outbox))
        before_s = _cpu_s(subscriber)
        for at in range(0, len(outgoing), 100):
            outbox.put(*outgoing[at : at + 100])
            deadline = time.monotonic() + PATIENCE_S
            while subscriber.unpublished and time.monotonic() < deadline:
                time.sleep(0.001)
        took_s, count = _cpu_s(subscriber) - before_s, player.acknowledged
        subscriber.stop()
        player.close()
        return took_s / count

    return min(once() for _ in range(ROUNDS))


def _subscriber(port: int, receive: Callable[[Sequence[Message]], None], source: SendOnly | None) -> Subscriber:
    address = BrokerAddress("mqtt", "127.0.0.1", port)
    options = SubscriberOptions(address, ("har/+/imu",), qos=1, client_id="bench", keepalive=60, protocol_version=311)
    subscriber = Subscriber(options, receive, source)
    subscriber.start()
    return subscriber


def _cpu_s(subscriber: Subscriber) -> float:
    """What its thread has taken so far."""
    (thread,) = (each for each in threading.enumerate() if each.name == "mqtt")
    assert thread.ident
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
