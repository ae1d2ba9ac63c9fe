"""Which broker is tried next, after how long, and whether somebody else keeps taking the connection away. Pure."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from streamer.address import BrokerAddress

FIRST_WAIT_S = 1.0
"""Longest wait before the first attempt to connect again."""

MAX_WAIT_S = 60.0
"""Longest wait between two attempts to connect again."""

ALL_AT_ONCE_S = 0.1
"""Wait while there are brokers that have not been tried since the connection was lost."""

SHORT_S = 3.0
"""A connection that was accepted, and lost within this, was taken away: by another client of the same id (MQTT 3.1.1,
3.1.4-2). A NATS node whose store is without a leader ends connections too, but after 5 s."""

CONTESTED = 5
"""So many of them in a row, unless told otherwise, and the other client is there to stay."""


class Attempts:
    """The brokers' addresses in turn.

    Parameters
    ----------
    addresses : of brokers that are as good as each other; one at least.
    clock : the monotonic clock [s].
    contested : so many short lives in a row are another client's doing.
    """

    def __init__(
        self,
        addresses: tuple[BrokerAddress, ...],
        clock: Callable[[], float] = time.monotonic,
        contested: int = CONTESTED,
    ) -> None:
        self.address = addresses[0]
        self._addresses = addresses
        self._clock = clock
        self._contested = contested
        self._place = 0
        self._tried = 0
        self._backoff_s = FIRST_WAIT_S
        self._since_s: float | None = None
        self._short = 0

    def __len__(self) -> int:
        return len(self._addresses)

    @property
    def is_contested(self) -> bool:
        """Whether another client of the same id keeps taking the connection away."""
        return self._short >= self._contested

    def next(self) -> BrokerAddress:
        """The next address, which becomes :attr:`address`."""
        self._place = (self._place + 1) % len(self._addresses)
        self.address = self._addresses[self._place]
        return self.address

    def connected(self) -> None:
        """The broker has accepted the connection."""
        self._since_s = self._clock()
        self._tried = 0

    def lost(self) -> None:
        """The connection is lost, or an attempt has failed, so that waits go on to grow."""
        if self._since_s is not None:
            self._short = self._short + 1 if self._clock() - self._since_s < SHORT_S else 0
            self._backoff_s = FIRST_WAIT_S
        self._since_s = None

    def absent(self) -> None:
        """Nobody was there. A broker or a network that fails again and again is away in between, and no other client
        has come; of several brokers, one may be away for itself."""
        if len(self._addresses) == 1:
            self._short = 0

    def unanswered(self) -> None:
        """Somebody was there, and ended the connection without an answer. NATS does that to clients of one id that come
        in quick turns, who are to find out about each other: the next wait is a first one."""
        self._backoff_s = FIRST_WAIT_S

    def wait_s(self) -> float:
        """How long to wait before the next attempt: hardly, while there is another broker that has not been tried;
        then 1, 2, 4 ... :data:`MAX_WAIT_S` seconds, each shortened at random by up to a half."""
        self._tried += 1
        if self._tried < len(self._addresses):
            return ALL_AT_ONCE_S
        self._tried = 0
        wait_s = self._backoff_s * random.uniform(0.5, 1.0)  # noqa: S311 - nobody gains from guessing it
        self._backoff_s = min(2 * self._backoff_s, MAX_WAIT_S)
        return wait_s
