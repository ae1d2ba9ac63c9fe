"""What is measured: the listener as its users start it, and the baseline; and a running one's CPU and memory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks.load.schedule import Cut
from model.stateful.shape import STEP
from streamer.recognition.names import EVERY_S
from streamer.recognition.stream_engine import steps_for

ROOT = Path(__file__).parent.parent.parent
READY = "Listening to "
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 20.0
SAMPLING_S = 0.25

_DROPPED = re.compile(r"dropped ([\d,]+) message")


@dataclass(frozen=True, slots=True)
class System:
    """A program that subscribes and predicts. ``arguments`` follow ``python -m``; ``{port}`` is the broker's."""

    name: str
    arguments: tuple[str, ...]
    cut: Cut

    def command(self, port: int) -> list[str]:
        """Its command line."""
        return [sys.executable, "-m", *(argument.format(port=port) for argument in self.arguments)]


_LISTEN = ("streamer.cli", "listen", "--broker", "127.0.0.1:{port}", "--output", "plain")
_SPAN = STEP * steps_for(EVERY_S)

WINDOW = System("window model", (*_LISTEN, "--model", "window"), Cut())
STREAM = System("stream model", (*_LISTEN, "--model", "stream"), Cut(_SPAN, _SPAN))
BASELINE = System("baseline", ("benchmarks.throughput.baseline", "{port}"), Cut(look_ahead=0))

SYSTEMS = {"window": WINDOW, "stream": STREAM, "baseline": BASELINE}
"""By name on the command line."""


@dataclass
class Usage:
    """A process and its children over time: ``(monotonic s, CPU s, resident bytes)``."""

    samples: list[tuple[float, float, int]] = field(default_factory=list)

    def cpu_s(self, from_s: float, until_s: float) -> float:
        """CPU seconds in between."""
        at, cpu, _ = np.array(self.samples).T
        return float(np.interp(until_s, at, cpu) - np.interp(from_s, at, cpu))

    def resident_bytes(self, until_s: float) -> int:
        """The most memory until then."""
        return max(size for at_s, _, size in self.samples if at_s <= until_s)


class Running:
    """A system at work, pinned to some cores; ``dropped`` is what it says at its end that it has dropped."""

    def __init__(self, system: System, port: int, cores: set[int], folder: Path) -> None:
        self.usage = Usage()
        self.dropped = 0
        self._out, self._errors = folder / "out", folder / "errors"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HAR_")}
        before = os.sched_getaffinity(0)
        with self._out.open("wb") as out, self._errors.open("wb") as errors:
            os.sched_setaffinity(0, cores)  # which the child inherits
            try:
                self._process = psutil.Popen(system.command(port), stdout=out, stderr=errors, cwd=ROOT, env=environment)
            finally:
                os.sched_setaffinity(0, before)
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def wait(self) -> None:
        """Until it listens.

        Raises
        ------
        RuntimeError : it has ended, or takes too long.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while READY not in self._errors.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it does not listen: {self._errors.read_text()}")
            time.sleep(0.05)
        self._watcher.start()

    def stop(self) -> None:
        """End it, by force if it does not end by itself."""
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        told = _DROPPED.findall(self._out.read_text()[-2000:])
        self.dropped = int(told[-1].replace(",", "")) if told else 0

    def _watch(self) -> None:
        while not self._stopping.wait(SAMPLING_S):
            try:
                self.usage.samples.append(self._look())
            except psutil.NoSuchProcess:
                return

    def _look(self) -> tuple[float, float, int]:
        cpu, size = 0.0, 0
        now_s = time.monotonic()
        for process in (self._process, *self._process.children(recursive=True)):
            times = process.cpu_times()
            cpu += times.user + times.system
            size += process.memory_info().rss
        return now_s, cpu, size


@contextmanager
def running(system: System, port: int, cores: set[int], folder: Path) -> Iterator[Running]:
    """A system that listens, until the end of the block."""
    started = Running(system, port, cores, folder)
    try:
        started.wait()
        yield started
    finally:
        started.stop()
