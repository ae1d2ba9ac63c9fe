"""``har-stream``: the command line. Defaults live here; heavy imports wait until a command runs."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from model.command import CONTEXT_SETTINGS, run, version_option
from streamer.formats.names import AUTO, CHOICES, Format, app_topics, default_topics
from streamer.mount.options import mount_of, mount_options
from streamer.phyphox.command import phyphox
from streamer.report.command import report

if TYPE_CHECKING:
    from streamer.address import BrokerAddress
    from streamer.session import SessionOptions

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)


def _shared_options(command: Decorated) -> Decorated:
    """The flags of every command that recognises."""
    for option in reversed(
        (
            click.option(
                "--output",
                type=click.Choice(["dashboard", "plain", "jsonl"]),
                help="How to show predictions.  [default: dashboard on a terminal, else plain]",
                show_default=False,
            ),
            click.option("--ascii", "ascii_only", is_flag=True, help="Draw the dashboard without Unicode."),
            click.option("--model", type=FILE, help="Artefact to use instead of the one in the box."),
            click.option(
                "--save-windows", type=FILE, metavar="FILE.npz", help="Keep the windows that were classified."
            ),
            click.option(
                "--record",
                type=FILE,
                metavar="FILE",
                help="Keep everything received, as it came; for har-replay and har-stream report.",
            ),
            click.option(
                "--smoothing/--no-smoothing",
                default=True,
                help="Whether an answer heeds the windows before, or each window alone.",
            ),
            click.option(
                "--lag",
                type=click.IntRange(0, 3),
                default=0,
                help="Windows of 1.28 s that an answer waits for, to be surer.",
            ),
            click.option(
                "--max-phones",
                type=click.IntRange(1),
                default=10_000,
                help="Phones that are followed at most.",
            ),
            click.option("-C", "count", type=click.IntRange(1), metavar="COUNT", help="Stop after COUNT predictions."),
            click.option(
                "-W",
                "timeout_s",
                type=click.FloatRange(0, min_open=True),
                metavar="SECONDS",
                help="Stop after SECONDS, with exit status 27.",
            ),
        )
    ):
        command = option(command)
    return command


def _with_environment(command: click.Command) -> click.Command:
    """Give every flag without one its environment variable: HAR_ and the flag's long name."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.envvar is None:
            longest = max(parameter.opts, key=len).lstrip("-")
            name = longest if len(longest) > 1 else str(parameter.name)
            parameter.envvar = f"HAR_{name.replace('-', '_').upper()}"
    return command


@click.group(context_settings=CONTEXT_SETTINGS)
@version_option
def cli() -> None:
    """Recognise live what people do, from their phones' samples over MQTT."""


@_with_environment
@cli.command()
@click.option(
    "--broker",
    default="localhost:1883",
    metavar="WHERE",
    help="HOST, HOST:PORT, an mqtt://, mqtts://, ws:// or wss:// URL, or embedded[:PORT] to start a broker here.",
)
@click.option("--root", default="har", help="First level of the topics ROOT/PHONE/imu.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(CHOICES),
    default=AUTO,
    help="What phones send; auto recognises each message.",
)
@click.option("-t", "--topic", "topics", multiple=True, help="Subscribe to this instead; repeatable.")
@click.option("-u", "--username", help="User name at the broker.")
@click.option("-P", "--pw", envvar="HAR_PASSWORD", help="Password; better given as HAR_PASSWORD.", show_envvar=True)
@click.option("--password-file", type=FILE, help="File whose first line is the password.")
@click.option("-q", "--qos", type=click.IntRange(0, 2), default=1, help="Quality of service asked for.")
@click.option("-i", "--id", "client_id", help="MQTT client id.  [default: made up]", show_default=False)
@click.option("-k", "--keepalive", type=click.IntRange(5), default=60, help="Seconds between two signs of life.")
@click.option(
    "-V",
    "--protocol-version",
    type=click.Choice(["311", "5"]),
    default="311",
    help="MQTT 3.1.1, or 5 at twice the cost.",
)
@click.option(
    "--cafile", type=FILE, help="Certificates of trusted authorities, for mqtts and wss.  [default: system's]"
)
@click.option("--tls-use-os-certs", is_flag=True, help="Encrypt, trusting the system's authorities, as mqtts:// does.")
@click.option("--cert", type=FILE, help="Certificate of this client.")
@click.option("--key", type=FILE, help="Private key of this client.")
@mount_options
@_shared_options
def listen(broker: str, **flags: Any) -> int:
    """Subscribe to a broker and recognise what its phones send.

    Ends on Ctrl-C, with a summary. A refused connection exits with the broker's CONNACK code. Every flag can be given
    as an environment variable too: HAR_ and its long name, as HAR_KEEPALIVE; -C is HAR_COUNT, -W HAR_TIMEOUT_S.
    """
    from streamer.address import parse_broker, read_password

    if broker == "embedded" or broker.startswith("embedded:"):
        return _listen_embedded(broker, flags)
    password = read_password(flags["pw"], flags["password_file"])
    if "://" not in broker and (flags["cafile"] or flags["tls_use_os_certs"]):
        broker = f"mqtts://{broker}"  # as mosquitto_sub: who names authorities wants them asked
    return _run(parse_broker(broker, username=flags["username"], password=password), flags)


