"""What the broker keeps for this client between connections: asked for at each, and given up at the end.

A session is kept while the connection is broken, so that what comes then at quality of service 1 is not lost. MQTT 5
has it begin anew at the first connection and expire a stated time after the last. MQTT 3.1.1 knows a session that is
kept for ever, or none: there, one of the same id from earlier is ended first, and this one at a clean stop.
"""

from __future__ import annotations

import logging
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from streamer.address import BrokerAddress, BrokerError
from streamer.mqtt.connecting import CONNECTION_ERRORS, MQTT_5, failed, introduce
from streamer.subscription import SubscriberOptions

log = logging.getLogger(__name__)

PATIENCE_S = 3.0
"""How long a broker may take to end an old session; nothing depends on it but what is kept there needlessly."""

TURN_S = 0.1


class Session:
    """Of one client, over all its connections.

    Parameters
    ----------
    client : what connects.
    options : with which it was made.
    """

    def __init__(self, client: mqtt.Client, options: SubscriberOptions) -> None:
        self._client = client
        self._options = options
        self._is_first = not options.keep_session
        self._is_version_5 = options.protocol_version == MQTT_5

    def connect(self, address: BrokerAddress) -> None:
        """Open a connection; the broker has not answered yet.

        Raises
        ------
        BrokerError : it cannot be opened.
        """
        options = self._options
        try:
            if self._is_version_5:
                is_clean = self._is_first or not options.expiry_s
                properties = _expiry(PacketTypes.CONNECT, options.expiry_s) if options.expiry_s else None
                self._client.connect(
                    address.host, address.port, options.keepalive, clean_start=is_clean, properties=properties
                )
                return
            if self._is_first and options.resume_session and options.has_given_id:
                _end(options, address)
            self._client.connect(address.host, address.port, options.keepalive)
        except CONNECTION_ERRORS as error:
            raise failed(address, error) from error

    def accepted(self) -> None:
        """The broker has let the client in: from now on its session is resumed."""
        self._is_first = False

    def disconnect(self, address: BrokerAddress) -> None:
        """Take leave of the broker, whose address this is; without ``keep_session`` it forgets the session."""
        options = self._options
        is_forgotten = options.resume_session and not options.keep_session
        if self._is_version_5:
            self._client.disconnect(properties=_expiry(PacketTypes.DISCONNECT, 0) if is_forgotten else None)
            self._client.loop(0)
            return
        self._client.disconnect()
        self._client.loop(0)
        if is_forgotten:
            try:
                _end(options, address)
            except (*CONNECTION_ERRORS, BrokerError) as error:
                log.debug("the session could not be ended: %s", error)


def _expiry(packet_type: int, seconds: int) -> Properties:
    properties = Properties(packet_type)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = seconds
    return properties


def _end(options: SubscriberOptions, address: BrokerAddress) -> None:
    """Make a broker of MQTT 3.1.1 forget the session: by a clean one of the same id (section 3.1.2.4)."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=options.client_id,
        clean_session=True,
        transport="websockets" if address.websockets else "tcp",
        reconnect_on_failure=False,
    )
    introduce(client, options)
    answers: list[bool] = []
    client.on_connect = lambda *_: answers.append(True)
    client.connect(address.host, address.port, options.keepalive)
    deadline_s = time.monotonic() + PATIENCE_S
    while not answers and time.monotonic() < deadline_s and not client.loop(TURN_S):
        pass
    client.disconnect()
    client.loop(0)
