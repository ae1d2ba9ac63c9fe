"""What a client subscribes to, and how it reaches its broker. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamer.address import BrokerAddress
from streamer.attempts import CONTESTED
from streamer.tls import TlsOptions

RESUME_S = 3600
"""MQTT 5: how long the broker keeps what comes for a listener whose connection is broken, unless told otherwise."""

FOR_EVER = 0xFFFF_FFFF
"""The expiry of a session that does not expire (MQTT 5, section 3.1.2.11.2)."""


@dataclass(frozen=True, slots=True)
class SubscriberOptions:
    """How to connect: flags named as mosquitto_sub's. ``keepalive`` in seconds.

    ``app_topics`` are subscribed to besides, at quality of service 0: apps send with that, and a broker may hold only
    so much unacknowledged (NATS: 65,535 messages for all of a client's subscriptions above 0). ``others`` are brokers
    of the same cluster. With ``keep_session`` the broker keeps what comes while no client of this id is there; with
    ``resume_session`` while this one's connection is broken, but nothing from before its start or after its stop.
    ``session_expiry_s`` (MQTT 5) is for how long it does either. ``has_given_id``: the client id was not made up, so
    there may be a session of an earlier run. ``contested``: after so many short connections in a row it leaves the
    session to another client. With ``wait`` a broker that is not there is waited for.
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
    resume_session: bool = False
    session_expiry_s: int | None = None
    has_given_id: bool = False
    contested: int = CONTESTED
    insecure: bool = False
    wait: bool = False

    @property
    def expiry_s(self) -> int:
        """MQTT 5: for how long after a broken connection the session is kept."""
        if self.session_expiry_s is not None:
            return self.session_expiry_s
        return FOR_EVER if self.keep_session else RESUME_S if self.resume_session else 0

    @property
    def tls(self) -> TlsOptions:
        """How a connection is encrypted, where it is."""
        cafile, cert, key = (None if each is None else Path(each) for each in (self.cafile, self.cert, self.key))
        return TlsOptions(cafile, cert, key, self.insecure)

    @property
    def all_topics(self) -> tuple[str, ...]:
        """Everything that is subscribed to."""
        return self.topics + self.app_topics
