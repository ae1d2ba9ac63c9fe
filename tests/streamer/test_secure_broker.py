"""The Mosquitto of docs/mosquitto, run as it is written: who may do what; and a listener and a phone at work there."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from streamer.broker_config import Access, mosquitto_passwords
from streamer.mqtt.packets import encode_length
from tests.brokers import Mosquitto, find_mosquitto, free_port
from tests.certificates import make_authority
from tests.processes import ROOT, Listening, run
from tests.saved_windows import expected_windows
from tests.waiting import PATIENCE_S, wait_until

PHONE = "s02-e03"
USERS = ("listener", "homeassistant", PHONE, "q")
NOT_AUTHORISED = 0x87  # MQTT 5, section 3.4.2.1


@dataclass(frozen=True)
class Secure:
    mqtts: int
    wss: int
    cafile: Path

    @contextmanager
    def client(self, user: str) -> Iterator[mqtt.Client]:
        """Of this user, connected by MQTT 5."""
        made = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        made.username_pw_set(user, f"{user} secret")
        made.tls_set_context(ssl.create_default_context(cafile=str(self.cafile)))
        made.connect("127.0.0.1", self.mqtts)
        made.loop_start()
        wait_until(made.is_connected, "a connection")
        try:
            yield made
        finally:
            made.disconnect()
            made.loop_stop()


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("secure")
    authority = make_authority(folder)
    authority.issue("server")
    shutil.copy(ROOT / "docs/mosquitto/acl", folder / "acl")
    passwords = [mosquitto_passwords(Access(user, f"{user} secret"), os.urandom(12)) for user in USERS]
    (folder / "passwords").write_text("".join(passwords))
    made = Secure(free_port(), free_port(), authority.certificate)
    text = (ROOT / "docs/mosquitto/mosquitto.conf").read_text()
    for written, here in (
        ("listener 8883", f"listener {made.mqtts} 127.0.0.1"),
        ("listener 8884", f"listener {made.wss} 127.0.0.1"),
        ("/etc/mosquitto/har/", f"{folder}/"),
        ("/var/lib/mosquitto/", f"{folder}/"),
    ):
        assert written in text
        text = text.replace(written, here)
    config = folder / "mosquitto.conf"
    config.write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
    broker = Mosquitto(find_mosquitto(), config, made.mqtts)
    broker.start()
    try:
        yield made
    finally:
        broker.stop()


@pytest.mark.parametrize(
    ("user", "allowed", "denied"),
    [
        (
            "q",
            ["har/q/imu", "har/q/label", "sensor-logger/q", "android/sensor/q", "android/sensor/q/x", "phyphox/q"],
            [
                *("har/p/imu", "har/p/label", "har/q/activity", "har/q/event", "har/q/availability", "har/q/imu/x"),
                *("har/bridge/status", "sensor-logger", "sensor-logger/p", "android/sensor", "android/sensor/p/x"),
                *("phyphox", "phyphox/p", "homeassistant/status", "homeassistant/device/har_q/config", "q"),
            ],
        ),
        (
            "listener",
            [
                *("har/p/activity", "har/p/activity/state", "har/p/event", "har/p/transition", "har/p/availability"),
                *("har/bridge/status", "homeassistant/device/har_p/config"),
            ],
            ["har/p/imu", "har/p/label", "sensor-logger/p", "homeassistant/status"],
        ),
        ("homeassistant", ["homeassistant/status"], ["har/p/activity", "har/p/imu", "har/bridge/status"]),
    ],
)
def test_a_user_publishes_where_it_may_and_nowhere_else(
    secure: Secure, user: str, allowed: list[str], denied: list[str]
) -> None:
    codes: dict[int, int] = {}
    with secure.client(user) as client:
        client.on_publish = lambda _client, _user, mid, code, _properties: codes.update({mid: code.value})
        ids = {client.publish(topic, b"", qos=1).mid: topic for topic in (*allowed, *denied)}
        wait_until(lambda: len(codes) == len(ids), "all acknowledgements")
    assert [topic for mid, topic in ids.items() if codes[mid] == NOT_AUTHORISED] == denied


def test_a_listener_and_a_phone_work_there_and_a_phone_that_pretends_to_be_another_is_not_heard(secure: Secure) -> None:
    """The replay sends all of subject 2's phones, as one of them: the broker lets that one through alone."""
    read: list[str] = []
    spied: list[str] = []
    at = ("--cafile", secure.cafile, "--username")
    expected = expected_windows((2,))
    assert PHONE in expected
    assert len(expected) > 1
    with secure.client("homeassistant") as reader, secure.client("q") as spy:
        for client, kept in ((reader, read), (spy, spied)):
            client.on_message = lambda _client, _user, message, kept=kept: kept.append(message.topic)
            client.subscribe("#", 1)
        flags = (*at, "listener", "-V", 5, "-c", "-i", "listener", "--home-assistant")
        listener = Listening("--broker", f"mqtts://127.0.0.1:{secure.mqtts}", *flags, HAR_PASSWORD="listener secret")
        try:
            assert listener.greeting.startswith("Listening to "), listener.greeting
            sending = ("--subjects", 2, "--speed", "max", *at, PHONE)
            where = f"wss://localhost:{secure.wss}"
            sent = run("replay", "test", "--broker", where, *sending, HAR_PASSWORD=f"{PHONE} secret")
            assert sent.returncode == 0, sent.stderr
            listener.wait_for(len(expected[PHONE]) - 1)
            summary = listener.stop()
            said = listener.rest_of_stderr()
        finally:
            listener.kill()
        wait_until(lambda: read.count(f"har/{PHONE}/activity") >= len(expected[PHONE]), "the predictions")
    assert {line["phone"] for line in listener.of_type("prediction")} == {PHONE}
    assert summary["windows"] == len(expected[PHONE])
    assert summary["unpublished_messages"] == 0
    assert "does not let" not in said
    assert {"har/bridge/status", f"homeassistant/device/har_{PHONE}/config"} <= set(read)
    assert not [topic for topic in read if topic.endswith(("/imu", "/label"))]
    assert spied == []


def test_who_announces_too_large_a_packet_is_disconnected_before_it_is_read(secure: Secure) -> None:
    context = ssl.create_default_context(cafile=str(secure.cafile))
    with socket.create_connection(("127.0.0.1", secure.mqtts)) as plain:
        connection = context.wrap_socket(plain, server_hostname="127.0.0.1")
        connection.settimeout(PATIENCE_S)
        fields = (
            b"MQTT",
            b"big",
            b"q",
            b"q secret",
        )  # protocol; client id, user name, password behind flags, keepalive
        name, *rest = (len(field).to_bytes(2, "big") + field for field in fields)
        body = name + b"\x04\xc2\x00\x3c" + b"".join(rest)
        connection.sendall(b"\x10" + encode_length(len(body)) + body)
        assert connection.recv(4) == b"\x20\x02\x00\x00"
        connection.sendall(b"\x30" + encode_length(2 << 20))
        assert connection.recv(1) == b""
