"""The client made, its connection opened, and one sentence for each way in which that fails."""

from __future__ import annotations

import ssl

import paho.mqtt.client as mqtt

from streamer.address import BrokerAddress, BrokerError, not_mqtt, unreachable
from streamer.mqtt.client import BulkClient, Handlers
from streamer.publishing.pump import Source
from streamer.subscription import SubscriberOptions
from streamer.tls import tls_context, tls_failed

MQTT_5 = 5
"""As ``SubscriberOptions.protocol_version`` has it."""


def make_client(options: SubscriberOptions, handlers: Handlers, source: Source | None) -> BulkClient:
    """A client that has not connected yet; ``source`` says what its last will is.

    Raises
    ------
    BrokerError : the certificates cannot be used.
    """
    address = options.address
    is_kept = options.keep_session or options.resume_session
    client = BulkClient(
        handlers,
        client_id=options.client_id,
        clean_session=None if options.protocol_version == MQTT_5 else not is_kept,
        protocol=mqtt.MQTTv5 if options.protocol_version == MQTT_5 else mqtt.MQTTv311,
        transport="websockets" if address.websockets else "tcp",
    )
    introduce(client, options)
    if source:
        if source.will:
            client.will_set(source.will.topic, source.will.payload, qos=1, retain=source.will.retain)
        source.outbox.on_first = client.wake
    return client


def introduce(client: mqtt.Client, options: SubscriberOptions) -> None:
    """Say who the client is, and whom it trusts.

    Raises
    ------
    BrokerError : the certificates cannot be used.
    """
    address = options.address
    if address.username is not None:
        client.username_pw_set(address.username, address.password)
    if address.tls:
        client.tls_set_context(tls_context(options.tls))
    if address.websockets:
        client.ws_set_options(path=address.path)


def failed(address: BrokerAddress, error: Exception) -> BrokerError:
    """Why a connection could not be opened."""
    if isinstance(error, mqtt.WebsocketConnectionError):
        return not_mqtt(address)
    return tls_failed(address, error) or unreachable(address, error)


CONNECTION_ERRORS = (OSError, ValueError, mqtt.WebsocketConnectionError, ssl.SSLError)
"""What paho raises when it cannot connect; ValueError: a host name that cannot be one."""
