"""How many brokers, workers and cores a number of phones takes, and a simulation of the queues that checks it.

    python -m benchmarks.cluster_plan --phones 1000000

All costs are arguments; their defaults were measured, and docs/scaling.md says where. What is reckoned: messages,
network, cores of brokers and workers at a stated utilisation, and what they cost at stated prices. What is simulated:
the phones' real names are dealt to partitions by the brokers' hash; the worker that got most of them takes what has
come every ``gather`` ms, and needs a fixed time for the call, a time a message and a time a window; a broker is c cores
with a fixed time a message and random arrivals (M/D/c). Then that worker is dead for a while, and what has waited comes
at once; then all messages wait while the brokers elect leaders.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

import click
import numpy as np
import numpy.typing as npt

from streamer.cluster.partitioning import MAX_PARTITIONS, partition_of

HOP_S = 1.28
"""From one window of a phone to the next."""

OVERHEAD_BYTES = 100
"""Of topic, MQTT, TCP and IP, a message."""

SECONDS = 60.0
"""Simulated, of the steady state."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Costs:
    """What things cost: microseconds of a core, bytes, KiB."""

    broker_us: float
    prediction_us: float
    worker_message_us: float
    worker_window_us: float
    worker_call_us: float
    gather_ms: float
    payload_bytes: float
    prediction_bytes: float
    predictions_out: float
    phone_kib: float
    connection_kib: float


@dataclass(frozen=True)
class Prices:
    """Of a core for an hour, a GiB of memory for an hour, a GB between machines; in any currency."""

    core: float
    gib: float
    gb: float


@dataclass(frozen=True)
class Plan:
    """For so many phones."""

    phones: int
    messages_per_s: float
    windows_per_s: float
    workers: int
    partitions: int
    worker_utilisation: float
    nodes: int
    cores_of_a_node: int
    broker_utilisation: float
    ingress_gbit_s: float
    between_gbit_s: float
    memory_gib: float
    cores: int
    price_per_hour: float
    price_per_phone_month: float


def make_plan(
    phones: int, per_s: float, costs: Costs, prices: Prices, *, utilisation: float, node_cores: int, per_worker: int
) -> Plan:
    """As many workers of a core and nodes of ``node_cores`` as keep to the utilisation.

    Parameters
    ----------
    per_s : messages of a phone a second.
    per_worker : partitions of a worker.
    """
    messages, windows = phones * per_s, phones / HOP_S
    worker_us = messages * costs.worker_message_us + windows * costs.worker_window_us
    calls = costs.worker_call_us / (1000 * costs.gather_ms)
    workers = math.ceil(worker_us / 1e6 / (utilisation - calls))
    out = windows * costs.predictions_out
    broker_cores = (messages * costs.broker_us + out * costs.prediction_us) / 1e6
    nodes = max(3, math.ceil(broker_cores / (node_cores * utilisation)))
    ingress = messages * (costs.payload_bytes + OVERHEAD_BYTES)
    told = out * (costs.prediction_bytes + OVERHEAD_BYTES)
    between = (ingress + told) * (nodes - 1) / nodes + ingress + told
    cores = workers + nodes * node_cores
    memory = phones * (costs.phone_kib + costs.connection_kib) / 2**20 + workers * 0.25
    price = cores * prices.core + memory * prices.gib + (ingress + between) * 3600 / 1e9 * prices.gb
    return Plan(
        phones=phones,
        messages_per_s=messages,
        windows_per_s=round(windows),
        workers=workers,
        partitions=workers * per_worker,
        worker_utilisation=round(worker_us / 1e6 / workers + calls, 3),
        nodes=nodes,
        cores_of_a_node=node_cores,
        broker_utilisation=round(broker_cores / (nodes * node_cores), 3),
        ingress_gbit_s=round(8 * ingress / 1e9, 2),
        between_gbit_s=round(8 * between / 1e9, 2),
        memory_gib=round(memory),
        cores=cores,
        price_per_hour=round(price, 2),
        price_per_phone_month=price * 730 / phones,
    )


