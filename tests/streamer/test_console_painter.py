"""What reaches the terminal shows each frame, and is no more than what has changed."""

from __future__ import annotations

import io
import re

import pyte
import pytest
from rich.console import Console
from rich.text import Text

from streamer.console.app import MOST_REFRESH_S, REFRESH_S, SHARE, pause_after
from streamer.console.frame import Frame, draw
from streamer.console.painter import Painter
from streamer.console.theme import UNICODE
from streamer.console.view import Page, View
from tests.streamer.test_console_frame import rendered, state
from tests.streamer.test_console_view import row


class Screen:
    """A terminal that is painted on."""

    def __init__(self, width: int, height: int, *, color_system: str = "256", no_color: bool = False) -> None:
        self.file = io.StringIO()
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.Stream(self.screen)
        system = {"color_system": color_system, "no_color": no_color}
        console = Console(file=self.file, force_terminal=True, width=width, height=height, **system)  # type: ignore[arg-type]
        self._painter = Painter(console)

    def paint(self, frame: Frame, width: int, height: int) -> str:
        """What was written for a frame."""
        self.file.seek(0)
        self.file.truncate()
        self._painter.paint(frame, width, height)
        self._stream.feed(self.file.getvalue())
        return self.file.getvalue()

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 60)])
def test_after_any_pages_the_screen_shows_the_last(width: int, height: int) -> None:
    screen = Screen(width, height)
    for page in (Page.OVERVIEW, Page.DETAIL, Page.HELP, Page.OVERVIEW, Page.LOG, Page.OVERVIEW):
        view = View(page=page, selected="s01-e01")
        screen.paint(draw(state(40), view, width=width, height=height, symbols=UNICODE), width, height)
        assert screen.lines == [line.rstrip() for line in rendered(state(40), width, height, view)]


def test_only_what_has_changed_is_written() -> None:
    screen = Screen(200, 60)
    rows = [row(k) for k in range(50)]
    first = screen.paint(draw(state(0, rows=tuple(rows)), View(), width=200, height=60, symbols=UNICODE), 200, 60)
    same = screen.paint(draw(state(0, rows=tuple(rows)), View(), width=200, height=60, symbols=UNICODE), 200, 60)
    assert same == ""
    rows[7] = rows[7]._replace(confidence=0.42)
    changed = screen.paint(draw(state(0, rows=tuple(rows)), View(), width=200, height=60, symbols=UNICODE), 200, 60)
    assert "42%" in changed
    assert changed.count(";1H") == 1
    assert len(changed) < len(first) / 20


def test_a_change_of_colour_alone_is_written() -> None:
    screen = Screen(20, 2)
    for style in ("red", "green"):
        written = screen.paint(Frame((Text("same words", style=style), Text("x"))), 20, 2)
        assert "same words" in written
    assert screen.screen.buffer[0][0].fg == "green"


def test_a_full_line_keeps_its_last_character_and_a_shorter_one_erases_the_rest() -> None:
    screen = Screen(10, 3)
    screen.paint(Frame((Text("0123456789"), Text("abcdefghij"), Text("0123456789"))), 10, 3)
    assert screen.lines == ["0123456789", "abcdefghij", "0123456789"]
    screen.paint(Frame((Text("0123456789"), Text("ab", style="reverse"), Text(""))), 10, 3)
    assert screen.lines == ["0123456789", "ab", ""]
    assert not screen.screen.buffer[1][5].reverse


def test_another_size_paints_anew() -> None:
    screen = Screen(80, 24)
    screen.paint(draw(state(5), View(), width=80, height=24, symbols=UNICODE), 80, 24)
    screen.screen.resize(20, 60)
    screen.paint(draw(state(5), View(), width=60, height=20, symbols=UNICODE), 60, 20)
    assert screen.lines == [line.rstrip() for line in rendered(state(5), 60, 20)]


@pytest.mark.parametrize(("color_system", "no_color", "colours"), [("standard", False, True), ("256", True, False)])
def test_colours_are_the_sixteen_or_none(color_system: str, no_color: bool, colours: bool) -> None:
    for page in Page:
        screen = Screen(120, 30, color_system=color_system, no_color=no_color)
        view = View(page=page, selected="s01-e01", is_frozen=True)
        written = screen.paint(draw(state(9), view, width=120, height=30, symbols=UNICODE), 120, 30)
        found = {int(code) for codes in re.findall(r"\x1b\[([\d;]+)m", written) for code in codes.split(";")}
        assert found <= {0, 1, 2, 5, 7} | ({*range(30, 38), *range(90, 98)} if colours else set())
        assert bool(found & {*range(30, 38), *range(90, 98)}) is colours
        assert 7 in found  # the banner is seen without colours too


def test_drawing_waits_longer_the_more_it_costs() -> None:
    assert pause_after(0.001) == REFRESH_S
    for frame_s in (0.03, 0.05, 0.1, 0.15):
        assert frame_s / (frame_s + pause_after(frame_s)) == pytest.approx(SHARE)
    assert pause_after(10.0) == MOST_REFRESH_S
