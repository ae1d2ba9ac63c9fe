"""What classifying an archive costs beside its inference: ``python -m benchmarks.backfill``.

All 61 recordings in the box, by one process, as ``har-stream classify --bundled all --workers 1`` does it: decoding,
filters, windows, model, smoothing, changes, lines of JSON. Beside it the engine alone, on the very same batches, which
were kept in a first pass. Both take turns, and the cheapest of several rounds counts, in CPU seconds of the process:
what a machine does besides only ever adds.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import click
import numpy as np

from model.classifier import Classifier
from model.stateful.classifier import StreamClassifier
from streamer.backfill.items import bundled_items
from streamer.backfill.outcome import BackfillOptions
from streamer.backfill.pool import recognise_here
from streamer.recognition.loading import EngineOptions

ENGINES: dict[str, tuple[type, str]] = {
    "window": (Classifier, "class_probabilities"),
    "stream": (StreamClassifier, "advance"),
}
"""Of each model, the call that is its inference."""


def kept_calls(model: str) -> tuple[list[Callable[[], object]], float]:
    """The calls of the model that classifying makes, ready to be made again; and the seconds of signals."""
    owner, name = ENGINES[model]
    original = getattr(owner, name)
    calls: list[Callable[[], object]] = []

    def keep(self: Any, *arrays: np.ndarray) -> object:
        copies = [array.copy() for array in arrays]
        calls.append(lambda: original(self, *copies))
        return original(self, *arrays)

    with mock.patch.object(owner, name, keep):
        seconds = classify_all(model)
    return calls, seconds


def classify_all(model: str) -> float:
    """Classify everything; gives the seconds of signals."""
    options = BackfillOptions(engine=EngineOptions(model))
    outcomes = recognise_here(bundled_items("all"), options, lambda _done_s: None)
    return sum(outcome.seconds for outcome in outcomes)


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    before = time.process_time()
    work()
    return time.process_time() - before


@click.command()
@click.option("--rounds", default=5, show_default=True)
def main(rounds: int) -> None:
    """Print the table."""
    click.echo(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    click.echo("| model | engine alone, CPU s | times real time | whole, CPU s | times real time | whole / engine |")
    click.echo("|---|---|---|---|---|---|")
    for model in ENGINES:
        calls, seconds = kept_calls(model)
        engine, whole = [], []
        for _ in range(rounds):
            engine.append(cpu_s(lambda calls=calls: [call() for call in calls]))  # type: ignore[misc]
            whole.append(cpu_s(lambda model=model: classify_all(model)))  # type: ignore[misc]
        least, all_of_it = min(engine), min(whole)
        click.echo(
            f"| {model} | {least:.2f} | {seconds / least:,.0f} | {all_of_it:.2f} | {seconds / all_of_it:,.0f} | "
            f"{all_of_it / least:.2f} |"
        )


if __name__ == "__main__":
    main()