def phones_of_workers(phones: int, plan: Plan) -> npt.NDArray[np.int64]:
    """How many phones each worker gets, of phones with names like ``phone-0000001``, by the brokers' hash."""
    of_partitions = np.zeros(plan.partitions, np.int64)
    for number in range(phones):
        of_partitions[partition_of(f"phone-{number:07d}", plan.partitions)] += 1
    of_workers: npt.NDArray[np.int64] = of_partitions.reshape(plan.workers, -1).sum(axis=1)
    return of_workers


@dataclass(frozen=True)
class Served:
    """Latency of windows from the arrival of their last message; how long the worker was behind once it was back."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    behind_s: float


def serve(phones: int, per_s: float, costs: Costs, rng: np.random.Generator, *, dead_s: float = 0.0) -> Served:
    """One worker and its phones, each at a phase of its own; dead for so long after 10 s."""
    tick_s = costs.gather_ms / 1000
    arrivals = _ticks(phones, 1 / per_s, tick_s, rng)
    windows = _ticks(phones, HOP_S, tick_s, rng)
    waits, weights, behind_s = [], [], 0.0
    free_s, waiting, waiting_windows = 0.0, 0, [(0.0, 0)]
    back_s = 10.0 + dead_s
    for number, (came, done) in enumerate(zip(arrivals, windows, strict=True)):
        now_s = (number + 1) * tick_s
        waiting += int(came)
        waiting_windows.append((now_s - tick_s / 2, int(done)))
        is_dead = dead_s and 10.0 <= now_s < back_s
        if is_dead or free_s > now_s:
            continue
        n_windows = sum(n for _, n in waiting_windows)
        service_us = costs.worker_call_us + waiting * costs.worker_message_us + n_windows * costs.worker_window_us
        free_s = now_s + service_us / 1e6
        waits += [1000 * (free_s - at_s) for at_s, _ in waiting_windows]
        weights += [n for _, n in waiting_windows]
        if dead_s and now_s > back_s and service_us / 1e6 > 5 * tick_s:
            behind_s = free_s - back_s
        waiting, waiting_windows = 0, []
    p50, p99 = _weighted(np.array(waits), np.array(weights), (0.5, 0.99))
    return Served(round(p50, 1), round(p99, 1), round(max(waits), 1), round(behind_s, 1))


def _ticks(phones: int, period_s: float, tick_s: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """How much comes in each tick from phones that send periodically, each at a phase of its own."""
    count = round(SECONDS / tick_s)
    phases = rng.uniform(0, period_s, phones)
    total = np.zeros(count, np.int64)
    for repeat in range(math.ceil(SECONDS / period_s)):
        at = ((phases + repeat * period_s) / tick_s).astype(np.int64)
        total += np.bincount(at[at < count], minlength=count)
    return total


def _weighted(values: Floats, weights: npt.NDArray[np.int64], shares: tuple[float, ...]) -> list[float]:
    order = np.argsort(values)
    sums = np.cumsum(weights[order])
    return [float(values[order][np.searchsorted(sums, share * sums[-1])]) for share in shares]


def broker_wait_ms(per_s: float, service_us: float, cores: int, rng: np.random.Generator) -> float:
    """The 99th percentile of the time in a broker of so many cores, ms: M/D/c, a million messages.

    With equal service times the n-th message is served where the (n - c)-th was (Crommelin 1932), so that each core's
    queue is Lindley's recursion, which a running maximum solves.
    """
    n = 1_000_000 // cores * cores
    arrivals = np.cumsum(rng.exponential(1 / per_s, n)).reshape(-1, cores)
    steps = np.arange(len(arrivals))[:, None] * service_us / 1e6
    starts = np.maximum.accumulate(arrivals - steps, axis=0) + steps
    return float(np.percentile(starts - arrivals, 99) * 1000 + service_us / 1000)


def check(plan: Plan, per_s: float, costs: Costs, *, dead_worker_s: float, election_s: float) -> dict[str, object]:
    """The simulation of a plan."""
    rng = np.random.default_rng(0)
    dealt = phones_of_workers(plan.phones, plan)
    most = int(dealt.max())
    steady, mean = serve(most, per_s, costs, rng), serve(int(dealt.mean()), per_s, costs, rng)
    out = plan.windows_per_s * costs.predictions_out
    of_a_node = (plan.messages_per_s + out) / plan.nodes
    mean_us = (plan.messages_per_s * costs.broker_us + out * costs.prediction_us) / (plan.messages_per_s + out)
    return {
        "phones_of_a_worker": {"mean": round(float(dealt.mean())), "least": int(dealt.min()), "most": most},
        "worker": asdict(mean),
        "fullest_worker": asdict(steady),
        "fullest_worker_dead": {"for_s": dead_worker_s} | asdict(serve(most, per_s, costs, rng, dead_s=dead_worker_s)),
        "all_wait_for_leaders": {"for_s": election_s} | asdict(serve(most, per_s, costs, rng, dead_s=election_s)),
        "broker_p99_ms": round(broker_wait_ms(of_a_node, mean_us, plan.cores_of_a_node, rng), 3),
        "broker_p99_ms_with_a_node_dead": _with_a_node_dead(plan, of_a_node, mean_us, rng),
    }


def _with_a_node_dead(plan: Plan, of_a_node: float, mean_us: float, rng: np.random.Generator) -> float | None:
    more = of_a_node * plan.nodes / (plan.nodes - 1)
    if more * mean_us / 1e6 >= plan.cores_of_a_node:
        return None
    return round(broker_wait_ms(more, mean_us, plan.cores_of_a_node, rng), 3)


@click.command()
@click.option("--phones", type=int, default=1_000_000, show_default=True)
@click.option("--messages-per-s", "per_s", default=2.0, show_default=True, help="Of a phone.")
@click.option("--broker-us", default=21.0, show_default=True, help="Of a message, all nodes' processors together.")
@click.option("--prediction-us", default=329.0, show_default=True, help="The same of what a worker publishes.")
@click.option("--store-per-s", default=0.0, show_default=True, help="QoS 1: what one cluster's store takes; 0: QoS 0.")
@click.option("--worker-message-us", default=270.0, show_default=True)
@click.option("--worker-window-us", default=330.0, show_default=True)
@click.option("--worker-call-us", default=1000.0, show_default=True, help="Fixed, of each call for all that waits.")
@click.option("--gather-ms", default=20.0, show_default=True)
@click.option("--payload-bytes", default=1450.0, show_default=True)
@click.option("--prediction-bytes", default=450.0, show_default=True)
@click.option("--predictions-out", default=0.0, show_default=True, help="Published for a window; 0: --no-publish.")
@click.option("--phone-kib", default=40.0, show_default=True, help="Of a phone's state in a worker.")
@click.option("--connection-kib", default=16.0, show_default=True, help="Of a phone's connection at a broker.")
@click.option("--utilisation", default=0.6, show_default=True)
@click.option("--node-cores", default=16, show_default=True)
@click.option("--partitions-of-a-worker", "per_worker", default=1, show_default=True)
@click.option("--core-hour", default=0.04, show_default=True)
@click.option("--gib-hour", default=0.005, show_default=True)
@click.option("--gb", default=0.0, show_default=True, help="Of traffic between machines.")
@click.option("--worker-restart-s", default=5.0, show_default=True)
@click.option("--election-s", default=9.0, show_default=True, help="QoS 1: nothing is taken for so long after a death.")
def main(
    phones: int,
    per_s: float,
    store_per_s: float,
    utilisation: float,
    node_cores: int,
    per_worker: int,
    core_hour: float,
    gib_hour: float,
    gb: float,
    worker_restart_s: float,
    election_s: float,
    **costs: float,
) -> None:
    """Reckon, simulate, and print JSON."""
    all_costs, prices = Costs(**costs), Prices(core_hour, gib_hour, gb)
    plan = make_plan(
        phones, per_s, all_costs, prices, utilisation=utilisation, node_cores=node_cores, per_worker=per_worker
    )
    simulated = check(plan, per_s, all_costs, dead_worker_s=worker_restart_s, election_s=election_s)
    by_store = plan.messages_per_s / store_per_s if store_per_s else 0.0
    clusters = {"clusters_at_least": math.ceil(max(by_store, plan.partitions / MAX_PARTITIONS))}
    told = {"costs": asdict(all_costs), "plan": asdict(plan) | clusters, "simulated": simulated}
    click.echo(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
