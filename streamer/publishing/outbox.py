"""The bounded queue between whoever publishes and the network thread. Pure."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from streamer.admission.sharing import allowance
from streamer.limits import MAX_LATEST

MOST = 20_000
"""Predictions and events that may wait; of more, the oldest of the busiest phones are dropped and counted."""

ROOM = 10
"""When it is full, one in so many is dropped at once, so that the next ones find room."""


class Outgoing(NamedTuple):
    """A message to publish.

    ``phone`` is whose it is, "" for the listener's own. ``is_latest`` marks a topic of which only the latest message
    matters: an earlier one that still waits is replaced. Others are kept one by one; ``number`` counts the phone's, if
    somebody wants to know of each whether the broker has taken it (:mod:`streamer.publishing.ledger`).
    """

    topic: str
    payload: bytes
    retain: bool = True
    phone: str = ""
    is_latest: bool = False
    number: int = 0


class Outbox:
    """First in, first out; never blocks, from any thread.

    Parameters
    ----------
    most : messages that may wait.
    most_latest : topics of which the latest message may wait, apart from those.
    on_first : called without the lock when a message has come into the empty outbox, to wake who takes them.
    on_published : called with the numbers of the phones' last messages that the broker has taken, if they have some.
    """

    def __init__(
        self,
        most: int = MOST,
        on_first: Callable[[], None] = lambda: None,
        on_published: Callable[[Mapping[str, int]], None] = lambda _numbers: None,
        most_latest: int = MAX_LATEST,
    ) -> None:
        self.dropped = 0
        self.on_first = on_first
        self.on_published = on_published
        self._most = most
        self._most_latest = most_latest
        self._lock = threading.Lock()
        self._each: deque[tuple[int, Outgoing]] = deque()
        self._latest: OrderedDict[str, tuple[int, Outgoing]] = OrderedDict()
        self._number = 0

    def __len__(self) -> int:
        return len(self._each) + len(self._latest)

    def put(self, *messages: Outgoing) -> None:
        """Add messages, in this order."""
        with self._lock:
            was_empty = not len(self)
            for message in messages:
                self._number += 1
                if message.is_latest:
                    self._latest[message.topic] = (self._number, message)
                    self._latest.move_to_end(message.topic)
                    if len(self._latest) > self._most_latest:
                        self._latest.popitem(last=False)
                        self.dropped += 1
                else:
                    self._each.append((self._number, message))
            if len(self._each) > self._most:
                self._thin()
        if was_empty and messages:
            self.on_first()

    def take(self, most: int) -> list[Outgoing]:
        """Up to ``most`` messages, those that have waited longest."""
        with self._lock:
            return [self._next() for _ in range(min(most, len(self)))]

    def discard(self, is_taken: Callable[[str, int], bool]) -> None:
        """Leave out the numbered messages, by phone and number, that need not be published any more."""
        with self._lock:
            self._each = deque((n, m) for n, m in self._each if not (m.number and is_taken(m.phone, m.number)))

    def _next(self) -> Outgoing:
        latest = next(iter(self._latest.values()), None)
        if latest is None or (self._each and self._each[0][0] < latest[0]):
            return self._each.popleft()[1]
        return self._latest.popitem(last=False)[1][1]

    def _thin(self) -> None:
        """Make room: the oldest messages of the phones that have most of them go, the last of none."""
        counts = Counter(message.phone for _, message in self._each)
        surplus = len(self._each) - self._most + self._most // ROOM
        allowed = allowance(list(counts.values()), surplus)
        kept: deque[tuple[int, Outgoing]] = deque()
        for number, message in self._each:
            if surplus and counts[message.phone] > allowed:
                counts[message.phone] -= 1
                surplus -= 1
                self.dropped += 1
            else:
                kept.append((number, message))
        self._each = kept
