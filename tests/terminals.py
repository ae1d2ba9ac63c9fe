"""A program in a pseudo-terminal, as a person sees it."""

from __future__ import annotations

import re
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pexpect
import pyte

from tests.processes import ROOT, environment


class Terminal:
    """A terminal of ``size`` (columns, lines) with a command in it; ``text`` is what a person would see.

    ``raw`` is every byte that the command has written.
    """

    def __init__(self, folder: Path, command: Sequence[str], size: tuple[int, int], **changes: str) -> None:
        width, height = size
        self.process = pexpect.spawn(
            command[0],
            list(command[1:]),
            dimensions=(height, width),
            env=environment(TERM="xterm-256color", PYTHONPATH=str(ROOT), **changes),
            cwd=str(folder),
            timeout=60,
        )
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""

    def read(self, seconds: float) -> None:
        """Show what comes in that time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                data = self.process.read_nonblocking(65_536, timeout=0.1)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                return
            self.raw += data
            self._stream.feed(data)

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(self.screen.display)

    def see(self, pattern: str, *, timeout_s: float = 60) -> str:
        """Wait until the screen matches."""
        end = time.monotonic() + timeout_s
        while not re.search(pattern, self.text):
            assert time.monotonic() < end, f"{pattern!r} is not on the screen:\n{self.text}"
            self.read(0.1)
        return self.text

    def press(self, keys: str, pattern: str) -> str:
        """Press keys and wait until the screen matches."""
        self.process.send(keys)
        return self.see(pattern)

    def resize(self, width: int, height: int) -> None:
        """Make it another size."""
        self.process.setwinsize(height, width)
        self.screen.resize(height, width)

    def settings(self) -> list[object]:
        """Of the terminal itself."""
        return list(termios.tcgetattr(self.process.child_fd))

    def end(self) -> None:
        """Wait for the command's end."""
        self.process.expect(pexpect.EOF)
        self.raw += self.process.before
        self.process.close()
