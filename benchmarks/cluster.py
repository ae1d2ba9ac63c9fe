"""Three brokers, three workers, 600 phones in real time; then one of each is killed.

    python -m benchmarks.cluster                # everything on this machine, generator included

Told are: whether each phone was on exactly one worker; whether the predictions until the first kill are those of a
single listener of the same messages; how long after each kill every phone was answered again; and whether all that the
brokers had acknowledged came to a worker. What came is read from the workers' own recordings; a killed worker's ends up
to a second before it, so what is missing of that second is counted apart.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import psutil

from benchmarks.cluster_phones import Due, SimulatedPhone
from benchmarks.throughput.machine import describe
from model.bundled import index, load_recording
from model.signals import SAMPLING_RATE
from streamer.capture.reader import open_capture
from streamer.cluster.folder import shares
from streamer.cluster.partitioning import parse_partitions, partition_of
from streamer.inbox import Message
from streamer.listener import Listener, ListenerOptions
from streamer.outputs import JsonLines
from streamer.recognition.loading import EngineOptions, load_engine
from streamer.wire import decode_imu, encode_imu
from tests.clusters import PARTITIONS, RunningCluster, running_cluster
from tests.processes import Listening

BATCH = 25
PACE_S = BATCH / SAMPLING_RATE
WORKERS = 3
BEGIN_S = 1_700_000_000.0
PATIENCE_S = 40.0
CALM_S = 6.0
"""Between a node's death and a worker's: what waited has been worked off by then."""

SHARED = 10
"""Phones of one connection."""

Key = tuple[str, int]


def make_gateways(count: int, n_messages: int, ports: Sequence[int]) -> list[SimulatedPhone]:
    """Phones that send pieces of the recordings in the box as MessagePack, two messages a second.

    Several of them share a connection, so that the generator costs little.
    """
    samples = [load_recording(experiment).samples[1000:] for experiment, _ in index()]
    names = [f"p{k:04d}" for k in range(count)]
    gateways = []
    for first in range(0, count, SHARED):
        mine = names[first : first + SHARED]
        pieces = []
        for k in range(first, first + len(mine)):
            turned = np.roll(samples[k % len(samples)], -97 * k, axis=0)
            pieces.append(np.resize(turned, (n_messages * BATCH, 6)).reshape(-1, BATCH, 6))
        messages = [
            Due(
                PACE_S * (seq + first / count),
                f"har/{name}/imu",
                encode_imu(piece[seq], time_s=BEGIN_S + seq * PACE_S, seq=seq, start=seq == 0, encoding="msgpack"),
            )
            for seq in range(n_messages)
            for name, piece in zip(mine, pieces, strict=True)
        ]
        nodes = [("127.0.0.1", ports[(first // SHARED + j) % len(ports)]) for j in range(len(ports))]
        gateways.append(SimulatedPhone(f"gateway-{first}", messages, nodes))
    return gateways


def send(gateways: Sequence[SimulatedPhone]) -> threading.Thread:
    """Start all phones on a thread of their own."""

    async def run() -> None:
        start_s = time.monotonic() + 1.0
        await asyncio.gather(*(gateway.run(start_s) for gateway in gateways))

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    return thread


def keys(gateway: SimulatedPhone) -> list[Key]:
    """Phone and number of each of its messages."""
    return [(due.topic.split("/")[1], place // SHARED) for place, due in enumerate(gateway.messages)]


class Worker:
    """``har-stream listen`` of some partitions; ``phones`` are its own."""

    def __init__(self, cluster: RunningCluster, share: str, capture: Path, phones: set[str]) -> None:
        self.phones = phones
        self.capture = capture
        words = (*cluster.worker, "--partition", f"{share}/{PARTITIONS}", "--record", capture)
        started_s = time.monotonic()
        self.listening = Listening(*words)
        while "Listening to" not in self.listening.greeting:
            self.listening.kill()
            capture.unlink(missing_ok=True)
            self.listening = Listening(*words)
        self.start_s = time.monotonic() - started_s
        self._seen = 0

    def answered_after(self, moment_s: float) -> float:
        """Wait until each phone has a prediction of samples that were sent after a moment; say when that was."""
        wanted, lines = set(self.phones), self.listening.lines
        seen, deadline = self._seen, time.monotonic() + PATIENCE_S
        while wanted and time.monotonic() < deadline:
            time.sleep(0.05)
            new, seen = lines[seen:], len(lines)
            wanted -= {p["phone"] for p in new if p["type"] == "prediction" and p["end_s"] > moment_s}
        self._seen = seen
        return time.monotonic() if not wanted else float("inf")


def recorded(path: Path) -> Iterator[Key]:
    """Phone and number of each message in a capture."""
    with open_capture(path) as capture:
        for record in capture:
            seq = decode_imu(record.payload).seq
            yield record.topic.split("/")[1], -1 if seq is None else seq


def alone(gateways: Sequence[SimulatedPhone], until_s: float) -> dict[Key, dict[str, Any]]:
    """A single listener's predictions of the same messages, up to this moment of the recordings."""
    lines = StringIO()
    listener = Listener(ListenerOptions(max_phones=10_000), load_engine(EngineOptions()), [JsonLines(lines)])
    messages = sorted((due.at_s, due.topic, due.payload) for gateway in gateways for due in gateway.messages)
    wanted = (Message(topic, load, BEGIN_S + at_s) for at_s, topic, load in messages if BEGIN_S + at_s < until_s)
    listener.recognise(wanted)
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    return {(p["phone"], p["start_sample"]): p for p in told if p["type"] == "prediction"}


