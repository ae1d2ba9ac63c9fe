"""Broker addresses as people write them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import HarError
from streamer.address import BrokerAddress, connack_code, parse_broker, read_password, refused


@pytest.mark.parametrize(
    ("where", "scheme", "host", "port"),
    [
        ("localhost", "mqtt", "localhost", 1883),
        (" broker.lan ", "mqtt", "broker.lan", 1883),
        ("192.168.1.7:1884", "mqtt", "192.168.1.7", 1884),
        ("mqtt://broker", "mqtt", "broker", 1883),
        ("mqtt://broker:1/", "mqtt", "broker", 1),
        ("MQTTS://broker", "mqtts", "broker", 8883),
        ("ws://broker:9001", "ws", "broker", 9001),
        ("wss://broker", "wss", "broker", 443),
        ("::1", "mqtt", "::1", 1883),
        ("[::1]:1884", "mqtt", "::1", 1884),
        ("mqtts://[fe80::2]", "mqtts", "fe80::2", 8883),
    ],
)
def test_forms(where: str, scheme: str, host: str, port: int) -> None:
    assert parse_broker(where) == BrokerAddress(scheme, host, port)


@pytest.mark.parametrize(
    "where",
    [
        *["", ":1883", "mqtt://", "http://broker", "broker:mqtt", "broker:0", "broker:65536", "broker:-1"],
        *["two words", "mqtt://broker/topic", "broker?x=1", "[::1", "1:2:3", "mqtt://[nonsense]", "a@b@:1", "//x"],
    ],
)
def test_nonsense_is_one_sentence(where: str) -> None:
    with pytest.raises(HarError) as caught:
        parse_broker(where)
    assert "not understood" in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_sentence(where: str) -> None:
    try:
        address = parse_broker(where)
    except HarError:
        return
    assert address.host
    assert 1 <= address.port <= 65535


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_user_and_password_are_decoded_and_the_password_is_never_shown(user: str, password: str) -> None:
    secret = "pw" + password + "pw"
    address = parse_broker(f"mqtt://{quote(user, safe='')}:{quote(secret, safe='')}@broker:1884")
    assert (address.username, address.password) == (user, secret)
    assert str(address) == "broker:1884"
    assert secret not in repr(address).replace(repr(user), "")


def test_flags_take_precedence_over_the_url() -> None:
    address = parse_broker("mqtt://ann:old@broker", username="bob", password="new")
    assert (address.username, address.password) == ("bob", "new")


@pytest.mark.parametrize(
    "where", ["mqtt://ann:secret@broker:x", "ann:secret@broker/x", "mqtt://ann:se/secret@broker", "x://ann:secret@b"]
)
def test_a_password_in_nonsense_is_not_shown(where: str) -> None:
    with pytest.raises(HarError) as caught:
        parse_broker(where)
    assert "secret" not in str(caught.value)


def test_a_password_needs_a_user() -> None:
    with pytest.raises(HarError, match="--username"):
        parse_broker("broker", password="secret")


@pytest.mark.parametrize("where", ["ws://broker:9001/mqtt", "mqtts://broker:8883", "broker:1883", "[::1]:1883"])
def test_an_address_is_shown_as_it_is_written(where: str) -> None:
    assert str(parse_broker(where)) == where


def test_password_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("se cret\r\nsecond line\n")
    assert read_password(None, file) == "se cret"
    assert read_password("given", None) == "given"
    assert read_password(None, None) is None


def test_password_file_faults(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for password, file in [("twice", empty), (None, empty), (None, binary), (None, tmp_path / "none")]:
        with pytest.raises(HarError):
            read_password(password, file)


def test_a_refusal_exits_with_the_connack_code() -> None:
    error = refused(parse_broker("broker"), 5)
    assert error.exit_code == 5
    assert str(error).startswith("The broker at broker:1883 refused the connection: ")


def test_connack_codes_of_both_versions_of_mqtt() -> None:
    """The codes that paho gives for MQTT 3.1.1 are those of its own table of names."""
    from paho.mqtt.client import convert_connack_rc_to_reason_code
    from paho.mqtt.enums import ConnackCode

    assert [connack_code(convert_connack_rc_to_reason_code(ConnackCode(code)).value) for code in range(1, 6)] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert connack_code(0x97) == 0x97
