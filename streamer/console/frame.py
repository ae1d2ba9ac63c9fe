"""A whole frame: health, page, footer. The pure function from state and view to what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from textwrap import wrap

from rich.console import Group
from rich.text import Text

from streamer.console.detail import draw_detail
from streamer.console.health import draw_health
from streamer.console.overview import draw_overview
from streamer.console.snapshot import Snapshot
from streamer.console.theme import STYLES, Symbols, safe
from streamer.console.view import Page, View
from streamer.phone_memory.time_line import LETTERS

KEYS: dict[str, str] = {
    "arrows, j, k": "select a phone; Home, End",
    "Page up, down": "ten phones at once; scroll a phone's page and the log",
    "Enter": "this phone in full",
    "Esc": "back; clears the filter",
    "/": "filter by name or activity",
    "s": "sort by the next column",
    "p": "freeze the picture; counting goes on",
    "c": "count from zero again",
    "l": "events and log messages",
    "S": "save a screenshot as SVG and text",
    "?": "this help",
    "q": "quit",
    "Q": "quit and leave the last screen",
}
"""What each key does."""

FOOTER = "↑↓ select  Enter detail  / filter  s sort  p freeze  c reset  l log  S shot  ? help  q quit"
NARROW_FOOTER = "↑↓ Enter  / filter  s sort  p freeze  c reset  l log  S shot  ? help  q quit"
EVENT_LINES = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """``lines`` to be left as they are, ``most_scroll`` lines that the page can be scrolled by."""

    lines: tuple[Text, ...]
    most_scroll: int = 0

    def group(self) -> Group:
        """As rich prints it."""
        return Group(*self.lines)


def draw(state: Snapshot, view: View, *, width: int, height: int, symbols: Symbols) -> Frame:
    """A frame of exactly ``height`` lines of at most ``width`` columns."""
    head = draw_health(state.health, len(state.rows), width, symbols)
    foot = _footer(view, width, symbols)
    events = _events(state.events, EVENT_LINES, symbols) if view.page is Page.OVERVIEW and height >= 16 else []
    room = max(height - len(head) - len(foot) - len(events), 1)
    page = _page(state, view, width, room, symbols)
    body, most_scroll = _scrolled(page, view, room, symbols)
    body += [Text("")] * (room - len(body))
    lines = [*head, *body, *events, *foot][-height:]
    return Frame(tuple(_cut(line, width, symbols) for line in lines), most_scroll)


def _cut(line: Text, width: int, symbols: Symbols) -> Text:
    if len(line.plain) <= width:
        return line
    line = line.copy()
    line.no_wrap = True
    line.truncate(width, overflow="ellipsis" if symbols.more == "…" else "crop")
    return line


def _scrolled(page: list[Text], view: View, room: int, symbols: Symbols) -> tuple[list[Text], int]:
    """The part of the page that is seen, and how far it can be scrolled: a line tells what is below."""
    if len(page) <= room or room < 3:
        return page[:room], 0
    most = len(page) - (room - 1)
    first = min(view.scroll, most)
    below = len(page) - first - (room - 1)
    told = f"{symbols.more} {below} lines below: Page down" if below else f"{symbols.more} the end: Page up"
    return [*page[first : first + room - 1], Text(told, style="dim")], most


def _page(state: Snapshot, view: View, width: int, room: int, symbols: Symbols) -> list[Text]:
    if view.page is Page.DETAIL:
        return draw_detail(state.detail, width, room, symbols)
    if view.page is Page.LOG:
        newest_first = (line for event in reversed(state.events) for line in _wrapped(event, width, symbols))
        return [Text("events and log, the last first", style="bold"), *map(Text, newest_first)]
    if view.page is Page.HELP:
        return _help(width)
    return draw_overview(state.rows, view, width, room, symbols)


def _events(events: Sequence[str], most: int, symbols: Symbols) -> list[Text]:
    return [Text(safe(event, symbols), style="dim") for event in events[-most:]]


@lru_cache(maxsize=256)
def _wrapped(event: str, width: int, symbols: Symbols) -> tuple[str, ...]:
    return tuple(wrap(safe(event, symbols), max(width, 20), subsequent_indent="  "))


def _help(width: int) -> list[Text]:
    lines = [Text("keys", style="bold")]
    lines += [Text.assemble((f"  {key:<14}", "bold"), meaning) for key, meaning in KEYS.items()]
    lines += [Text(""), Text("answers", style="bold"), Text(" ")]
    for answer, letter in LETTERS.items():
        name = f"{answer.lower().replace('_', ' ')}  "
        if len(lines[-1].plain) + len(f" {letter} {name}") > width:
            lines.append(Text(" "))
        lines[-1].append(f" {letter} ", f"bold {STYLES[answer]}").append(name)
    return lines


def _footer(view: View, width: int, symbols: Symbols) -> list[Text]:
    footer = FOOTER if width >= len(FOOTER) else NARROW_FOOTER
    keys = Text(footer if symbols.more == "…" else footer.replace("↑↓", "j/k"), style="dim")
    if view.is_typing:
        return [
            Text.assemble(("filter: ", "bold"), view.filter, ("_", "blink")),
            Text("Enter keeps it, Esc clears it", style="dim"),
        ]
    told = []
    if view.is_frozen:
        told.append(Text(" FROZEN: p goes on; counting has not stopped ", style="bold reverse yellow"))
    if view.filter:
        told.append(Text(f" filter {view.filter} ", style="reverse"))
    if view.order != "name":
        told.append(Text(f" sorted by {view.order} ", style="reverse"))
    if view.notice:
        told.append(Text(view.notice, style="bold green"))
    return [*([Text(" ").join(told)] if told else []), keys]
