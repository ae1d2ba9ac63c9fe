"""Waiting for what must come about, instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 60


def wait_until(condition: Callable[[], bool], what: str = "it") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.005)
