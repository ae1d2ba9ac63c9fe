"""``har-stream forget``: remove what a broker keeps about phones, and their devices of Home Assistant."""

from __future__ import annotations

from typing import Any

import click

from streamer.access_options import broker_address
from streamer.connection_options import broker_option, connection_options, subscriber_options
from streamer.publishing.options import prefix_option, topics_of


@click.command()
@click.argument("phones", nargs=-1, required=True, metavar="PHONE...")
@broker_option
@connection_options
@prefix_option
def forget(phones: tuple[str, ...], broker: str, **flags: Any) -> None:
    """Remove phones that are no more: what the broker keeps about them, and their devices of Home Assistant.

    A phone that still sends to a listener is back with its next prediction.
    """
    from model.errors import HarError
    from streamer.publishing.removal import remove
    from streamer.wire import WireError

    topics = topics_of(flags)
    options = subscriber_options(broker_address(broker, flags), flags, topics=(topics.status,))
    try:
        remove(options, topics, phones)
    except WireError as error:
        raise HarError(f"{error}.".capitalize()) from error
    click.echo(f"{len(phones)} forgotten: {', '.join(phones)}")
