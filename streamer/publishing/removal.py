"""Removes what a broker keeps about phones: an empty retained payload on each topic (MQTT 3.1.1, section 3.3.1.3)."""

from __future__ import annotations

from collections.abc import Sequence

from streamer.address import BrokerError
from streamer.publishing.outbox import Outbox, Outgoing
from streamer.publishing.topics import Topics
from streamer.subscriber import FLUSH_S, Subscriber, SubscriberOptions


class _Removal:
    """A source (:class:`streamer.publishing.pump.Source`) of nothing but empty payloads."""

    birth: Outgoing | None = None
    will: Outgoing | None = None
    subscriptions: tuple[str, ...] = ()

    def __init__(self, names: Sequence[str]) -> None:
        self.count = len(names)
        self.outbox = Outbox(most=self.count)
        self.outbox.put(*(Outgoing(name, b"") for name in names))

    def is_own(self, topic: str) -> bool:
        return True

    def connected(self) -> None:
        pass

    def hear(self, topic: str, payload: bytes, *, retained: bool) -> None:
        pass


def remove(options: SubscriberOptions, topics: Topics, phones: Sequence[str]) -> None:
    """Make the broker forget these phones.

    Raises
    ------
    WireError : a phone's name is none.
    BrokerError : the broker cannot be reached, refuses, or does not acknowledge.
    """
    source = _Removal([name for phone in phones for name in topics.retained(phone)])
    subscriber = Subscriber(options, lambda _topic, _payload: None, source)
    subscriber.start()
    subscriber.stop()
    if subscriber.published < source.count:
        raise BrokerError(f"The broker at {options.address} has not taken all within {FLUSH_S:.0f} s; try again.")
