"""A worker's connections: one to publish, and one for each of its partitions, whose session outlives the worker.

A partition's session has a fixed client id, so that whoever comes with it gets what the one before had not handled, and
the brokers end the connection of a client of that id which is still there (MQTT 3.1.1, 3.1.2.4 and 3.1.4-2).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from streamer.acknowledging import Progress
from streamer.address import BrokerAddress, BrokerError
from streamer.cluster.partitioning import Partition, moved_topics, original_topic, session_id, worker_name
from streamer.inbox import Message
from streamer.link import ConnectionState
from streamer.publishing.pump import Source
from streamer.publishing.topics import Topics
from streamer.subscriber import Subscriber
from streamer.subscription import SubscriberOptions

CONTESTED = 3
"""Short connections in a row after which a worker leaves a partition to another: NATS holds back clients of one id that
keep coming, and there are no more in a row then."""

OnMessages = Callable[[Sequence[Message]], None]


class Connections:
    """Several of :class:`streamer.subscriber.Subscriber`, as one.

    Parameters
    ----------
    subscribers : one at least.
    """

    def __init__(self, subscribers: Sequence[Subscriber]) -> None:
        self._subscribers = tuple(subscribers)

    @property
    def failure(self) -> BrokerError | None:
        """Why one of them has stopped by itself."""
        return next((each.failure for each in self._subscribers if each.failure), None)

    @property
    def state(self) -> ConnectionState:
        """That of the first which is not connected, else connected."""
        return next((e.state for e in self._subscribers if e.state is not ConnectionState.CONNECTED), _CONNECTED)

    @property
    def is_connected(self) -> bool:
        """Whether all of them are connected."""
        return self.state is ConnectionState.CONNECTED

    @property
    def retry_at_s(self) -> float | None:
        """When the next one tries again, on the monotonic clock; None if none waits."""
        return min((each.retry_at_s for each in self._subscribers if each.retry_at_s is not None), default=None)

    @property
    def published(self) -> int:
        """Messages that the brokers have taken."""
        return sum(each.published for each in self._subscribers)

    @property
    def unpublished(self) -> int:
        """Messages that wait for them, were dropped, or were refused."""
        return sum(each.unpublished for each in self._subscribers)

    def start(self) -> None:
        """Connect and subscribe, all of them at once, then receive in the background.

        Raises
        ------
        BrokerError : one of them cannot; then none is left.
        """
        failures: dict[Subscriber, Exception] = {}

        def start(subscriber: Subscriber) -> None:
            try:
                subscriber.start()
            except Exception as error:  # raised below, on the caller's thread
                failures[subscriber] = error

        threads = [threading.Thread(target=start, args=(each,), name="connect") for each in self._subscribers[1:]]
        for thread in threads:
            thread.start()
        start(self._subscribers[0])
        for thread in threads:
            thread.join()
        if failures:
            for each in self._subscribers:
                if each not in failures:
                    each.stop()
            raise next(iter(failures.values()))

    def hear_no_more(self) -> None:
        """Hand over no further message, and acknowledge none."""
        for each in self._subscribers:
            each.hear_no_more()

    def stop(self) -> None:
        """Publish what waits, and disconnect."""
        for each in self._subscribers:
            each.stop()


_CONNECTED = ConnectionState.CONNECTED


def connections(
    options: SubscriberOptions,
    partitions: tuple[Partition, ...],
    topics: Topics,
    on_messages: OnMessages,
    source: Source | None,
    progress: Progress | None,
) -> Connections:
    """The connection of a listener, or those of a worker of some partitions.

    Parameters
    ----------
    options : of the connection; for partitions, the client ids and topics are theirs.
    topics : the listener's own, below the phones' root.
    on_messages : is given messages with the topics that phones published on.
    progress : of what ``on_messages`` hands over; messages of a session that outlives the listener are acknowledged
        once they were handled, others, or without it, as they come.
    """
    if not partitions:
        kept = progress if options.keep_session else None
        return Connections([Subscriber(options, on_messages, source, topics.is_own, kept)])
    root = topics.root

    def receive(messages: Sequence[Message]) -> None:
        on_messages([message._replace(topic=original_topic(root, message.topic)) for message in messages])

    heard = [Subscriber(_of_partition(options, root, each), receive, progress=progress) for each in partitions]
    if source is None:
        return Connections(heard)
    client_id = f"{root.replace('/', '-')}-worker-{worker_name(partitions)}"
    speaking = replace(options, topics=(), app_topics=(), client_id=client_id)
    return Connections([Subscriber(speaking, on_messages, source), *heard])


def _of_partition(options: SubscriberOptions, root: str, partition: Partition) -> SubscriberOptions:
    return replace(
        options,
        topics=(moved_topics(root, partition),),
        app_topics=(),
        qos=1,
        client_id=session_id(root, partition),
        keep_session=True,
        contested=CONTESTED,
    )


def end_session(address: BrokerAddress, flags: dict[str, Any], partition: Partition) -> None:
    """Make the brokers forget a partition's session, and what waits in it: by a clean one of the same id.

    Raises
    ------
    BrokerError : the broker cannot be reached, or refuses.
    """
    from streamer.connection_options import subscriber_options

    root = flags["root"]
    flags = flags | {"client_id": session_id(root, partition), "qos": 0}
    subscriber = Subscriber(
        subscriber_options(address, flags, topics=(moved_topics(root, partition),)), lambda _messages: None
    )
    subscriber.start()
    subscriber.stop()
