"""``har-stream cluster``: a cluster of brokers, made, run, and rid of sessions that nobody wants any more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from model.errors import HarError
from streamer.access_options import broker_address
from streamer.connection_options import broker_option, connection_options, with_environment
from streamer.publishing.options import prefix_option

if TYPE_CHECKING:
    from streamer.cluster.configuration import Cluster, Tls

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def cluster() -> None:
    """Several machines: a cluster of brokers that gives each phone to one worker."""


@cluster.command()
@click.argument("folder", type=FOLDER)
@click.option("--nodes", required=True, metavar="HOST[:PORT],…", help="The nodes, as phones and workers reach them.")
@click.option(
    "--partitions", type=click.IntRange(1, 1024), default=16, help="How many; more than there will be workers."
)
@click.option("--root", default="har", help="First level of the topics ROOT/PHONE/imu.")
@prefix_option
@click.option("--anonymous", is_flag=True, help="Phones need no user name and password.")
@click.option("--route-port", type=click.IntRange(1, 65535), default=6222, help="On which nodes reach each other.")
@click.option("--monitor-port", type=click.IntRange(1, 65535), default=8222, help="For a node's figures, on loopback.")
@click.option("--store", default="store", help="Folder of each node for messages, from where it is started.")
@click.option("--store-limit", type=click.IntRange(1), default=20, metavar="GB", help="How large that may become.")
@click.option(
    "--ack-wait",
    type=click.IntRange(1),
    default=8,
    metavar="SECONDS",
    help="After so long what a dead worker was given, and did not handle, is delivered again.",
)
@click.option("--cert", metavar="FILE", help="Each node's certificate, where it is there.")
@click.option("--key", metavar="FILE", help="Its private key.")
@click.option("--cafile", metavar="FILE", help="The authority's certificate; encrypts between the nodes, too.")
@click.option("--again", is_flag=True, help="Write over a folder that is there, and keep its passwords.")
def init(folder: Path, nodes: str, **flags: Any) -> None:
    """Write a configuration for each node, passwords, and a README that says how to start it all."""
    from streamer.cluster.folder import make_passwords, write_folder

    made = _cluster(nodes, flags, make_passwords(folder, again=flags["again"]))
    write_folder(folder, made)
    click.echo(
        f"{folder}: {len(made.nodes)} nodes, {made.partitions} partitions; {folder / 'README.md'} says how to start."
    )


def _cluster(nodes: str, flags: dict[str, Any], passwords: dict[str, str]) -> Cluster:
    from streamer.cluster.configuration import Cluster, users_of
    from streamer.cluster.nodes import parse_nodes
    from streamer.publishing.topics import Topics

    topics = Topics(flags["root"], flags["prefix"])
    return Cluster(
        nodes=parse_nodes(nodes, route_port=flags["route_port"], monitor_port=flags["monitor_port"]),
        partitions=flags["partitions"],
        root=topics.root,
        prefix=topics.prefix,
        users=users_of(topics.root, topics.prefix, passwords),
        route_password=passwords["route"],
        store=flags["store"],
        store_gib=flags["store_limit"],
        ack_wait_s=flags["ack_wait"],
        anonymous=flags["anonymous"],
        tls=_tls(flags),
    )


def _tls(flags: dict[str, Any]) -> Tls | None:
    from streamer.cluster.configuration import Tls

    cert, key, cafile = flags["cert"], flags["key"], flags["cafile"]
    if bool(cert) != bool(key) or (cafile and not cert):
        raise HarError("A node needs both certificate and key to encrypt; give --cert and --key.")
    return Tls(cert, key, cafile) if cert else None


@cluster.command()
@click.argument("folder", type=FOLDER)
@click.option("--node", type=click.IntRange(0), required=True, metavar="K", help="Its number in README.md, from 0.")
def run(folder: Path, node: int) -> int:
    """Start a node here, in the foreground, from the folder that init wrote; its store is made below that folder."""
    from streamer.broker import nats_server
    from streamer.cluster.folder import configuration_file

    configuration = configuration_file(folder.absolute(), node)
    if not configuration.is_file():
        raise HarError(
            f"There is no node {node} in {folder}; give a folder that 'har-stream cluster init' has written."
        )
    words = [str(nats_server()), "-c", str(configuration)]
    os.chdir(folder)
    if sys.platform != "win32":
        os.execv(words[0], words)  # noqa: S606 - signals reach it without anybody in between
    return subprocess.call(words)


@cluster.command()
@broker_option
@click.option("--partition", "partitions", multiple=True, required=True, metavar="K/N", help="As for listen.")
@connection_options
def forget(broker: str, partitions: tuple[str, ...], **flags: Any) -> None:
    """Give up partitions that nobody is to serve any more, and what waits for them at the brokers."""
    from streamer.cluster.partitioning import parse_partitions
    from streamer.cluster.sessions import end_session

    for partition in parse_partitions(partitions):
        end_session(broker_address(broker, flags), flags, partition)
        click.echo(f"partition {partition}: given up")


for each in (init, run, forget):
    with_environment(each)
