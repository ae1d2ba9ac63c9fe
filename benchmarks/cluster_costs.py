"""What a message costs the brokers of a cluster: processor, disk, and how many a second they take.

    python -m benchmarks.cluster_costs

All nodes are on this machine, as are sender and worker, so messages a second are what this machine can do with all of
them on it, and a lower bound; processor time is the brokers' own, of all nodes together. Each kind is published as fast
as the brokers take it, by 24 connections spread over the nodes; a worker's sessions hear all samples, and acknowledge
them at once.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psutil

from benchmarks.cluster_phones import Due, SimulatedPhone
from benchmarks.load.connections import Connection
from benchmarks.load.payloads import encode_bodies
from benchmarks.throughput.machine import describe
from streamer.address import parse_broker
from streamer.cluster.partitioning import parse_partitions
from streamer.cluster.sessions import connections
from streamer.inbox import Message
from streamer.publishing.topics import Topics
from streamer.subscription import SubscriberOptions
from tests.clusters import PARTITIONS, RunningCluster, running_cluster

PHONES = 24
PREDICTION_BYTES = 450
"""Of a prediction's JSON, about."""


@dataclass(frozen=True)
class Cost:
    """Of a kind of message, on so many nodes; microseconds of all nodes' processors, bytes that all wrote to disk."""

    nodes: int
    kind: str
    payload_bytes: int
    messages: int
    per_s: float
    cpu_us: float
    disk_bytes: float


class Counter:
    """Counts what comes; everything is handled as it is accepted."""

    def __init__(self) -> None:
        self.accepted = 0
        self._lock = threading.Lock()

    @property
    def handled(self) -> int:
        """All."""
        return self.accepted

    def __call__(self, messages: Sequence[Message]) -> None:
        with self._lock:
            self.accepted += len(messages)


@contextmanager
def hearing(cluster: RunningCluster) -> Iterator[Counter]:
    """A worker of all partitions that handles nothing."""
    password = (cluster.folder / "worker.password").read_text().strip()
    addresses = [parse_broker(f"127.0.0.1:{port}", username="worker", password=password) for port in cluster.ports]
    options = SubscriberOptions(addresses[-1], (), 1, "", 60, 311, others=tuple(addresses[:-1]))
    counter = Counter()
    made = connections(
        options, parse_partitions([f"0-{PARTITIONS - 1}/{PARTITIONS}"]), Topics(), counter, None, counter
    )
    made.start()
    try:
        yield counter
    finally:
        made.stop()


def usage(processes: Sequence[psutil.Process]) -> tuple[float, float]:
    """Seconds of processor and bytes to disk so far, of all."""
    times = [process.cpu_times() for process in processes]
    return sum(t.user + t.system for t in times), sum(process.io_counters().write_bytes for process in processes)


async def send(phones: Sequence[SimulatedPhone]) -> None:
    """Everything, as fast as it is taken."""
    start_s = time.monotonic()
    await asyncio.gather(*(phone.run(start_s) for phone in phones))


def measure(cluster: RunningCluster, kind: str, qos: int, payload: bytes, topic: str, count: int) -> Cost:
    """Publish so many of a kind, and wait until they have been heard (those for workers) and acknowledged."""
    n = len(cluster.ports)
    password = (cluster.folder / "worker.password").read_text().strip()
    user = None if topic.endswith("imu") else ("worker", password)
    phones = [
        SimulatedPhone(
            f"cost-{qos}-{k}",
            [Due(0.0, topic.replace("+", f"p{k}"), payload, retain=topic.endswith("activity"))] * (count // PHONES),
            [("127.0.0.1", cluster.ports[k % n])],
            qos=qos,
            user=user,
        )
        for k in range(PHONES)
    ]
    processes = [psutil.Process(process.pid) for process in cluster.processes]
    with hearing(cluster) as heard:
        time.sleep(1.0)
        before, start_s = usage(processes), time.monotonic()
        asyncio.run(send(phones))
        expected = count // PHONES * PHONES if topic.endswith("imu") else 0
        while heard.accepted < expected and time.monotonic() - start_s < 120:
            time.sleep(0.01)
        took_s = time.monotonic() - start_s
        time.sleep(0.5)
        after = usage(processes)
    return Cost(
        nodes=n,
        kind=kind,
        payload_bytes=len(payload),
        messages=count,
        per_s=round(count / took_s),
        cpu_us=round(1e6 * (after[0] - before[0]) / count, 1),
        disk_bytes=round((after[1] - before[1]) / count),
    )


def connection_kib(cluster: RunningCluster, count: int = 800) -> float:
    """KiB of a node's memory for each phone that is connected to it and silent."""
    node = psutil.Process(cluster.processes[-1].pid)
    before = node.memory_info().rss
    phones = [Connection(cluster.ports[-1], f"silent-{k}") for k in range(count)]
    time.sleep(1.0)
    held = node.memory_info().rss - before
    for phone in phones:
        phone.close()
    return round(held / 1024 / count, 1)


@click.command()
@click.option("--messages", type=int, default=24_000, show_default=True, help="Of each kind.")
@click.option("--nodes", default="1,3", show_default=True)
def main(messages: int, nodes: str) -> None:
    """Measure, and print JSON lines and a table."""
    bodies = encode_bodies("msgpack", batch=25, recordings=1)
    samples = bodies.head(1_000_000, 1_700_000_000.5) + bodies.tails[0][0]
    kinds = [
        ("samples, QoS 0", 0, samples, "har/+/imu"),
        ("samples, QoS 1", 1, samples, "har/+/imu"),
        ("predictions, QoS 1", 1, b"x" * PREDICTION_BYTES, "har/+/activity"),
    ]
    click.echo(json.dumps({"machine": describe()}))
    for number in map(int, nodes.split(",")):
        with (
            TemporaryDirectory() as folder,
            running_cluster(Path(folder) / "c", "--anonymous", nodes=number) as cluster,
        ):
            for kind, qos, payload, topic in kinds:
                click.echo(json.dumps(asdict(measure(cluster, kind, qos, payload, topic, messages))))
            click.echo(json.dumps({"nodes": number, "connection_kib": connection_kib(cluster)}))


if __name__ == "__main__":
    main()
