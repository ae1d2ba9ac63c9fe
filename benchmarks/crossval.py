"""Cross-validation by subject: every configuration tried, one JSON line a training.

    python -m benchmarks.crossval CONFIGURATION... [--seeds 0,1,2] [--keep DIR]

Appends to docs/experiments/crossval.jsonl and skips what is there already, so it can be stopped and resumed.
Only the 21 training subjects take part (model.validation.folds). ``--keep`` saves the held-out probabilities,
from which averages of members and temperatures (benchmarks.ensembles), and the settings of the filter over consecutive
windows (benchmarks.smoothing), are worked out without training again.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.configurations import CONFIGURATIONS
from model.bundled import index, load_recording
from model.dataset import training_windows
from model.training import TrainedNetwork, TrainingOptions, train_network
from model.validation import Fold, accuracy, calibration_error, folds, recording_windows, soften
from model.windows import cut

LOG = Path(__file__).parent.parent / "docs" / "experiments" / "crossval.jsonl"
logger = logging.getLogger(__name__)


def done(log: Path) -> set[tuple[str, int, int]]:
    """(configuration, fold, seed) of the trainings in the log."""
    if not log.exists():
        return set()
    rows = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    return {(row["configuration"], row["fold"], row["seed"]) for row in rows}


def append(log: Path, row: dict[str, Any]) -> None:
    """Add one line."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def evaluate(trained: TrainedNetwork, fold: Fold) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures on the held-out subjects, and the arrays that they came from."""
    row: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    sets = {"official": training_windows(fold.held_out), "recordings": recording_windows(fold.held_out)}
    for name, held_out in sets.items():
        probabilities = trained.model.predict(held_out.windows, batch_size=512, verbose=0).astype(np.float64)
        row[name] = {
            "windows": len(held_out.labels),
            "accuracy": round(accuracy(probabilities, held_out.labels), 6),
            "ece": round(calibration_error(probabilities, held_out.labels), 6),
            "ece_at_0.65": round(calibration_error(soften(probabilities, 0.65), held_out.labels), 6),
        }
        arrays |= {name: probabilities.astype(np.float32), f"{name}_labels": held_out.labels}
        arrays[f"{name}_subjects"] = held_out.subjects
    return row, arrays


def streams(trained: TrainedNetwork, fold: Fold) -> dict[str, Any]:
    """Class probabilities of all windows of the held-out subjects' whole recordings, by experiment: ``e07``."""
    held_out = [experiment for experiment, subject in index() if subject in fold.held_out]
    return {
        f"e{experiment:02d}": trained.model.predict(cut(load_recording(experiment).signals()), verbose=0)
        for experiment in held_out
    }


def run(name: str, fold_index: int, seed: int, keep: Path | None) -> dict[str, Any]:
    """Train one configuration on one fold."""
    fold = folds()[fold_index]
    options: TrainingOptions = replace(CONFIGURATIONS[name], seed=seed, subjects=fold.train)
    trained = train_network(options)
    figures, arrays = evaluate(trained, fold)
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        np.savez(keep / f"{name}-{fold_index}-{seed}.npz", **arrays, **streams(trained, fold))
    seconds, parameters = trained.training["seconds"], trained.model.count_params()
    key = {"configuration": name, "fold": fold_index, "seed": seed}
    return {**key, **figures, "seconds": seconds, "parameters": parameters, "options": asdict(options)}


@click.command()
@click.argument("configurations", nargs=-1, required=True, type=click.Choice(sorted(CONFIGURATIONS)))
@click.option("--seeds", default="0", help="Seeds, with commas.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder for the held-out probabilities.")
@click.option("--threads", default=1, show_default=True, help="TensorFlow's threads.")
def main(configurations: tuple[str, ...], seeds: str, keep: Path | None, threads: int) -> None:
    """Cross-validate CONFIGURATIONS of benchmarks/configurations.py."""
    import tensorflow as tf

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keys = [(name, fold, int(seed)) for name in configurations for seed in seeds.split(",") for fold in range(3)]
    for key in keys:
        if key not in done(LOG):
            row = run(*key, keep)
            append(LOG, row)
            logger.info(
                "%s fold %d seed %d: %.4f / %.4f", *key, row["official"]["accuracy"], row["recordings"]["accuracy"]
            )


if __name__ == "__main__":
    main()
