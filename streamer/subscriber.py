"""The listener's connection to its broker: subscribe, receive, hand over. The listener's only paho code."""

from __future__ import annotations

import logging
import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from streamer.address import BrokerAddress, BrokerError, connack_code, not_mqtt, refused, unreachable
from streamer.read_ahead import ReadAheadClient

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 10.0
"""How long a broker may take to answer before it is taken for something else."""

MAX_BACKOFF_S = 60.0
"""Longest wait between two attempts to connect again."""

LOOP_S = 0.25
"""How long one turn of the network loop waits, and so how late a stop is noticed."""


class ConnectionState(Enum):
    """How the listener stands with its broker."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SubscriberOptions:
    """How to connect: flags named as mosquitto_sub's. ``keepalive`` in seconds.

    ``app_topics`` are subscribed to besides, at quality of service 0: apps send with that, and a broker may hold only
    so much unacknowledged (NATS: 65,535 messages for all of a client's subscriptions above 0).
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

    @property
    def all_topics(self) -> tuple[str, ...]:
        """Everything that is subscribed to."""
        return self.topics + self.app_topics


class Subscriber:
    """Receives messages on a thread of its own.

    Parameters
    ----------
    options : where and how to connect.
    on_message : called on the network thread with topic and payload; must be quick.
    """

    def __init__(self, options: SubscriberOptions, on_message: Callable[[str, bytes], None]) -> None:
        self.state = ConnectionState.CONNECTING
        self.retry_at_s: float | None = None
        self._options = options
        self._on_message = on_message
        self._refusal: BrokerError | None = None
        self._subscribed = threading.Event()
        self._stopping = threading.Event()
        self._client = self._make_client()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def start(self) -> None:
        """Connect and subscribe, then receive in the background.

        Raises
        ------
        BrokerError : there is no broker, it is none, or it refuses.
        """
        self._connect()
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while not self._subscribed.is_set():
            failed = not self._turn()
            if self._refusal:
                raise self._refusal
            if failed or time.monotonic() > deadline:
                raise not_mqtt(self._options.address)
        self._thread.start()

    def stop(self) -> None:
        """Disconnect; no message is handed over afterwards."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self.state = ConnectionState.CLOSED

    def _make_client(self) -> ReadAheadClient:
        options = self._options
        client = ReadAheadClient(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id,
            protocol=mqtt.MQTTv5 if options.protocol_version == 5 else mqtt.MQTTv311,
            transport="websockets" if options.address.websockets else "tcp",
        )
        if options.address.username is not None:
            client.username_pw_set(options.address.username, options.address.password)
        if options.address.tls:
            self._set_tls(client)
        if options.address.websockets:
            client.ws_set_options(path=options.address.path)
        client.on_connect = self._connected
        client.on_subscribe = self._on_subscribed
        client.on_message = self._received
        return client

    def _set_tls(self, client: mqtt.Client) -> None:
        options = self._options
        try:
            client.tls_set(ca_certs=options.cafile, certfile=options.cert, keyfile=options.key)
        except (OSError, ValueError, ssl.SSLError) as error:
            raise BrokerError(
                f"The certificate files cannot be used ({error}); check --cafile, --cert, --key."
            ) from error

    def _connect(self) -> None:
        address = self._options.address
        try:
            self._client.connect(address.host, address.port, self._options.keepalive)
        except ssl.SSLError as error:
            raise BrokerError(f"No TLS connection to {address}: {_reason(error)}; check the certificates.") from error
        except mqtt.WebsocketConnectionError as error:
            raise not_mqtt(address) from error
        except (OSError, ValueError) as error:
            raise unreachable(address, error) from error

    def _connected(self, client: mqtt.Client, _user: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self._refusal = refused(self._options.address, connack_code(code.value))
            return
        client.subscribe(
            [(topic, self._options.qos) for topic in self._options.topics]
            + [(topic, 0) for topic in self._options.app_topics]
        )

    def _on_subscribed(self, _client: Any, _user: Any, _mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        refused = [t for t, code in zip(self._options.all_topics, codes, strict=False) if code.is_failure]
        if len(refused) == len(codes):
            self._refusal = BrokerError(f"The broker does not let this user subscribe to {', '.join(refused)}.")
            return
        if refused:
            log.warning("the broker does not let this user subscribe to %s", ", ".join(refused))
        if self.state is ConnectionState.RECONNECTING:
            log.warning("connected to %s again", self._options.address)
        self.state = ConnectionState.CONNECTED
        self._subscribed.set()

    def _received(self, _client: Any, _user: Any, message: mqtt.MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload))

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._turn() and not self._stopping.is_set():
                self._reconnect()
        self._client.disconnect()
        self._client.loop(0)

    def _turn(self) -> bool:
        """One turn of the network loop; False when the connection is lost."""
        try:
            return self._client.turn(LOOP_S) == mqtt.MQTT_ERR_SUCCESS
        except Exception as error:  # paho raises whatever comes of parsing what is not MQTT
            log.debug("what came is not MQTT: %r", error)
            return False

    def _reconnect(self) -> None:
        """Try again after 1, 2, 4 ... :data:`MAX_BACKOFF_S` seconds, each shortened at random by up to a half."""
        log.warning("connection to %s lost", self._options.address)
        self.state = ConnectionState.RECONNECTING
        backoff_s = 1.0
        while not self._stopping.is_set():
            wait_s = backoff_s * random.uniform(0.5, 1.0)
            self.retry_at_s = time.monotonic() + wait_s
            if self._stopping.wait(wait_s):
                return
            self.retry_at_s = None
            try:
                self._client.reconnect()
                return
            except (OSError, ValueError, mqtt.WebsocketConnectionError) as error:
                log.info("no broker at %s yet: %s", self._options.address, _reason(error))
            backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
