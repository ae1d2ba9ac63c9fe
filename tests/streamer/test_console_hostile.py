"""A hostile phone changes nothing outside its own cells: the real program in a terminal, through a real broker."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
import pyte
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from model.bundled import load_recordings
from replay.phone import Manner, Outgoing, Phone
from replay.source import prepare
from tests.brokers import start_mosquitto
from tests.processes import command
from tests.terminals import Terminal

WIDTH, HEIGHT = 120, 30
EPOCH = 1_700_000_000.0
EVIL = "mallory"
SENT_S = 60.0
"""Seconds of two recordings that the harmless phones send, all at once."""

ESCAPES = (
    "\x1b[2J\x1b[H",  # clear the screen
    "\x1b[31;44mcoloured",
    "\x1b]0;TITLE\x07",  # set the terminal's title
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[?1049l",  # leave the alternate screen
    "\x1b[6n",  # ask for the cursor's place, which would come back as keys
    "\x9b31mC1 control",
    "\x9d0;TITLE\x9c",
)
TRICKS = (
    *ESCAPES,
    "new\nline\r\nreturn\ttab\x08\x08\x7f",
    "[bold red on white]markup[/] [link=http://evil.example]x[/link]",
    "right\u202eto left\u202c \u2066isolated\u2069 \u200fmark",
    "z\u0301\u0302\u0303\u0304" * 40,
    "W" * 65_536,
    "\x1b]0;" + "W" * 65_000,
)


def hostile() -> Iterator[tuple[str, bytes]]:
    """Topics and payloads: whatever a phone can choose."""
    for trick in TRICKS:
        text = json.dumps(trick)
        raw = trick.encode()
        yield f"har/{EVIL}/imu", f'{{"t": 1, "acc": [[0,0,1]], "gyro": [[0,0,0]], "unit": {{"acc": {text}}}}}'.encode()
        yield f"har/{EVIL}/imu", f'{{"t": {text}}}'.encode()
        yield f"har/{EVIL}/imu", f"{{{text}: 1}}".encode()
        yield f"har/{EVIL}/imu", raw
        yield f"har/{EVIL}/imu", b"{" + raw
        yield f"har/{EVIL}/label", f'{{"activity": {text}, "start": 0, "end": 9e9}}'.encode()
        yield "sensor-logger", f'{{"messageId": 1, "deviceId": {text}, "payload": [{{"name": {text}}}]}}'.encode()
        yield f"android/sensor/{EVIL}", f'{{"type": {text}, "timestamp": 1, "values": [0, 0, {text}]}}'.encode()
        yield f"phyphox/{EVIL}", f'{{"accX": {text}, "t": {text}}}'.encode()
        if len(raw) < 60_000:
            yield f"har/{trick}/imu", b"{}"
            yield f"phyphox/{trick}", raw


@dataclass
class Publisher:
    """Publishes on one connection after another: a broker drops who sends it a topic that it does not like."""

    port: int

    def send(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Send them all, and wait until they are taken or refused."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.max_inflight_messages_set(1000)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        end = time.monotonic() + 20
        while not client.is_connected() and time.monotonic() < end:
            time.sleep(0.01)
        sent = [client.publish(topic, payload, qos=1) for topic, payload in messages]
        while not all(each.is_published() for each in sent) and client.is_connected() and time.monotonic() < end:
            time.sleep(0.01)
        client.disconnect()
        client.loop_stop()

    def send_each(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Those with a topic of plain letters together, each of the others on its own connection."""
        plain = [(topic, payload) for topic, payload in messages if re.fullmatch(r"[\w/-]+", topic, re.ASCII)]
        self.send(plain)
        for topic, payload in messages:
            if (topic, payload) not in plain and "+" not in topic and "#" not in topic:
                self.send([(topic, payload)])


def harmless() -> list[tuple[str, bytes]]:
    """Two people and one sample of the phone that will be hostile."""
    phones = [Phone(r.name, (prepare(r),), EPOCH) for r in load_recordings((20, 24))[:2]]
    messages: list[Outgoing] = [m for p in phones for m in p.messages(Manner()) if m.due_s <= SENT_S]
    own = json.dumps({"t": EPOCH, "acc": [[1, 0, 0]], "gyro": [[0, 0, 0]]}).encode()
    return [(f"har/{EVIL}/imu", own), *((message.topic, message.payload) for message in messages)]


