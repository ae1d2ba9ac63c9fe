"""What the models cost: CPU time per phone and hour.

    python -m benchmarks.stateful_cost

Everything that the model of a phone does after the signal chain, on one thread, phones batched as a listener
batches them: for the window model a window every 64 samples with its novelty check and its step of the filter; for the
stream model the steps of messages of 25 samples (3 on average), the novelty check every 64 samples, and the
filter's steps. The cheapest of several rounds counts, for what a machine does besides only ever adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import click
import numpy as np

from model.bundled import load_recording
from model.classifier import Classifier
from model.novelty import Novelty
from model.signals import SAMPLING_RATE
from model.smoothing import ActivityFilter, activities_then_transition, push_together
from model.stateful.classifier import StreamClassifier
from model.stateful.settling import NOTHING_TOLD, first_settled, hold, settle
from model.stateful.shape import STEP, STEP_S
from model.windows import HOP, WINDOW_LENGTH, cut

STEPS = 3
ROUNDS = 7
BATCHES = (1, 16, 64, 256)


def cheapest_s(work: Callable[[], object], repeats: int) -> float:
    """Seconds of CPU of one call, the least of several rounds."""
    work()
    found = []
    for _ in range(ROUNDS):
        before = time.process_time()
        for _ in range(repeats):
            work()
        found.append((time.process_time() - before) / repeats)
    return min(found)


def window_cost_s(classifier: Classifier, n: int, signals: np.ndarray) -> float:
    """CPU seconds of one window of each of n phones."""
    windows = np.resize(cut(signals), (n, WINDOW_LENGTH, 9)).astype(np.float32)
    filters = [ActivityFilter() for _ in range(n)]

    def work() -> None:
        rows = activities_then_transition(classifier.class_probabilities(windows), classifier.classes)
        _score(classifier.novelty, windows)
        push_together(filters, rows)

    return cheapest_s(work, max(2, 400 // n))


def stream_cost_s(classifier: StreamClassifier, n: int, signals: np.ndarray) -> float:
    """CPU seconds of :data:`STEPS` steps of each of n phones, without the novelty check."""
    pieces = np.resize(signals.astype(np.float32), (n, STEPS * STEP, 9))
    states, filtered, told = classifier.first_states(n), first_settled(n), np.full(n, NOTHING_TOLD)

    def work() -> None:
        nonlocal states, filtered, told
        probabilities, states = classifier.advance(pieces, states)
        settled, filtered = settle(probabilities, filtered)
        told = hold(settled, told)[:, -1]

    return cheapest_s(work, max(2, 1000 // n))


def novelty_cost_s(novelty: Novelty | None, n: int, signals: np.ndarray) -> float:
    """CPU seconds of the novelty check of n windows."""
    windows = np.resize(cut(signals), (n, WINDOW_LENGTH, 9)).astype(np.float32)
    return cheapest_s(lambda: _score(novelty, windows), max(2, 1000 // n))


def _score(novelty: Novelty | None, windows: np.ndarray) -> None:
    if novelty is not None:
        novelty.score(windows)


@click.command()
def main() -> None:
    """Print the table."""
    signals = load_recording(1).signals()
    windows, streams = Classifier.load(), StreamClassifier.load()
    hour_windows, hour_steps = 3600 * SAMPLING_RATE / HOP, 3600 / STEP_S
    click.echo("| phones at once | window model, CPU s per phone and hour | stream model | ratio |\n|---|---|---|---|")
    for n in BATCHES:
        window = window_cost_s(windows, n, signals) / n * hour_windows
        stream = stream_cost_s(streams, n, signals) / n / STEPS * hour_steps
        stream += novelty_cost_s(streams.novelty, n, signals) / n * hour_windows
        click.echo(f"| {n} | {window:.3f} | {stream:.3f} | {stream / window:.3f} |")


if __name__ == "__main__":
    main()
