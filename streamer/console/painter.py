"""Frames onto a terminal: only the lines that have changed are written, in one go."""

from __future__ import annotations

from collections.abc import Iterable

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from streamer.console.frame import Frame

_COLOUR_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
    "windows": ColorSystem.WINDOWS,
}

CLEAR = "\x1b[2J"
TO_LINE = "\x1b[{};1H"
ERASE_REST = "\x1b[K"


class Painter:
    """Remembers what the screen shows. A new one begins with a clear screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._size = (0, 0)
        self._shown: tuple[Text, ...] = ()

    def paint(self, frame: Frame, width: int, height: int) -> None:
        """Show a frame on a screen of this size."""
        parts = []
        if (width, height) != self._size:
            parts.append(CLEAR)
            self._size, self._shown = (width, height), ()
        for k, line in enumerate(frame.lines):
            if k >= len(self._shown) or not _is_same(line, self._shown[k]):
                rest = ERASE_REST if line.cell_len < width else ""
                parts.append(f"{TO_LINE.format(k + 1)}{self._codes(line)}{rest}")
        self._shown = frame.lines
        if parts:
            self._console.file.write("".join(parts))
            self._console.file.flush()

    def _codes(self, line: Text) -> str:
        """The line with the codes of its colours, as far as the terminal has them."""
        system = _COLOUR_SYSTEMS.get(self._console.color_system or "")
        segments = segments_of(line, self._console)
        return "".join(s.style.render(s.text, color_system=system) if s.style else s.text for s in segments)


def segments_of(line: Text, console: Console) -> Iterable[Segment]:
    """The pieces of a line, each of one style, as far as the console has colours."""
    segments: Iterable[Segment] = line.render(console)
    if line.style:  # of the whole line, which render() leaves out
        segments = Segment.apply_style(segments, console.get_style(line.style))
    return Segment.remove_color(segments) if console.no_color else segments


def _is_same(line: Text, shown: Text) -> bool:
    return line is shown or (line == shown and line.style == shown.style)
