"""The phyphox experiment: of the documented format, sending what is understood, and on a phone by QR codes."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from streamer.address import parse_broker
from streamer.formats.detect import decode
from streamer.phyphox.experiment import experiment, qr_payloads, template
from streamer.phyphox.qr import most_bytes, qr_lines
from tests.processes import assert_one_sentence, run

BROKER = parse_broker("192.168.1.20")

# Parents, elements and attributes that are allowed, of those used: phyphox-docs, spec/root.yml, input.yml, network.yml.
GRAMMAR = {
    "phyphox": ({"version", "locale"}, "title category icon color description data-containers input network views"),
    "data-containers": (set(), "container"),
    "container": ({"size"}, ""),
    "input": (set(), "sensor"),
    "sensor": ({"type", "rate", "rateStrategy"}, "output"),
    "output": ({"component"}, ""),
    "network": (set(), "connection"),
    "connection": (
        {"address", "service", "sendTopic", "conversion", "interval", "username", "password"},
        "send",
    ),
    "send": ({"id", "type", "keep"}, ""),
    "views": (set(), "view"),
    "view": ({"label"}, "info"),
    "info": ({"label"}, ""),
}

ENUMS = {
    ("sensor", "type"): {"accelerometer", "gyroscope"},
    ("sensor", "rateStrategy"): {"request"},
    ("output", "component"): {"t", "x", "y", "z"},
    ("connection", "service"): {"mqtt/json", "mqtts/json"},
    ("connection", "conversion"): {"none"},
    ("send", "type"): {"buffer", "meta", "time"},
    ("send", "keep"): {"false"},
}


def check(element: ElementTree.Element) -> None:
    attributes, children = GRAMMAR.get(element.tag, (set(), ""))
    assert set(element.attrib) <= attributes, element.tag
    for name, value in element.attrib.items():
        assert value in ENUMS.get((element.tag, name), {value})
    for child in element:
        assert child.tag in children.split()
        check(child)


@pytest.mark.parametrize("content", [template(), experiment(BROKER), experiment(BROKER, "anna")])
def test_it_is_of_the_documented_format(content: bytes) -> None:
    root = ElementTree.fromstring(content)
    check(root)
    assert root.get("version") == "1.17"  # which send's keep is of
    buffers = [container.text for container in root.iter("container")]
    assert len(set(buffers)) == len(buffers)
    assert {output.text for output in root.iter("output")} == set(buffers)
    assert {send.text for send in root.iter("send") if send.get("type") == "buffer"} == set(buffers)
    assert [send.text for send in root.iter("send") if send.get("type") == "meta"] == ["uniqueID"]


def test_what_it_sends_is_understood() -> None:
    """As phyphox makes a message of the send elements: an array of each buffer, a string, the times of the events."""
    root = ElementTree.fromstring(experiment(BROKER))
    sent: dict[str, object] = {}
    for send in root.iter("send"):
        event = {"event": "START", "experimentTime": 0.0, "systemTime": 1.7e9}
        contents = {"buffer": [1.0, 2.0], "meta": "abcdef0123456789", "time": {"now": 1.7e9, "events": [event]}}
        sent[send.attrib["id"]] = contents[send.attrib["type"]]
    connection = root.find("network/connection")
    assert connection is not None
    [message] = decode(connection.attrib["sendTopic"], json.dumps(sent).encode())
    assert message.phone == "phyphox-abcdef01"
    assert [readings.sensor for readings in message.readings] == ["total acceleration", "angular velocity"]
    assert message.readings[0].times.tolist() == [1.7e9 + 1, 1.7e9 + 2]


def test_the_template_is_complete_but_for_the_address() -> None:
    shipped, made = ElementTree.fromstring(template()), ElementTree.fromstring(experiment(BROKER))
    for root in (shipped, made):
        connection = root.find("network/connection")
        assert connection is not None
        connection.attrib.pop("address")
    for before, after in zip(shipped.iter(), made.iter(), strict=True):
        assert (before.tag, before.attrib, (before.text or "").strip()) == (
            after.tag,
            after.attrib,
            (after.text or "").strip(),
        )


@pytest.mark.parametrize(
    ("where", "phone", "expected"),
    [
        ("pi.local", None, {"address": "pi.local:1883", "service": "mqtt/json", "sendTopic": "phyphox"}),
        ("[fe80::1]:1884", "anna", {"address": "[fe80::1]:1884", "sendTopic": "phyphox/anna"}),
        (
            "mqtts://ann:s%22%3Ccret@broker.example",
            None,
            {"address": "broker.example:8883", "service": "mqtts/json", "username": "ann", "password": 's"<cret'},
        ),
    ],
)
def test_broker_and_phone_are_filled_in(where: str, phone: str | None, expected: dict[str, str]) -> None:
    connection = ElementTree.fromstring(experiment(parse_broker(where), phone)).find("network/connection")
    assert connection is not None
    assert expected.items() <= connection.attrib.items()


def joined(payloads: list[bytes]) -> bytes:
    """What phyphox makes of the codes (phyphox-docs, transferring-experiments.md)."""
    whole = b"".join(payload[13:] for payload in payloads)
    for number, payload in enumerate(payloads):
        assert payload[:7] == b"phyphox"
        assert int.from_bytes(payload[7:11], "big") == zlib.crc32(whole)
        assert (payload[11], payload[12]) == (number, len(payloads))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        [name] = archive.namelist()
        assert name.endswith(".phyphox")
        return archive.read(name)


@given(content=st.binary(min_size=1, max_size=3000), most=st.integers(60, 1300))
def test_codes_hold_the_whole_file(content: bytes, most: int) -> None:
    payloads = qr_payloads(content, most)
    assert max(map(len, payloads)) <= most
    assert joined(payloads) == content


@pytest.mark.parametrize("most", [0, 13, 14])
def test_codes_without_room_are_refused(most: int) -> None:
    with pytest.raises(ValueError, match="too small"):
        qr_payloads(experiment(BROKER), most)


def scanned(lines: list[str]) -> bytes:
    """What a reader of QR codes sees in the lines, as light on dark pixels."""
    dark = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    rows = [[dark[char][half] for char in line] for line in lines for half in (0, 1)]
    image = np.kron(255 * (1 - np.array(rows, np.uint8)), np.ones((4, 4), np.uint8)).astype(np.uint8)
    [found] = zxingcpp.read_barcodes(image)
    assert found.format == zxingcpp.BarcodeFormat.QRCode
    return bytes(found.bytes)


@pytest.mark.parametrize(("columns", "n_codes"), [(40, 3), (80, 2), (110, 1), (250, 1)])
def test_a_terminal_s_codes_can_be_scanned(columns: int, n_codes: int) -> None:
    content = experiment(BROKER)
    payloads = qr_payloads(content, most_bytes(columns))
    assert len(payloads) == n_codes
    seen = []
    for payload in payloads:
        lines = qr_lines(payload, colour=False)
        assert {len(line) for line in lines} == {len(lines[0])}
        assert len(lines[0]) <= max(columns, 65)
        seen.append(scanned(lines))
    assert joined(seen) == content


def test_on_a_terminal_black_and_white_are_spelled_out() -> None:
    lines = qr_lines(b"phyphox" + bytes(200), colour=True)
    assert all(line.startswith("\x1b[38;5;16;48;5;231m") and line.endswith("\x1b[0m") for line in lines)


def test_the_command_shows_codes_or_writes_the_file(tmp_path: Path) -> None:
    shown = run("streamer", "phyphox", "--broker", "192.168.1.20", "--phone", "anna", COLUMNS="110")
    assert shown.returncode == 0, shown.stderr
    *lines, last = shown.stdout.splitlines()
    assert last.startswith("QR code 1 of 1. In phyphox")
    content = joined([scanned(lines)])
    assert b'sendTopic="phyphox/anna"' in content
    file = tmp_path / "mine.phyphox"
    made = run("streamer", "phyphox", "--broker", "192.168.1.20", "--phone", "anna", "-o", file)
    assert (made.returncode, made.stdout) == (0, "")
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--broker", "localhost"], "localhost"),
        (["--broker", "127.0.0.1:1884"], "127.0.0.1"),
        (["--broker", "ws://pi.local"], "WebSockets"),
        (["--broker", "mqtts://pi.local"], "password"),
        (["--broker", "pi.local", "--phone", "a b"], "phone name"),
        (["--broker", "pi.local", "-o", "/nowhere/x.phyphox"], "/nowhere"),
    ],
)
def test_what_no_phone_could_use_is_refused(arguments: list[str], told: str) -> None:
    assert_one_sentence(run("streamer", "phyphox", *arguments), told)
