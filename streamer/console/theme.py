"""Colours, letters and symbols: one place, with Unicode and without."""

from __future__ import annotations

from dataclasses import dataclass

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

LETTERS = {
    "WALKING": "W",
    "WALKING_UPSTAIRS": "U",
    "WALKING_DOWNSTAIRS": "D",
    "SITTING": "S",
    "STANDING": "T",
    "LAYING": "L",
    "TRANSITION": "-",
    "UNKNOWN": "?",
}
"""Letter of each answer in the time line, so that it reads without colours too."""


@dataclass(frozen=True, slots=True)
class Symbols:
    """What is drawn with; ``levels`` from lowest to highest."""

    full: str
    empty: str
    levels: str
    cursor: str
    more: str
    dash: str


UNICODE = Symbols(full="█", empty="░", levels="▁▂▃▄▅▆▇█", cursor="▸", more="…", dash="·")
ASCII = Symbols(full="#", empty=".", levels="_.-=+*%#", cursor=">", more="~", dash="|")


def bar(share: float, width: int, symbols: Symbols) -> tuple[str, str]:
    """The filled and the empty part of a bar."""
    filled = round(min(max(share, 0.0), 1.0) * width)
    return symbols.full * filled, symbols.empty * (width - filled)


def duration(seconds: float) -> str:
    """At most six characters: ``9.5s``, ``3m07s``, ``2h15m``, ``12d03h``."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    if seconds < 3600:
        return f"{int(seconds // 60)}m{int(seconds % 60):02d}s"
    if seconds < 86_400:
        return f"{int(seconds // 3600)}h{int(seconds % 3600 // 60):02d}m"
    return f"{int(seconds // 86_400)}d{int(seconds % 86_400 // 3600):02d}h"
