"""The only paho code of the replay: connect, publish with a bounded number of messages under way, reconnect."""

from __future__ import annotations

import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.client import MQTT_LOG_ERR
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from replay.pacing import Stop
from streamer.address import BrokerAddress, BrokerError, connack_code, not_mqtt, refused, unreachable
from streamer.tls import TlsOptions, tls_alert, tls_context, tls_failed

logger = logging.getLogger(__name__)

WINDOW = 150
"""Messages that may be on their way at once: enough to keep a broker busy, too few to overrun it."""

QOS_2_WINDOW = 20
"""The same for QoS 2: Mosquitto 2.0 loses what exceeds its ``max_inflight_messages``, 20 by default, without a word."""

ANSWER_TIMEOUT_S = 10.0
"""Who has not answered by then is no MQTT broker."""

PATIENCE_S = 30.0
"""How long a broker may be gone, or acknowledge nothing, before the replay gives up."""

KEEPALIVE_S = 30
"""The connection is taken for dead after one and a half times this silence."""

_CHECK_S = 0.1
"""How often a wait looks whether to stop."""


class Publisher:
    """One connection to a broker, MQTT 3.1.1, that comes back by itself.

    ``reconnects`` counts the times that the connection came back; ``lost`` the messages of QoS 0 that went down with
    it.

    Parameters
    ----------
    tls : whom to trust, and who this client is, where the connection is encrypted.

    Raises
    ------
    BrokerError : its files cannot be used.
    """

    def __init__(self, address: BrokerAddress, *, qos: int, stop: Stop, tls: TlsOptions | None = None) -> None:
        self.reconnects = 0
        self.lost = 0
        self._address = address
        self._qos = qos
        self._stop = stop
        self._window = QOS_2_WINDOW if qos == 2 else WINDOW
        self._changed = threading.Condition()
        self._under_way = 0
        self._connected = False
        self._resending = False
        self._connack: int | None = None
        self._fault = ""
        self._client = self._make_client(tls or TlsOptions())

    def connect(self) -> None:
        """Connect and wait for the broker's answer.

        Raises
        ------
        BrokerError : nobody is there, it is no MQTT broker, or it refuses (with the CONNACK code as exit code).
        """
        address = self._address
        try:
            self._client.connect(address.host, address.port, KEEPALIVE_S)
        except mqtt.WebsocketConnectionError as error:
            raise not_mqtt(address) from error
        except (OSError, ValueError) as error:  # ValueError: a host name that cannot be one
            raise tls_failed(address, error) or unreachable(address, error) from error
        self._await_answer()
        if self._connack is None:
            self._client.disconnect()
            raise tls_alert(address, self._fault) or not_mqtt(address)
        if self._connack != 0:
            self._client.disconnect()
            raise refused(address, self._connack)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes) -> bool:
        """Hand a message to the broker, waiting while as many as allowed are on their way; False when stopped.

        Raises
        ------
        BrokerError : the broker has been gone, or has acknowledged nothing, for too long.
        """
        if not self._wait(self._has_room, PATIENCE_S):
            return False
        with self._changed:
            self._under_way += 1
        info = self._client.publish(topic, payload, self._qos)
        if self._qos == 0 and info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._count_lost(1)
        return True

    def drain(self) -> None:
        """Wait until everything has been acknowledged; when stopped, no more than a second.

        Raises
        ------
        BrokerError : the broker has been gone, or has acknowledged nothing, for too long.
        """
        if self._stop.requested:
            with self._changed:
                self._changed.wait_for(lambda: self._under_way == 0, timeout=1.0)
        else:
            self._wait(lambda: self._under_way == 0, PATIENCE_S)

    def close(self) -> None:
        """Disconnect; what has not been acknowledged is given up."""
        self._client.disconnect()
        self._client.loop_stop()

    def _make_client(self, tls: TlsOptions) -> mqtt.Client:
        address = self._address
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"har-replay-{uuid.uuid4().hex[:8]}",
            protocol=MQTTProtocolVersion.MQTTv311,
            transport="websockets" if address.websockets else "tcp",
        )
        client.max_inflight_messages_set(WINDOW + 1)
        client.reconnect_delay_set(1, 5)
        if address.username is not None:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            client.tls_set_context(tls_context(tls))
        if address.websockets:
            client.ws_set_options(path=address.path)
        client.on_socket_open = _send_without_delay
        client.on_log = self._on_log
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _await_answer(self) -> None:
        """Run the network loop here until the CONNACK: whatever comes instead of one cannot hurt another thread."""
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while self._connack is None and time.monotonic() < deadline:
            try:
                if self._client.loop(_CHECK_S) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    return
            except Exception as error:  # paho raises whatever comes of parsing what is not MQTT
                logger.debug("no CONNACK: %r", error)
                return

    def _wait(self, condition: Callable[[], bool], patience_s: float) -> bool:
        """Until ``condition`` holds; False when stopped. Patience starts anew with every acknowledgement."""
        with self._changed:
            before, deadline = self._under_way, time.monotonic() + patience_s
            while not condition():
                if self._stop.requested:
                    return False
                self._changed.wait(_CHECK_S)
                if self._under_way < before:
                    deadline = time.monotonic() + patience_s
                before = self._under_way
                if time.monotonic() > deadline:
                    raise self._gone()
        return True

    def _has_room(self) -> bool:
        return self._connected and not self._resending and self._under_way < self._window

    def _gone(self) -> BrokerError:
        if self._connack:
            return refused(self._address, self._connack)
        what = "stopped acknowledging" if self._connected else "went away and did not come back"
        return BrokerError(f"The broker at {self._address} {what} for {PATIENCE_S:.0f} s; start it and replay again.")

    def _count_lost(self, count: int) -> None:
        with self._changed:
            self.lost += count
            self._under_way = max(0, self._under_way - count)

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            again = self._connack is not None
            self._connack = connack_code(reason.value) if reason.is_failure else 0
            self._connected = self._connack == 0
            self.reconnects += again and self._connected
            if self._connected and self._qos == 0:
                self.lost += self._under_way
                self._under_way = 0
            # What was under way is sent again first; nothing new may overtake it.
            self._resending = self._under_way > 0
            self._changed.notify_all()

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            self._connected = False
        logger.debug("disconnected: %s", reason)

    def _on_log(self, client: Any, userdata: Any, level: int, words: str) -> None:
        """paho tells here alone why it could not read, as when the broker ends TLS for this client's certificate."""
        if level == MQTT_LOG_ERR:
            self._fault = words

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            self._under_way = max(0, self._under_way - 1)
            self._resending &= self._under_way > 0
            self._changed.notify_all()


def _send_without_delay(client: Any, userdata: Any, sock: Any) -> None:
    """Nagle's algorithm would hold a small message back until the one before is acknowledged."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, AttributeError):  # a WebSocket wrapper without socket options
        logger.debug("TCP_NODELAY cannot be set")
