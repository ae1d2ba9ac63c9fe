"""What is known of a running listener at one instant: what its metrics and its health are made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Protocol

from streamer.counts import Counts
from streamer.intake.limits import SILENT_S
from streamer.recognising import Recognising


class Connection(Protocol):
    """How the listener stands with its broker."""

    @property
    def is_connected(self) -> bool:
        """Whether all of its connections are there."""

    @property
    def published(self) -> int:
        """Messages that the brokers have taken."""

    @property
    def unpublished(self) -> int:
        """Messages that wait for them, were dropped, or were refused."""


class Recording(Protocol):
    """A recording in the making: messages in the file, and messages that are missing in it."""

    recorded: int

    @property
    def missed(self) -> int:
        """Messages that did not get into the file."""


class Keeping(Protocol):
    """What is kept for a later run."""

    @property
    def unkept(self) -> int:
        """Messages that could not be kept."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One instant. ``counts`` by name (:class:`streamer.counts.Counts`), ages in seconds.

    ``losses`` are those of :class:`streamer.recognising.Recognising`; ``latency_ms`` is by percentile over the last
    predictions, None before the first; ``stalled_s`` is how long ago the recognising thread has turned.
    """

    model: str
    is_connected: bool
    has_failed: bool
    stalled_s: float
    last_message_age_s: float
    counts: Mapping[str, int]
    latency_ms: Mapping[str, float | None]
    phones: int
    active_phones: int
    queued: int
    losses: Mapping[str, int]
    published: int
    unpublished: int
    recorded: int | None
    unrecorded: int | None
    unkept: int | None


Look = Callable[[], Facts]
"""Gives the facts of now; safe on any thread."""


def look_at(
    listener: Recognising, connection: Connection, recording: Recording | None, keeping: Keeping | None
) -> Look:
    """What looks at these parts of a listener."""

    def look() -> Facts:
        now_s = time.monotonic()
        with listener.lock:
            counts = {field.name: getattr(listener.tally.totals, field.name) for field in fields(Counts)}
            latency_ms = listener.tally.latency_ms()
            phones = len(listener.tally.phones)
        arrivals = listener.arrivals().values()
        return Facts(
            model=listener.kind,
            is_connected=connection.is_connected,
            has_failed=listener.failure is not None,
            stalled_s=max(0.0, now_s - listener.turned_s),
            last_message_age_s=max(0.0, now_s - listener.last_message_s),
            counts=counts,
            latency_ms=latency_ms,
            phones=phones,
            active_phones=sum(now_s - arrived_s <= SILENT_S for arrived_s in arrivals),
            queued=listener.n_queued,
            losses=listener.losses,
            published=connection.published,
            unpublished=connection.unpublished,
            recorded=recording.recorded if recording else None,
            unrecorded=recording.missed if recording else None,
            unkept=keeping.unkept if keeping else None,
        )

    return look
