"""What is to be done with files, and what came of each: counts, and what is written of every phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from streamer.backfill.rendering import Content, rendering
from streamer.backfill.units import TableOptions
from streamer.counts import Counts
from streamer.formats.names import AUTO
from streamer.mount.book import MountOptions
from streamer.phone_stream import ReadyWindow, Taken
from streamer.recognition.loading import EngineOptions
from streamer.recognition.prediction import Prediction

OnSeconds = Callable[[float], None]
"""Told how many more seconds of signals have been recognised, now and then."""

_NUMBER = re.compile(r"\d+(\.\d+)?")
"""What differs between warnings of one kind, each of which a phone has once."""


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """How to recognise: what recognises, how phones are worn, the units of tables, and the format of captures'
    messages. ``is_table``: the predictions are wanted as columns.
    """

    engine: EngineOptions = field(default_factory=EngineOptions)
    mount: MountOptions = field(default_factory=MountOptions)
    tables: TableOptions = field(default_factory=TableOptions)
    format: str = AUTO
    is_table: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of an item.

    ``contents`` are its phones'. ``error`` says why it could not be read, ``damage`` what of it could not; ``seconds``
    are those that its windows stand for.
    """

    name: str
    contents: list[Content] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    error: str | None = None
    damage: str | None = None

    def count_seconds(self, windows: Iterable[ReadyWindow], on_seconds: OnSeconds) -> None:
        """These have been recognised."""
        seconds = sum(window.span_s for window in windows)
        self.seconds += seconds
        on_seconds(seconds)


class PhoneLog:
    """One phone of an item: what is written of it, and what it adds to the item's counts."""

    def __init__(self, outcome: Outcome, phone: str | None, is_table: bool) -> None:
        self._counts = outcome.counts
        self._rendering = rendering(is_table, outcome.name, phone)
        self._told: set[str] = set()

    def prediction(self, prediction: Prediction) -> None:
        """Take the next."""
        self._counts.predict(prediction)
        for reason in prediction.reasons:
            self.warn(reason)
        self._rendering.prediction(prediction)

    def took(self, n_samples: int, taken: Taken, *, tells: bool = True) -> None:
        """Count a message's samples and what came of it; tell what is odd about them."""
        self._counts.samples += n_samples
        self.released(taken, tells=tells)

    def released(self, taken: Taken, *, tells: bool = True) -> None:
        """The same of what had been held back."""
        self._counts.take(taken)
        for reason in taken.news if tells else ():
            self.warn(reason)

    def fault(self, reason: str) -> None:
        """Count a message that cannot be used."""
        self._counts.malformed_messages += 1
        self.warn(reason)

    def warn(self, reason: str) -> None:
        """Tell it, the first time."""
        kind = _NUMBER.sub("", reason)
        if kind not in self._told:
            self._told.add(kind)
            self._rendering.warning(reason)

    def content(self) -> Content:
        """What is written."""
        return self._rendering.content()


def no_time() -> float:
    """The clock of those that nobody waits for."""
    return 0.0
