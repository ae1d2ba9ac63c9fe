"""All of it, in one run: stages, bounds, growth, and the most phones of each system."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.throughput.bounds import Bounds
from benchmarks.throughput.machine import Cores, describe
from benchmarks.throughput.stages import Stage
from benchmarks.throughput.systems import BASELINE, ROOT, STREAM, WINDOW, System
from benchmarks.throughput.whole import FULL, Load, Measured, measure, search, sustained
from streamer.wire import Encoding

GROWTH = (1, 10, 100, 1000, 3000, 10_000)
FIRST_BASELINE = 20

SEARCHED: tuple[tuple[System, Encoding], ...] = (
    (WINDOW, "json"),
    (WINDOW, "msgpack"),
    (STREAM, "json"),
    (BASELINE, "json"),
)
"""Of what the most phones are looked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: numbers of phones, how long, and whether their most is looked for."""

    growth: tuple[int, ...] = GROWTH
    growing: Load = field(default_factory=lambda: Load(seconds=10.0, ramp_s=6.5))
    searching: Load | None = field(default_factory=lambda: Load(seconds=10.0, ramp_s=6.5))
    encodings: tuple[Encoding, ...] = ("json", "msgpack")


QUICK = Plan((2, 50), Load(seconds=3.0, ramp_s=1.0), None, ("json",))
"""Shows in a minute that everything works; its figures say little."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a run has found; ``searches`` by the names of what was searched, ``stages`` by encoding."""

    machine: dict[str, Any]
    stages: dict[Encoding, list[Stage]]
    bounds: Bounds
    growth: list[Measured]
    searches: dict[str, list[Measured]]

    def most(self, name: str) -> Measured | None:
        """The run of the most phones that a search has found sustained."""
        return sustained(self.searches.get(name, ()))

    def fields(self) -> dict[str, Any]:
        """Ready for JSON."""
        seconds = {name: {stage.name: stage.seconds for stage in stages} for name, stages in self.stages.items()}
        units = {stage.name: stage.unit for stages in self.stages.values() for stage in stages}
        return {
            "machine": self.machine,
            "stages_cpu_s": seconds,
            "stages_unit": units,
            "engine_window_cpu_s": self.bounds.window_s,
            "network_flop": self.bounds.flop,
            "sgemm_flop_per_s": self.bounds.flop_per_s,
            "growth": [measured.fields() for measured in self.growth],
            "searches": {name: [measured.fields() for measured in runs] for name, runs in self.searches.items()},
        }


def run(plan: Plan, cores: Cores, tell: Callable[[str], None]) -> Found:
    """Measure everything; this process is to be on the cores for the rest already."""
    machine = describe()
    stages = {encoding: _stages(encoding, cores, tell) for encoding in plan.encodings}
    bounds = _bounds(cores, tell)

    def try_out(system: System, phones: int, load: Load) -> Measured:
        found = measure(system, phones, load, cores)
        p99_ms, share = found.load.latency_ms["p99"], found.cpu_share
        tell(f"{system.name}, {load.encoding}, {phones} phones: p99 {p99_ms} ms, {share:.0%} of a core")
        return found

    growth = []
    for phones in plan.growth:
        growth.append(try_out(WINDOW, phones, plan.growing))
        if not growth[-1].is_sustained and len(growth) > 2:
            break
    searches: dict[str, list[Measured]] = {}
    if plan.searching:
        for system, encoding in SEARCHED:
            load = replace(plan.searching, encoding=encoding)
            first = FIRST_BASELINE if system is BASELINE else _first(growth)
            runs = search(lambda n, system=system, load=load: try_out(system, n, load), first)  # type: ignore[misc]
            searches[f"{system.name}, {encoding}"] = list(runs)
    return Found(machine, stages, bounds, growth, searches)


def _first(growth: Sequence[Measured]) -> int:
    """Where to begin looking for the most phones: where a core is full by the largest run that was sustained."""
    largest = sustained(growth)
    return max(10, round(largest.phones * FULL / largest.cpu_share)) if largest else 100


def _on_the_core(cores: Cores, *arguments: str) -> Any:
    """What a command of this package prints as JSON, on the system's core and one thread."""
    command = [sys.executable, "-m", "benchmarks.throughput", *arguments]
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores.system)
    try:
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=environment)
    finally:
        os.sched_setaffinity(0, before)
    return json.loads(done.stdout)


def _stages(encoding: str, cores: Cores, tell: Callable[[str], None]) -> list[Stage]:
    tell(f"stages, {encoding}")
    return [Stage(**each) for each in _on_the_core(cores, "stages", f"--encoding={encoding}", "--json")]


def _bounds(cores: Cores, tell: Callable[[str], None]) -> Bounds:
    tell("bounds")
    found = _on_the_core(cores, "bounds")
    by_size = {name: {int(size): value for size, value in found[name].items()} for name in ("window_s", "flop_per_s")}
    return Bounds(by_size["window_s"], found["flop"], by_size["flop_per_s"])
