"""Labels out: published from now until the next one, over a connection that comes back by itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from streamer.address import BrokerError
from streamer.link import ConnectionState
from streamer.publishing.outbox import Outbox, Outgoing
from streamer.publishing.pump import SendOnly
from streamer.subscriber import FLUSH_S, Subscriber
from streamer.subscription import SubscriberOptions
from streamer.wire import Label, encode_label

DIGITS = 6
"""Decimals of a time: microseconds, about what a double holds of Unix time."""


class LabelSender:
    """Publishes what one phone's owner does.

    Parameters
    ----------
    options : the connection; its one topic is the phone's label topic.
    clock : Unix time; labels and the phone's samples meet by their clocks.
    """

    def __init__(self, options: SubscriberOptions, clock: Callable[[], float] = time.time) -> None:
        (self._topic,) = options.topics
        self._options = options
        self._clock = clock
        self._outbox = Outbox()
        self._sent = 0
        self._subscriber = Subscriber(options, lambda _messages: None, SendOnly(self._outbox))

    @property
    def is_connected(self) -> bool:
        """Whether labels go out now; otherwise they wait, and keep the time at which they began."""
        return self._subscriber.state is ConnectionState.CONNECTED

    def start(self) -> None:
        """Connect.

        Raises
        ------
        BrokerError : there is no broker, it is none, or it refuses.
        """
        self._subscriber.start()

    def send(self, activity: str | None) -> None:
        """From now on, until the next label, the phone's owner does this; None: nobody says."""
        label = Label(activity, round(self._clock(), DIGITS), math.inf)
        self._outbox.put(Outgoing(self._topic, encode_label(label), retain=False))
        self._sent += 1

    def stop(self) -> None:
        """Wait until the broker has taken all, and disconnect.

        Raises
        ------
        BrokerError : it does not take them.
        """
        self._subscriber.stop()
        if self._subscriber.published < self._sent:
            raise BrokerError(
                f"The broker at {self._options.address} has not taken all labels within {FLUSH_S:.0f} s; label again."
            )
