"""The configuration of each node of a NATS cluster whose MQTT listener moves phones to partitions. Pure.

Facts about NATS from https://docs.nats.io/running-a-nats-service/configuration/mqtt and its reference, tried with
nats-server 2.15: permissions are asked for the subject after the mapping, so a phone may publish on what its topics are
moved to; subscriptions above quality of service 0 need ``$MQTT.sub.>``.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass

from streamer.cluster.partitioning import mappings, partitions_root, subject

MAX_ACK_PENDING = 500
"""Messages of a partition that a worker may hold without having handled them; what comes beyond waits at the brokers,
in order. A worker must not need longer than ``ack_wait_s`` for those of all its partitions, or gets them again."""

STORE_TIMEOUT_S = 2
"""A node that cannot store a message within this, as there is no leader, ends the phone's connection. The phone comes
again and sends all that was not acknowledged, in order; the later that is, the more was stored out of order by then."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node as others reach it: MQTT port, port for the other nodes, port for its figures (HTTP, loopback alone)."""

    host: str
    port: int
    route_port: int
    monitor_port: int

    @property
    def is_local(self) -> bool:
        """Whether it can be reached from its own machine alone."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def bind(self) -> str:
        """The address that it listens on."""
        return "127.0.0.1" if self.is_local else "0.0.0.0"  # noqa: S104 - a node of several machines


@dataclass(frozen=True, slots=True)
class User:
    """Who may connect by MQTT, and the subjects that are allowed."""

    name: str
    password: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tls:
    """Where each node has its certificate, key and, for the traffic between nodes, their authority's certificate."""

    cert: str
    key: str
    cafile: str | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """``partitions`` for phones below ``root``, predictions there too; ``prefix`` is Home Assistant's.

    ``store`` is each node's folder for messages, at most ``store_gib`` large. What a worker was given and has not
    handled within ``ack_wait_s`` it is given again, or who serves its partitions then. With ``anonymous``, who gives no
    user name is taken for a phone.
    """

    nodes: tuple[Node, ...]
    partitions: int
    root: str
    prefix: str
    users: tuple[User, ...]
    route_password: str
    store: str
    store_gib: int
    ack_wait_s: int
    anonymous: bool = False
    tls: Tls | None = None


def users_of(root: str, prefix: str, passwords: dict[str, str]) -> tuple[User, ...]:
    """``phone`` sends samples, ``worker`` recognises, ``viewer`` reads predictions (as Home Assistant) and labels."""
    own, moved, shown = subject(root), subject(partitions_root(root)), subject(prefix)
    return (
        User("phone", passwords["phone"], publish=(f"{moved}.>",), subscribe=()),
        User(
            "worker",
            passwords["worker"],
            publish=(f"{own}.>", f"{shown}.>"),
            subscribe=(f"{moved}.>", f"{own}.>", f"{shown}.>", "$MQTT.sub.>"),
        ),
        User(
            "viewer",
            passwords["viewer"],
            publish=(f"{shown}.status", f"{moved}.*.*.{own}.*.label"),
            subscribe=(f"{own}.>", f"{shown}.>", "$MQTT.sub.>"),
        ),
    )


def node_configuration(cluster: Cluster, index: int) -> str:
    """What ``nats-server -c`` reads on a node."""
    node = cluster.nodes[index]
    store = json.dumps(f"{cluster.store}/node-{index}")
    return "\n".join(
        (
            f"# Node {index} of {len(cluster.nodes)}; made by 'har-stream cluster init'.",
            f'server_name: "{subject(cluster.root).replace(".", "-")}-{index}"',
            'listen: "127.0.0.1:-1"',
            f'http: "127.0.0.1:{node.monitor_port}"',
            'write_deadline: "60s"',
            "max_pending: 256MB",
            "max_connections: 1000000",
            f"jetstream {{ store_dir: {store}, max_file_store: {cluster.store_gib}GB }}",
            *_routes(cluster, node),
            *_mqtt(cluster, node),
            *_users(cluster.users),
            *_mappings(cluster),
            "",
        )
    )


def _routes(cluster: Cluster, node: Node) -> Sequence[str]:
    if len(cluster.nodes) == 1:
        return ()
    secret = f"har:{cluster.route_password}"
    routes = [f'    "nats://{secret}@{other.host}:{other.route_port}"' for other in cluster.nodes]
    tls = cluster.tls
    encrypted = (
        f"  tls {{ cert_file: {json.dumps(tls.cert)}, key_file: {json.dumps(tls.key)}, "
        f"ca_file: {json.dumps(tls.cafile)}, verify: true }}"
        if tls and tls.cafile
        else ""
    )
    return [
        "cluster {",
        f'  name: "{subject(cluster.root).replace(".", "-")}"',
        f'  listen: "{node.bind}:{node.route_port}"',
        f'  authorization {{ user: har, password: "{cluster.route_password}" }}',
        *([encrypted] if encrypted else []),
        "  routes: [",
        *routes,
        "  ]",
        "}",
    ]


def _mqtt(cluster: Cluster, node: Node) -> Sequence[str]:
    tls = cluster.tls
    return [
        "mqtt {",
        f'  listen: "{node.bind}:{node.port}"',
        f'  max_ack_pending: {MAX_ACK_PENDING}, ack_wait: "{cluster.ack_wait_s}s"',
        f'  js_api_timeout: "{STORE_TIMEOUT_S}s"',
        *(['  no_auth_user: "phone"'] if cluster.anonymous else []),
        *([f"  tls {{ cert_file: {json.dumps(tls.cert)}, key_file: {json.dumps(tls.key)} }}"] if tls else []),
        "}",
    ]


def _users(users: Sequence[User]) -> Sequence[str]:
    return ["authorization {", "  users: [", *map(_user, users), "  ]", "}"]


def _user(user: User) -> str:
    subscribe = json.dumps(user.subscribe) if user.subscribe else '{ deny: ">" }'
    permissions = f"{{ publish: {json.dumps(user.publish)}, subscribe: {subscribe} }}"
    return (
        f'    {{ user: "{user.name}", password: "{user.password}", allowed_connection_types: ["MQTT", "MQTT_WS"],\n'
        f"      permissions: {permissions} }}"
    )


def _mappings(cluster: Cluster) -> Sequence[str]:
    moved = mappings(cluster.root, cluster.partitions)
    return ["mappings {", *(f'  "{source}": "{target}"' for source, target in moved.items()), "}"]
