"""What a terminal of 80 columns must not cut off."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from streamer.console.quality import Quality
from streamer.console.snapshot import Health
from streamer.console.view import Page, View
from tests.streamer.test_console_frame import HEALTH, rendered, state
from tests.streamer.test_console_view import row


@pytest.mark.parametrize("width", [80, 94, 95, 96, 120])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_footer_tells_every_key_down_to_80_columns(width: int, ascii_only: bool) -> None:
    footer = rendered(state(19), width, 24, ascii_only=ascii_only)[-1]
    for told in ("Enter", "/ filter", "s sort", "p freeze", "c reset", "l log", "S shot", "? help", "q quit"):
        assert told in footer


def test_losses_are_seen_at_80_columns() -> None:
    health = replace(HEALTH, lost_messages=12, malformed_messages=3, dropped_messages=4)
    assert "dropped 4  120 MB  lost 12  malformed 3" in rendered(state(3, health=health), 80, 24)[2]


def test_what_could_not_be_published_is_told_when_it_is_more_than_is_on_its_way() -> None:
    def head(unpublished: int, connection: str = "connected") -> str:
        health = replace(HEALTH, unpublished_messages=unpublished, connection=connection)
        return "\n".join(rendered(state(3, health=health), 80, 24)[:3])

    assert "unpublished" not in head(100) + head(0, "reconnecting in 60 s")
    assert "unpublished 101" in head(101)
    assert "unpublished 7" in head(7, "reconnecting in 60 s")


LONG = Health(
    broker="a-broker-with-a-long-name.example.org:18830",
    connection="reconnecting in 60 s",
    messages_per_s=20_345.0,
    samples_per_s=203_456.0,
    windows_per_s=3456.7,
    batch_size=512,
    batch_ms=1234.5,
    latency_p50_ms=1234.5,
    latency_p99_ms=98_765.0,
    queued=123_456,
    dropped_messages=123_456,
    memory_mb=12_345.0,
    windows=123_456_789,
    lost_messages=123_456,
    malformed_messages=12_345,
    accuracy=0.9876,
    answered_accuracy=0.99,
    labelled_windows=12_345_678,
)
"""Figures as long as they get."""


@pytest.mark.parametrize(("width", "height"), [(80, 24), (149, 40), (150, 40), (200, 60)])
@pytest.mark.parametrize("page", Page)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_every_figure_of_health_is_read_down_to_80_columns(
    width: int, height: int, page: Page, ascii_only: bool
) -> None:
    lines = rendered(state(19, health=LONG), width, height, View(page=page), ascii_only=ascii_only)
    head = "\n".join(lines[:3])
    for told in (
        "reconnecting in 60 s",
        "20345 messages/s",
        "203456 samples/s",
        "3456.7 windows/s",
        "batch 512 in 1234.5 ms",
        "latency 1234.5 ms, p99 98765 ms",
        "queue 123456",
        "dropped 123456",
        "12345 MB",
    ):
        assert re.search(rf"(^|  ){told}(  |$)", head, re.MULTILINE)


@pytest.mark.parametrize("wrong", Quality)
@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_every_warning_is_in_the_phone_s_row(wrong: Quality, width: int, height: int) -> None:
    line = next(li for li in rendered(state(0, rows=(row(7, wrong=(wrong,)),)), width, height) if "s07-e07" in li)
    assert line.rstrip().endswith(wrong.word if width > 120 else (wrong.short, wrong.word))
    both = (wrong, *(q for q in (Quality.GAPS, Quality.BOOT_CLOCK) if q is not wrong))
    line = next(li for li in rendered(state(0, rows=(row(7, wrong=both),)), width, height) if "s07-e07" in li)
    assert wrong.word in line or wrong.short in line
    assert re.search(r"\+[12]$|, ", line.rstrip())
