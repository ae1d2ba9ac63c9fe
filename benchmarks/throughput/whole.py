"""The whole, measured: broker and load generator on one core, the listener on another."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.result import LoadResult
from benchmarks.throughput.machine import Cores
from benchmarks.throughput.systems import ROOT, System, running
from streamer.broker import EmbeddedBroker
from streamer.wire import Encoding

P99_MS = 100.0
"""A number of phones is sustained with no prediction missing and this latency at the 99th percentile."""

FINE = 1.12
"""The search ends when so many times the phones that are sustained are not."""

BACK = 1.4
"""By this the search goes back while nothing is sustained yet."""

MOST_PROBES = 7
FULL = 0.92
"""Share of a core that a listener is supposed to fill when it is at its limit; where the search begins."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the phones send, and for how long: they begin within ``ramp_s``, and ``seconds`` are measured."""

    encoding: Encoding = "json"
    qos: int = 0
    batch: int = 25
    seconds: float = 15.0
    ramp_s: float = 11.5


@dataclass(frozen=True, slots=True)
class Measured:
    """A system under so many phones: the generator's result; CPU of the steady part; the most memory."""

    system: str
    encoding: str
    qos: int
    load: LoadResult
    dropped: int
    cpu_share: float
    resident_bytes: int
    windows_per_s: float

    @property
    def phones(self) -> int:
        """That send."""
        return self.load.phones

    @property
    def is_sustained(self) -> bool:
        """Nothing lost, nothing late."""
        return not (self.load.missing or self.dropped) and self.load.latency_ms["p99"] < P99_MS

    @property
    def cpu_ms_per_phone_s(self) -> float:
        """CPU milliseconds per phone and second."""
        return 1000 * self.cpu_share / self.phones

    @property
    def cpu_us_per_message(self) -> float:
        """Everything that the system does, shared out to the messages."""
        return 1e6 * self.cpu_share / self.load.messages_per_s

    @property
    def cpu_us_per_window(self) -> float:
        """The same, shared out to the windows."""
        return 1e6 * self.cpu_share / self.windows_per_s

    def fields(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self) | {
            "sustained": self.is_sustained,
            "cpu_ms_per_phone_s": self.cpu_ms_per_phone_s,
            "cpu_us_per_message": self.cpu_us_per_message,
            "cpu_us_per_window": self.cpu_us_per_window,
            "generator_was_limit": self.load.is_limit,
        }


def measure(system: System, phones: int, load: Load, cores: Cores) -> Measured:
    """One run; this process and all that it starts but the system stays on the cores for the rest."""
    with tempfile.TemporaryDirectory(prefix="har-bench-") as folder, EmbeddedBroker() as broker:
        port = broker.address.port
        with running(system, port, cores.system, Path(folder)) as process:
            result = _generate(port, phones, load, system)
        cpu_s = process.usage.cpu_s(result.from_s, result.until_s)
    return Measured(
        system=system.name,
        encoding=load.encoding,
        qos=load.qos,
        load=result,
        dropped=process.dropped,
        cpu_share=cpu_s / (result.until_s - result.from_s),
        resident_bytes=process.usage.resident_bytes(result.until_s),
        windows_per_s=phones * 50.0 / system.cut.hop,
    )


def _generate(port: int, phones: int, load: Load, system: System) -> LoadResult:
    options = {
        "port": port,
        "phones": phones,
        "seconds": load.seconds,
        "ramp": load.ramp_s,
        "encoding": load.encoding,
        "batch": load.batch,
        "qos": load.qos,
        "length": system.cut.length,
        "hop": system.cut.hop,
        "look-ahead": system.cut.look_ahead,
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "benchmarks.load", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return LoadResult(**json.loads(done.stdout))


def search(try_out: Callable[[int], Measured], first: int, most: int = 20_000) -> Iterator[Measured]:
    """Runs until the number of phones that are sustained lies between two of which one is :data:`FINE` times the other.

    Begins with ``first``; as long as all is sustained it goes to where the CPU so far says that the limit is.
    """
    best, worst, probe = 0, most + 1, first
    for _ in range(MOST_PROBES):
        found = try_out(probe)
        yield found
        if found.is_sustained:
            best = max(best, probe)
        else:
            worst = min(worst, probe)
        if worst <= max(best + 1, round(FINE * best)) or best == most:
            return
        if worst > most:
            probe = max(round(FINE * best), min(16 * best, round(best * FULL / max(found.cpu_share, 0.01))))
        else:
            probe = round(math.sqrt(best * worst)) if best else round(worst / BACK)
        probe = min(max(probe, best + 1), worst - 1)


def sustained(runs: Iterable[Measured]) -> Measured | None:
    """The run of the most phones that were sustained."""
    return max((run for run in runs if run.is_sustained), key=lambda run: run.phones, default=None)
