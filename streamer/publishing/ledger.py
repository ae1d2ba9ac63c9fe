"""Which messages the broker has taken, so that a listener that starts again publishes the others and none twice. Pure.

A phone's predictions and events are numbered. The same messages of a phone give the same numbers again, so that what is
worked off once more after a restart is known by them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping

from streamer.publishing.outbox import Outgoing
from streamer.publishing.payloads import is_same
from streamer.wire import WireError, parse_topic

Numbers = Mapping[str, int]
"""Of each phone's last message."""


class Ledger:
    """Numbers messages, and keeps those that the broker has not acknowledged.

    :meth:`enter` is for the thread that publishes, :meth:`acknowledged` for the network's.

    Parameters
    ----------
    note : called with the numbers of what was acknowledged.
    """

    kept = ("last", "unpublished")

    def __init__(self, note: Callable[[Numbers], None] = lambda _numbers: None) -> None:
        self.last: dict[str, int] = {}
        self._note = note
        self._before: Numbers = {}
        self._waiting: dict[str, deque[Outgoing]] = {}
        self._lock = threading.Lock()

    def enter(self, message: Outgoing) -> list[Outgoing]:
        """The message with its number; nothing where an earlier run has published it."""
        number = self.last[message.phone] = self.last.get(message.phone, 0) + 1
        if number <= self._before.get(message.phone, 0):
            return []
        message = message._replace(number=number)
        with self._lock:
            self._waiting.setdefault(message.phone, deque()).append(message)
        return [message]

    def acknowledged(self, numbers: Numbers) -> None:
        """The broker has taken each phone's messages up to these."""
        with self._lock:
            self._drop(numbers)
        self._note(numbers)

    def numbers_of(self, topic: str, payload: bytes) -> Numbers:
        """The phone and number of a message that has come from the broker, if it is one that waits."""
        try:
            phone, _ = parse_topic(topic)
        except WireError:
            return {}
        with self._lock:
            waiting = [message for message in self._waiting.get(phone, ()) if message.topic == topic]
        return next(({phone: each.number} for each in waiting if is_same(each.payload, payload)), {})

    def is_taken(self, phone: str, number: int) -> bool:
        """Whether the broker has taken a phone's message of this number."""
        with self._lock:
            waiting = self._waiting.get(phone)
            return not waiting or number < waiting[0].number

    @property
    def phones(self) -> list[str]:
        """Those of which something has not been acknowledged."""
        with self._lock:
            return list(self._waiting)

    def _drop(self, numbers: Numbers) -> None:
        for phone, number in numbers.items():
            waiting = self._waiting.get(phone)
            while waiting and waiting[0].number <= number:
                waiting.popleft()
            if not waiting:
                self._waiting.pop(phone, None)

    @property
    def unpublished(self) -> list[Outgoing]:
        """What has not been acknowledged; each phone's in order."""
        with self._lock:
            return [message for waiting in self._waiting.values() for message in waiting]

    @unpublished.setter
    def unpublished(self, messages: Iterable[Outgoing]) -> None:
        with self._lock:
            self._waiting = {}
            for message in messages:
                self._waiting.setdefault(message.phone, deque()).append(message)

    def resume(self, published: Numbers) -> list[Outgoing]:
        """Go on after a run that has published up to these numbers: what it has not published of what it made."""
        self._before = published
        with self._lock:
            self._drop(published)
        return self.unpublished

    def resumed(self) -> None:
        """Everything that comes now is new."""
        self._before = {}

    def forget_others(self, phones: Container[str]) -> None:
        """Phones that are followed no longer, and of which nothing waits, begin anew."""
        with self._lock:
            waiting = self._waiting
            self.last = {phone: n for phone, n in self.last.items() if phone in phones or phone in waiting}
