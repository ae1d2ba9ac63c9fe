"""The flags by which any command, also har-replay, says who it is to a broker, and whom it trusts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from streamer.address import BrokerAddress
    from streamer.tls import TlsOptions

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)

WARN = f"{__name__}.warn"
"""In the meta of click's context: what is told warnings by a command that has its own way; else stderr is."""

VISIBLE = (
    "A password in the command line can be read by everybody on this machine (ps); give it as HAR_PASSWORD or "
    "with --password-file."
)


def user_options(command: Decorated) -> Decorated:
    """User name and password."""
    for option in reversed(
        (
            click.option("-u", "--username", envvar="HAR_USERNAME", help="User name at the broker."),
            click.option(
                "-P",
                "--pw",
                envvar="HAR_PASSWORD",
                show_envvar=True,
                show_default=False,
                help="Password; others can read it in the process list, so better use the environment or "
                "--password-file.",
            ),
            click.option(
                "--password-file",
                type=FILE,
                envvar="HAR_PASSWORD_FILE",
                help="File whose first line is the password.",
            ),
        )
    ):
        command = option(command)
    return command


def tls_options(command: Decorated) -> Decorated:
    """Certificates."""
    for option in reversed(
        (
            click.option(
                "--cafile",
                type=FILE,
                envvar="HAR_CAFILE",
                help="Certificates (PEM) of trusted authorities, for mqtts and wss.  [default: system's]",
            ),
            click.option(
                "--tls-use-os-certs",
                is_flag=True,
                envvar="HAR_TLS_USE_OS_CERTS",
                help="Encrypt, trusting the system's authorities, as mqtts:// does.",
            ),
            click.option("--cert", type=FILE, envvar="HAR_CERT", help="Certificate of this client (PEM)."),
            click.option("--key", type=FILE, envvar="HAR_KEY", help="Private key of this client (PEM)."),
            click.option(
                "--insecure",
                is_flag=True,
                envvar="HAR_INSECURE",
                help="Insecure: do not check that the certificate is made for the broker's name.",
            ),
        )
    ):
        command = option(command)
    return command


def broker_address(broker: str, flags: dict[str, Any]) -> BrokerAddress:
    """The broker that ``--broker`` and the other flags name; what is unsafe in the command line is told on stderr.

    Raises
    ------
    HarError : there is none of that form, or the password cannot be read.
    """
    from streamer.address import parse_broker, read_password
    from streamer.tls import INSECURE

    password = read_password(flags["pw"], flags["password_file"])
    if "://" not in broker and (flags["cafile"] or flags["tls_use_os_certs"]):
        broker = f"mqtts://{broker}"  # as mosquitto_sub: who names authorities wants them asked
    address = parse_broker(broker, username=flags["username"], password=password)
    warn_of_password()
    if address.password != password and _is_in_command_line("broker", "brokers"):
        _warn(VISIBLE)
    if flags["insecure"] and address.tls:
        _warn(INSECURE)
    return address


def warn_of_password() -> None:
    """Tell on stderr that a password was given in the command line, if one was."""
    if _is_in_command_line("pw"):
        _warn(VISIBLE)


def tls_of(flags: dict[str, Any]) -> TlsOptions:
    """What the flags of :func:`tls_options` add up to."""
    from streamer.tls import TlsOptions

    return TlsOptions(flags["cafile"], flags["cert"], flags["key"], flags["insecure"])


def _is_in_command_line(*names: str) -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and any(
        context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in names
    )


def _warn(words: str) -> None:
    """Once, however many brokers there are."""
    context = click.get_current_context(silent=True)
    told = context.meta.setdefault(__name__, set()) if context else set()
    if words in told:
        return
    told.add(words)
    if context and WARN in context.meta:
        context.meta[WARN](words)
    else:
        click.echo(f"Warning: {words}", err=True)
