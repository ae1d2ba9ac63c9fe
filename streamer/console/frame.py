"""A whole frame: health, page, footer. The pure function from state and view to what is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from streamer.console.detail import draw_detail
from streamer.console.overview import draw_overview
from streamer.console.snapshot import Health, Snapshot
from streamer.console.theme import LETTERS, STYLES, Symbols
from streamer.console.view import Page, View

KEYS: dict[str, str] = {
    "arrows, j, k": "select a phone; Page up, Page down, Home, End",
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


def draw(state: Snapshot, view: View, *, width: int, height: int, symbols: Symbols) -> RenderableType:
    """A frame of exactly ``height`` lines (fewer only where there is less to show) of at most ``width`` columns."""
    head = _health(state.health, len(state.rows))
    foot = _footer(view, width, symbols)
    events = _events(state.events, EVENT_LINES) if view.page is Page.OVERVIEW and height >= 16 else []
    room = max(height - len(head) - len(foot) - len(events), 2)
    body = _page(state, view, width, room, symbols)[:room]
    body += [Text("")] * (room - len(body))
    lines = [*head, *body, *events, *foot][-height:] if height < 5 else [*head, *body, *events, *foot]
    for line in lines:
        line.no_wrap = True
        line.truncate(width, overflow="ellipsis" if symbols.more == "…" else "crop")
    return Group(*lines)


def _page(state: Snapshot, view: View, width: int, room: int, symbols: Symbols) -> list[Text]:
    if view.page is Page.DETAIL:
        return draw_detail(state.detail, width, room, symbols)
    if view.page is Page.LOG:
        return [Text("events and log", style="bold"), *_events(state.events, room - 1)]
    if view.page is Page.HELP:
        return _help()
    return draw_overview(state.rows, view, width, room, symbols)


def _events(events: Sequence[str], most: int) -> list[Text]:
    return [Text(event, style="dim") for event in events[-most:]] if most > 0 else []


def _help() -> list[Text]:
    lines = [Text("keys", style="bold")]
    lines += [Text.assemble((f"  {key:<14}", "bold"), meaning) for key, meaning in KEYS.items()]
    lines += [Text(""), Text("answers", style="bold")]
    letters = Text("  ")
    for answer, letter in LETTERS.items():
        letters.append(f"{letter} ", f"bold {STYLES[answer]}")
        letters.append(f"{answer.lower().replace('_', ' ')}   ")
    return [*lines, letters]


def _health(health: Health, n_phones: int) -> list[Text]:
    connected = health.connection == "connected"
    first = Text.assemble(
        ("har-stream", "bold"),
        f"  {health.broker}  ",
        (health.connection, "green" if connected else "bold red"),
        f"  {n_phones} phones  {health.messages_per_s:.0f} messages/s  {health.samples_per_s:.0f} samples/s  "
        f"{health.windows_per_s:.1f} windows/s",
    )
    parts = [f"{health.windows} windows"]
    if health.accuracy is not None:
        parts.append(f"accuracy {health.accuracy:.1%} of {health.labelled_windows}")
    if health.latency_p50_ms is not None:
        parts.append(f"latency {health.latency_p50_ms:.1f} ms, p99 {health.latency_p99_ms:.0f} ms")
        parts.append(f"batch {health.batch_size} in {health.batch_ms:.1f} ms")
    parts += [f"queue {health.queued}", f"{health.memory_mb:.0f} MB"]
    counts = {"lost": health.lost_messages, "malformed": health.malformed_messages, "dropped": health.dropped_messages}
    faults = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    # Faults come early, so that a narrow terminal does not cut them off.
    told = (f"  {faults}", "bold red") if faults else ""
    return [first, Text.assemble(parts[0], told, "  ", "  ".join(parts[1:]))]


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
