"""``har-stream doctor``. Heavy imports wait until it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from streamer.access_options import broker_address
from streamer.connection_options import broker_option, connection_options, subscriber_options
from streamer.mount.options import mount_of, mount_options

if TYPE_CHECKING:
    from streamer.doctor.seen import Seen


@click.command()
@broker_option
@click.option("-t", "--topic", "topics", multiple=True, help="Topics that a listener is given; repeatable.")
@connection_options
@mount_options
@click.option("--seconds", type=click.FloatRange(1, 3600), default=10.0, help="How long to watch.")
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as one JSON object on stdout.")
def doctor(as_json: bool, **flags: Any) -> int:
    """Watch a broker, and say per phone what is wrong and what to change in which app.

    Exit status: 0 when all is well; 1 when there is something to change; 2 on wrong usage; 3 when no phone was heard; 4
    when the broker is not there or refuses.
    """
    from streamer.doctor.diagnose import diagnose

    diagnosis = diagnose(_seen(flags))
    if as_json:
        from streamer.doctor.tables import diagnosis_json

        click.echo(json.dumps(diagnosis_json(diagnosis)))
    else:
        from rich.console import Console

        from streamer.doctor.tables import diagnosis_view

        Console(soft_wrap=False).print(diagnosis_view(diagnosis))
    return diagnosis.exit_status


def _seen(flags: dict[str, Any]) -> Seen:
    from streamer.address import BrokerError
    from streamer.doctor.advice import EXIT_NO_BROKER
    from streamer.doctor.watching import WatchOptions, watch
    from streamer.formats.names import AUTO, app_topics, default_topics
    from streamer.publishing.topics import Topics

    address = broker_address(flags["broker"], flags)
    topics = flags["topics"] or default_topics(AUTO, flags["root"])
    subscriber = subscriber_options(
        address, flags, topics=topics, app_topics=() if flags["topics"] else app_topics(AUTO)
    )
    options = WatchOptions(subscriber, mount_of(flags), flags["seconds"], Topics(flags["root"]))
    try:
        return watch(options, lambda: click.echo(f"Watching {address} for {options.seconds:g} s ...", err=True))
    except BrokerError as error:
        raise BrokerError(str(error), EXIT_NO_BROKER) from error
