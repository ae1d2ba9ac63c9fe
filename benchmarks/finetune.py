"""What fine-tuning brings a phone that is worn otherwise, and what it costs: one JSON line a setting.

    python -m benchmarks.finetune --learning-rate 1e-3 --epochs 6

Four training subjects (their 40° turn is about the axis named) are new to the model in the box as far as the phone's
orientation goes. It learns from the labelled windows of a subject's first recording, and is scored on those of the
second, and, for what it forgets, on every sixth official training window. No test subject has a part in it. Lines are
added to docs/experiments/finetune.jsonl.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from model.activities import TRAIN_SUBJECTS
from model.artefact import default_artefact_path, read_artefact
from model.augment import rotation_matrices
from model.bundled import load_recordings
from model.classifier import Classifier
from model.dataset import training_windows
from model.evaluate import scored_windows
from model.finetune import FinetuneOptions, finetune, training_card
from model.packaging import pack_finetuned, prepare_tensorflow
from model.recorded import RecordedWindows
from model.recordings import Recording

LOG = Path(__file__).parent.parent / "docs" / "experiments" / "finetune.jsonl"

CASES = ((5, "z"), (7, "y"), (15, "z"), (23, "y"))
"""Subjects, and the axis that their phone is turned about."""

TURN_DEG = 40.0


def turned(recording: Recording, axis: str) -> Recording:
    """The recording of a phone that is worn so."""
    unit = np.eye(3)[["xyz".index(axis)]]
    turn = rotation_matrices(unit, np.deg2rad([TURN_DEG]))[0].astype(np.float64)
    samples = recording.samples
    return replace(recording, samples=np.concatenate([samples[:, :3] @ turn.T, samples[:, 3:] @ turn.T], axis=1))


def recorded(recording: Recording) -> RecordedWindows:
    """Its labelled windows, as a user's."""
    found = scored_windows(recording)
    n = len(found.labels)
    start_s = 1.28 * np.arange(n, dtype=np.float64)
    return RecordedWindows(found.windows.astype(np.float32), found.labels, start_s, np.zeros(n, np.int64))


def accuracy(classifier: Classifier, windows: np.ndarray, labels: np.ndarray) -> float:
    """Share recognised."""
    return float(np.mean(classifier.probabilities(windows).argmax(axis=1) == labels))


@click.command()
@click.option("--learning-rate", type=float, default=FinetuneOptions.learning_rate)
@click.option("--epochs", type=int, default=FinetuneOptions.epochs)
@click.option("--own-windows", type=int, default=FinetuneOptions.own_windows)
@click.option("--shipped-windows", type=int, default=FinetuneOptions.shipped_windows)
def run(**settings: float) -> None:
    """Add a line for these settings."""
    prepare_tensorflow()
    options = FinetuneOptions(**settings)  # type: ignore[arg-type]
    base = read_artefact(default_artefact_path())
    official = training_windows(TRAIN_SUBJECTS)
    shipped = official.windows[::6], official.labels[::6]
    before = Classifier(base)
    known = accuracy(before, *shipped)
    rows: list[dict[str, Any]] = []
    for subject, axis in CASES:
        first, second = (recorded(turned(recording, axis)) for recording in load_recordings((subject,)))
        began = time.process_time()
        network = finetune(base, first, options)
        seconds = time.process_time() - began
        card = training_card(base.card, first, options, 0.0)
        after = Classifier(pack_finetuned(base, network, "tuned", card, first.windows))
        own = [accuracy(each, second.windows, second.labels) for each in (before, after)]
        rows.append({"subject": subject, "axis": axis, "own": own, "shipped": [known, accuracy(after, *shipped)]})
        rows[-1] |= {"windows": len(first), "cpu_s": round(seconds, 1)}
        click.echo(json.dumps(rows[-1]))
    means = {name: np.mean([row[name] for row in rows], axis=0).round(4).tolist() for name in ("own", "shipped")}
    with LOG.open("a") as log:
        log.write(json.dumps({**settings, **means, "cases": rows}) + "\n")


if __name__ == "__main__":
    run()
