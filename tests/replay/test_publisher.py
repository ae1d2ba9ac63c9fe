"""The connection: brokers that are absent, are none, refuse, go away, come back, or fall silent."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from model.errors import HarError
from replay import publisher as publisher_module
from replay.pacing import Stop
from replay.publisher import WINDOW, Publisher
from streamer.address import BrokerError, parse_broker
from streamer.tls import TlsOptions
from tests.brokers import USER, Mosquitto, free_port, nats_with_a_websocket, start_mosquitto
from tests.certificates import make_certificate
from tests.proxy import Proxy, proxy
from tests.subscribers import subscriber
from tests.waiting import wait_until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path) as mosquitto:
        yield mosquitto


def publisher_to(where: str, *, qos: int = 1, stop: Stop | None = None) -> Publisher:
    return Publisher(parse_broker(where), qos=qos, stop=stop or Stop())


@contextmanager
def server(answer: bytes | None) -> Iterator[int]:
    """Not a broker: answers every connection with ``answer`` and closes it; None: says nothing and keeps it open."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        kept: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                kept.append(connection)
                if answer is not None:
                    connection.recv(1000)
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        for connection in kept:
            connection.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\xff" * 500,
        b"\x20\x01\x00",  # a CONNACK that is too short
        b"\x40\x02\x00\x01",  # a PUBACK before any CONNACK
        b"\x00",
    ],
)
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_is_not_a_broker(answer: bytes) -> None:
    with server(answer) as port, pytest.raises(BrokerError, match=f"at 127.0.0.1:{port} is not an MQTT broker"):
        publisher_to(f"127.0.0.1:{port}").connect()


def test_who_says_nothing_is_not_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher_module, "ANSWER_TIMEOUT_S", 0.3)
    with server(None) as port, pytest.raises(BrokerError, match="is not an MQTT broker"):
        publisher_to(f"127.0.0.1:{port}").connect()


def test_a_web_server_is_not_an_mqtt_websocket() -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    with server(answer) as port, pytest.raises(BrokerError, match="is not an MQTT broker"):
        publisher_to(f"ws://127.0.0.1:{port}").connect()


@pytest.mark.parametrize("where", ["127.0.0.1:{port}", "mqtts://127.0.0.1:{port}", "no-such-host.invalid", "a..b"])
def test_nobody_there(where: str) -> None:
    with pytest.raises(BrokerError, match="There is no broker at") as caught:
        publisher_to(where.format(port=free_port())).connect()
    assert caught.value.exit_code == 1


def test_certificates_that_are_none(tmp_path: Path) -> None:
    cafile = tmp_path / "ca.pem"
    cafile.write_text("nothing")
    with pytest.raises(HarError, match="not in PEM format"):
        Publisher(parse_broker("mqtts://localhost"), qos=1, stop=Stop(), tls=TlsOptions(cafile))


def test_a_password_lets_in_and_a_wrong_one_gives_the_connack_code(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path, password="right") as mosquitto:
        right = Publisher(parse_broker(mosquitto.where, username=USER, password="right"), qos=1, stop=Stop())
        right.connect()
        assert right.publish("a", b"1")
        right.drain()
        right.close()
        wrong = Publisher(parse_broker(mosquitto.where, username=USER, password="wrong"), qos=1, stop=Stop())
        with pytest.raises(BrokerError, match="refused the connection") as caught:
            wrong.connect()
        assert caught.value.exit_code == 5  # not authorised, MQTT 3.1.1 section 3.2.2.3


def test_websockets(tmp_path: Path) -> None:
    """Through the NATS server, which every installation has and which opens a WebSocket on any machine."""
    with nats_with_a_websocket(tmp_path) as (mqtt, websocket), subscriber(mqtt) as heard:
        publisher = publisher_to(f"ws://127.0.0.1:{websocket}")
        publisher.connect()
        assert publisher.publish("a", b"1")
        publisher.drain()
        publisher.close()
        assert heard.wait_for(1) == [("a", b"1")]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    return make_certificate(tmp_path)


