"""What a phone's owner says to be doing, and which windows that holds for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from model.signals import SAMPLING_RATE
from streamer.wire import Label

MAX_LABELS = 512
"""Labels remembered per phone; a recording of the data set has about 40."""

TIME_TOLERANCE_S = 0.5 / SAMPLING_RATE
"""Times closer than half a sample are the same sample's."""


_AHEAD_S = time.time() - time.monotonic()


def now_s() -> float:
    """Unix time by the machine's clock, which does not go back when that is set."""
    return max(time.time(), _AHEAD_S + time.monotonic())


class Labels:
    """A phone's labels.

    A label without an end (infinity) holds until the next label of the phone begins.

    Parameters
    ----------
    clock : Unix time. As long as a label has no end, one that ends it can still come for any time that has not passed:
        a phone whose clock is ahead has windows there.
    """

    def __init__(self, clock: Callable[[], float] = now_s) -> None:
        self._labels: list[Label] = []
        self._clock = clock

    def add(self, label: Label) -> None:
        """Take the next label."""
        if self._labels and self._labels[-1].end_s == math.inf:
            before = self._labels.pop()
            if label.start_s < before.start_s:  # it was overtaken on its way
                label, before = before, label
            self._labels.append(replace(before, end_s=min(before.end_s, label.start_s)))
        self._labels.append(label)
        del self._labels[:-MAX_LABELS]

    def covering(self, start_s: float, end_s: float) -> str | None:
        """The label of the one segment that holds all of ``start_s`` to ``end_s``, or None."""
        latest_s = start_s + TIME_TOLERANCE_S
        for label in reversed(self._labels):
            if label.start_s <= latest_s:
                known_s = self._clock() if label.end_s == math.inf else label.end_s
                if end_s <= known_s + TIME_TOLERANCE_S:
                    return label.activity
        return None
