"""The flags of a listener that is one of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from model.errors import HarError

if TYPE_CHECKING:
    from streamer.cluster.partitioning import Partition

partition_option = click.option(
    "--partition",
    "partitions",
    multiple=True,
    metavar="K/N",
    help="Serve this partition of a cluster's N alone, or several: 0,2/3 or 0-3/8; repeatable.",
)


def partitions_of(flags: dict[str, Any]) -> tuple[Partition, ...]:
    """The partitions that are to be served; none for a listener of everything.

    Raises
    ------
    HarError : they are none, or other flags contradict them.
    """
    if not flags.get("partitions"):
        return ()
    from streamer.cluster.partitioning import parse_partitions

    if flags.get("topics"):
        raise HarError("A partition's topics are the cluster's to choose; leave out --topic or --partition.")
    if flags.get("client_id"):
        raise HarError("A partition's session has a client id of its own; leave out --id or --partition.")
    if flags["protocol_version"] != "311":
        raise HarError("The brokers of a cluster speak MQTT 3.1.1; leave out --protocol-version or --partition.")
    if flags["qos"] != 1:
        raise HarError("A partition's messages are kept with quality of service 1; leave out --qos or --partition.")
    return parse_partitions(flags["partitions"])


def moved_topics_of(root: str, partitions: tuple[Partition, ...]) -> tuple[str, ...]:
    """Where the phones of these partitions are heard; nothing without partitions."""
    from streamer.cluster.partitioning import moved_topics

    return tuple(moved_topics(root, partition) for partition in partitions)