def _listen_embedded(broker: str, flags: dict[str, Any]) -> int:
    from streamer.broker import EmbeddedBroker, embedded_port

    with EmbeddedBroker(embedded_port(broker)) as embedded:
        click.echo(
            f"Embedded broker ({embedded.name}): phones of this machine reach it at {embedded.address}", err=True
        )
        return _run(embedded.address, flags)


def _run(address: BrokerAddress, flags: dict[str, Any]) -> int:
    from streamer import session

    return session.run(_session_options(address, flags))


def _session_options(address: BrokerAddress, flags: dict[str, Any]) -> SessionOptions:
    from model.smoothing import FilterSettings
    from streamer.listener import ListenerOptions
    from streamer.session import SessionOptions
    from streamer.subscriber import SubscriberOptions

    format_name = flags.get("format_name", Format.HAR)
    default_output = "dashboard" if sys.stdout.isatty() else "plain"
    return SessionOptions(
        subscriber=SubscriberOptions(
            address=address,
            topics=flags.get("topics") or default_topics(format_name, flags.get("root", "har")),
            app_topics=() if flags.get("topics") else app_topics(format_name),
            qos=flags.get("qos", 1),
            client_id=flags.get("client_id") or f"har-stream-{secrets.token_hex(4)}",
            keepalive=flags.get("keepalive", 60),
            protocol_version=int(flags.get("protocol_version", 311)),
            cafile=_text(flags.get("cafile")),
            cert=_text(flags.get("cert")),
            key=_text(flags.get("key")),
        ),
        listener=ListenerOptions(
            max_phones=flags["max_phones"],
            smoothing=FilterSettings(lag=flags["lag"]) if flags["smoothing"] else None,
            max_predictions=flags["count"],
        ),
        output=flags["output"] or default_output,
        format=format_name,
        model=flags["model"],
        save_windows=flags["save_windows"],
        record=flags["record"],
        timeout_s=flags["timeout_s"],
        ascii_only=flags["ascii_only"],
        mount=mount_of(flags),
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


@_with_environment
@cli.command()
@click.option("--subjects", metavar="N,N,…", help="Only these subjects.  [default: the nine test subjects]")
@click.option(
    "--speed", metavar="N", help="Times real time, or max.  [default: 1 on a terminal, else 20]", show_default=False
)
@_shared_options
def demo(subjects: str | None, speed: str | None, **flags: Any) -> int:
    """Watch the nine test subjects being recognised: broker, simulated phones and listener in one command.

    Ends when all recordings have been replayed, or on Ctrl-C, with a summary.
    """
    from streamer.demo import run_demo

    speed = speed or ("1" if sys.stdout.isatty() else "20")
    arguments = ["--speed", speed, *(["--subjects", subjects] if subjects else [])]
    return run_demo(arguments, lambda address: _session_options(address, flags))


cli.add_command(_with_environment(report))
cli.add_command(_with_environment(phyphox))


def main() -> NoReturn:
    """Entry point of ``har-stream``."""
    run(cli)


if __name__ == "__main__":
    main()
