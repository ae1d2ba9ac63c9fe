"""The bounded queue between the network thread and the recognising thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

MAX_BYTES = 256 << 20
"""Payload bytes that may wait; a message beyond that is dropped and counted."""


class Message(NamedTuple):
    """A message as it came; ``arrived_s`` on the listener's own clock. ``again``: the broker says that it may have
    delivered it before.
    """

    topic: str
    payload: bytes
    arrived_s: float
    again: bool = False


class Inbox:
    """First in, first out; never blocks the one who puts, and counts what it has to refuse.

    ``accepted`` messages were put in; ``handled`` of them are done with, as :meth:`settle` said.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._arrived = threading.Condition()
        self._closed = False
        self._taken = 0
        self.dropped = 0
        self.accepted = 0
        self.handled = 0

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, *messages: Message) -> None:
        """Add messages in this order; of those that find it full, each is dropped and counted."""
        size = sum([len(message.payload) for message in messages])
        with self._arrived:
            if self._bytes + size <= self._max_bytes:
                self._messages.extend(messages)
                self._bytes += size
                self.accepted += len(messages)
            else:
                self._put_what_fits(messages)
            self._arrived.notify()

    def _put_what_fits(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if self._bytes + len(message.payload) > self._max_bytes:
                self.dropped += 1
                continue
            self._messages.append(message)
            self._bytes += len(message.payload)
            self.accepted += 1

    def take(self, most: int, timeout_s: float) -> list[Message]:
        """Up to ``most`` messages, after waiting up to ``timeout_s`` for a first one."""
        with self._arrived:
            if not self._messages and not self._closed:
                self._arrived.wait(timeout_s)
            taken = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
            self._bytes -= sum(len(message.payload) for message in taken)
            self._taken += len(taken)
            return taken

    def settle(self) -> None:
        """All that was taken so far is done with; for the one who takes."""
        self.handled = self._taken

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is waited for."""
        return self._closed

    def close(self) -> None:
        """Wake whoever waits; what is held can still be taken."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()


def one_by_one(receive: Callable[[str, bytes], None]) -> Callable[[Sequence[Message]], None]:
    """What takes many messages, and calls ``receive`` with the topic and payload of each."""

    def receive_each(messages: Sequence[Message]) -> None:
        for message in messages:
            receive(message.topic, message.payload)

    return receive_each
