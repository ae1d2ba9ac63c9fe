"""What a frame shows, at several sizes, with and without colours and Unicode."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from model.activities import ACTIVITIES
from model.decision import ANSWERS
from streamer.console.app import save_screenshot
from streamer.console.frame import draw
from streamer.console.snapshot import Health, PhoneDetail, Snapshot
from streamer.console.theme import ASCII, STYLES, UNICODE, age, count, duration, short_duration
from streamer.console.view import Page, View
from streamer.phone_memory.time_line import LETTERS
from streamer.phone_memory.traces import Trace
from tests.streamer.test_console_view import row

HEALTH = Health(
    broker="127.0.0.1:1883",
    connection="connected",
    messages_per_s=38.0,
    samples_per_s=950.0,
    windows_per_s=14.8,
    batch_size=3,
    batch_ms=1.5,
    latency_p50_ms=4.2,
    latency_p99_ms=9.9,
    queued=0,
    dropped_messages=0,
    memory_mb=120.0,
    windows=321,
    lost_messages=3,
    malformed_messages=0,
    accuracy=0.964,
    answered_accuracy=0.98,
    labelled_windows=300,
)
EVENTS = ("12:00:00  s01-e01  WALKING -> SITTING after 12 s", "warning: s01-e01: gravity points 98° away (m/s², é, 走)")


def detail() -> PhoneDetail:
    confusion = np.diag([5, 4, 3, 2, 1, 0])
    confusion[3, 4] = 7
    return PhoneDetail(
        row=row(1),
        probabilities=(0.01, 0.02, 0.03, 0.9, 0.03, 0.01),
        trace=Trace(((0, np.random.default_rng(0).normal(size=(640, 9)).astype(np.float32)),)),
        log=(("SITTING", 1_700_000_100.0, 1_700_000_175.0), ("WALKING", 1_700_000_000.0, 1_700_000_100.0)),
        seconds={"SITTING": 75.0, "WALKING": 100.0},
        confusion=confusion,
        counts={"messages": 10, "lost": 2},
        warnings=("unlike training: the gyroscope gives nothing", "malformed: 1; the last: rate is missing"),
        format="sensor-logger",
    )


def state(n_phones: int, **changes: object) -> Snapshot:
    return replace(Snapshot(HEALTH, tuple(row(k) for k in range(n_phones)), EVENTS, detail()), **changes)  # type: ignore[arg-type]


def rendered(
    snapshot: Snapshot, width: int, height: int, view: View | None = None, *, ascii_only: bool = False
) -> list[str]:
    screen = io.StringIO()
    console = Console(file=screen, width=width, height=height, color_system=None)
    symbols = ASCII if ascii_only else UNICODE
    console.print(draw(snapshot, view or View(), width=width, height=height, symbols=symbols).group())
    return screen.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), [(40, 12), (80, 24), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("n_phones", [0, 1, 19, 500])
@pytest.mark.parametrize("page", Page)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_frame_fills_the_terminal_and_no_more(
    width: int, height: int, n_phones: int, page: Page, ascii_only: bool
) -> None:
    lines = rendered(state(n_phones), width, height, View(page=page, selected="s01-e01"), ascii_only=ascii_only)
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    assert not ascii_only or "".join(lines).isascii()


def test_a_row_tells_what_a_phone_does() -> None:
    text = rendered(state(2), 170, 30)
    line = next(line for line in text if "s01-e01" in line)
    for told in ("WALKING_UPSTAIRS", "51%", "1m15s", "STANDING", "50.0", "0s", "3", "gaps"):
        assert told in line
    assert re.search("[WUDSTL]{30,}", line)
    head = "\n".join(text[:2])
    for told in (
        "2 phones",
        "14.8 windows/s",
        "latency 4.2 ms, p99 10 ms",
        "96.4% right of 300",
        "lost 3",
        "batch 3",
    ):
        assert told in head
    assert any("WALKING -> SITTING after 12 s" in line for line in text)


@pytest.mark.parametrize("width", range(80, 200, 7))
def test_the_time_line_ends_with_the_latest_answer(width: int) -> None:
    line = next(line for line in rendered(state(3), width, 30) if "s02-e02" in line)
    timelines = re.findall("[WUDSTL]{6,}", line.replace("WALKING_DOWNSTAIRS", ""))
    assert all(timeline.endswith("L") for timeline in timelines)
    assert timelines


@pytest.mark.parametrize("position", [0, 1, 250, 498, 499])
def test_the_table_scrolls_to_the_selected_phone_and_counts_the_rest(position: int) -> None:
    phones = tuple(row(k, phone=f"p{k:03d}") for k in range(500))
    lines = rendered(state(0, rows=phones), 80, 24, View(selected=f"p{position:03d}"))
    shown = [line for line in lines if re.search(r"\bp\d{3}\b", line)]
    assert sum(line.startswith("▸") for line in shown) == 1
    assert any(f"▸ p{position:03d}" in line for line in shown)
    first = int(re.search(r"p(\d{3})", shown[0])[1])  # type: ignore[index]
    assert f"phones {first + 1} to {first + len(shown)} of 500" in "\n".join(lines)
    assert "500 phones" in lines[0]


def test_the_detail_shows_everything_of_one_phone() -> None:
    text = "\n".join(rendered(state(3), 130, 45, View(page=Page.DETAIL, selected="s01-e01")))
    for told in (
        "s01-e01",
        "90%",
        "total acceleration",
        "rad/s",
        "1m15s",
        "1m40s",
        "68.2% right",
        "the gyroscope gives nothing",
        "rate is missing",
        "sensor-logger",
    ):
        assert told in text
    assert "gone" in "\n".join(rendered(state(3, detail=None), 80, 24, View(page=Page.DETAIL)))


def test_banners_tell_frozen_filter_and_order() -> None:
    view = View(is_frozen=True, filter="sit", order="age", notice="saved x.svg")
    text = "\n".join(rendered(state(9), 140, 24, view))
    for told in ("FROZEN", "filter sit", "sorted by age", "saved x.svg"):
        assert told in text
    assert "filter: wal" in "\n".join(rendered(state(9), 80, 24, View(is_typing=True, filter="wal")))


def test_a_lost_connection_is_seen() -> None:
    lost = replace(HEALTH, connection="reconnecting in 3 s")
    assert "reconnecting in 3 s" in rendered(state(1, health=lost), 80, 24)[0]


HOSTILE = "\x1b[31m\x1b]0;title\x07[bold red]x[/]\n\u202eabc" + "A" * 65_536


@pytest.mark.parametrize("page", [Page.OVERVIEW, Page.DETAIL, Page.LOG])
def test_what_comes_from_the_network_stays_in_its_cells(page: Page) -> None:

    view = View(page=page, selected="s01-e01")
    quiet = rendered(state(5), 130, 40, view)
    shown = replace(detail(), warnings=(detail().warnings[0], HOSTILE), row=row(1, label=HOSTILE))
    rows = tuple(row(k, label=HOSTILE) if k == 3 else row(k) for k in range(5))
    lines = rendered(state(5, events=(EVENTS[0], HOSTILE), detail=shown, rows=rows), 130, 40, view)
    assert len(lines) == len(quiet) == 40
    assert all(line.isprintable() for line in lines)
    assert lines[-1] == quiet[-1]
    assert lines[:3] == quiet[:3]
    assert page is not Page.OVERVIEW or sum(lines[k] != quiet[k] for k in range(40)) <= 2


def test_a_screenshot_is_svg_and_text(tmp_path: Path) -> None:
    frame = draw(state(5), View(), width=100, height=24, symbols=UNICODE)
    names = save_screenshot(frame, 100, 24, tmp_path, "shot")
    assert names == ["shot.svg", "shot.txt"]
    assert "s01-e01" in (tmp_path / "shot.txt").read_text(encoding="utf-8")
    svg = (tmp_path / "shot.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "url(http" not in svg
    assert "font-face" not in svg
    assert "s01-e01" in svg


def test_every_answer_has_a_letter_and_a_colour_of_its_own() -> None:
    assert set(LETTERS) == set(STYLES) == set(ANSWERS)
    assert len(set(LETTERS.values())) == len(set(STYLES.values())) == len(ANSWERS) == len(ACTIVITIES) + 2


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0.0s"),
        (59.94, "59.9s"),
        (59.96, "59.9s"),
        (187.0, "3m07s"),
        (3599.9, "59m59s"),
        (8100.0, "2h15m"),
        (1_047_600.0, "12d"),
        (1e300, ">99d"),
    ],
)
def test_durations_are_short(seconds: float, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize("seconds", [0.0, 9.0, 59.99, 60.0, 3599.0, 3600.0, 86_399.0, 86_400.0, 8.64e6, 1e300])
def test_columns_hold_whatever_they_tell(seconds: float) -> None:
    assert len(duration(seconds)) <= 6
    assert len(short_duration(seconds)) <= 5
    assert len(age(seconds)) <= 4
    assert len(count(int(min(seconds, 1e18)))) <= 4
