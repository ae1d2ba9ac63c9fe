"""A cluster of brokers on loopback, made and run by the product's own commands."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.brokers import free_ports
from tests.processes import ROOT, command, environment, run

PARTITIONS = 6


@dataclass
class RunningCluster:
    """``ports`` are the nodes' for MQTT; phones need no password."""

    folder: Path
    ports: list[int]
    monitor_ports: list[int]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def brokers(self) -> list[str]:
        """Arguments of a worker."""
        return [word for port in self.ports for word in ("--broker", f"127.0.0.1:{port}")]

    @property
    def worker(self) -> list[str]:
        """Arguments of a worker, but for its partitions."""
        return [*self.brokers, "--username", "worker", "--password-file", str(self.folder / "worker.password")]

    def start(self, node: int) -> None:
        with (self.folder / f"node-{node}.log").open("ab") as log:
            words = command("streamer", "cluster", "run", self.folder, "--node", node)
            self.processes.append(subprocess.Popen(words, stdout=log, stderr=log, cwd=ROOT, env=environment()))

    def wait_until_healthy(self, node: int) -> None:
        deadline = time.monotonic() + 60
        while not self._is_healthy(node):
            assert time.monotonic() < deadline, (self.folder / f"node-{node}.log").read_text()
            time.sleep(0.1)

    def _is_healthy(self, node: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor_ports[node]}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def consumers(self) -> int:
        """What the brokers keep messages for: the subscriptions of sessions, above quality of service 0."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor_ports[0]}/jsz?streams=1", timeout=5) as answer:
            accounts = json.load(answer)["account_details"]
        streams = [stream for account in accounts for stream in account["stream_detail"]]
        return sum(stream["state"]["consumer_count"] for stream in streams if stream["name"] == "$MQTT_msgs")

    def kill(self, node: int) -> None:
        """As kill -9 does."""
        self.processes[node].kill()
        self.processes[node].wait()


@contextmanager
def running_cluster(folder: Path, *flags: object, nodes: int = 3) -> Iterator[RunningCluster]:
    """So many nodes, all of them ready."""
    ports = free_ports(nodes)
    routes, monitors = free_ports(nodes)[0], free_ports(nodes)[0]
    where = ",".join(f"127.0.0.1:{port}" for port in ports)
    places = ["--route-port", str(routes), "--monitor-port", str(monitors)]
    made = run("streamer", "cluster", "init", folder, "--nodes", where, "--partitions", PARTITIONS, *places, *flags)
    assert made.returncode == 0, made.stderr
    cluster = RunningCluster(folder, ports, [monitors + node for node in range(nodes)])
    try:
        for node in range(nodes):
            cluster.start(node)
        for node in range(nodes):
            cluster.wait_until_healthy(node)
        yield cluster
    finally:
        for node in range(len(cluster.processes)):
            cluster.kill(node)
