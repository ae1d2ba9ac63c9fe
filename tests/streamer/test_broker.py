"""The embedded brokers, both kinds, as real processes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from model.errors import HarError
from streamer.broker import EmbeddedBroker
from streamer.broker_config import LOOPBACK, Access, Place, access_of, parse_place
from tests.brokers import answers, find_mosquitto, free_port


@pytest.fixture(params=["mosquitto", "nats-server"])
def broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedBroker]:
    if request.param == "mosquitto":
        monkeypatch.setenv("PATH", str(Path(find_mosquitto()).parent), prepend=os.pathsep)
    else:
        monkeypatch.setattr(shutil, "which", lambda _name: None)
    with EmbeddedBroker(Place(port=free_port())) as started:
        assert started.name == request.param
        yield started


def client(broker: EmbeddedBroker, name: str) -> mqtt.Client:
    made = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
    made.connect(broker.address.host, broker.address.port)
    return made


def test_messages_pass_in_order_and_retained_ones_stay(broker: EmbeddedBroker) -> None:
    received: list[mqtt.MQTTMessage] = []
    subscribed, complete = threading.Event(), threading.Event()

    def on_message(_client: mqtt.Client, _user: object, message: mqtt.MQTTMessage) -> None:
        received.append(message)
        if len(received) == 501:
            complete.set()

    publisher, subscriber = client(broker, "publisher"), client(broker, "subscriber")
    publisher.loop_start()
    publisher.publish("har/s02.e-3_x/activity", b"kept", qos=1, retain=True).wait_for_publish(10)
    subscriber.on_message = on_message
    subscriber.on_subscribe = lambda *_args: subscribed.set()
    subscriber.loop_start()
    subscriber.subscribe("har/+/+", qos=1)
    assert subscribed.wait(10)
    for k in range(500):
        publisher.publish("har/a/imu", b"%d" % k, qos=1)
    assert complete.wait(30)
    publisher.loop_stop()
    subscriber.loop_stop()
    assert [(m.topic, m.payload) for m in received if m.retain] == [("har/s02.e-3_x/activity", b"kept")]
    assert [int(m.payload) for m in received if not m.retain] == list(range(500))


def test_it_listens_on_loopback_alone_and_ends_with_its_block(broker: EmbeddedBroker) -> None:
    port = broker.address.port
    assert broker.address.host == LOOPBACK
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(2)
        other.connect(("127.0.0.2", port))
    broker.__exit__(None, None, None)
    with pytest.raises(OSError):
        socket.create_connection((LOOPBACK, port), timeout=2)


def test_a_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HarError, match=f"Port {port} is taken"), EmbeddedBroker(Place(port=port)):
            pass


def test_the_place_is_read_from_the_flag() -> None:
    assert parse_place("embedded") == Place(LOOPBACK, None)
    assert parse_place("embedded:1884") == Place(LOOPBACK, 1884)
    assert parse_place("embedded:0.0.0.0") == Place("0.0.0.0", 1883)
    assert parse_place("embedded:192.168.1.10:1884") == Place("192.168.1.10", 1884)
    assert parse_place("embedded:[::]:1884") == Place("::", 1884)
    assert [parse_place(f"embedded:{host}:1").is_loopback for host in ("localhost", "[::1]", "0.0.0.0", "a.b")] == [
        *(True, True, False, False)
    ]
    for wrong in ("embedded:0", "embedded:x", "embedded:70000", "embedded:-1"):
        with pytest.raises(HarError, match="not a number"):
            parse_place(wrong)
    for wrong in ("embedded:a.b:x", "embedded:ann@a.b", "embedded:ws://a.b"):
        with pytest.raises(HarError):
            parse_place(wrong)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize("kind", ["mosquitto", "nats-server"])
def test_it_ends_with_a_parent_that_is_killed(kind: str) -> None:
    path = "/nonexistent" if kind == "nats-server" else str(Path(find_mosquitto()).parent)
    port = free_port()
    script = (
        "import sys, time\nfrom streamer.broker import EmbeddedBroker\n"
        "from streamer.broker_config import Place\n"
        f"with EmbeddedBroker(Place(port={port})) as broker:\n    print(broker.name, flush=True)\n    time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env={"PATH": path})
    assert parent.stdout
    assert parent.stdout.readline().strip() == kind
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while answers(port):
        assert time.monotonic() < deadline, "the broker outlived its parent"
        time.sleep(0.05)


@pytest.fixture(params=["mosquitto", "nats-server"])
def guarded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedBroker]:
    """On all addresses, for one user, whose password has every printable character."""
    if request.param == "mosquitto":
        monkeypatch.setenv("PATH", str(Path(find_mosquitto()).parent), prepend=os.pathsep)
    else:
        monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setenv("HAR_PASSWORD", PASSWORD)
    place = Place("0.0.0.0", free_port())
    with EmbeddedBroker(place, access_of(place, "ann", PASSWORD)) as started:
        yield started


PASSWORD = "".join(chr(code) for code in range(32, 127)) + "äß"


def answer(broker: EmbeddedBroker, host: str, username: str | None, password: str | None) -> str:
    """What the broker says to this user."""
    told: list[str] = []
    made = mqtt.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    made.username_pw_set(username, password)
    made.on_connect = lambda _client, _user, _flags, code, _properties: told.append(str(code))
    made.connect(host, broker.address.port)
    while not told and not made.loop(0.1):
        pass
    made.disconnect()
    return told[0]


def test_beyond_loopback_it_lets_in_one_user_and_nobody_finds_the_password(guarded: EmbeddedBroker) -> None:
    address = guarded.address
    for host in (LOOPBACK, "127.0.0.2"):  # Linux has all of 127.0.0.0/8
        assert answer(guarded, host, address.username, address.password) == "Success"
        assert answer(guarded, host, "ann", "wrong") != "Success"
        assert answer(guarded, host, "bob", PASSWORD) != "Success"
        assert answer(guarded, host, None, None) != "Success"
    process, folder = guarded._process, guarded._folder
    assert process
    assert folder
    of_child = [Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
    assert not [seen for seen in of_child if PASSWORD.encode() in seen]
    files = [
        path for path in Path(folder.name).rglob("*") if path.is_file() and path.name in ("broker.conf", "passwords")
    ]
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert oct(Path(folder.name).stat().st_mode & 0o777) == "0o700"
    if guarded.name == "mosquitto":
        assert not [path for path in files if PASSWORD in path.read_text()]


def test_who_is_let_in_is_made_up_where_nobody_is_named() -> None:
    everywhere = Place("0.0.0.0")
    assert access_of(Place(), None, None) is None
    made, other = access_of(everywhere, None, None), access_of(everywhere, None, None)
    assert made
    assert other
    assert made.is_made_up
    assert made.password != other.password
    assert len(made.password) == 19
    assert made.password not in repr(made)
    assert access_of(Place(), "ann", "secret") == Access("ann", "secret")
    for username, password in (("a:b", "x"), ("", "x"), ("a", "x\ny"), ("a", "$2a$10$x")):
        with pytest.raises(HarError, match="give another"):
            access_of(everywhere, username, password)
    with pytest.raises(HarError, match="needs a user name"):
        EmbeddedBroker(everywhere)