@dataclass
class Seen:
    """What a person saw: the overview when all harmless windows were recognised, and all that was written."""

    lines: list[str]
    cells: list[list[pyte.screens.Char]]
    raw: bytes
    title: str
    log: str
    detail: str

    def row(self, phone: str) -> tuple[str, list[pyte.screens.Char]]:
        """The line of a phone as far as nothing in it goes with time, its text and its cells."""
        number = next(k for k, line in enumerate(self.lines) if line[2:].startswith(f"{phone} "))
        until = next(line for line in self.lines if line.startswith("  phone ")).index("Hz") - 4
        return self.lines[number][:until], self.cells[number][:until]

    def outside(self) -> list[str]:
        """All lines but the phones' and the events, with figures left out."""
        kept = [line for line in self.lines if not re.match(r"[ ▸] \S+ +(…|[A-Z]+)", line)]
        kept = [line for k, line in enumerate(kept) if not len(kept) - 4 <= k < len(kept) - 1]
        masked = [re.sub(r" +", " ", re.sub(r"\d+(\.\d+)?", "#", line)).rstrip() for line in kept]
        return [line for line in masked if line]  # there are fewer blank lines where there are more phones


def watch(folder: Path, evil: Sequence[tuple[str, bytes]]) -> Seen:
    """Run the program, publish, look at its pages, and quit."""
    with start_mosquitto(folder) as broker:
        listen = command("streamer", "listen", "--broker", broker.where)
        terminal = Terminal(folder, listen, (WIDTH, HEIGHT))
        try:
            terminal.see("waiting for the first phone")
            publisher = Publisher(broker.port)
            own, *others = harmless()
            publisher.send([own])
            terminal.see(rf"{EVIL} +…")
            publisher.send_each(evil)
            terminal.read(1)
            publisher.send(others)
            terminal.see(rf" {windows_of(others)} windows")
            terminal.read(0.5)  # to the end of the frame
            lines = list(terminal.screen.display)
            cells = [[terminal.screen.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]
            log = whole_log(terminal)
            terminal.press(f"/{EVIL}\r", f"filter {EVIL}")
            detail = terminal.press("\r", f"(?m)^{EVIL} +not recognised yet")
            terminal.process.send("q")
            terminal.end()
            return Seen(lines, cells, terminal.raw, terminal.screen.title + terminal.screen.icon_name, log, detail)
        finally:
            terminal.process.close(force=True)


def whole_log(terminal: Terminal) -> str:
    """All pages of the log."""
    pages = terminal.press("l", "events and log")
    for _ in range(15):
        terminal.process.send("\x1b[6~")
        terminal.read(0.3)
        pages += terminal.text
    terminal.press("l", "phone +activity")
    return pages


def windows_of(messages: Sequence[tuple[str, bytes]]) -> int:
    """Windows that these messages complete: the filter's median holds one sample back."""
    samples: dict[str, int] = {}
    for topic, payload in messages:
        if topic.endswith("/imu"):
            samples[topic] = samples.get(topic, 0) + len(json.loads(payload)["acc"])
    return sum((count - 1 - 128) // 64 + 1 for count in samples.values())


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return watch(tmp_path_factory.mktemp("quiet"), [])


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return watch(tmp_path_factory.mktemp("attacked"), list(hostile()))


def test_the_attack_arrives_and_is_shown_harmless(attacked: Seen) -> None:
    shown = attacked.log + attacked.detail
    assert "\\x1b" in shown
    assert "\\u202e" in shown
    assert re.search("malformed [1-9]", attacked.lines[2])
    assert "malformed: " in attacked.detail


def test_other_phones_rows_are_as_without_it(quiet: Seen, attacked: Seen) -> None:
    for phone in ("s20-e40", "s20-e41"):
        assert attacked.row(phone)[0] == quiet.row(phone)[0]
        assert attacked.row(phone)[1] == quiet.row(phone)[1]


def test_everything_around_the_rows_is_as_without_it(quiet: Seen, attacked: Seen) -> None:
    assert attacked.outside() == quiet.outside()


OURS = re.compile(rb"\x1b\[\d*(;\d+)*[HJKm]|\x1b\[\?(1|25|1049)[hl]|\x1b\[H")
"""The sequences that the console itself writes: places, erasing, colours, arrow keys, cursor, alternate screen."""


def test_no_control_reaches_the_terminal_but_the_console_s_own(quiet: Seen, attacked: Seen) -> None:
    for seen in (quiet, attacked):
        text = OURS.sub(b"", seen.raw).decode("utf-8")
        assert all(c.isprintable() or c in "\r\n" for c in text)
    for mark in (b"\x1b]", b"\x07", b"\xc2\x9b", b"\xc2\x9d", "\u202e".encode(), "\u2066".encode(), b"31;44"):
        assert mark not in attacked.raw
    assert attacked.raw.count(b"\x1b[?1049l") == 1


def test_the_title_stays(attacked: Seen) -> None:
    assert attacked.title == ""
