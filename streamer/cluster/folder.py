"""The folder that ``har-stream cluster init`` writes: a configuration a node, passwords, units, and how to use them."""

from __future__ import annotations

import secrets
from itertools import pairwise
from pathlib import Path

from model.errors import HarError
from streamer.cluster.configuration import Cluster, node_configuration
from streamer.cluster.partitioning import moved_topics, parse_partitions, partition_of

ROUTE = "route"
PASSWORDS = ("phone", "worker", "viewer", ROUTE)
"""Those of the users, and that of the nodes among each other."""

KEEPALIVE_S = 5
"""A worker notices within twice that that its node's machine is dead."""

_SECRET, _PLAIN = 0o600, 0o644


def configuration_file(folder: Path, node: int) -> Path:
    """A node's configuration."""
    return folder / f"node-{node}.conf"


def password_file(folder: Path, user: str) -> Path:
    """A file whose first line is a user's password, as ``--password-file`` reads it."""
    return folder / f"{user}.password"


def make_passwords(folder: Path, *, again: bool) -> dict[str, str]:
    """A password for each of :data:`PASSWORDS`: those that the folder has, or else new ones.

    Raises
    ------
    HarError : the folder has something in it; or, ``again``, it has no passwords.
    """
    try:
        if again:
            return {name: password_file(folder, name).read_text(encoding="utf-8").strip() for name in PASSWORDS}
        if folder.is_dir() and any(folder.iterdir()):
            raise HarError(f"The folder {folder} is not empty; give another, or --again to keep its passwords.")
    except OSError as error:
        raise HarError(
            f"The folder {folder} has no passwords to keep ({error.strerror}); leave out --again."
        ) from error
    return {name: secrets.token_urlsafe(18) for name in PASSWORDS}


def write_folder(folder: Path, cluster: Cluster) -> list[Path]:
    """Write everything; gives the files.

    Raises
    ------
    HarError : the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(folder / name, text, mode) for name, (text, mode) in _contents(folder, cluster).items()]
    except OSError as error:
        raise HarError(f"The folder {folder} cannot be written ({error.strerror}); give another.") from error


def _write(path: Path, text: str, mode: int) -> Path:
    path.touch(mode=mode)
    path.write_text(text, encoding="utf-8")
    return path


def _contents(folder: Path, cluster: Cluster) -> dict[str, tuple[str, int]]:
    secret = {configuration_file(folder, k).name: node_configuration(cluster, k) for k in range(len(cluster.nodes))}
    passwords = {user.name: user.password for user in cluster.users} | {ROUTE: cluster.route_password}
    secret |= {password_file(folder, name).name: f"{password}\n" for name, password in passwords.items()}
    plain = {
        "har-broker@.service": _BROKER_UNIT,
        "har-worker@.service": _WORKER_UNIT.format(listen=listen_command(cluster, "%i")),
        "README.md": _readme(cluster),
    }
    return {name: (text, _SECRET) for name, text in secret.items()} | {
        name: (text, _PLAIN) for name, text in plain.items()
    }


def listen_command(cluster: Cluster, indices: str) -> str:
    """The command line of the worker of some partitions."""
    scheme = "mqtts://" if cluster.tls else ""
    brokers = " ".join(f"--broker {scheme}{node.host}:{node.port}" for node in cluster.nodes)
    cafile = f" --cafile {cluster.tls.cafile}" if cluster.tls and cluster.tls.cafile else ""
    root = "" if cluster.root == "har" else f" --root {cluster.root}"
    return (
        f"har-stream listen {brokers}{cafile}{root} --username worker --password-file worker.password "
        f"--keepalive {KEEPALIVE_S} --partition {indices}/{cluster.partitions} --output jsonl"
    )


def shares(partitions: int, workers: int) -> list[str]:
    """The partitions' indices spread evenly over so many workers, as ``--partition`` takes them: ``0-5``."""
    bounds = [round(k * partitions / workers) for k in range(workers + 1)]
    spans = [(first, stop - 1) for first, stop in pairwise(bounds) if stop > first]
    return [str(first) if first == last else f"{first}-{last}" for first, last in spans]


def _readme(cluster: Cluster) -> str:
    nodes = cluster.nodes
    several = shares(cluster.partitions, max(3, len(nodes)))
    example = "ann"
    heard = moved_topics(
        cluster.root, parse_partitions([f"{partition_of(example, cluster.partitions)}/{cluster.partitions}"])[0]
    )
    return _README.format(
        count=len(nodes),
        table="\n".join(
            f"| {k} | {node.host} | {node.port} | {node.route_port} | {node.monitor_port} |"
            for k, node in enumerate(nodes)
        ),
        runs="\n".join(f"har-stream cluster run . --node {k}    # on {node.host}" for k, node in enumerate(nodes)),
        workers="\n".join(listen_command(cluster, share) for share in several),
        example=f"`{cluster.root}/{example}/imu`",
        heard=f"`{heard}`",
        phone="need no password" if cluster.anonymous else "log in as `phone` with the password in `phone.password`",
        share=several[0],
        partitions=cluster.partitions,
        store=cluster.store,
        store_gib=cluster.store_gib,
    )


_BROKER_UNIT = """\
# systemctl enable --now har-broker@0    (the node's number; the folder is expected in /etc/har-cluster)
[Unit]
Description=har-stream: node %i of the brokers' cluster
After=network-online.target

[Service]
WorkingDirectory=/etc/har-cluster
ExecStart=/usr/bin/env har-stream cluster run /etc/har-cluster --node %i
Restart=always
RestartSec=1
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
"""

_WORKER_UNIT = """\
# systemctl enable --now har-worker@0-5    (the partitions of this worker)
[Unit]
Description=har-stream: worker of the partitions %i
After=network-online.target
StartLimitIntervalSec=0

[Service]
WorkingDirectory=/etc/har-cluster
ExecStart=/usr/bin/env {listen}
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""

_README = """\
# A cluster of brokers for har-stream

{count} nodes of nats-server. Each moves what a phone publishes to the topics of one of {partitions} partitions, always
the same one: {example} is heard under {heard}. A worker serves some partitions.

| node | host | MQTT | for the other nodes | figures (HTTP, on the node alone) |
| --- | --- | --- | --- | --- |
{table}

## Start

Copy this folder to each machine, keep it secret (the configurations have passwords in them), and start the node there:

```sh
{runs}
```

Or by systemd, with the folder in `/etc/har-cluster`: `har-broker@.service` and `har-worker@.service` go to
`/etc/systemd/system`; then `systemctl enable --now har-broker@0` on the first machine, and so on.

Workers, on any machines; each partition must be served by exactly one, which systemd starts again when it dies:

```sh
{workers}
```

The same as a service: `systemctl enable --now har-worker@{share}`.

Phones connect to any node, best by one name in the DNS that has all nodes' addresses; they
{phone}. Who reads predictions, or gives labels, logs in as `viewer`.

## What to know

- Start the workers once before the phones: what is sent before a partition's worker has ever been there is not kept.
- A dead worker's messages wait in `{store}` for whoever serves its partitions next, up to {store_gib} GB a node. When
  that is full, the brokers take no more messages of quality of service 1 from anybody: a partition that nobody is to
  serve any more is given up by `har-stream cluster forget --partition K/{partitions}`.
- Between the nodes goes all the phones' traffic; unless --cafile was given, it is not encrypted there.
"""
