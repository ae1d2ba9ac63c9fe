"""What a terminal of 80 columns must not cut off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.streamer.test_console_frame import HEALTH, rendered, state


@pytest.mark.parametrize("width", [80, 94, 95, 96, 120])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_footer_tells_every_key_down_to_80_columns(width: int, ascii_only: bool) -> None:
    footer = rendered(state(19), width, 24, ascii_only=ascii_only)[-1]
    for told in ("Enter", "/ filter", "s sort", "p freeze", "c reset", "l log", "S shot", "? help", "q quit"):
        assert told in footer


def test_losses_are_seen_at_80_columns() -> None:
    health = replace(HEALTH, lost_messages=12, malformed_messages=3, dropped_messages=4)
    assert "12 lost, 3 malformed, 4 dropped" in rendered(state(3, health=health), 80, 24)[1]