def compare(found: Sequence[dict[str, Any]], expected: dict[Key, dict[str, Any]]) -> dict[str, Any]:
    """How the workers' predictions differ from a single listener's."""
    pairs = [(p, expected[key]) for p in found if (key := (p["phone"], p["start_sample"])) in expected]
    differences = [abs(a["probabilities"][k] - b["probabilities"][k]) for a, b in pairs for k in a["probabilities"]]
    return {
        "predictions": len(found),
        "not_in_single": len(found) - len(pairs),
        "other_answer": sum(a["answer"] != b["answer"] for a, b in pairs),
        "largest_difference_of_a_probability": max(differences, default=None),
    }


def sample_now(gateways: Sequence[SimulatedPhone]) -> float:
    """Moment in the recordings up to which some phone has sent."""
    return BEGIN_S + PACE_S * max(len(gateway.sent_s) for gateway in gateways) / SHARED


def usage(processes: Sequence[psutil.Process]) -> float:
    """Seconds of processor so far."""
    return sum(t.user + t.system for t in (process.cpu_times() for process in processes))


@click.command()
@click.option("--phones", "count", type=int, default=600, show_default=True)
@click.option("--seconds", type=int, default=30, show_default=True, help="Undisturbed, before the first kill.")
def main(count: int, seconds: int) -> None:
    """Run it, and print the result as JSON; how long things took is told on stderr before the rest is worked out."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # workers have theirs, as installed ones do
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        cluster = stack.enter_context(running_cluster(folder / "cluster", "--anonymous"))
        gateways = make_gateways(count, round((seconds + 45) / PACE_S), cluster.ports)
        names = {key[0] for gateway in gateways for key in keys(gateway)}
        of_share: dict[str, set[str]] = {
            share: {name for name in names if partition_of(name, PARTITIONS) in indices(share)}
            for share in shares(PARTITIONS, WORKERS)
        }
        workers = [Worker(cluster, share, folder / share, mine) for share, mine in of_share.items()]
        for worker in workers:
            stack.callback(worker.listening.kill)
        brokers = [psutil.Process(process.pid) for process in cluster.processes]
        sending = send(gateways)
        result: dict[str, Any] = {"machine": describe(), "phones": count, "seconds": seconds}
        time.sleep(seconds / 3)
        before = usage(brokers), time.monotonic()
        time.sleep(seconds * 2 / 3)
        result["brokers_cores"] = round((usage(brokers) - before[0]) / (time.monotonic() - before[1]), 2)
        until_s = BEGIN_S + PACE_S * min(len(gateway.sent_s) for gateway in gateways) / SHARED

        killed_s, moment_s = time.monotonic(), sample_now(gateways)
        cluster.kill(0)
        result["answered_again_after_node_s"] = round(max(w.answered_after(moment_s) for w in workers) - killed_s, 2)

        time.sleep(CALM_S)
        doomed, share = workers[0], next(iter(of_share))
        killed_s, moment_s = time.monotonic(), sample_now(gateways)
        doomed.listening.kill()
        second = Worker(cluster, share, folder / "second", doomed.phones)
        stack.callback(second.listening.kill)
        result["worker_start_s"] = round(second.start_s, 2)
        result["answered_again_after_worker_s"] = round(second.answered_after(moment_s) - killed_s, 2)
        click.echo(json.dumps({name: value for name, value in result.items() if name.endswith("_s")}), err=True)
        sending.join(seconds + 120)
        time.sleep(12)
        alive = [*workers[1:], second]
        result["summaries"] = [w.listening.stop() for w in alive]
        result |= judge(gateways, workers, second, until_s)
    for summary in result["summaries"]:
        for long in ("confusion", "type"):
            summary.pop(long, None)
    click.echo(json.dumps(result, indent=1))


def indices(share: str) -> set[int]:
    """The partitions of a share."""
    return {partition.index for partition in parse_partitions([f"{share}/{PARTITIONS}"])}


def judge(
    gateways: Sequence[SimulatedPhone], workers: Sequence[Worker], second: Worker, until_s: float
) -> dict[str, Any]:
    """Where phones were, whether predictions are right, and what came of the acknowledged messages."""
    acked = {key for gateway in gateways for k, key in enumerate(keys(gateway)) if k in gateway.acked_s}
    came = [set(recorded(worker.capture)) for worker in (*workers, second)]
    missing = acked - set().union(*came)
    last_of_doomed = max((seq for _, seq in came[0]), default=0)
    early = [p for w in workers for p in w.listening.of_type("prediction") if p["end_s"] < until_s]
    latencies = [p["latency_ms"] for p in early if p["end_s"] > (BEGIN_S + until_s) / 2]
    return {
        "phones_of_workers": [len({name for name, _ in each}) for each in came],
        "phones_on_two_workers": len({n for n, _ in came[0]} & {n for n, _ in came[1] | came[2]})
        + len({n for n, _ in came[1]} & {n for n, _ in came[2]}),
        "acknowledged": len(acked),
        "of_all": sum(len(gateway.messages) for gateway in gateways),
        "missing_of_workers_that_lived": sum(name not in workers[0].phones for name, _ in missing),
        "missing_of_the_killed_one": sum(name in workers[0].phones for name, _ in missing),
        "of_these_not_in_its_last_second": sum(
            name in workers[0].phones and abs(seq - last_of_doomed) > 4 for name, seq in missing
        ),
        "until_the_first_kill": compare(early, alone(gateways, until_s + 1.0)),
        "latency_ms_of_the_second_half": [round(float(np.percentile(latencies, q)), 1) for q in (50, 90, 99)],
    }


if __name__ == "__main__":
    main()
