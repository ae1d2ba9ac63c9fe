"""The flags that say what the listener publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from streamer.cluster.partitioning import Partition
    from streamer.publishing.publisher import PublisherOptions
    from streamer.publishing.topics import Topics

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

OFFLINE_AFTER_S = 30.0

publish_option = click.option(
    "--publish/--no-publish", default=True, help="Whether to publish predictions on ROOT/PHONE/activity and so on."
)

prefix_option = click.option(
    "--home-assistant-prefix",
    "prefix",
    default="homeassistant",
    metavar="PREFIX",
    help="Home Assistant's discovery prefix.",
)


def publishing_options(command: Decorated) -> Decorated:
    """The flags of a listener whose predictions others use."""
    for option in reversed(
        (
            click.option("--home-assistant", is_flag=True, help="Make each phone a device of Home Assistant."),
            prefix_option,
            click.option(
                "--offline-after",
                "offline_after_s",
                type=click.FloatRange(1, 86_400),
                default=OFFLINE_AFTER_S,
                metavar="SECONDS",
                help="A phone that is silent for so long is published as offline.",
            ),
        )
    ):
        command = option(command)
    return command


def topics_of(flags: dict[str, Any], partitions: tuple[Partition, ...] = ()) -> Topics:
    """The listener's own topics; of the partitions that it serves, if there are several listeners.

    Raises
    ------
    HarError : root or prefix are no topic levels.
    """
    from streamer.cluster.partitioning import worker_name
    from streamer.publishing.topics import PREFIX, Topics
    from streamer.wire import ROOT

    return Topics(flags.get("root", ROOT), flags.get("prefix", PREFIX), worker_name(partitions) if partitions else None)


def publisher_options(flags: dict[str, Any], topics: Topics, *, shared: bool = False) -> PublisherOptions | None:
    """What to publish; None for ``--no-publish``. ``shared``: other listeners publish there too.

    Raises
    ------
    HarError : Home Assistant is to be served without publishing.
    """
    from model.errors import HarError
    from streamer.publishing.publisher import PublisherOptions

    if not flags["publish"]:
        if flags.get("home_assistant"):
            raise HarError("Home Assistant shows what is published; leave out --no-publish or --home-assistant.")
        return None
    version = ""
    if flags.get("home_assistant"):
        from importlib import metadata

        version = metadata.version("har-stream")
    return PublisherOptions(
        topics=topics,
        offline_after_s=flags.get("offline_after_s", OFFLINE_AFTER_S),
        max_phones=flags["max_phones"],
        home_assistant=flags.get("home_assistant", False),
        version=version,
        shared=shared,
    )