def test_tls_with_a_certificate_of_ones_own(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    settings = [f"certfile {certificate[0]}", f"keyfile {certificate[1]}"]
    with start_mosquitto(tmp_path, settings=settings) as mosquitto:
        address = parse_broker(f"mqtts://{mosquitto.where}")
        trusting = Publisher(address, qos=1, stop=Stop(), tls=TlsOptions(certificate[0]))
        trusting.connect()
        assert trusting.publish("a", b"1")
        trusting.drain()
        trusting.close()
        with pytest.raises(BrokerError, match=r"certificate.*--cafile"):
            Publisher(address, qos=1, stop=Stop()).connect()
        with pytest.raises(BrokerError, match="is not an MQTT broker"):  # no TLS where TLS is spoken
            publisher_to(mosquitto.where).connect()
    with start_mosquitto(tmp_path) as plain, pytest.raises(BrokerError, match="TLS"):
        publisher_to(f"mqtts://{plain.where}").connect()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_everything_arrives_in_order(broker: Mosquitto, qos: int) -> None:
    """With QoS 2 too: Mosquitto loses messages of a sender that has more than 20 under way."""
    expected = [("x/y", b"%d" % number) for number in range(3000)]
    with subscriber(broker.port, qos=2) as heard:
        publisher = publisher_to(broker.where, qos=qos)
        publisher.connect()
        assert all(publisher.publish(topic, payload) for topic, payload in expected)
        publisher.drain()
        publisher.close()
        assert heard.wait_for(3000) == expected
    assert (publisher.reconnects, publisher.lost) == (0, 0)


def test_a_broker_that_comes_back_gets_everything(broker: Mosquitto) -> None:
    publisher = publisher_to(broker.where)
    publisher.connect()
    assert publisher.publish("x", b"before")
    publisher.drain()
    broker.stop()
    threading.Timer(0.5, broker.start).start()
    for number in range(3 * WINDOW):
        assert publisher.publish("x", b"%d" % number)
    publisher.drain()
    publisher.close()
    assert publisher.reconnects == 1
    assert publisher.lost == 0


def test_messages_under_way_are_not_overtaken_after_a_reconnection(broker: Mosquitto) -> None:
    """A broker that falls silent has acknowledged nothing; what it kept of that is gone with it."""

    class LeavesTimeToOvertake(Publisher):
        def _on_connect(self, *arguments: Any) -> None:
            super()._on_connect(*arguments)
            time.sleep(0.3)  # paho sends again what was under way after this

    publisher = LeavesTimeToOvertake(parse_broker(broker.where), qos=1, stop=Stop())
    publisher.connect()
    assert broker.process is not None
    os.kill(broker.process.pid, signal.SIGSTOP)
    for number in range(100):  # fewer than the window, so that there is room for what could overtake
        assert publisher.publish("x", b"%d" % number)
    broker.process.kill()
    broker.process.wait()
    broker.start()
    with subscriber(broker.port) as heard:
        for number in range(100, 300):
            assert publisher.publish("x", b"%d" % number)
        publisher.drain()
        publisher.close()
        heard.wait_for_last(b"299")
    numbers = [int(payload) for payload in heard.of("x")]
    assert numbers == list(range(numbers[0], 300))  # the first may have come before the subscription


@pytest.mark.parametrize("fate", ["gone", "silent"])
def test_patience_ends(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch, fate: str) -> None:
    monkeypatch.setattr(publisher_module, "PATIENCE_S", 0.5)
    publisher = publisher_to(broker.where)
    publisher.connect()
    assert broker.process is not None
    try:
        if fate == "gone":
            broker.stop()
        else:
            os.kill(broker.process.pid, signal.SIGSTOP)
        with pytest.raises(BrokerError, match="did not come back" if fate == "gone" else "stopped acknowledging"):
            for _ in range(WINDOW + 1):
                publisher.publish("x", b"")
        publisher.close()
    finally:
        if broker.process is not None:
            os.kill(broker.process.pid, signal.SIGCONT)


def test_a_stop_ends_the_wait_for_a_silent_broker(broker: Mosquitto) -> None:
    stop = Stop()
    publisher = publisher_to(broker.where, stop=stop)
    publisher.connect()
    assert broker.process is not None
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        threading.Timer(0.3, lambda: setattr(stop, "signal", signal.SIGTERM)).start()
        accepted = [publisher.publish("x", b"") for _ in range(WINDOW + 1)]
        assert accepted == [True] * WINDOW + [False]
        publisher.drain()
        publisher.close()
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)


@pytest.mark.parametrize("kind", ["mosquitto", "nats-server"])
def test_a_network_that_is_cut_refuses_and_swallows_loses_nothing(kind: str, tmp_path: Path) -> None:
    """At least once, and in order but for what is sent again."""
    with ExitStack() as stack:
        if kind == "mosquitto":
            port = stack.enter_context(start_mosquitto(tmp_path)).port
        else:
            port, _ = stack.enter_context(nats_with_a_websocket(tmp_path))
        network = stack.enter_context(proxy(port))
        heard = stack.enter_context(subscriber(port))
        publisher = publisher_to(f"127.0.0.1:{network.port}")
        publisher._client.reconnect_delay_set(1, 1)
        publisher.connect()
        for number in range(800):
            assert publisher.publish("x", b"%d" % number)
            if number in (200, 400, 600):
                wait_until(lambda: len(heard.messages) > 100, "the first messages")
                disturb(network, number)
        publisher.drain()
        publisher.close()
        wait_until(lambda: len(set(heard.messages)) == 800, "all messages")
    assert publisher.reconnects == 3
    assert [int(payload) for payload in dict.fromkeys(heard.of("x"))] == list(range(800))


def disturb(network: Proxy, number: int) -> None:
    if number == 200:
        network.cut()
    elif number == 400:
        network.shut()
        threading.Timer(0.3, network.open).start()
    else:
        network.swallow()
        threading.Timer(0.3, network.cut).start()
        threading.Timer(0.4, network.flow).start()
