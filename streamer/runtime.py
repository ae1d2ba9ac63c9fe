"""Settings of Python itself for a process that must answer within a tenth of a second for months."""

from __future__ import annotations

import gc
import sys

SWITCH_INTERVAL_S = 0.0005
"""How long one thread may keep Python's global lock from the other: the default of 5 ms starves the network."""

YOUNG, MIDDLE, OLD = 50_000, 20, 1000
"""When the cycle collector runs. A full run looks at every object, of thousands of phones hundreds of thousands, and
all waits for it: with Python's own thresholds, every few seconds. What is made for a message has no cycles and goes
at once; the few cycles that errors make are young when they are collected."""


def tune() -> None:
    """Set them, once everything is loaded: what is there by now is not looked at again."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
