"""What a broker has taken of what it has not acknowledged: asked before that is published once more. Pure.

A listener that was killed, or whose connection broke, does not know of its last messages whether the broker has them.
The broker shows it in two ways. It keeps each phone's latest prediction, and has taken a phone's messages in their
order: those before that one are there too. And in a session that is kept it hears events itself, also those that were
taken after it was gone. Only what neither shows is published again.

Whoever asks has connected under the name of the one before, so that the broker takes nothing more of that one
(MQTT 3.1.1, section 3.1.4-2).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from streamer.publishing.ledger import Ledger
from streamer.publishing.outbox import Outgoing
from streamer.publishing.topics import Topics

PATIENCE_S = 3.0
"""How long a broker may take to answer; then everything is published that it has not acknowledged."""

GRACE_S = 0.5
"""The same for what it keeps of a phone, once it has answered all else: it may keep nothing."""

MOST_PHONES = 1000
"""Phones that are asked about at once."""

IN_VAIN = 2
"""Connections in a row that end before the subscriptions are acknowledged, after which one is made without asking: some
brokers hang up on a client that wants to hear what it may not."""


class Inquiry:
    """One question after the other, one a connection; all calls come from the network thread.

    Parameters
    ----------
    ledger : knows what has not been acknowledged, and is told what was taken nevertheless.
    topics : the listener's own.
    clock : any monotonic one [s].
    """

    def __init__(self, ledger: Ledger, topics: Topics, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._topics = topics
        self._clock = clock
        self._token = b""
        self._activities: tuple[str, ...] = ()
        self._unanswered: set[str] = set()
        self._found: dict[str, int] = {}
        self._asked_s: float | None = None
        self._echoed_s: float | None = None
        self._in_vain = 0
        self.is_open = False
        self.holds = False

    @property
    def echo(self) -> Outgoing:
        """Published last of the question: once it is heard, all that came before it has been."""
        return Outgoing(self._topics.echo, self._token, retain=False)

    @property
    def passing(self) -> tuple[str, ...]:
        """What is heard until the question is answered."""
        return (self._topics.echo, *self._activities)

    def begin(self, *, is_kept: bool) -> list[tuple[str, int]]:
        """There is a connection: what to subscribe to, with which quality of service; nothing if nothing is asked.

        ``is_kept``: the broker keeps for the next connection what is heard with a quality of service above 0.
        """
        phones = self._ledger.phones[:MOST_PHONES]
        self.is_open = self.holds = False
        if self._in_vain == IN_VAIN:
            self._in_vain = 0
            return []
        heard = [(name, 1) for name in self._topics.events] if is_kept else []
        if not phones and not heard:
            return []
        self.is_open, self.holds = True, bool(phones)
        self._in_vain += 1
        self._token = secrets.token_hex(8).encode()
        self._activities = tuple(self._topics.activity(phone) for phone in phones)
        self._unanswered, self._found = set(self._activities), {}
        self._asked_s = self._echoed_s = None
        return [*heard, (self._topics.echo, 1), *((name, 0) for name in self._activities)]

    def accepted(self) -> None:
        """The broker has acknowledged the subscriptions, granted or not."""
        self._in_vain = 0

    def asked(self) -> None:
        """The question is on its way."""
        self._asked_s = self._clock()

    def hear(self, topic: str, payload: bytes) -> None:
        """A message of the listener's own has come: the broker has taken it, now or earlier."""
        if topic == self._topics.echo:
            if payload == self._token:
                self._echoed_s = self._clock()
            return
        for phone, number in self._ledger.numbers_of(topic, payload).items():
            self._found[phone] = max(number, self._found.get(phone, 0))
        if topic in self._unanswered:
            self._unanswered.discard(topic)
        elif topic not in self._activities:  # an event: in a session, the broker says this until it is acknowledged
            self._tell()

    @property
    def is_over(self) -> bool:
        """Whether something was asked, and no more is to be waited for."""
        now_s = self._clock()
        if not self.is_open or self._asked_s is None:
            return False
        if self._echoed_s is not None and (not self._unanswered or now_s > self._echoed_s + GRACE_S):
            return True
        return now_s > self._asked_s + PATIENCE_S

    def end(self) -> None:
        """It is over."""
        self.is_open = self.holds = False
        self._activities = ()
        self._tell()

    def _tell(self) -> None:
        if self._found:
            found, self._found = self._found, {}
            self._ledger.acknowledged(found)

    def is_taken(self, phone: str, number: int) -> bool:
        """Whether the broker has a phone's message."""
        return self._ledger.is_taken(phone, number)
