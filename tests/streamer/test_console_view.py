"""What each key does to the view."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.activities import ACTIVITIES
from streamer.console.frame import KEYS
from streamer.console.quality import Quality
from streamer.console.snapshot import PhoneRow
from streamer.console.view import ORDERS, Action, Page, View, press
from streamer.phone_memory.time_line import LETTERS

LAST_SLOT = 1_328_125_003
"""The last of a cell of four slots."""


def row(k: int, **changes: object) -> PhoneRow:
    fields: dict[str, object] = {
        "phone": f"s{k:02d}-e{k:02d}",
        "answer": ACTIVITIES[k % 6],
        "confidence": 0.5 + k / 100,
        "lasted_s": 75,
        "codes": "".join(LETTERS[ACTIVITIES[i // 4 % 6]] for i in range(LAST_SLOT % 4, 600)),
        "last_slot": LAST_SLOT,
        "now_slot": LAST_SLOT,
        "label": "STANDING" if k % 2 else None,
        "rate_hz": 50.0,
        "age_s": 0,
        "lost_messages": 3 if k == 1 else 0,
        "malformed_messages": 0,
        "wrong": (Quality.GAPS,) if k == 1 else (),
    }
    return PhoneRow(**(fields | changes))  # type: ignore[arg-type]


ROWS = [row(k) for k in range(30)]


def after(*keys: str, view: View | None = None) -> View:
    view = view or View()
    for key in keys:
        view, _ = press(view, key, ROWS)
    return view


def test_the_selection_moves_and_stays_within_the_rows() -> None:
    assert after("j").selected == "s00-e00"
    assert after("j", "j", "KEY_DOWN", "k").selected == "s01-e01"
    assert after("KEY_UP", "k").selected == "s00-e00"
    assert after("KEY_END").selected == after("G", "j", "j").selected == "s29-e29"
    assert after("KEY_END", "KEY_PGUP").selected == "s19-e19"
    assert after("KEY_HOME", "KEY_PGDOWN").selected == "s10-e10"


def test_enter_shows_the_phone_and_escape_goes_back() -> None:
    view = after("j", "j", "KEY_ENTER")
    assert (view.page, view.selected) == (Page.DETAIL, "s01-e01")
    assert after("KEY_ESCAPE", view=view).page is Page.OVERVIEW
    assert after("j", view=view).selected == "s02-e02"


@pytest.mark.parametrize(("key", "page"), [("l", Page.LOG), ("?", Page.HELP)])
def test_log_and_help_open_and_close(key: str, page: Page) -> None:
    assert after(key).page is page
    assert after(key, key).page is after(key, "KEY_ESCAPE").page is Page.OVERVIEW


def test_the_filter_is_typed_kept_and_cleared() -> None:
    typing = after("/", *"sitt")
    assert (typing.is_typing, typing.filter) == (True, "sitt")
    assert {r.answer for r in typing.shown(ROWS)} == {"SITTING"}
    kept = after("KEY_ENTER", view=typing)
    assert (kept.is_typing, kept.filter) == (False, "sitt")
    assert after("KEY_ESCAPE", view=kept).filter == ""
    assert after("KEY_BACKSPACE", view=typing).filter == "sit"
    assert [r.phone for r in after("/", *"S07", "KEY_ENTER").shown(ROWS)] == ["s07-e07"]
    assert after("/", "q", "KEY_ENTER").filter == "q"


def test_s_goes_through_every_order_and_p_freezes() -> None:
    assert [after(*"s" * k).order for k in range(len(ORDERS) + 1)] == [*ORDERS, "name"]
    assert after("s", "s").shown(ROWS)[0].phone == "s00-e00"
    assert after(*"ssss").shown(ROWS)[0].phone == after(*"sssss").shown(ROWS)[0].phone == "s01-e01"
    assert after("p").is_frozen
    assert not after("p", "p").is_frozen


@pytest.mark.parametrize(
    ("key", "action"),
    [
        ("q", Action.QUIT),
        ("Q", Action.QUIT_AND_LEAVE),
        ("c", Action.RESET),
        ("S", Action.SCREENSHOT),
        ("x", Action.NONE),
    ],
)
def test_keys_that_ask_for_more_than_a_view(key: str, action: Action) -> None:
    assert press(View(), key, ROWS) == (View(), action)


@given(st.lists(st.sampled_from([*"jkgG/spclS?qQx", "KEY_UP", "KEY_DOWN", "KEY_ENTER", "KEY_ESCAPE", "KEY_BACKSPACE"])))
def test_any_keys_leave_a_view_that_can_be_drawn(keys: list[str]) -> None:
    for rows in (ROWS, []):
        view = View()
        for key in keys:
            view, _ = press(view, key, rows)
        assert 0 <= view.position(view.shown(rows)) <= max(len(rows) - 1, 0)


def test_pages_scroll_and_begin_at_the_top() -> None:
    assert after("l", "KEY_PGDOWN", "KEY_PGDOWN", "KEY_PGUP").scroll == 10
    assert after("l", "KEY_PGUP").scroll == 0
    assert after("l", "KEY_PGDOWN", "KEY_ESCAPE", "?").scroll == 0
    scrolled = after("j", "KEY_ENTER", "KEY_PGDOWN", "j")
    assert (scrolled.selected, scrolled.scroll) == ("s01-e01", 10)
    assert after("KEY_ESCAPE", "KEY_ENTER", view=scrolled).scroll == 0


def test_the_gravest_warnings_come_first() -> None:
    rows = [row(2, wrong=(Quality.BOOT_CLOCK,)), row(3, wrong=(Quality.SILENT, Quality.GAPS)), row(4, wrong=())]
    assert [r.phone for r in View(order="warning").shown(rows)] == ["s03-e03", "s02-e02", "s04-e04"]


def test_the_help_names_every_key() -> None:
    assert {"/", "s", "p", "c", "l", "S", "?", "q", "Q", "Enter", "Esc"} <= set(KEYS)
