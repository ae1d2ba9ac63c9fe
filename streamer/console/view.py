"""How the user looks at the state: page, selection, order, filter, freeze; and what each key does to it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from streamer.console.quality import Quality
from streamer.console.snapshot import PhoneRow

MAX_FILTER = 40
"""Characters of a filter at most."""


class Page(Enum):
    """What fills the screen."""

    OVERVIEW = "overview"
    DETAIL = "detail"
    LOG = "log"
    HELP = "help"


class Action(Enum):
    """What a key asks of the program beyond the view."""

    NONE = "none"
    QUIT = "quit"
    QUIT_AND_LEAVE = "quit and leave the last screen"
    RESET = "reset"
    SCREENSHOT = "screenshot"


_GRAVITY = {quality: k for k, quality in enumerate(Quality)}

ORDERS: dict[str, Callable[[PhoneRow], tuple[object, ...]]] = {
    "name": lambda row: (row.phone,),
    "activity": lambda row: (row.answer or "~", row.phone),
    "confidence": lambda row: (row.confidence, row.phone),
    "age": lambda row: (-(row.age_s or 0.0), row.phone),
    "losses": lambda row: (-row.lost_messages - row.malformed_messages, row.phone),
    "warning": lambda row: (_GRAVITY[row.wrong[0]] if row.wrong else len(_GRAVITY), row.phone),
}
"""What the phones can be sorted by: least sure, longest silent, most losses and warnings come first."""


@dataclass(frozen=True, slots=True)
class View:
    """The user's view. ``selected`` is a phone's name, so that it stays while rows move; ``scroll`` counts lines."""

    page: Page = Page.OVERVIEW
    selected: str | None = None
    order: str = "name"
    filter: str = ""
    is_typing: bool = False
    is_frozen: bool = False
    notice: str = ""
    scroll: int = 0

    def shown(self, rows: Sequence[PhoneRow]) -> list[PhoneRow]:
        """The rows that the filter lets through, in order."""
        wanted = self.filter.casefold()
        kept = [row for row in rows if wanted in row.phone.casefold() or wanted in (row.answer or "").casefold()]
        return sorted(kept, key=ORDERS[self.order])

    def position(self, rows: Sequence[PhoneRow]) -> int:
        """Where the selected phone is among the shown rows; the first if it is not."""
        return next((k for k, row in enumerate(rows) if row.phone == self.selected), 0)


_PAGES = {"KEY_PGUP": -10, "KEY_PGDOWN": 10}
_STEPS = {"KEY_UP": -1, "k": -1, "KEY_DOWN": 1, "j": 1, **_PAGES}
_ENDS = {"KEY_HOME": 0, "g": 0, "KEY_END": -1, "G": -1}


def press(view: View, key: str, rows: Sequence[PhoneRow]) -> tuple[View, Action]:
    """What the view becomes, and what else is to be done, when ``key`` is pressed.

    Parameters
    ----------
    key : a character, or a name as ``KEY_UP``, ``KEY_ENTER``, ``KEY_ESCAPE``, ``KEY_BACKSPACE``.
    rows : all phones as they are drawn.
    """
    view = replace(view, notice="")
    if view.is_typing:
        return _type(view, key), Action.NONE
    if key in _PAGES and view.page is not Page.OVERVIEW:
        return replace(view, scroll=max(view.scroll + _PAGES[key], 0)), Action.NONE
    if key in _STEPS or key in _ENDS:
        return _move(view, key, rows), Action.NONE
    actions = {"q": Action.QUIT, "Q": Action.QUIT_AND_LEAVE, "c": Action.RESET, "S": Action.SCREENSHOT}
    if key in actions:
        return view, actions[key]
    return _turn(view, key, rows), Action.NONE


def _type(view: View, key: str) -> View:
    if key == "KEY_ENTER":
        return replace(view, is_typing=False)
    if key == "KEY_ESCAPE":
        return replace(view, is_typing=False, filter="")
    if key in ("KEY_BACKSPACE", "KEY_DELETE"):
        return replace(view, filter=view.filter[:-1])
    return replace(view, filter=(view.filter + key)[:MAX_FILTER]) if len(key) == 1 and key.isprintable() else view


def _move(view: View, key: str, rows: Sequence[PhoneRow]) -> View:
    shown = view.shown(rows)
    if not shown:
        return view
    if key in _ENDS:
        return replace(view, selected=shown[_ENDS[key]].phone)
    # Nothing selected yet: the first step down selects the first row.
    before = view.position(shown) if view.selected else (-1 if _STEPS[key] > 0 else 0)
    return replace(view, selected=shown[min(max(before + _STEPS[key], 0), len(shown) - 1)].phone)


def _turn(view: View, key: str, rows: Sequence[PhoneRow]) -> View:
    if key == "KEY_ENTER" and view.page is Page.OVERVIEW:
        shown = view.shown(rows)
        return replace(view, page=Page.DETAIL, scroll=0, selected=shown[view.position(shown)].phone) if shown else view
    if key == "KEY_ESCAPE":
        return replace(view, page=Page.OVERVIEW, filter="" if view.page is Page.OVERVIEW else view.filter)
    if key == "/":
        return replace(view, page=Page.OVERVIEW, is_typing=True)
    if key == "s":
        names = list(ORDERS)
        return replace(view, order=names[(names.index(view.order) + 1) % len(names)])
    if key == "p":
        return replace(view, is_frozen=not view.is_frozen)
    pages = {"l": Page.LOG, "?": Page.HELP}
    if key in pages:
        return replace(view, scroll=0, page=Page.OVERVIEW if view.page is pages[key] else pages[key])
    return view
