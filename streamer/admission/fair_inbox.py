"""The listener's queue: first in, first out while it keeps up; when more waits than fits a batch, phones take turns.

So that one phone's flood delays nobody else's predictions by more than the batch at work and everybody's one turn.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass

from model.text import MOST, printable
from streamer.admission.backlog import Backlog
from streamer.admission.rates import Rates
from streamer.formats.detect import phone_of
from streamer.inbox import Inbox, Message
from streamer.limits import BATCH_BYTES, LIMITS, Limits

log = logging.getLogger(__name__)

ROOM = 0.9
"""When it is full so much of it is kept at most, so that the next messages find room."""


@dataclass(slots=True)
class Losses:
    """Messages that are not recognised, as too many came: ``flood`` of a phone that sends too many was refused;
    ``crowded`` found no room, or made some; ``outdated`` had waited for too long.
    """

    flood_messages: int = 0
    crowded_messages: int = 0
    outdated_messages: int = 0


def losses_of(inboxes: Sequence[FairInbox]) -> dict[str, int]:
    """What several have lost, ready for JSON; ``dropped_messages`` are those that had been let in."""
    names = Losses.__slots__
    lost = {name: sum(getattr(inbox.losses, name) for inbox in inboxes) for name in names}
    return {"dropped_messages": sum(inbox.dropped for inbox in inboxes)} | lost


class FairInbox(Inbox):
    """As :class:`streamer.inbox.Inbox`, but nobody's share of it is more than others'.

    ``keeps_all`` when messages are kept elsewhere until they have been handled: then whoever puts waits for room, and
    nothing is dropped for its age.

    Parameters
    ----------
    limits : of the rate of a phone's messages, of the bytes that may wait, and for how long.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        super().__init__(limits.inbox_bytes)
        self.losses = Losses()
        self.keeps_all = False
        self._limits = limits
        self._backlog = Backlog(phone_of)
        self._rates = Rates(limits, phone_of, self._tell_flood)
        self._done = 0

    def __len__(self) -> int:
        return len(self._messages) + len(self._backlog)

    @property
    def behind(self) -> Container[str]:
        """Phones of which messages wait that came before some that were taken."""
        return self._backlog.phones

    def put(self, *messages: Message) -> None:
        """Add messages, at least one, in this order, but those of a phone that sends too many; when it is full the
        oldest of the busiest phones go.
        """
        admitted = self.admit(messages)
        if self.keeps_all:
            self.wait_for_room(admitted)
        self.add(*admitted)

    def admit(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Those of these messages, at least one, that are no phone's that sends too many."""
        admitted = self._rates.admit(messages)
        if len(admitted) < len(messages):
            self.losses.flood_messages += len(messages) - len(admitted)
        return admitted

    def wait_for_room(self, messages: Sequence[Message]) -> None:
        """Wait until these messages find room."""
        size = sum([len(message.payload) for message in messages])
        with self._arrived:
            if self._bytes + size > self._max_bytes:
                self._arrived.wait_for(lambda: self._closed or self._bytes + size <= self._max_bytes or not len(self))

    def add(self, *messages: Message) -> None:
        """Add messages that were admitted, at once."""
        size = sum([len(message.payload) for message in messages])
        with self._arrived:
            self._messages.extend(messages)
            self._bytes += size
            self.accepted += len(messages)
            if (self._bytes > self._max_bytes or len(self) > self._limits.inbox_messages) and not self.keeps_all:
                self._make_room()
            self._arrived.notify()

    def _sort(self) -> None:
        """What has come joins what waits by phone."""
        self._backlog.add(self.accepted - len(self._messages), self._messages)
        self._messages.clear()

    def _make_room(self) -> None:
        self._sort()
        dropped = self._backlog.drop(int(ROOM * self._max_bytes), int(ROOM * self._limits.inbox_messages))
        self._bytes = self._backlog.bytes
        self.losses.crowded_messages += dropped
        self.dropped += dropped

    def take(self, most: int, timeout_s: float) -> list[Message]:
        """Up to ``most`` messages, after waiting up to ``timeout_s`` for a first one."""
        with self._arrived:
            if not len(self) and not self._closed:
                self._arrived.wait(timeout_s)
            if not len(self._backlog) and len(self._messages) <= most and self._bytes <= BATCH_BYTES:
                taken = list(self._messages)
                self._messages.clear()
                self._bytes, self._done = 0, self.accepted
                return taken
            self._sort()
            oldest_s = float("-inf") if self.keeps_all else time.monotonic() - self._limits.max_wait_s
            taken, outdated = self._backlog.take(most, oldest_s)
            self._bytes, self._done = self._backlog.bytes, self._backlog.first(self.accepted)
            self.losses.outdated_messages += outdated
            self.dropped += outdated
            self._arrived.notify_all()  # who waits for room
            return taken

    def waiting(self) -> list[Message]:
        """All that could be taken, each phone's in order; it stays."""
        with self._arrived:
            return [*self._backlog, *self._messages]

    def settle(self) -> None:
        """All that was taken so far is done with; for the one who takes."""
        self.handled = self._done

    def _tell_flood(self, phone: str) -> None:
        most = self._limits.messages_per_s
        log.warning(
            "%s sends more than %.0f messages a second: what is too much is refused", printable(phone, MOST), most
        )
