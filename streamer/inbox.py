"""The bounded queue between the network thread and the recognising thread."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

MAX_BYTES = 256 << 20
"""Payload bytes that may wait; a message beyond that is dropped and counted."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came; ``arrived_s`` on the listener's own clock."""

    topic: str
    payload: bytes
    arrived_s: float


class Inbox:
    """First in, first out; never blocks the one who puts, and counts what it has to refuse."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._arrived = threading.Condition()
        self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Message) -> None:
        """Add a message, or drop it and count that when the inbox is full."""
        with self._arrived:
            if self._bytes + len(message.payload) > self._max_bytes:
                self.dropped += 1
                return
            self._messages.append(message)
            self._bytes += len(message.payload)
            self._arrived.notify()

    def take(self, most: int, timeout_s: float) -> list[Message]:
        """Up to ``most`` messages, after waiting up to ``timeout_s`` for a first one."""
        with self._arrived:
            if not self._messages and not self._closed:
                self._arrived.wait(timeout_s)
            taken = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
            self._bytes -= sum(len(message.payload) for message in taken)
            return taken

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is waited for."""
        return self._closed

    def close(self) -> None:
        """Wake whoever waits; what is held can still be taken."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
