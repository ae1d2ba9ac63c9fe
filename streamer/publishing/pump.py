"""From the outbox to the connection, with a bounded number of messages under way. No paho, no threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from streamer.publishing.inquiry import Inquiry
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

    inquiry: Inquiry | None
    """Made on every connection before anything but the birth is published."""

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
    inquiry: Inquiry | None = None
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
    """What is to be sent next, and what has been sent and not acknowledged; all calls come from the network thread.

    A message is sent again on every connection until it is acknowledged, in the order of the first time, and before
    any other: at least once, and in order. While it ``is_held`` only what was pushed is sent.

    Parameters
    ----------
    outbox : what is to be sent.
    encode : makes a packet of a message and its id.
    duplicate : makes of a packet the one that is sent another time.
    new_id : gives an id that is not in ``ids``.
    """

    def __init__(
        self,
        outbox: Outbox,
        encode: Callable[[Outgoing, int], bytes],
        duplicate: Callable[[bytes], bytes],
        new_id: Callable[[], int],
    ) -> None:
        self.published = 0
        self.refused = 0
        self.window = WINDOW
        self.is_held = False
        self.ids: set[int] = set()
        self._outbox = outbox
        self._encode = encode
        self._duplicate = duplicate
        self._new_id = new_id
        self._under_way: dict[int, bytes] = {}
        self._first: deque[tuple[int, bytes]] = deque()
        self._n_pushed = 0
        self._numbered: dict[int, tuple[str, int]] = {}
        self._taken: dict[str, int] = {}

    @property
    def waiting(self) -> int:
        """Messages that have not been acknowledged, or not even been sent."""
        return len(self._outbox) + len(self.ids)

    @property
    def is_blocked(self) -> bool:
        """Whether something waits until the broker acknowledges what is under way."""
        return len(self._under_way) >= self.window and len(self._first) + len(self._outbox) > 0

    @property
    def dropped(self) -> int:
        """Messages that the outbox had no room for."""
        return self._outbox.dropped

    def restart(self, window: int) -> None:
        """There is a new connection, on which so many messages may be under way: send again what was."""
        self.window = window
        again = [(packet_id, self._duplicate(packet)) for packet_id, packet in self._under_way.items()]
        self._first.extendleft(reversed(again))
        self._under_way = {}
        self._n_pushed = 0

    def push(self, message: Outgoing) -> None:
        """Send this message before all others."""
        self._first.appendleft(self._packet(message))
        self._n_pushed += 1

    def release(self, is_taken: Callable[[str, int], bool]) -> None:
        """Send what was held, but for numbered messages, by phone and number, that the broker has taken."""
        self.is_held = False
        taken = {packet_id for packet_id, numbered in self._numbered.items() if is_taken(*numbered)}
        taken &= {packet_id for packet_id, _ in self._first}
        self._first = deque(entry for entry in self._first if entry[0] not in taken)
        for packet_id in taken:
            del self._numbered[packet_id]
        self.ids -= taken
        self.published += len(taken)
        self._outbox.discard(is_taken)

    def take(self) -> list[bytes]:
        """The packets to send now: as many as may be under way."""
        room = self.window - len(self._under_way)
        ready = self._n_pushed if self.is_held else len(self._first)
        entries = [self._first.popleft() for _ in range(min(room, ready))]
        self._n_pushed -= min(self._n_pushed, len(entries))
        if room > len(entries) and not self.is_held:
            entries += [self._packet(message) for message in self._outbox.take(room - len(entries))]
        self._under_way.update(entries)
        return [packet for _, packet in entries]

    def acknowledge(self, packet_id: int, *, refused: bool) -> None:
        """The broker has taken a message, or refused it."""
        if self._under_way.pop(packet_id, None) is not None:
            self.ids.discard(packet_id)
            self.refused += refused
            self.published += not refused
            if numbered := self._numbered.pop(packet_id, None):
                phone, number = numbered
                self._taken[phone] = max(number, self._taken.get(phone, 0))

    def tell(self) -> None:
        """Tell what numbered messages have been acknowledged, if any have."""
        if self._taken:
            taken, self._taken = self._taken, {}
            self._outbox.on_published(taken)

    def _packet(self, message: Outgoing) -> tuple[int, bytes]:
        packet_id = self._new_id()
        self.ids.add(packet_id)
        if message.number:
            self._numbered[packet_id] = message.phone, message.number
        return packet_id, self._encode(message, packet_id)
