"""The listener's connection to its broker: subscribe, receive, hand over, publish."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from streamer.acknowledging import Acknowledgements, Progress
from streamer.address import BrokerError, connack_code, refused
from streamer.inbox import Message
from streamer.link import ConnectionState, Link
from streamer.mqtt.client import Handlers
from streamer.mqtt.connecting import make_client
from streamer.mqtt.cutter import Batch, OwnMessage
from streamer.mqtt.packets import FAILURE, duplicate, encode_pubacks, encode_publish
from streamer.publishing.inquiry import Inquiry
from streamer.publishing.outbox import Outgoing
from streamer.publishing.pump import WINDOW, Pump, Source
from streamer.subscription import SubscriberOptions

log = logging.getLogger(__name__)

LOOP_S = 0.25
"""How long one turn of the network loop waits, and so how late a stop is noticed."""

OWED_S = 0.02
"""The same while a message that has come is not acknowledged: the broker may send no more until it is."""

FLUSH_S = 5.0
"""How long the last messages may take to be acknowledged when the listener stops."""


class Subscriber:
    """Receives messages on a thread of its own.

    Parameters
    ----------
    options : where and how to connect.
    on_messages : called on the network thread with messages in their order; must be quick. They are acknowledged
        when it returns.
    source : what is published on the same connection, with quality of service 1: a broker that goes away in between
        may deliver some of it twice, but misses none; by its ``inquiry`` that is found out before.
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
        self._options = options
        self._owed = Acknowledgements(progress) if progress else None
        self._on_messages = on_messages
        self._source = source
        self._is_own = source.is_own if source else is_own
        self._is_hearing = True
        self._client = make_client(options, Handlers(self._received, self._is_own), source)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._received_exactly_once
        self._link = Link(self._client, options, self._turn)
        self.pump = self._make_pump(source) if source else None
        self._inquiry = source.inquiry if source else None
        self._asked_id: int | None = 0
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    @property
    def state(self) -> ConnectionState:
        """How it stands with its broker."""
        return self._link.state

    @property
    def retry_at_s(self) -> float | None:
        """When it tries again, on the monotonic clock; None if it does not wait for that."""
        return self._link.retry_at_s

    @property
    def failure(self) -> BrokerError | None:
        """Why it has stopped by itself."""
        return self._link.failure

    def start(self) -> None:
        """Connect and subscribe, then receive in the background.

        Raises
        ------
        BrokerError : there is no broker, it is none, or it refuses; of several brokers, all of them. With
            ``options.wait``: it refuses for good, or is not to be trusted.
        """
        self._link.open()
        self._thread.start()

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
        self._link.stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._link.state = ConnectionState.CLOSED

    def _make_pump(self, source: Source) -> Pump:
        pump = Pump(source.outbox, self._encode, duplicate, self._client.new_id)
        self._client.ids_in_use = pump.ids
        return pump

    def _connected(self, client: mqtt.Client, _user: Any, _flags: Any, code: ReasonCode, properties: Any) -> None:
        if code.is_failure:
            self._link.refused(refused(self._link.address, connack_code(code.value)))
            return
        self._link.accepted()
        if self._owed:
            self._owed.forget()
        if self.pump:
            self.pump.restart(min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW)))  # MQTT 5 brokers may limit it
        _, self._asked_id = client.subscribe(
            [(topic, self._options.qos) for topic in self._options.topics]
            + [(topic, 0) for topic in (*self._options.app_topics, *self._more_topics)]
        )
        if self._inquiry and self.pump:
            self._ask(self._inquiry, self.pump)

    def _ask(self, inquiry: Inquiry, pump: Pump) -> None:
        """Publish nothing until the broker has said what it has taken on earlier connections, if there is doubt."""
        is_kept = self._options.keep_session or self._options.resume_session
        if asked := inquiry.begin(is_kept=is_kept):
            self._client.subscribe(asked)
        pump.is_held = inquiry.holds
        if not pump.is_held:
            pump.release(inquiry.is_taken)

    def _answered(self, inquiry: Inquiry, pump: Pump) -> None:
        self._client.unsubscribe(list(inquiry.passing))
        inquiry.end()
        pump.release(inquiry.is_taken)

    def _subscribed(self, _client: Any, _user: Any, mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        if self._inquiry and mid != self._asked_id:
            self._inquiry.accepted()
            return
        topics = self._options.all_topics
        denied = [t for t, code in zip((*topics, *self._more_topics), codes, strict=False) if code.is_failure]
        sentence = f"The broker does not let this user subscribe to {', '.join(denied)}."
        if topics and set(topics) <= set(denied):
            self._link.refused(BrokerError(sentence, is_final=True))
            return
        if denied:
            log.warning("%s", sentence)
        self._link.subscribed()
        if self._source and self.pump:
            if self._inquiry and self._inquiry.is_open:
                self.pump.push(self._inquiry.echo)
                self._inquiry.asked()
            if self._source.birth:
                self.pump.push(self._source.birth)
            self._source.connected()

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
        while not self._link.stopping.is_set():
            self._link.hold()
        if self._flush():
            self._link.leave()
        else:
            self._link.cut()

    def _flush(self) -> bool:
        """Publish what waits; False when that takes too long, or the connection is lost."""
        deadline = time.monotonic() + FLUSH_S
        self._client.send(*self._due())
        while self._link.is_connected and self.pump and self.pump.waiting:
            if time.monotonic() > deadline or not self._turn():
                return False
        return self._link.is_connected

    def _turn(self) -> bool:
        """One turn of the network loop; False when the connection is lost."""
        client, pump = self._client, self.pump
        try:
            wait_s = OWED_S if self._owed and self._owed.are_owed else LOOP_S
            result = client.turn(wait_s, is_urgent=pump is not None and pump.is_blocked)
        except Exception as error:  # paho raises whatever comes of parsing what is not MQTT
            log.debug("what came is not MQTT: %r", error)
            return False
        if result == mqtt.MQTT_ERR_SUCCESS:
            result = client.send(*self._due())
        return result == mqtt.MQTT_ERR_SUCCESS

    def _due(self) -> list[bytes]:
        """What is to be written now: messages to publish, and acknowledgements of what has been handled."""
        if not self._link.is_connected:
            return []
        if self._inquiry and self.pump and self._inquiry.is_over:
            self._answered(self._inquiry, self.pump)
        packets = self.pump.take() if self.pump else []
        if self._owed and (handled := self._owed.due()):
            packets.append(encode_pubacks(handled))
        return packets
