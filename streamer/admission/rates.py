"""Refuses what a phone sends beyond a rate, at hardly any cost for all others: before anything is decoded.

Messages are counted by topic, a second at a time. Only of topics that had more than one phone may send in that second
is it looked whose messages they are, since phones of an app may share one; their levels leak at the rate that is
allowed, and what would make one overflow is refused.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from operator import attrgetter

from streamer.inbox import Message
from streamer.limits import Limits

SPAN_S = 1.0
"""Messages are counted for so long before it is looked who sent too many."""

_topic_of = attrgetter("topic")


class Rates:
    """Of the messages that come to one inbox, by several connections maybe.

    ``flooding`` are the phones of which messages are refused now. ``on_flood`` is told each of them once it is.

    Parameters
    ----------
    phone_of : topic and payload to the phone.
    """

    def __init__(
        self, limits: Limits, phone_of: Callable[[str, bytes], str], on_flood: Callable[[str], None] = lambda _: None
    ) -> None:
        self.flooding: set[str] = set()
        self._lock = threading.Lock()
        self._limits = limits
        self._phone_of = phone_of
        self._on_flood = on_flood
        self._counts: Counter[str] = Counter()
        self._since_s = float("-inf")
        self._watched: set[str] = set()
        self._levels: dict[str, float] = {}

    def admit(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Those of these messages, at least one, that are let in."""
        now_s = messages[-1].arrived_s
        with self._lock:
            if not 0 <= now_s - self._since_s < SPAN_S:
                self._turn(now_s)
            self._counts.update(map(_topic_of, messages))
            if not self._watched:
                return messages
            return [message for message in messages if message.topic not in self._watched or self._takes(message)]

    def _turn(self, now_s: float) -> None:
        """Another span begins."""
        elapsed_s = max(now_s - self._since_s, SPAN_S)
        allowed = self._limits.messages_per_s * elapsed_s
        loud = {topic for topic, count in self._counts.items() if count > allowed}
        self._levels = {phone: level - allowed for phone, level in self._levels.items() if level > allowed}
        self.flooding &= self._levels.keys()
        self._watched = loud | {topic for topic in self._watched if self._levels and topic in self._counts}
        self._counts.clear()
        self._since_s = now_s

    def _takes(self, message: Message) -> bool:
        phone = self._phone_of(message.topic, message.payload)
        level = self._levels.get(phone, 0.0)
        if level < self._limits.messages_at_once:
            self._levels[phone] = level + 1
            return True
        if phone not in self.flooding:
            self.flooding.add(phone)
            self._on_flood(phone)
        return False
