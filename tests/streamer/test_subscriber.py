"""The listener's connection through a real Mosquitto, and against a broker that does as it is told."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from streamer.address import parse_broker
from streamer.inbox import Message
from streamer.mqtt.client import CHECK_S, PING_ANSWER_S, BulkClient, Handlers
from streamer.mqtt.cutter import Batch
from streamer.mqtt.packets import encode_publish
from streamer.publishing.outbox import Outbox, Outgoing
from streamer.publishing.pump import SendOnly
from streamer.subscriber import Subscriber
from streamer.subscription import SubscriberOptions
from tests.brokers import Mosquitto, free_port, nats_with_a_websocket, start_mosquitto
from tests.certificates import make_certificate
from tests.obedient import Obedient
from tests.subscribers import subscriber
from tests.waiting import PATIENCE_S, wait_until


def options(where: str, *, qos: int = 1, version: int = 4, cafile: str | None = None) -> SubscriberOptions:
    return SubscriberOptions(parse_broker(where), ("har/+/imu",), qos, "listener", 60, version, cafile=cafile)


class Talking(SendOnly):
    """Publishes what is in its outbox, and takes what comes for phones'."""

    def is_own(self, _topic: str) -> bool:
        return False


@contextmanager
def connected(
    chosen: SubscriberOptions, receive: Callable[[Sequence[Message]], None] = lambda _messages: None
) -> Iterator[tuple[Subscriber, Outbox]]:
    outbox = Outbox()
    made = Subscriber(chosen, receive, Talking(outbox))
    made.start()
    try:
        yield made, outbox
    finally:
        made.stop()


class Scissors:
    """Ends connections under a client that does not expect it."""

    def __init__(self, client: mqtt.Client) -> None:
        self._client = client
        self._last: object = None

    def cut(self) -> None:
        """End the one that has been opened since the last time."""
        connection: Any = None
        while connection in (None, self._last):
            connection = self._client.socket()
            time.sleep(0.001)
        connection.shutdown(socket.SHUT_RDWR)
        self._last = connection


@contextmanager
def mosquitto_with_tls(tmp_path: Path) -> Iterator[tuple[int, int, str]]:
    """Ports of MQTT and of MQTT through TLS, and the certificate to trust."""
    certificate, key = make_certificate(tmp_path)
    port = free_port()
    more = [f"listener {port} 127.0.0.1", f"certfile {certificate}", f"keyfile {key}"]
    with start_mosquitto(tmp_path, more=more) as broker:
        yield broker.port, port, str(certificate)


@pytest.mark.parametrize(("qos", "version"), [(0, 4), (1, 5), (2, 4)])
def test_all_that_is_sent_comes_in_order_and_all_that_is_published_goes(
    mosquitto: Mosquitto, qos: int, version: int
) -> None:
    exchange(mosquitto.port, options(mosquitto.where, qos=qos, version=version))


@pytest.mark.parametrize("version", [4, 5])
def test_so_it_is_through_tls(tmp_path: Path, version: int) -> None:
    with mosquitto_with_tls(tmp_path) as (plain, port, cafile):
        exchange(plain, options(f"mqtts://127.0.0.1:{port}", version=version, cafile=cafile))


def test_so_it_is_through_a_websocket(tmp_path: Path) -> None:
    with nats_with_a_websocket(tmp_path) as (plain, port):
        exchange(plain, options(f"ws://127.0.0.1:{port}"))


def exchange(port: int, chosen: SubscriberOptions) -> None:
    """Messages of one phone to the listener, and as many that it publishes itself, all at the same time."""
    came: list[Message] = []
    payloads = [b"%d" % k + bytes(300 * (k % 7)) for k in range(400)] + [bytes(200_000), b"last"]
    with (
        connected(chosen, came.extend) as (made, outbox),
        subscriber(port, "out/#") as heard,
    ):
        phone = mqtt.Client(CallbackAPIVersion.VERSION2)
        phone.connect("127.0.0.1", port)
        phone.loop_start()
        for payload in payloads:
            phone.publish("har/p/imu", payload, qos=chosen.qos)
            outbox.put(Outgoing("out/p", payload, retain=False))
        wait_until(lambda: len(came) >= len(payloads) and made.published == len(payloads))
        phone.loop_stop()
        heard.wait_for(len(payloads))
    assert [(m.topic, m.payload) for m in came] == [("har/p/imu", payload) for payload in payloads]
    assert [payload for _, payload in heard.messages] == payloads
    assert made.unpublished == 0


def test_what_is_published_comes_at_least_once_and_in_order_however_often_the_connection_is_lost(
    mosquitto: Mosquitto,
) -> None:
    payloads = [b"%d" % k for k in range(3000)]
    with connected(options(mosquitto.where)) as (made, outbox), subscriber(mosquitto.port, "out/#") as heard:
        scissors = Scissors(made._client)
        for start in range(0, 3000, 1000):
            before = made.published
            outbox.put(*(Outgoing("out/p", payload, retain=False) for payload in payloads[start : start + 1000]))
            wait_until(lambda before=before: made.published > before)  # type: ignore[misc]
            scissors.cut()
        wait_until(lambda: made.published == 3000)
        wait_until(lambda: heard.messages[-1][1] == payloads[-1])
    came = [int(payload) for _, payload in heard.messages]
    assert list(dict.fromkeys(came)) == list(range(3000))
    assert all(later > before - made.pump.window for before, later in itertools.pairwise(came))  # type: ignore[union-attr]


