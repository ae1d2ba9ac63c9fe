"""Where the broker is: ``HOST``, ``HOST:PORT`` or a URL, parsed once; and one sentence for each way not to reach it.

The addressing part of what a phone and the listener share. Standard library only, no network.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from model.errors import HarError

DEFAULT_PORTS: Final[dict[str, int]] = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
"""Port of each scheme that is understood (IANA: mqtt, secure-mqtt, http, https)."""

_FORMS = "give HOST, HOST:PORT, or a URL of mqtt://, mqtts://, ws:// or wss://"
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})")

_REFUSALS: Final[dict[int, str]] = {
    1: "it does not speak MQTT 3.1.1; give another broker",
    2: "it does not accept the client's name; allow clients of any name",
    3: "it is not available at the moment; try again later",
    4: "user name or password is wrong; check --username and HAR_PASSWORD",
    5: "it does not let this user in; check --username and HAR_PASSWORD",
}
"""CONNACK return codes (MQTT 3.1.1, section 3.2.2.3)."""

_REASONS: Final[dict[int, int]] = {132: 1, 133: 2, 136: 3, 134: 4, 135: 5}
"""These return codes by MQTT 5's reason codes (section 3.2.2.2), which clients of both versions tell."""

_PASSING: Final = frozenset({3, 0x80, 0x83, 0x89, 0x97, 0x9C, 0x9D, 0x9F})
"""Refusals that may be over later: not available, and of MQTT 5 unspecified and implementation errors, busy, a quota,
another server, too many connections a second."""


class BrokerError(HarError):
    """The broker cannot be reached, or refuses; ``exit_code`` is the CONNACK code of a refusal, else 1.

    ``is_final``: to try again is of no use before somebody has changed something.
    """

    def __init__(self, sentence: str, exit_code: int = 1, *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker. ``scheme`` is one of :data:`DEFAULT_PORTS`; ``path`` is that of a WebSocket."""

    scheme: str
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    path: str = "/mqtt"

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("mqtts", "wss")

    @property
    def websockets(self) -> bool:
        """Whether MQTT goes through a WebSocket."""
        return self.scheme in ("ws", "wss")

    def __str__(self) -> str:
        """``host:port``, with the scheme where it is not plain MQTT; never with user or password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.scheme == "mqtt":
            return f"{host}:{self.port}"
        return f"{self.scheme}://{host}:{self.port}{self.path if self.websockets else ''}"


def parse_broker(where: str, *, username: str | None = None, password: str | None = None) -> BrokerAddress:
    """The broker at ``HOST``, ``HOST:PORT``, ``[IPV6]:PORT`` or ``SCHEME://[USER[:PASSWORD]@]HOST[:PORT]``.

    ``username`` and ``password`` take precedence over those in the URL, where they are percent-encoded.

    Raises
    ------
    HarError : it is none of these, or has a password without a user name.
    """
    parts = _split(where.strip())
    host = _host(parts)
    user = username if username is not None else _decoded(parts.username)
    secret = password if password is not None else _decoded(parts.password)
    if secret is not None and user is None:
        raise HarError("There is a password for the broker but no user name; give --username too.")
    websockets = parts.scheme in ("ws", "wss")
    if parts.query or parts.fragment or (parts.path not in ("", "/") and not websockets):
        raise _nonsense(parts.geturl(), "more follows the port")
    path = parts.path if websockets and parts.path else "/mqtt"
    return BrokerAddress(parts.scheme, host, _port(parts), user, secret, path)


def read_password(password: str | None, password_file: Path | None) -> str | None:
    """The password as given, or the first line of a file; None if there is neither.

    Raises
    ------
    HarError : both are given, or the file cannot be read or is empty.
    """
    if password_file is None:
        return password
    if password is not None:
        raise HarError("The password is given twice; use either --password-file or HAR_PASSWORD.")
    try:
        first_line = password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise HarError(f"The password file {password_file} cannot be read ({reason}); give another.") from error
    if not first_line:
        raise HarError(f"The first line of the password file {password_file} is empty; write the password there.")
    return first_line


def unreachable(address: BrokerAddress, error: Exception) -> BrokerError:
    """Nobody answers: no such host, no listener on that port, no network."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return BrokerError(f"There is no broker at {address} ({reason}); start one, or give another --broker.")


def not_mqtt(address: BrokerAddress) -> BrokerError:
    """Somebody answers, but not as a broker does."""
    if address.tls:
        return BrokerError(
            f"What answers at {address} is not an MQTT broker, or wants a certificate of this client; give another "
            "port, or --cert and --key."
        )
    return BrokerError(f"What answers at {address} is not an MQTT broker; give another port with --broker HOST:PORT.")


def connack_code(reason: int) -> int:
    """The CONNACK return code (1 to 5) that an MQTT 5 reason code stands for; other reasons as they are."""
    return _REASONS.get(reason, reason)


def refused(address: BrokerAddress, code: int) -> BrokerError:
    """The broker said no, with this CONNACK return code (1 to 5)."""
    reason = _REFUSALS.get(code, f"it gives code {code}; see the broker's log")
    return BrokerError(
        f"The broker at {address} refused the connection: {reason}.", exit_code=code or 1, is_final=code not in _PASSING
    )


def taken_over(client_id: str) -> BrokerError:
    """Another client of the same id has come, and the broker has ended this one's connection for it, repeatedly."""
    sentence = f"Another listener has taken over the session {client_id}; let one listener alone serve it."
    return BrokerError(sentence, is_final=True)


def _nonsense(where: str, fault: str) -> HarError:
    shown = re.sub(r"//.*@", "//…@", where)  # no password in a message
    return HarError(f"The broker {shown!r} is not understood ({fault}); {_FORMS}.")


def _split(where: str) -> SplitResult:
    if "://" not in where:
        bare_ipv6 = where.count(":") > 1 and not where.startswith("[") and "@" not in where
        where = f"mqtt://[{where}]" if bare_ipv6 else f"mqtt://{where}"
    try:
        parts = urlsplit(where)
    except ValueError as error:
        raise _nonsense(where, str(error)) from error
    if parts.scheme not in DEFAULT_PORTS:
        raise _nonsense(where, f"no broker is reached by {parts.scheme}://")
    return parts


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if not host:
        raise _nonsense(parts.geturl(), "the host is missing")
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError as error:
            raise _nonsense(parts.geturl(), f"{host} is not an IPv6 address") from error
    elif not _HOST.fullmatch(host):
        raise _nonsense(parts.geturl(), f"{host!a} is not a host name")
    return host


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise _nonsense(parts.geturl(), "the port is not a number from 1 to 65535") from error
    if port == 0:
        raise _nonsense(parts.geturl(), "the port is not a number from 1 to 65535")
    return DEFAULT_PORTS[parts.scheme] if port is None else port


def _decoded(text: str | None) -> str | None:
    return None if text is None else unquote(text)
