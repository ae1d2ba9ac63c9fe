"""Removes what a broker keeps about phones: an empty retained payload on each topic (MQTT 3.1.1, section 3.3.1.3)."""

from __future__ import annotations

from collections.abc import Sequence

from streamer.address import BrokerError
from streamer.publishing.outbox import Outbox, Outgoing
from streamer.publishing.pump import SendOnly
from streamer.publishing.topics import Topics
from streamer.subscriber import FLUSH_S, Subscriber
from streamer.subscription import SubscriberOptions


def remove(options: SubscriberOptions, topics: Topics, phones: Sequence[str]) -> None:
    """Make the broker forget these phones.

    Raises
    ------
    WireError : a phone's name is none.
    BrokerError : the broker cannot be reached, refuses, or does not acknowledge.
    """
    names = [name for phone in phones for name in topics.retained(phone)]
    outbox = Outbox(most=len(names))
    outbox.put(*(Outgoing(name, b"") for name in names))
    subscriber = Subscriber(options, lambda _messages: None, SendOnly(outbox))
    subscriber.start()
    subscriber.stop()
    if subscriber.published < len(names):
        raise BrokerError(f"The broker at {options.address} has not taken all within {FLUSH_S:.0f} s; try again.")
