"""A running listener's figures over time, as its own metrics tell them."""

from __future__ import annotations

import contextlib
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

FIGURES: dict[str, str] = {
    "memory [MB]": "process_resident_memory_bytes",
    "file descriptors": "process_open_fds",
    "threads": "har_stream_threads",
    "latency p50 [ms]": "har_stream_latency_seconds",
    "queued messages": "har_stream_queued_messages",
}
"""What is watched, by the metric that tells it."""

_SCALE = {"memory [MB]": 1e-6, "latency p50 [ms]": 1e3}


@dataclass
class Series:
    """What was measured: times on the monotonic clock [s], and values by figure."""

    times_s: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in FIGURES})
    failures: int = 0

    def take(self, metrics: dict[str, float]) -> None:
        """One more measurement."""
        self.times_s.append(time.monotonic())
        for name, metric in FIGURES.items():
            self.values[name].append(metrics[metric] * _SCALE.get(name, 1.0))


def read_metrics(port: int) -> dict[str, float]:
    """The listener's metrics by name; of those with quantiles, the median.

    Raises
    ------
    OSError : nobody answers.
    """
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {each.name: each.value for each in samples if each.labels.get("quantile", "0.5") == "0.5"}


@contextlib.contextmanager
def watching(port: int, every_s: float) -> Iterator[Series]:
    """Measure while the block runs."""
    series, is_over = Series(), threading.Event()

    def watch() -> None:
        while not is_over.wait(every_s):
            try:
                series.take(read_metrics(port))
            except OSError:
                series.failures += 1

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield series
    finally:
        is_over.set()
        thread.join()