class Session:
    """A client of a persistent session on a thread of its own, which keeps what comes."""

    def __init__(self, port: int) -> None:
        self.came: list[bytes] = []
        self.subscribed = threading.Event()
        self.client = BulkClient(Handlers(self._take, lambda _topic: False), client_id="kept", clean_session=False)
        self.client.on_connect = lambda client, *_: client.subscribe("har/+/imu", 1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.connect("127.0.0.1", port)
        self._stopping = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self.subscribed.wait(PATIENCE_S)

    def stop(self) -> None:
        self._stopping = True
        self._thread.join()
        self.client.disconnect()

    def _take(self, batch: Batch) -> bool:
        self.came += [message.payload for message in batch.messages]
        return True

    def _run(self) -> None:
        while not self._stopping:
            if self.client.turn(0.05) or self.client.send():
                self.client.reconnect()


def test_a_session_that_is_kept_loses_nothing_and_is_told_nothing_that_it_has_acknowledged(
    mosquitto: Mosquitto,
) -> None:
    session = Session(mosquitto.port)
    phone = mqtt.Client(CallbackAPIVersion.VERSION2)
    phone.connect("127.0.0.1", mosquitto.port)
    phone.loop_start()
    scissors = Scissors(session.client)
    for number in range(2000):
        phone.publish("har/p/imu", b"%d" % number, qos=1)
        if number % 500 == 250:
            before = len(session.came)
            wait_until(lambda before=before: len(session.came) > before)  # type: ignore[misc]
            scissors.cut()
    wait_until(lambda: session.came[-1:] == [b"1999"])
    session.stop()
    assert list(dict.fromkeys(session.came)) == [b"%d" % number for number in range(2000)]
    successor = Session(mosquitto.port)
    phone.publish("har/p/imu", b"after", qos=1)
    wait_until(lambda: successor.came[-1:] == [b"after"])
    successor.stop()
    phone.loop_stop()
    assert successor.came == [b"after"]


def turn_until(client: BulkClient, condition: Callable[[], bool]) -> None:
    def turned() -> bool:
        assert client.turn(0.01) == client.send() == mqtt.MQTT_ERR_SUCCESS
        return condition()

    wait_until(turned)


def test_messages_are_acknowledged_after_they_were_taken_and_not_if_they_were_not(obedient: Obedient) -> None:
    came: list[Message] = []
    wanted = True

    def take(batch: Batch) -> bool:
        came.extend(batch.messages)
        return wanted

    client = BulkClient(Handlers(take, lambda _topic: False), client_id="c")
    client.connect("127.0.0.1", int(obedient.where.split(":")[1]))
    obedient.accept()
    first, second, third = (encode_publish("har/p/imu", b"x", k, retain=False, properties=False) for k in (1, 2, 3))
    obedient.say(first, second)
    turn_until(client, lambda: len(came) == 2)
    assert (obedient.packet(), obedient.packet()) == (b"\x40\x02\x00\x01", b"\x40\x02\x00\x02")
    wanted = False
    obedient.say(third)
    turn_until(client, lambda: len(came) == 3)
    client.send(b"\xc0\x00")
    assert obedient.packet() == b"\xc0\x00"


def test_what_does_not_go_out_at_once_goes_out_later_in_whole_and_in_order(obedient: Obedient) -> None:
    client = BulkClient(Handlers(lambda _batch: True, lambda _topic: False), client_id="c")
    client.connect("127.0.0.1", int(obedient.where.split(":")[1]))
    obedient.accept()
    packets = [encode_publish("out", bytes([k]) * 300_000, k, retain=False, properties=False) for k in range(1, 31)]
    for start in range(0, 30, 10):
        client.send(*packets[start : start + 10])
    assert client.want_write()
    came: list[bytes] = []
    reading = threading.Thread(target=lambda: came.extend(obedient.packet() for _ in packets))
    reading.start()
    turn_until(client, lambda: not client.want_write())
    reading.join()
    assert came == packets


def test_ids_of_what_is_under_way_are_not_given_to_others() -> None:
    client = BulkClient(Handlers(lambda _batch: True, lambda _topic: False))
    client.ids_in_use = set(range(2, 65536)) - {40_000}
    assert [client.new_id() for _ in range(4)] == [1, 40_000, 1, 40_000]


def test_a_broker_that_does_not_answer_a_ping_is_gone_unless_something_else_comes(obedient: Obedient) -> None:
    client = BulkClient(Handlers(lambda _batch: True, lambda _topic: False), client_id="c")
    client.connect("127.0.0.1", obedient.port)
    obedient.accept()
    turn_until(client, client.is_connected)
    client._ping_t = time.monotonic() - 2 * PING_ANSWER_S
    turn_until(client, lambda: time.monotonic() > client.heard_s + 3 * CHECK_S)
    client._last_bytes_received = client._ping_t
    wait_until(lambda: client.turn(0.01) == mqtt.MQTT_ERR_KEEPALIVE)


def test_what_has_come_is_taken_even_if_nothing_can_be_written_any_more(obedient: Obedient) -> None:
    """A broker that is killed has acknowledged it to the phone, and may not know of it any more."""
    came: list[Message] = []

    def take(batch: Batch) -> bool:
        came.extend(batch.messages)
        return True

    client = BulkClient(Handlers(take, lambda _topic: False), client_id="c")
    client.connect("127.0.0.1", obedient.port)
    obedient.accept()
    turn_until(client, client.is_connected)
    messages = [encode_publish("har/p/imu", b"x", k, retain=False, properties=False) for k in range(1, 4)]
    obedient.say(*messages)
    client.send(b"\xc0\x00")  # a ping that it never reads, so that its end resets the connection
    obedient.hang_up()
    wait_until(lambda: client.send(b"\xc0\x00") != mqtt.MQTT_ERR_SUCCESS)
    assert len(came) == len(messages)
