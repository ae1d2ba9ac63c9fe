"""Nodes as ``--nodes`` has them: ``HOST[:PORT],...``. Pure."""

from __future__ import annotations

from collections import Counter

from model.errors import HarError
from streamer.address import parse_broker
from streamer.cluster.configuration import Node

MAX_PORT = 65535


def parse_nodes(text: str, *, route_port: int, monitor_port: int) -> tuple[Node, ...]:
    """The nodes, of which those on one machine get consecutive ports for each other and for their figures.

    Raises
    ------
    HarError : one is not of the form HOST or HOST:PORT, one is there twice, there are two of them or too many ports.
    """
    nodes: list[Node] = []
    of_host: Counter[str] = Counter()
    for where in text.split(","):
        address = parse_broker(where)
        if address.scheme != "mqtt" or address.username is not None:
            raise HarError(f"The node {where.strip()!a} is not HOST or HOST:PORT; leave out scheme and user.")
        if any((node.host, node.port) == (address.host, address.port) for node in nodes):
            raise HarError(f"The node {address} is there twice; give each node once.")
        before = of_host[address.host]
        of_host[address.host] += 1
        if max(route_port, monitor_port) + before > MAX_PORT:
            raise HarError(f"The nodes on {address.host} need ports beyond {MAX_PORT}; give a lower --route-port.")
        nodes.append(Node(address.host, address.port, route_port + before, monitor_port + before))
    if len(nodes) == 2:
        raise HarError("Two nodes cannot outvote a dead one; give one, or three or more (best an odd number).")
    return tuple(nodes)
