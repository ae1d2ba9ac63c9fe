"""The flags by which a command reaches a broker, named as mosquitto_sub's; and what they add up to."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from streamer.access_options import tls_options, user_options

if TYPE_CHECKING:
    from streamer.address import BrokerAddress
    from streamer.subscription import SubscriberOptions

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

broker_option = click.option(
    "--broker", default="localhost:1883", metavar="WHERE", help="HOST, HOST:PORT, or a URL, as for listen."
)
"""The broker of every command that cannot start one itself."""


def connection_options(command: Decorated) -> Decorated:
    """The flags of every command that connects to a broker which is there already, but for ``--broker`` itself."""
    for option in reversed(
        (
            click.option("--root", default="har", help="First level of the topics ROOT/PHONE/imu."),
            user_options,
            click.option("-i", "--id", "client_id", help="MQTT client id.  [default: made up]", show_default=False),
            click.option(
                "-k", "--keepalive", type=click.IntRange(5), default=60, help="Seconds between signs of life."
            ),
            click.option(
                "-V",
                "--protocol-version",
                type=click.Choice(["311", "5"]),
                default="311",
                help="MQTT 3.1.1 or 5.",
            ),
            tls_options,
        )
    ):
        command = option(command)
    return command


def session_options(command: Decorated) -> Decorated:
    """The flags of a listener that misses nothing while its broker is away, or itself."""
    for option in reversed(
        (
            click.option(
                "-c",
                "--disable-clean-session",
                "keep_session",
                is_flag=True,
                help="The broker keeps what comes while this listener is not there; needs -i.",
            ),
            click.option(
                "-x",
                "--session-expiry-interval",
                "session_expiry_s",
                type=click.IntRange(1, 0xFFFF_FFFE),
                metavar="SECONDS",
                help="For how long it does, at most; MQTT 5.  [default: for ever with -c, else an hour while the "
                "connection is broken]",
                show_default=False,
            ),
            click.option(
                "--wait",
                is_flag=True,
                help="Wait for a broker that is not there yet; for a service. What it refuses for good still ends it.",
            ),
        )
    ):
        command = option(command)
    return command


def check_session(flags: dict[str, Any], *, is_embedded: bool) -> None:
    """What the flags of :func:`session_options` ask for can be had.

    Raises
    ------
    HarError : it cannot.
    """
    from model.errors import HarError

    keep, expiry_s = flags["keep_session"], flags["session_expiry_s"]
    if (keep or expiry_s) and is_embedded:
        raise HarError("The embedded broker ends with the listener and keeps nothing; leave out -c and -x.")
    if keep and flags["partitions"]:
        raise HarError("A partition's session is kept anyway; leave out -c or --partition.")
    if keep and not flags["client_id"]:
        raise HarError("A session that is kept is known by the client id; give -i, and always the same.")
    if keep and not flags["qos"]:
        raise HarError("Nothing is kept at quality of service 0; leave out -c or -q 0.")
    if expiry_s and flags["protocol_version"] != "5":
        raise HarError("Sessions expire in MQTT 5 alone; give -V 5, or leave out -x.")


def subscriber_options(
    address: BrokerAddress | Sequence[BrokerAddress],
    flags: dict[str, Any],
    *,
    topics: Sequence[str],
    app_topics: Sequence[str] = (),
    resume_session: bool = False,
) -> SubscriberOptions:
    """How to connect, to one broker or to any of several, and what to subscribe to; a command without these flags
    connects plainly. ``resume_session``: what comes while the connection is broken is wanted."""
    from streamer.subscription import SubscriberOptions

    addresses = list(address) if isinstance(address, Sequence) else [address]
    return SubscriberOptions(
        address=addresses[0],
        others=tuple(addresses[1:]),
        topics=tuple(topics),
        app_topics=tuple(app_topics),
        qos=flags.get("qos", 1),
        client_id=flags.get("client_id") or f"har-stream-{os.urandom(4).hex()}",
        keepalive=flags.get("keepalive", 60),
        protocol_version=int(flags.get("protocol_version", 311)),
        cafile=_text(flags.get("cafile")),
        cert=_text(flags.get("cert")),
        key=_text(flags.get("key")),
        keep_session=flags.get("keep_session", False),
        resume_session=resume_session,
        session_expiry_s=flags.get("session_expiry_s"),
        has_given_id=bool(flags.get("client_id")),
        insecure=flags.get("insecure", False),
        wait=flags.get("wait", False),
    )


def with_environment(command: click.Command) -> click.Command:
    """Give every flag without one its environment variable: HAR_ and the flag's long name."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.envvar is None:
            longest = max(parameter.opts, key=len).lstrip("-")
            name = longest if len(longest) > 1 else str(parameter.name)
            parameter.envvar = f"HAR_{name.replace('-', '_').upper()}"
    return command


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
