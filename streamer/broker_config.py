"""The configuration of the embedded broker, as text: Mosquitto's or the NATS server's, with a user or without. Pure."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import secrets
from dataclasses import dataclass, field

from model.errors import HarError
from streamer.address import parse_broker
from streamer.wire import MAX_PAYLOAD_BYTES

LOOPBACK = "127.0.0.1"

USER = "har"
"""The user name when none is given."""

ITERATIONS = 10_000
"""Of the password's hash; Mosquitto computes it at each connection."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of a password that is made up, to be typed on a phone: none looks like another. 16 of them are 79 bits."""

# max_queued_messages: Mosquitto's default of 1000 drops acknowledged messages while a subscriber stalls.
# message_size_limit: what the listener would refuse for its size anyway.
_MOSQUITTO = """\
listener {port} {host}
allow_anonymous {anonymous}
persistence false
max_queued_messages 200000
message_size_limit {limit}
set_tcp_nodelay true
log_type error
log_type warning
"""

# The port for NATS's own clients is nobody's, and on loopback.
# max_ack_pending: NATS sets aside what exceeds it (1024 by default, 65,535 for all subscriptions of a client) and
# delivers it out of order, after ack_wait.
_NATS = """\
server_name: har_embedded
write_deadline: "60s"
max_pending: 256MB
listen: "127.0.0.1:-1"
jetstream {{ store_dir: {store} }}
mqtt {{ listen: "{host}:{port}", max_ack_pending: 30000, ack_wait: "10m" }}
"""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may connect: one user. ``is_made_up``: nobody but this program knows the password."""

    username: str
    password: str = field(repr=False)
    is_made_up: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the embedded broker listens; ``port`` None: 1883 if it is free, else any."""

    host: str = LOOPBACK
    port: int | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether this machine alone can reach it."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_everywhere(self) -> bool:
        """Whether it is every address of this machine."""
        return self.host in ("0.0.0.0", "::")  # noqa: S104 - asked, not bound


def parse_place(where: str) -> Place:
    """The place of ``embedded``, ``embedded:PORT``, ``embedded:HOST`` or ``embedded:HOST:PORT``.

    Raises
    ------
    HarError : it is none.
    """
    text = where.partition(":")[2]
    if not text:
        return Place()
    if "." not in text and ":" not in text:
        if not text.isdecimal() or not 0 < int(text) < 65536:
            raise HarError(f"The embedded broker's port {text!r} is not a number from 1 to 65535.")
        return Place(port=int(text))
    address = parse_broker(text)
    if address.scheme != "mqtt" or address.username is not None:
        raise HarError(f"The embedded broker cannot be {where!r}; give embedded:PORT or embedded:HOST:PORT.")
    return Place(address.host, address.port)


def access_of(place: Place, username: str | None, password: str | None) -> Access | None:
    """Who may connect there: whoever can, on loopback without a password; else who is named, or somebody made up.

    Raises
    ------
    HarError : the user name cannot be one, or has no password.
    """
    if password is None and (place.is_loopback and username is None):
        return None
    name = USER if username is None else username
    if not name or ":" in name or not name.isprintable():
        raise HarError("The embedded broker's user name is empty, or has a colon or a control character; give another.")
    if password is None:
        letters = "".join(secrets.choice(_LETTERS) for _ in range(16))
        return Access(name, "-".join(letters[k : k + 4] for k in range(0, 16, 4)), is_made_up=True)
    if not password.isprintable() or password.startswith("$2"):
        raise HarError("The embedded broker's password begins with $2 or has a control character; give another.")
    return Access(name, password)


def mosquitto_config(place: Place, port: int, *, password_file: str | None, run_as: str | None) -> str:
    """What ``mosquitto -c`` reads.

    ``run_as``: started by root, Mosquitto would become another user, and Linux then forgets that it is to end with its
    parent.
    """
    config = _MOSQUITTO.format(
        port=port,
        host=place.host,
        anonymous="true" if password_file is None else "false",
        limit=MAX_PAYLOAD_BYTES,
    )
    users = f"password_file {password_file}\n" if password_file is not None else ""
    return config + users + (f"user {run_as}\n" if run_as else "")


def mosquitto_passwords(access: Access, salt: bytes) -> str:
    """Its password file: PBKDF2 with SHA-512, as mosquitto_passwd of version 2 makes it, but without that program,
    which takes the password from its command line or a terminal."""
    made = hashlib.pbkdf2_hmac("sha512", access.password.encode(), salt, ITERATIONS)
    return f"{access.username}:$7${ITERATIONS}${_base64(salt)}${_base64(made)}\n"


def nats_config(place: Place, port: int, *, store: str, access: Access | None) -> str:
    """What ``nats-server -c`` reads; to be kept from others if it has the password."""
    host = f"[{place.host}]" if ":" in place.host else place.host
    config = _NATS.format(host=host, port=port, store=_quoted(store))
    if access is None:
        return config
    return f"{config}authorization {{ user: {_quoted(access.username)}, password: {_quoted(access.password)} }}\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
