"""The first contact with a broker, and one sentence for each way in which it fails."""

from __future__ import annotations

import ssl

import paho.mqtt.client as mqtt

from streamer.address import BrokerAddress, BrokerError, not_mqtt, unreachable


def trust(client: mqtt.Client, cafile: str | None, cert: str | None, key: str | None) -> None:
    """Speak TLS with these certificates.

    Raises
    ------
    BrokerError : they cannot be used.
    """
    try:
        client.tls_set(ca_certs=cafile, certfile=cert, keyfile=key)
    except (OSError, ValueError, ssl.SSLError) as error:
        raise BrokerError(f"The certificate files cannot be used ({error}); check --cafile, --cert, --key.") from error


def connect(client: mqtt.Client, address: BrokerAddress, keepalive_s: int) -> None:
    """Open the connection; the broker has not answered yet.

    Raises
    ------
    BrokerError : it cannot be opened.
    """
    try:
        client.connect(address.host, address.port, keepalive_s)
    except ssl.SSLError as error:
        raise BrokerError(f"No TLS connection to {address}: {reason(error)}; check the certificates.") from error
    except mqtt.WebsocketConnectionError as error:
        raise not_mqtt(address) from error
    except (OSError, ValueError) as error:
        raise unreachable(address, error) from error


def reason(error: Exception) -> str:
    """Why a connection failed, in the system's words where it has some."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
