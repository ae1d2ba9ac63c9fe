"""The real program in a pseudo-terminal, through every key, while real recordings are replayed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import command
from tests.terminals import Terminal

WIDTH, HEIGHT = 110, 30
UP, DOWN, ENTER, ESCAPE = "\x1b[A", "\x1b[B", "\r", "\x1b"


class Demo(Terminal):
    """A terminal with the demo in it."""

    def __init__(self, folder: Path, *arguments: str, **changes: str) -> None:
        demo = command("streamer", "demo", "--subjects", "20,24", "--speed", "3", *arguments)
        super().__init__(folder, demo, (WIDTH, HEIGHT), **changes)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    started = Demo(tmp_path)
    started.see(r"s20-e40 +(WALKING|SITTING|STANDING|LAYING|UNKNOWN)")
    yield started
    started.process.close(force=True)


def windows(text: str) -> int:
    found = re.search(r"(\d+) windows ", text)
    assert found, text
    return int(found[1])


def test_every_key_does_what_the_help_says(terminal: Terminal, tmp_path: Path) -> None:
    terminal.press("j", "▸ s20-e40")
    terminal.press(DOWN, "▸ s20-e41")
    terminal.press(UP, "▸ s20-e40")
    terminal.press("G", "▸ s24-e49")
    terminal.press("k", "▸ s24-e48")
    terminal.press(ENTER, r"(?s)signals +the last \d+\.\d s.*total acc\. *x.*probabilities")
    terminal.press(ESCAPE, "phone +activity +sure")
    terminal.press("/", "filter: _")
    terminal.press("s20", "filter: s20")
    assert not re.search(r"(?m)^[ ▸] s24-e", terminal.press(ENTER, "filter s20"))
    terminal.press(ESCAPE, r"(?m)^[ ▸] s24-e48")
    terminal.press("s", "sorted by activity")
    terminal.press("l", "events and log")
    terminal.press("l", "phone +activity")
    terminal.press("?", "Q +quit and leave the last screen")
    terminal.press("?", "phone +activity")
    frozen = windows(terminal.press("p", "FROZEN"))
    terminal.read(2)
    assert windows(terminal.text) == frozen
    terminal.process.send("p")
    terminal.read(1)
    assert "FROZEN" not in terminal.text
    assert windows(terminal.text) > frozen
    counted = windows(terminal.text)
    assert windows(terminal.press("c", "counting from zero again")) < counted
    terminal.press("S", r"saved har-stream-\d{8}-\d{6}\.svg")
    (svg,) = tmp_path.glob("har-stream-*.svg")
    assert "s20-e40" in svg.with_suffix(".txt").read_text(encoding="utf-8")
    terminal.process.send("q")
    terminal.end()
    assert terminal.process.exitstatus == 0
    assert terminal.raw.count(b"\x1b[?1049h") == terminal.raw.count(b"\x1b[?1049l") == 1


def test_the_last_screen_stays_when_asked_to(terminal: Terminal) -> None:
    terminal.process.send("Q")
    terminal.end()
    left = terminal.raw[terminal.raw.rindex(b"\x1b[?1049l") :].decode()
    assert "s24-e49" in left
    assert "windows" in left


@pytest.mark.parametrize("way", ["q", "ctrl-c", "terminate"])
def test_the_terminal_is_as_before(tmp_path: Path, way: str) -> None:
    terminal = Demo(tmp_path)
    before = terminal.settings()
    terminal.see("s20-e40")
    assert terminal.settings() != before
    if way == "terminate":
        terminal.process.kill(signal.SIGTERM)
    else:
        terminal.process.send("q" if way == "q" else "\x03")
    terminal.process.expect_exact("\x1b[?1049l")
    end = time.monotonic() + 10
    while terminal.settings() != before and time.monotonic() < end:
        time.sleep(0.05)
    assert terminal.settings() == before
    terminal.end()
    assert terminal.process.exitstatus == 0


def test_ctrl_z_gives_the_terminal_back_and_fg_draws_again(terminal: Terminal) -> None:
    terminal.process.send("\x1a")
    end = time.monotonic() + 20
    while _state(terminal.process.pid) != "T":
        assert time.monotonic() < end
        terminal.read(0.1)
    terminal.read(0.3)
    assert terminal.raw.count(b"\x1b[?1049l") == 1
    os.kill(terminal.process.pid, signal.SIGCONT)
    end = time.monotonic() + 20
    while terminal.raw.count(b"\x1b[?1049h") < 2:
        assert time.monotonic() < end
        terminal.read(0.1)
    terminal.see("s20-e40")
    terminal.process.send("q")
    terminal.end()
    assert terminal.process.exitstatus == 0


def _state(pid: int) -> str:
    return subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()


def test_ascii_and_no_colour_are_honoured(tmp_path: Path) -> None:
    terminal = Demo(tmp_path, "--ascii", NO_COLOR="1")
    terminal.see("s20-e40")
    terminal.read(1)
    assert terminal.text.isascii()
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]m", terminal.raw)
    terminal.resize(80, 20)
    terminal.see("(?s)har-stream.*q quit")
    terminal.process.send("q")
    terminal.end()


def test_with_the_stream_model_its_kind_and_the_transitions_are_seen(tmp_path: Path) -> None:
    terminal = Demo(tmp_path, "--model", "stream")
    try:
        terminal.see(r"s20-e40 +(WALKING|SITTING|STANDING|LAYING|UNKNOWN)")
        terminal.see("stream model")
        terminal.press("j", "▸ s20-e40")
        terminal.press(ENTER, r"(?s)signals +the last \d+\.\d s.*probabilities")
        terminal.press(ESCAPE, "phone +activity +sure")
        terminal.press("l", "events and log")
        terminal.see(r"\d\d:\d\d:\d\d\.\d  s2\d-e\d\d  (STAND|SIT|LIE)_TO_(STAND|SIT|LIE)")
        terminal.process.send("q")
        terminal.end()
        assert terminal.process.exitstatus == 0
    finally:
        terminal.process.close(force=True)
