"""One soak: broker, listener, load in rounds, faults between them, and the verdict."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soak.churn import churn
from benchmarks.soak.slopes import Limit, Verdict, judge
from benchmarks.soak.watch import Series, read_metrics, watching
from benchmarks.throughput.systems import ROOT
from tests.brokers import Mosquitto, free_port, start_mosquitto
from tests.processes import Listening

LIMITS: dict[str, Limit] = {
    "memory [MB]": Limit(0.03, 3.0),
    "file descriptors": Limit(0.0, 1.0),
    "threads": Limit(0.0, 0.5),
    "latency p50 [ms]": Limit(0.5, 20.0),
    "queued messages": Limit(0.0, 50.0),
}
"""What each figure may grow by over the judged part of a run, whatever its length."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``seconds`` in rounds of ``round_s``: ``phones`` send in real time, ``passing`` come and vanish at each round's
    end, and the broker is restarted after every ``restart_every`` rounds (0: never).
    """

    seconds: float
    phones: int = 100
    round_s: float = 60.0
    passing: int = 200
    restart_every: int = 10
    every_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came of it: verdicts by figure, rounds, the listener's last metrics, and what it said on stderr."""

    verdicts: tuple[Verdict, ...]
    rounds: int
    metrics: dict[str, float]
    said: str
    unanswered: int

    @property
    def is_steady(self) -> bool:
        """Whether nothing has grown."""
        return all(verdict.is_steady for verdict in self.verdicts)


def soak(plan: Plan, folder: Path, on_round: Callable[[int, dict[str, float]], None], *more: object) -> Soaked:
    """Run it; ``folder`` is for broker and state, ``more`` arguments are the listener's."""
    with start_mosquitto(folder) as broker:
        port = free_port()
        listener = Listening(
            *("--broker", broker.where, "--metrics", port, "--state", folder / "state"),
            *("--max-phones", plan.phones + 2 * plan.passing, *more),
            keep_lines=False,
        )
        try:
            with watching(port, plan.every_s) as series:
                rounds = _rounds(plan, broker, port, on_round)
            metrics = read_metrics(port)
            listener.end()
            said = listener.rest_of_stderr()
        finally:
            listener.kill()
    return Soaked(_verdicts(series), rounds, metrics, said, series.failures)


def _rounds(plan: Plan, broker: Mosquitto, port: int, on_round: Callable[[int, dict[str, float]], None]) -> int:
    end_s, number = time.monotonic() + plan.seconds, 0
    while time.monotonic() < end_s:
        load = [sys.executable, "-m", "benchmarks.load", "--port", str(broker.port), "--phones", str(plan.phones)]
        seconds = ["--seconds", str(plan.round_s), "--qos", "1", "--ramp", "1"]
        subprocess.run([*load, *seconds], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        churn(broker.port, number * plan.passing, plan.passing)
        number += 1
        on_round(number, read_metrics(port))
        if plan.restart_every and number % plan.restart_every == 0:
            broker.stop()
            broker.start()
    return number


def _verdicts(series: Series) -> tuple[Verdict, ...]:
    return tuple(judge(name, series.times_s, values, LIMITS[name]) for name, values in series.values.items())
