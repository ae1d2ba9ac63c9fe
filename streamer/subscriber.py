"""The listener's connection to its broker: subscribe, receive, hand over, publish."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from streamer.acknowledging import Acknowledgements, Progress
from streamer.address import BrokerError, connack_code, not_mqtt, refused, taken_over
from streamer.attempts import Attempts
from streamer.inbox import Message
from streamer.mqtt.client import BulkClient, Handlers
from streamer.mqtt.connecting import connect, reason, trust
from streamer.mqtt.cutter import Batch, OwnMessage
from streamer.mqtt.packets import FAILURE, duplicate, encode_pubacks, encode_publish
from streamer.publishing.outbox import Outgoing
from streamer.publishing.pump import WINDOW, Pump, Source
from streamer.subscription import SubscriberOptions

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 10.0
"""How long a broker may take to answer before it is taken for something else."""

LOOP_S = 0.25
"""How long one turn of the network loop waits, and so how late a stop is noticed."""

FLUSH_S = 5.0
"""How long the last messages may take to be acknowledged when the listener stops."""


class ConnectionState(Enum):
    """How the listener stands with its broker."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


class Subscriber:
    """Receives messages on a thread of its own.

    Parameters
    ----------
    options : where and how to connect.
    on_messages : called on the network thread with messages in their order; must be quick. They are acknowledged
        when it returns.
    source : what is published on the same connection, with quality of service 1: a broker that goes away in between
        may deliver some of it twice, but misses none.
    is_own : topics of which no message is handed over; those of ``source`` are anyway.
    progress : of what ``on_messages`` hands over; given it, messages are acknowledged once they have been handled.
    """

    def __init__(
        self,
        options: SubscriberOptions,
        on_messages: Callable[[Sequence[Message]], None],
        source: Source | None = None,
        is_own: Callable[[str], bool] = lambda _topic: False,
        progress: Progress | None = None,
    ) -> None:
        self.state = ConnectionState.CONNECTING
        self.retry_at_s: float | None = None
        self.failure: BrokerError | None = None  # its session was taken over
        self._options = options
        self._attempts = Attempts((options.address, *options.others))
        self._owed = Acknowledgements(progress) if progress else None
        self._on_messages = on_messages
        self._source = source
        self._is_own = source.is_own if source else is_own
        self._is_hearing = True
        self._refusal: BrokerError | None = None
        self._subscribed = threading.Event()
        self._stopping = threading.Event()
        self._client = self._make_client()
        self.pump = self._make_pump(source) if source else None
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def start(self) -> None:
        """Connect and subscribe, then receive in the background.

        Raises
        ------
        BrokerError : there is no broker, it is none, or it refuses; of several brokers, all of them.
        """
        for left in reversed(range(len(self._attempts))):
            try:
                connect(self._client, self._attempts.address, self._options.keepalive)
                self._wait_until_subscribed()
                break
            except BrokerError:
                if not left:
                    raise
                self._attempts.next()
        self._thread.start()

    def _wait_until_subscribed(self) -> None:
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        self._refusal = None
        while not self._subscribed.is_set():
            failed = not self._turn()
            if self._refusal:
                raise self._refusal
            if failed or time.monotonic() > deadline:
                raise not_mqtt(self._attempts.address)

    @property
    def published(self) -> int:
        """Messages that the broker has taken."""
        return self.pump.published if self.pump else 0

    @property
    def unpublished(self) -> int:
        """Messages that wait for it, were dropped since too many waited, or were refused."""
        return self.pump.waiting + self.pump.refused + self.pump.dropped if self.pump else 0

    @property
    def _more_topics(self) -> tuple[str, ...]:
        return self._source.subscriptions if self._source else ()

    def hear_no_more(self) -> None:
        """Hand over no further message, and acknowledge none; what is to be published still goes out."""
        self._is_hearing = False
        self._client.manual_ack_set(True)

    def stop(self) -> None:
        """Publish what waits, for at most :data:`FLUSH_S` seconds, and disconnect; no message is handed over."""
        self.hear_no_more()
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self.state = ConnectionState.CLOSED

    def _make_client(self) -> BulkClient:
        options = self._options
        client = BulkClient(
            Handlers(self._received, self._is_own),
            client_id=options.client_id,
            clean_session=None if options.protocol_version == 5 else not options.keep_session,
            protocol=mqtt.MQTTv5 if options.protocol_version == 5 else mqtt.MQTTv311,
            transport="websockets" if options.address.websockets else "tcp",
        )
        if options.address.username is not None:
            client.username_pw_set(options.address.username, options.address.password)
        if options.address.tls:
            trust(client, options.cafile, options.cert, options.key)
        if options.address.websockets:
            client.ws_set_options(path=options.address.path)
        if self._source:
            self._prepare_to_publish(client, self._source)
        client.on_connect = self._connected
        client.on_subscribe = self._on_subscribed
        client.on_message = self._received_exactly_once
        return client

    def _prepare_to_publish(self, client: BulkClient, source: Source) -> None:
        if source.will:
            client.will_set(source.will.topic, source.will.payload, qos=1, retain=source.will.retain)
        source.outbox.on_first = client.wake

    def _make_pump(self, source: Source) -> Pump:
        pump = Pump(source.outbox, self._encode, duplicate, self._client.new_id)
        self._client.ids_in_use = pump.ids
        return pump

    def _connected(self, client: mqtt.Client, _user: Any, _flags: Any, code: ReasonCode, properties: Any) -> None:
        if code.is_failure:
            self._refusal = refused(self._attempts.address, connack_code(code.value))
            return
        if self._owed:
            self._owed.forget()
        if self.pump:
            self.pump.restart(min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW)))  # MQTT 5 brokers may limit it
        client.subscribe(
            [(topic, self._options.qos) for topic in self._options.topics]
            + [(topic, 0) for topic in (*self._options.app_topics, *self._more_topics)]
        )

    def _on_subscribed(self, _client: Any, _user: Any, _mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        topics = self._options.all_topics
        refused = [t for t, code in zip((*topics, *self._more_topics), codes, strict=False) if code.is_failure]
        if topics and set(topics) <= set(refused):
            self._refusal = BrokerError(f"The broker does not let this user subscribe to {', '.join(refused)}.")
            return
        if refused:
            log.warning("the broker does not let this user subscribe to %s", ", ".join(refused))
        if self.state is ConnectionState.RECONNECTING:
            log.warning("connected to %s again", self._attempts.address)
        self._attempts.connected()
        self.state = ConnectionState.CONNECTED
        if self._source and self.pump:
            if self._source.birth:
                self.pump.push(self._source.birth)
            self._source.connected()
        self._subscribed.set()

    def _received(self, batch: Batch) -> bool:
        """Take what has come; False when its messages are not to be acknowledged now."""
        if batch.acknowledged and self.pump:
            self._acknowledged(batch.acknowledged, self.pump)
        if self._source:
            for topic, payload, retained in batch.own:
                self._source.hear(topic, payload, retained=retained)
        if not self._is_hearing:
            return False
        if batch.messages:
            self._on_messages(batch.messages)
        if self._owed:
            self._owed.owe(batch.packet_ids)
        return not self._owed

    def _received_exactly_once(self, _client: Any, _user: Any, message: mqtt.MQTTMessage) -> None:
        """A message of quality of service 2, which paho sees through."""
        topic, payload = message.topic, bytes(message.payload)
        if self._is_own(topic):
            self._received(Batch([], [OwnMessage(topic, payload, message.retain)], [], [], b""))
        else:
            self._received(Batch([Message(topic, payload, time.monotonic(), message.dup)], [], [], [], b""))

    def _encode(self, message: Outgoing, packet_id: int) -> bytes:
        has_properties = self._options.protocol_version == 5
        return encode_publish(
            message.topic, message.payload, packet_id, retain=message.retain, properties=has_properties
        )

    def _acknowledged(self, codes: Sequence[tuple[int, int]], pump: Pump) -> None:
        for packet_id, code in codes:
            if code >= FAILURE and not pump.refused:
                log.warning(
                    "the broker does not let this user publish (%s)", ReasonCode(PacketTypes.PUBACK, identifier=code)
                )
            pump.acknowledge(packet_id, refused=code >= FAILURE)
        pump.tell()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._turn() and not self._stopping.is_set():
                self._reconnect()
        if self._flush():
            self._client.disconnect()
            self._client.loop(0)
        elif connection := self._client.socket():
            connection.close()  # without a word, so that the broker publishes the last will

    def _flush(self) -> bool:
        """Publish what waits; False when that takes too long, or the connection is lost."""
        deadline = time.monotonic() + FLUSH_S
        self._client.send(*self._due())
        while self.pump and self.pump.waiting:
            if self.state is not ConnectionState.CONNECTED or time.monotonic() > deadline or not self._turn():
                return False
        return True

    def _turn(self) -> bool:
        """One turn of the network loop; False when the connection is lost."""
        client, pump = self._client, self.pump
        try:
            result = client.turn(LOOP_S, is_urgent=pump is not None and pump.is_blocked)
        except Exception as error:  # paho raises whatever comes of parsing what is not MQTT
            log.debug("what came is not MQTT: %r", error)
            return False
        if result == mqtt.MQTT_ERR_SUCCESS:
            result = client.send(*self._due())
        return result == mqtt.MQTT_ERR_SUCCESS

    def _due(self) -> list[bytes]:
        """What is to be written now: messages to publish, and acknowledgements of what has been handled."""
        if self.state is not ConnectionState.CONNECTED:
            return []
        packets = self.pump.take() if self.pump else []
        if self._owed and (handled := self._owed.due()):
            packets.append(encode_pubacks(handled))
        return packets

    def _reconnect(self) -> None:
        """Try again, one broker after the other, until one is there or it stops."""
        log.warning("connection to %s lost", self._attempts.address)
        self.state = ConnectionState.RECONNECTING
        self._attempts.lost()
        if self._options.keep_session and self._attempts.is_contested:
            self.failure = taken_over(self._options.client_id)
            self._stopping.set()
            return
        while not self._stopping.is_set():
            wait_s, address = self._attempts.wait_s(), self._attempts.next()
            self.retry_at_s = time.monotonic() + wait_s
            if self._stopping.wait(wait_s):
                return
            self.retry_at_s = None
            try:
                self._client.connect(address.host, address.port, self._options.keepalive)
                return
            except (OSError, ValueError, mqtt.WebsocketConnectionError) as error:
                log.info("no broker at %s yet: %s", address, reason(error))
