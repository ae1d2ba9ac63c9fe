"""The flags by which a command reaches a broker, named as mosquitto_sub's; and what they add up to."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from streamer.address import BrokerAddress
    from streamer.subscription import SubscriberOptions

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)

broker_option = click.option(
    "--broker", default="localhost:1883", metavar="WHERE", help="HOST, HOST:PORT, or a URL, as for listen."
)
"""The broker of every command that cannot start one itself."""


def connection_options(command: Decorated) -> Decorated:
    """The flags of every command that connects to a broker which is there already, but for ``--broker`` itself."""
    for option in reversed(
        (
            click.option("--root", default="har", help="First level of the topics ROOT/PHONE/imu."),
            click.option("-u", "--username", help="User name at the broker."),
            click.option(
                "-P", "--pw", envvar="HAR_PASSWORD", help="Password; better given as HAR_PASSWORD.", show_envvar=True
            ),
            click.option("--password-file", type=FILE, help="File whose first line is the password."),
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
            click.option(
                "--cafile",
                type=FILE,
                help="Certificates of trusted authorities, for mqtts and wss.  [default: system's]",
            ),
            click.option(
                "--tls-use-os-certs", is_flag=True, help="Encrypt, trusting the system's authorities, as mqtts:// does."
            ),
            click.option("--cert", type=FILE, help="Certificate of this client."),
            click.option("--key", type=FILE, help="Private key of this client."),
        )
    ):
        command = option(command)
    return command


def broker_address(broker: str, flags: dict[str, Any]) -> BrokerAddress:
    """The broker that ``--broker`` and the other flags name.

    Raises
    ------
    HarError : there is none of that form, or the password cannot be read.
    """
    from streamer.address import parse_broker, read_password

    password = read_password(flags["pw"], flags["password_file"])
    if "://" not in broker and (flags["cafile"] or flags["tls_use_os_certs"]):
        broker = f"mqtts://{broker}"  # as mosquitto_sub: who names authorities wants them asked
    return parse_broker(broker, username=flags["username"], password=password)


def subscriber_options(
    address: BrokerAddress | Sequence[BrokerAddress],
    flags: dict[str, Any],
    *,
    topics: Sequence[str],
    app_topics: Sequence[str] = (),
) -> SubscriberOptions:
    """How to connect, to one broker or to any of several, and what to subscribe to; a command without these flags
    connects plainly."""
    from streamer.subscription import SubscriberOptions

    addresses = list(address) if isinstance(address, Sequence) else [address]
    return SubscriberOptions(
        address=addresses[0],
        others=tuple(addresses[1:]),
        topics=tuple(topics),
        app_topics=tuple(app_topics),
        qos=flags.get("qos", 1),
        client_id=flags.get("client_id") or f"har-stream-{secrets.token_hex(4)}",
        keepalive=flags.get("keepalive", 60),
        protocol_version=int(flags.get("protocol_version", 311)),
        cafile=_text(flags.get("cafile")),
        cert=_text(flags.get("cert")),
        key=_text(flags.get("key")),
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
