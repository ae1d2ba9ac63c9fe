"""The clock that arrivals are told by, across restarts: it goes on while the machine does, and begins anew with it."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Linux's name of the time since it started; random(4)."""


class TimeBase(msgspec.Struct, frozen=True):
    """A monotonic clock: ``boot`` names the time since the machine started, "" if it has no name; ``at_s`` is what the
    clock showed, and ``ahead_s`` what made Unix time of it then.
    """

    boot: str
    at_s: float
    ahead_s: float

    @classmethod
    def now(cls) -> TimeBase:
        """This machine's."""
        return cls(_boot(), time.monotonic(), time.time() - time.monotonic())

    def shift_s(self, earlier: TimeBase) -> float:
        """What makes arrivals on this clock of those on an earlier one: nothing for the same clock.

        Else Unix time goes on, as far as the machine's clock can be believed: nothing has arrived in the future.
        """
        if self.boot and self.boot == earlier.boot:
            return 0.0
        return min(earlier.ahead_s - self.ahead_s, self.at_s - earlier.at_s)


def _boot() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
