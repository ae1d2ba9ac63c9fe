"""What a client subscribes to, and how it reaches its broker. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.address import BrokerAddress


@dataclass(frozen=True, slots=True)
class SubscriberOptions:
    """How to connect: flags named as mosquitto_sub's. ``keepalive`` in seconds.

    ``app_topics`` are subscribed to besides, at quality of service 0: apps send with that, and a broker may hold only
    so much unacknowledged (NATS: 65,535 messages for all of a client's subscriptions above 0). ``others`` are brokers
    of the same cluster. With ``keep_session`` the broker keeps what comes while no client of this id is there.
    """

    address: BrokerAddress
    topics: tuple[str, ...]
    qos: int
    client_id: str
    keepalive: int
    protocol_version: int
    cafile: str | None = None
    cert: str | None = None
    key: str | None = None
    app_topics: tuple[str, ...] = ()
    others: tuple[BrokerAddress, ...] = ()
    keep_session: bool = False

    @property
    def all_topics(self) -> tuple[str, ...]:
        """Everything that is subscribed to."""
        return self.topics + self.app_topics
