"""What the console draws of a state made from recordings, at several sizes, in a form that people can compare.

``make renderings`` records them in ``tests/data/console``, ``make screenshot`` makes the README's pictures; tests say
when either is no longer what is drawn.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import ascii_letters
from unittest.mock import patch

import click
from rich.console import Console

from streamer.console.app import save_screenshot
from streamer.console.frame import Frame, draw
from streamer.console.painter import segments_of
from streamer.console.snapshot import Snapshot
from streamer.console.theme import ASCII, UNICODE
from streamer.console.view import Page, View
from tests.processes import ROOT
from tests.streamer.scenes import Scene, by_model, by_rules, many

FOLDER = ROOT / "tests" / "data" / "console"
PICTURES = ROOT / "docs"

SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)

PHONE = "s24-e48"
FAULTY = "faulty-clock"


@dataclass(frozen=True)
class Case:
    """One frame of a scene. ``phones`` None: those of the scene, else so many."""

    size: tuple[int, int]
    view: View = field(default_factory=View)
    ascii_only: bool = False
    no_color: bool = False
    phones: int | None = None
    connection: str = "connected"
    scene: Callable[[], Scene] = by_rules

    def frame(self) -> Frame:
        """As the console draws it."""
        width, height = self.size
        symbols = ASCII if self.ascii_only else UNICODE
        with _universal_time():
            return draw(self._state(), self.view, width=width, height=height, symbols=symbols)

    def _state(self) -> Snapshot:
        state = self.scene().snapshot(self.view.selected if self.view.page is Page.DETAIL else None, self.connection)
        if self.phones == 0:
            return replace(state, rows=(), events=())
        return state if self.phones is None else many(state, self.phones)


def _detail(phone: str, scroll: int = 0) -> View:
    return View(page=Page.DETAIL, selected=phone, scroll=scroll)


CASES: dict[str, Case] = {
    "overview-80x24": Case(SMALL),
    "overview-120x40": Case(MIDDLE, View(selected=PHONE)),
    "overview-200x60": Case(LARGE, View(selected=FAULTY)),
    "overview-80x24-ascii": Case(SMALL, ascii_only=True),
    "overview-80x24-no-color": Case(SMALL, View(selected=PHONE), no_color=True),
    "overview-200x60-ascii-no-color": Case(LARGE, ascii_only=True, no_color=True),
    "overview-40x12": Case((40, 12)),
    "waiting-80x24": Case(SMALL, phones=0),
    "many-80x24": Case(SMALL, View(selected="s10-e19-016"), phones=500),
    "many-200x60-by-warning": Case(LARGE, View(order="warning"), phones=500),
    "frozen-filtered-120x40": Case(MIDDLE, View(selected=PHONE, is_frozen=True, filter="walk", order="losses")),
    "typing-80x24": Case(SMALL, View(is_typing=True, filter="s2")),
    "reconnecting-80x24": Case(SMALL, connection="reconnecting in 17 s"),
    "reconnecting-200x60": Case(LARGE, connection="reconnecting in 17 s"),
    "detail-80x24": Case(SMALL, _detail(PHONE)),
    "detail-80x24-below": Case(SMALL, _detail(PHONE, 20)),
    "detail-80x24-ascii": Case(SMALL, _detail(FAULTY), ascii_only=True),
    "detail-120x40": Case(MIDDLE, _detail("faulty-gravity")),
    "detail-200x60": Case(LARGE, _detail(PHONE)),
    "detail-200x60-ascii-no-color": Case(LARGE, _detail("faulty-payload"), ascii_only=True, no_color=True),
    "log-120x40": Case(MIDDLE, View(page=Page.LOG)),
    "help-80x24": Case(SMALL, View(page=Page.HELP)),
}
"""What is recorded, by file name."""

PICTURE_CASES: dict[str, Case] = {
    "dashboard": Case((132, 26), View(selected=PHONE), scene=by_model),
    "dashboard-phone": Case((150, 38), _detail(PHONE), scene=by_model),
}
"""What the README shows."""


@contextmanager
def _universal_time() -> Iterator[None]:
    """Times of day as in UTC, wherever this runs."""
    with patch.dict(os.environ, TZ="UTC"):
        time.tzset()
        yield
    time.tzset()


def record(case: Case) -> str:
    """The characters of a frame, then a letter for the style of each, then what the letters mean."""
    width = case.size[0]
    console = Console(
        file=io.StringIO(), force_terminal=True, color_system="standard", width=width, no_color=case.no_color
    )
    letters: dict[str, str] = {}
    characters, styles = [], []
    for line in case.frame().lines:
        segments = list(segments_of(line, console))
        characters.append("".join(segment.text for segment in segments).rstrip())
        marks = "".join(_letter(str(segment.style or ""), letters) * len(segment.text) for segment in segments)
        styles.append(marks.rstrip("."))
    meanings = [f"{letter} {style}" for style, letter in letters.items() if letter != "."]
    return "\n".join([*characters, "-" * width, *styles, "-" * width, *meanings, ""])


def _letter(style: str, letters: dict[str, str]) -> str:
    """A letter for each style, in order of their first appearance; a dot for none."""
    if style in ("", "none", "not bold"):
        return "."
    return letters.setdefault(style, ascii_letters[len(letters)])


def picture(case: Case, name: str, folder: Path) -> None:
    """Save it as the console's own screenshot key does."""
    width, height = case.size
    with _universal_time():
        save_screenshot(case.frame(), width, height, folder, name)


@click.group()
def cli() -> None:
    """What the console draws."""


@cli.command("record")
def record_all() -> None:
    """Record all renderings anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name, case in CASES.items():
        (FOLDER / f"{name}.txt").write_text(record(case), encoding="utf-8")


@cli.command("picture")
def picture_all() -> None:
    """Make the README's pictures."""
    for name, case in PICTURE_CASES.items():
        picture(case, name, PICTURES)
        (PICTURES / f"{name}.txt").unlink()


if __name__ == "__main__":
    cli()
