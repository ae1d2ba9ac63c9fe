"""Colours, letters and symbols: one place, with Unicode and without."""

from __future__ import annotations

from dataclasses import dataclass

from model.text import printable
from streamer.phone_memory.time_line import LETTERS, NOTHING

STYLES = {
    "WALKING": "green",
    "WALKING_UPSTAIRS": "cyan",
    "WALKING_DOWNSTAIRS": "blue",
    "SITTING": "yellow",
    "STANDING": "magenta",
    "LAYING": "red",
    "TRANSITION": "bright_white",
    "UNKNOWN": "bright_black",
}
"""Colour of each answer, of the sixteen that every terminal has."""

SHORT = {"WALKING_UPSTAIRS": "UPSTAIRS", "WALKING_DOWNSTAIRS": "DOWNSTAIRS"}
"""What a narrow screen calls the answers with long names."""

SHORT_WIDTH, LONG_WIDTH = 10, 18
"""Characters of the longest answer, short and in full."""

CODE_STYLES = {LETTERS[answer]: style for answer, style in STYLES.items()} | {NOTHING: "dim"}
"""Colour of each character of a time line."""


@dataclass(frozen=True, slots=True)
class Symbols:
    """What is drawn with; ``gap`` is where a time line has nothing."""

    full: str
    empty: str
    cursor: str
    more: str
    gap: str


UNICODE = Symbols(full="█", empty="░", cursor="▸", more="…", gap="·")
ASCII = Symbols(full="#", empty=".", cursor=">", more="~", gap=".")


_SPELT_OUT = str.maketrans({"°": " deg", "²": "2", "…": "...", "→": "->", "·": "-"})


def safe(text: str, symbols: Symbols, most: int | None = None) -> str:
    """Text from a network as it may be shown: nothing that controls a terminal, and ASCII where nothing else is."""
    shown = printable(text, most)
    return (
        shown
        if symbols is not ASCII
        else printable(shown.translate(_SPELT_OUT).encode("ascii", "replace").decode(), most)
    )


def bar(share: float, width: int, symbols: Symbols) -> tuple[str, str]:
    """The filled and the empty part of a bar."""
    filled = round(min(max(share, 0.0), 1.0) * width)
    return symbols.full * filled, symbols.empty * (width - filled)


MOST_DAYS = 99


def duration(seconds: float) -> str:
    """At most six characters: ``9.5s``, ``3m07s``, ``23h15m``, ``12d``, ``>99d``."""
    if seconds < 60:
        return f"{min(seconds, 59.9):.1f}s"
    if seconds < 3600:
        return f"{int(seconds // 60)}m{int(seconds % 60):02d}s"
    return f"{int(seconds // 3600)}h{int(seconds % 3600 // 60):02d}m" if seconds < 86_400 else age(seconds)


def short_duration(seconds: float) -> str:
    """The same in whole seconds, at most five characters: ``9s``, ``3m07s``, ``23h15``."""
    return f"{int(seconds)}s" if seconds < 60 else duration(seconds)[:5]


def age(seconds: float) -> str:
    """The same by its largest unit, at most four characters: ``9s``, ``3m``, ``2h``, ``12d``, ``>99d``."""
    for unit, length, most in (("s", 1, 60), ("m", 60, 3600), ("h", 3600, 86_400)):
        if seconds < most:
            return f"{int(seconds // length)}{unit}"
    return f"{int(seconds // 86_400)}d" if seconds < (MOST_DAYS + 1) * 86_400 else f">{MOST_DAYS}d"


def count(number: int) -> str:
    """At most four characters: ``9999``, ``12k``, ``3M``, ``>99M``."""
    if number < 10_000:
        return str(number)
    if number < 1_000_000:
        return f"{number // 1000}k"
    return f"{number // 1_000_000}M" if number < 100_000_000 else ">99M"
