"""The console at work: keys in, frames out, and a terminal that is left as it was found."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Protocol

from rich.console import Console

from streamer.console.frame import Frame, draw
from streamer.console.painter import Painter
from streamer.console.snapshot import PhoneDetail, PhoneRow, Snapshot
from streamer.console.theme import ASCII, UNICODE
from streamer.console.view import Action, View, press

log = logging.getLogger(__name__)

REFRESH_S = 0.25
"""Seconds between two frames when no key is pressed, if drawing is cheap enough."""

SHARE = 0.08
"""Of one core, what drawing takes at most."""

MOST_REFRESH_S = 2.0
"""Seconds between two frames at most, whatever drawing costs."""

PLAIN_ARROWS = "\x1b[?1l"
"""Makes the arrow keys send what they send to a shell, whatever the last program has left (DECCKM)."""

NextKey = Callable[[float], str | None]
"""Waits so many seconds for a key: a character, or a name as KEY_UP; None for none."""


class Source(Protocol):
    """Where the state comes from."""

    def snapshot(self, detail_of: str | None) -> Snapshot:
        """The state now, with one phone in full if it is named."""

    def reset(self) -> None:
        """Count from zero again."""


class Frozen:
    """Gives the state as it is, or, frozen, as it was."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._kept: Snapshot | None = None
        self._details: dict[str, PhoneDetail | None] = {}

    def snapshot(self, view: View) -> Snapshot:
        """The state for this view."""
        if not view.is_frozen or self._kept is None:
            self._kept, self._details = self._source.snapshot(view.selected), {}
            return self._kept
        if view.selected is not None and view.selected not in self._details:
            was_shown = self._kept.detail is not None and self._kept.detail.row.phone == view.selected
            now = self._kept if was_shown else self._source.snapshot(view.selected)
            self._details[view.selected] = now.detail
        return replace(self._kept, detail=self._details.get(view.selected or ""))


class ConsoleApp:
    """Draws until it is over or the user quits.

    Parameters
    ----------
    source : of the state.
    is_over : asked at every frame.
    ascii_only : draw without Unicode.
    """

    def __init__(self, source: Source, is_over: Callable[[], bool], *, ascii_only: bool) -> None:
        self._source = source
        self._is_over = is_over
        self._symbols = ASCII if ascii_only else UNICODE
        self._console = Console(file=sys.stdout)
        self._view = View()
        self._frozen = Frozen(source)
        self._rows: Sequence[PhoneRow] = ()
        self._action = Action.NONE
        self._is_suspended = False

    def run(self) -> None:
        """Until it is over; the terminal is as before afterwards, also after Ctrl-Z and after an error."""
        with _suspend_requests(self._suspend), _strays_to_log():
            while not self._is_done():
                with _keyboard() as next_key, self._console.screen():
                    self._draw_until_left(next_key)
                if self._is_suspended:
                    self._is_suspended = False
                    os.kill(os.getpid(), signal.SIGSTOP)  # here we wait for SIGCONT, with a sane terminal
        if self._action is Action.QUIT_AND_LEAVE:
            self._console.print(self._frame(self._console.width, self._console.height - 1).group())

    def _draw_until_left(self, next_key: NextKey) -> None:
        painter = Painter(self._console)
        self._console.file.write(PLAIN_ARROWS)
        while not self._is_done() and not self._is_suspended:
            begin_s = time.thread_time()
            width, height = self._console.size
            painter.paint(self._frame(width, height), width, height)
            key = next_key(pause_after(time.thread_time() - begin_s))
            while key is not None:  # all that were pressed, before the next frame
                self._handle(key)
                key = next_key(0)

    def _is_done(self) -> bool:
        return self._action in (Action.QUIT, Action.QUIT_AND_LEAVE) or self._is_over()

    def _suspend(self) -> None:
        self._is_suspended = True

    def _frame(self, width: int, height: int) -> Frame:
        snapshot = self._frozen.snapshot(self._view)
        self._rows = snapshot.rows
        frame = draw(snapshot, self._view, width=width, height=height, symbols=self._symbols)
        if self._view.scroll > frame.most_scroll:
            self._view = replace(self._view, scroll=frame.most_scroll)
        return frame

    def _handle(self, key: str) -> None:
        if self._is_done():
            return
        self._view, self._action = press(self._view, key, self._rows)
        if self._action is Action.RESET:
            self._source.reset()
            self._view = replace(self._view, notice="counting from zero again")
        elif self._action is Action.SCREENSHOT:
            self._view = replace(self._view, notice=self._screenshot())

    def _screenshot(self) -> str:
        width, height = self._console.size
        try:
            return f"saved {', '.join(save_screenshot(self._frame(width, height), width, height, Path.cwd()))}"
        except OSError as error:
            return f"the screenshot cannot be saved here ({error.strerror})"


def pause_after(frame_s: float) -> float:
    """Seconds to wait after a frame that took ``frame_s`` of the processor, so that drawing takes its share at most."""
    return min(max(REFRESH_S, frame_s * (1 / SHARE - 1)), MOST_REFRESH_S)


def save_screenshot(frame: Frame, width: int, height: int, folder: Path, name: str | None = None) -> list[str]:
    """Save a frame as SVG and as text; gives the file names.

    Raises
    ------
    OSError : they cannot be written.
    """
    name = name or f"har-stream-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
    console = Console(file=StringIO(), record=True, width=width, height=height, force_terminal=True)
    console.print(frame.group())
    text = console.export_text(clear=False)
    (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    # Whoever looks at the picture need not load a font from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="har-stream"), flags=re.DOTALL)
    (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    return [f"{name}.svg", f"{name}.txt"]


@contextlib.contextmanager
def _keyboard() -> Iterator[NextKey]:
    if not sys.stdin.isatty():

        def no_key(timeout_s: float) -> str | None:
            time.sleep(timeout_s)
            return None

        yield no_key
        return
    import blessed

    # Without styling, which we leave to rich, it asks the terminal nothing: an answer that is late looks like keys.
    terminal = blessed.Terminal(force_styling=None)
    with terminal.cbreak():

        def next_key(timeout_s: float) -> str | None:
            key = terminal.inkey(timeout=timeout_s, esc_delay=0.1)
            if not key:
                return None
            return str(key.name) if key.is_sequence else str(key)

        yield next_key


@contextlib.contextmanager
def _suspend_requests(suspend: Callable[[], None]) -> Iterator[None]:
    """Ctrl-Z calls ``suspend`` while the block runs, so that the terminal can be put right before the stop."""
    if not hasattr(signal, "SIGTSTP"):
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        suspend()

    before = signal.signal(signal.SIGTSTP, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)


class _LogLines(io.TextIOBase):
    """Writes whole lines to the log."""

    def __init__(self) -> None:
        self._begun = ""

    def write(self, text: str) -> int:
        """Log the lines that end in it."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            log.warning("%s", line)
        return len(text)


@contextlib.contextmanager
def _strays_to_log() -> Iterator[None]:
    """What a library writes to stdout or stderr appears among the events, not across the screen."""
    with contextlib.redirect_stdout(_LogLines()), contextlib.redirect_stderr(_LogLines()):
        yield
