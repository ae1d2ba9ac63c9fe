"""``har-stream``: the command line. Defaults live here; heavy imports wait until a command runs."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from model.command import CONTEXT_SETTINGS, run
from model.errors import HarError
from streamer.access_options import FILE, WARN, broker_address, warn_of_password
from streamer.backfill.command import classify
from streamer.capture.naming import capture_path
from streamer.cluster.command import cluster
from streamer.cluster.options import moved_topics_of, partition_option, partitions_of
from streamer.connection_options import (
    check_session,
    connection_options,
    session_options,
    subscriber_options,
    with_environment,
)
from streamer.doctor.command import doctor
from streamer.formats.names import AUTO, CHOICES, Format, app_topics, default_topics
from streamer.labelling.command import label
from streamer.limits import FORGET_S, MAX_PHONES, Limits
from streamer.mount.command import calibrate
from streamer.mount.options import mount_of, mount_options
from streamer.operation.options import operation_of, operation_options
from streamer.operation.version import version_option
from streamer.phyphox.command import phyphox
from streamer.publishing.command import forget
from streamer.publishing.options import publish_option, publisher_options, publishing_options, topics_of
from streamer.recognition.options import engine_options, model_options
from streamer.report.command import report

if TYPE_CHECKING:
    from streamer.address import BrokerAddress
    from streamer.session import SessionOptions

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


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
            model_options,
            click.option(
                "--save-windows", type=FILE, metavar="FILE.npz", help="Keep the windows that were classified."
            ),
            click.option(
                "--record",
                type=click.Path(path_type=Path),
                metavar="FILE|FOLDER",
                help="Keep everything received, as it came, in this file or in a new one in this folder; for "
                "har-replay and har-stream report.",
            ),
            click.option(
                "--max-phones",
                type=click.IntRange(1),
                default=MAX_PHONES,
                help="Phones that are followed at most.",
            ),
            click.option(
                "--forget-after",
                "forget_s",
                type=click.FloatRange(1),
                default=FORGET_S,
                metavar="SECONDS",
                help="Forget all about a phone that has been silent for so long.",
            ),
            click.option(
                "--workers",
                type=click.IntRange(1, 256),
                default=1,
                metavar="N",
                help="Processes that recognise, each phone always the same one's; phones are shared out evenly.",
            ),
            publish_option,
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


@click.group(context_settings=CONTEXT_SETTINGS)
@version_option
def cli() -> None:
    """Recognise live what people do, from their phones' samples over MQTT."""


@with_environment
@cli.command()
@click.option(
    "--broker",
    "brokers",
    multiple=True,
    default=["localhost:1883"],
    metavar="WHERE",
    help="HOST, HOST:PORT, an mqtt://, mqtts://, ws:// or wss:// URL, or embedded[:HOST][:PORT] to start a broker here "
    "(on loopback, or where HOST says); repeatable with the nodes of a cluster.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(CHOICES),
    default=AUTO,
    help="What phones send; auto recognises each message.",
)
@click.option("-t", "--topic", "topics", multiple=True, help="Subscribe to this instead; repeatable.")
@click.option("-q", "--qos", type=click.IntRange(0, 2), default=1, help="Quality of service asked for.")
@partition_option
@connection_options
@session_options
@mount_options
@publishing_options
@operation_options
@_shared_options
def listen(brokers: tuple[str, ...], **flags: Any) -> int:
    """Subscribe to a broker and recognise what its phones send.

    Ends on Ctrl-C, with a summary. A refused connection exits with the broker's CONNACK code. Every flag can be given
    as an environment variable too: HAR_ and its long name, as HAR_KEEPALIVE; -C is HAR_COUNT, -W HAR_TIMEOUT_S.
    """
    from streamer.operation.logs import errors_logged, say

    if flags["log_format"] == "json":
        click.get_current_context().meta[WARN] = lambda words: say(words, "json", logging.WARNING)
    with errors_logged(flags["log_format"]):
        return _listen(brokers, flags)


def _listen(brokers: tuple[str, ...], flags: dict[str, Any]) -> int:
    embedded = [broker for broker in brokers if broker.partition(":")[0] == "embedded"]
    check_session(flags, is_embedded=bool(embedded))
    if not embedded:
        addresses = [broker_address(broker, flags) for broker in brokers]
        return _run(addresses, flags, resume_session=not flags["partitions"])
    if len(brokers) > 1 or flags["partitions"]:
        raise HarError(
            "The embedded broker is no cluster; leave out --broker embedded, or --partition and other brokers."
        )
    return _listen_embedded(embedded[0], flags)


def _listen_embedded(broker: str, flags: dict[str, Any]) -> int:
    from streamer.address import read_password
    from streamer.broker import EmbeddedBroker
    from streamer.broker_config import access_of, parse_place
    from streamer.operation.logs import say

    place = parse_place(broker)
    access = access_of(place, flags["username"], read_password(flags["pw"], flags["password_file"]))
    warn_of_password()
    with EmbeddedBroker(place, access) as embedded:
        for line in embedded.greeting:
            say(line, flags["log_format"])
        if access and access.is_made_up and _output(flags) == "dashboard" and sys.stdin.isatty():
            click.pause("Note the password, then press any key to go on ...", err=True)
        return _run([embedded.address], flags)


def _output(flags: dict[str, Any]) -> str:
    return flags["output"] or ("dashboard" if sys.stdout.isatty() else "plain")


def _run(addresses: Sequence[BrokerAddress], flags: dict[str, Any], *, resume_session: bool = False) -> int:
    from streamer import session

    return session.run(_session_options(addresses, flags, resume_session=resume_session))


def _session_options(
    addresses: Sequence[BrokerAddress], flags: dict[str, Any], *, resume_session: bool = False
) -> SessionOptions:
    from streamer.listener import ListenerOptions
    from streamer.session import SessionOptions

    partitions = partitions_of(flags)
    topics = topics_of(flags, partitions)
    heard = flags.get("topics") or moved_topics_of(topics.root, partitions)
    format_name = flags.get("format_name", Format.HAR)
    return SessionOptions(
        subscriber=subscriber_options(
            addresses,
            flags,
            topics=heard or default_topics(format_name, topics.root),
            app_topics=() if heard else app_topics(format_name),
            resume_session=resume_session,
        ),
        listener=ListenerOptions(
            max_phones=flags["max_phones"],
            max_predictions=flags["count"],
            limits=Limits(forget_s=flags["forget_s"]),
            has_traces=_output(flags) == "dashboard",
        ),
        topics=topics,
        publisher=publisher_options(flags, topics, shared=bool(partitions)),
        output=_output(flags),
        format=format_name,
        engine=engine_options(flags),
        save_windows=flags["save_windows"],
        record=flags["record"] and capture_path(flags["record"], time.time()),
        timeout_s=flags["timeout_s"],
        ascii_only=flags["ascii_only"],
        mount=mount_of(flags),
        workers=flags["workers"],
        partitions=partitions,
        operation=operation_of(flags),
    )


@with_environment
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
    return run_demo(arguments, lambda address: _session_options([address], flags))


cli.add_command(cluster)
for each in (calibrate, classify, doctor, forget, label, phyphox, report):
    cli.add_command(with_environment(each))


def main() -> NoReturn:
    """Entry point of ``har-stream``."""
    # Nothing here multiplies large matrices, and the threads that numpy starts for that cost as much as numpy itself.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    run(cli)


if __name__ == "__main__":
    main()
