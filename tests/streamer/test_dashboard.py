"""What a frame shows, at several sizes, with and without colours."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from model.activities import ACTIVITIES
from model.decision import ANSWERS
from streamer.dashboard import LETTERS, STYLES, PhoneRow, Snapshot, draw


def row(k: int) -> PhoneRow:
    return PhoneRow(
        phone=f"s{k:02d}-e{k:02d}",
        answer=ACTIVITIES[k % 6],
        confidence=0.97,
        lasted_s=75.0,
        history=tuple(ACTIVITIES[i % 6] for i in range(60)),
        label="STANDING" if k % 2 else None,
        rate_hz=50.0,
        age_s=0.4,
        lost_messages=3 if k == 1 else 0,
        malformed_messages=0,
        accuracy=None,
    )


def state(n_phones: int, **changes: object) -> Snapshot:
    fields: dict[str, object] = {
        "broker": "127.0.0.1:1883",
        "connection": "connected",
        "rows": tuple(row(k) for k in range(n_phones)),
        "messages": 1000,
        "windows": 321,
        "samples_per_s": 950.0,
        "windows_per_s": 14.8,
        "latency_p50_ms": 4.2,
        "latency_p99_ms": 9.9,
        "lost_messages": 3,
        "malformed_messages": 0,
        "dropped_messages": 0,
        "accuracy": 0.964,
        "labelled_windows": 300,
        "events": ("12:00:00  s01-e01  WALKING -> SITTING after 12 s",),
    }
    return Snapshot(**(fields | changes))  # type: ignore[arg-type]


def rendered(snapshot: Snapshot, width: int, height: int, *, color: bool = False) -> list[str]:
    screen = io.StringIO()
    console = Console(
        file=screen, width=width, height=height, force_terminal=color, color_system="standard" if color else None
    )
    console.print(draw(snapshot, width=width, height=height))
    return screen.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), [(40, 12), (80, 24), (120, 30), (200, 60)])
@pytest.mark.parametrize("n_phones", [0, 1, 19, 500])
def test_a_frame_fits_the_terminal(width: int, height: int, n_phones: int) -> None:
    lines = rendered(state(n_phones), width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_a_row_tells_what_a_phone_does() -> None:
    text = "\n".join(rendered(state(2), 160, 30))
    line = next(line for line in text.splitlines() if line.startswith("s01-e01"))
    for told in ("WALKING_UPSTAIRS", "97%", "1m15s", "WUDSTL", "STANDING", "50.0", "0.4s", "3"):
        assert told in line
    for told in ("2 phones", "14.8 windows/s", "latency 4.2 ms, p99 9.9 ms", "accuracy 96.4% of 300", "3 lost"):
        assert told in text
    assert "WALKING -> SITTING after 12 s" in text


@pytest.mark.parametrize("width", range(70, 200, 7))
def test_the_time_line_ends_with_the_latest_activity(width: int) -> None:
    line = next(line for line in rendered(state(3), width, 30) if line.startswith("s02-e02"))
    timeline = max(re.findall("[WUDSTL]{6,}", line.replace("WALKING_DOWNSTAIRS", "")), key=len, default="L")
    assert timeline.endswith("L")
    assert "…" not in line


def test_phones_that_do_not_fit_are_counted() -> None:
    lines = rendered(state(500), 80, 24)
    shown = sum(line.startswith("s") and "-e" in line for line in lines)
    assert f"and {500 - shown} more phones" in lines[-1]


def test_a_lost_connection_is_seen() -> None:
    assert "reconnecting in 3 s" in rendered(state(1, connection="reconnecting in 3 s"), 80, 24)[0]


def test_markup_from_the_network_is_text() -> None:
    lines = rendered(state(0, events=("warning: p: [bold red]x[/] [link=http://a]y[/link]",)), 120, 24, color=True)
    assert any("[bold red]x[/] [link=http://a]y[/link]" in line for line in lines)


def test_every_answer_has_a_letter_and_a_colour_of_its_own() -> None:
    assert set(LETTERS) == set(STYLES) == set(ANSWERS)
    assert len(set(LETTERS.values())) == len(set(STYLES.values())) == len(ANSWERS)
