"""A calibration from beginning to end: waits for the phone, tells its wearer what to do, gives what was measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from model.errors import HarError
from model.orientation import Calibration
from streamer.mount.feed import Feed
from streamer.mount.guide import STANDING_S, Guide, Step
from streamer.phone_stream import ReadyWindow

POLL_S = 0.2

Say = Callable[[str], None]
"""Tells the wearer something."""

_STAND = f"Stand still now, for {STANDING_S:g} s ..."
_WALK = "Now walk straight on, on level ground, at your usual pace, until you are told ..."
_COMPLAINTS_APART_S = 4.0


@dataclass(frozen=True, slots=True)
class MeasuringOptions:
    """``delay_s`` is the time to put the phone in place; each step may take ``timeout_s``."""

    phone: str
    walk: bool
    delay_s: float
    timeout_s: float


def measure(feed: Feed, options: MeasuringOptions, say: Say) -> Calibration:
    """Lead the wearer through standing and walking.

    Raises
    ------
    HarError : the phone is not heard, or a step is not done in time; it says why.
    """
    _wait_for_phone(feed, options)
    guide = Guide(walk=options.walk)
    _count_down(feed, options.delay_s, say)
    for step, words in ((Step.STAND, _STAND), (Step.WALK, _WALK)):
        if guide.step is step:
            say(words)
            _follow(feed, guide, options, say)
    if feed.unsure:
        say(f"Note: left and right may be mixed up, at a cost of some points: {feed.unsure}.")
    assert guide.calibration
    return guide.calibration


def _wait_for_phone(feed: Feed, options: MeasuringOptions) -> None:
    for windows in _until(feed, options.timeout_s):
        if windows:
            return
    if feed.fault:
        raise HarError(f"What {options.phone} sends cannot be used: {feed.fault}; see har-stream doctor.")
    heard = ", ".join(feed.heard)
    others = f"heard were {heard}; give one of these" if heard else "see har-stream doctor for what to check"
    raise HarError(f"Nothing usable came from {options.phone} for {options.timeout_s:g} s; {others}.")


def _count_down(feed: Feed, delay_s: float, say: Say) -> None:
    if not delay_s:
        return
    say(f"Put the phone where you wear it, and stand still: measuring begins in {delay_s:g} s ...")
    for _ in _until(feed, delay_s):
        pass  # what comes while the phone is put in place is left out


def _follow(feed: Feed, guide: Guide, options: MeasuringOptions, say: Say) -> None:
    """Until the step is done."""
    step, told_s = guide.step, time.monotonic()
    for windows in _until(feed, options.timeout_s):
        for window in windows:
            if guide.push(window) is not step:
                return
        if guide.complaint and time.monotonic() - told_s > _COMPLAINTS_APART_S:
            say(guide.complaint)
            told_s = time.monotonic()
    raise HarError(guide.complaint or f"{options.phone} stopped sending; begin again.")


def _until(feed: Feed, seconds: float) -> Iterator[list[ReadyWindow]]:
    """The phone's windows as they come, and at least every :data:`POLL_S`, for so long."""
    deadline_s = time.monotonic() + seconds
    while (left_s := deadline_s - time.monotonic()) > 0:
        yield feed.take(min(left_s, POLL_S))
