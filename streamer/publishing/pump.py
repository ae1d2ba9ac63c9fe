"""From the outbox to the connection, with a bounded number of messages under way. No paho, no threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from streamer.publishing.outbox import Outbox, Outgoing

WINDOW = 100
"""Messages that may wait for the broker's acknowledgement at once: enough to keep it busy, too few to overrun it."""


class Source(Protocol):
    """Who has something to publish."""

    outbox: Outbox
    """What waits for being published."""

    birth: Outgoing | None
    """Published first on every connection."""

    will: Outgoing | None
    """Published by the broker when the connection is lost."""

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Topics to hear besides those of phones."""

    def is_own(self, topic: str) -> bool:
        """Whether a message on this topic is for :meth:`hear`, and no phone's."""

    def connected(self) -> None:
        """The connection is there (again)."""

    def hear(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Take a message on an own topic; ``retained``: the broker kept it from earlier."""


class SendOnly:
    """A :class:`Source` of what is put into its outbox, and of nothing else: no birth, no will, no ears."""

    birth: Outgoing | None = None
    will: Outgoing | None = None
    subscriptions: tuple[str, ...] = ()

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox

    def is_own(self, topic: str) -> bool:
        """Every topic is: no phone is listened to."""
        return True

    def connected(self) -> None:
        """Nothing to do."""

    def hear(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Nothing is heard."""


class Pump:
    """Sends what is in an outbox; all calls come from the network thread.

    Parameters
    ----------
    outbox : what is to be sent.
    send : hands a message to the connection and gives its id, which :meth:`acknowledge` brings back. What has been
        handed over is the connection's to keep: it sends it again on the next connection.
    """

    def __init__(self, outbox: Outbox, send: Callable[[Outgoing], int]) -> None:
        self.published = 0
        self.refused = 0
        self.window = WINDOW
        self._outbox = outbox
        self._send = send
        self._under_way: set[int] = set()

    @property
    def waiting(self) -> int:
        """Messages that have not been acknowledged, or not even been sent."""
        return len(self._outbox) + len(self._under_way)

    @property
    def dropped(self) -> int:
        """Messages that the outbox had no room for."""
        return self._outbox.dropped

    def turn(self) -> None:
        """Send as many as may be under way."""
        while len(self._under_way) < self.window and (message := self._outbox.take()) is not None:
            self.push(message)

    def push(self, message: Outgoing) -> None:
        """Send this message at once."""
        self._under_way.add(self._send(message))

    def acknowledge(self, message_id: int, *, refused: bool) -> None:
        """The broker has taken a message, or refused it."""
        self._under_way.discard(message_id)
        self.refused += refused
        self.published += not refused
