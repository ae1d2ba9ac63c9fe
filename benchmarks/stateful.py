"""Cross-validation of the stateful network: every configuration tried, one JSON line a training.

    python -m benchmarks.stateful train CONFIGURATION... [--seeds 0,1] [--folds 0,1,2] --keep DIR
    python -m benchmarks.stateful table

Appends to docs/experiments/stateful.jsonl and skips what is there already, so it can be stopped and resumed. Only
the 21 training subjects take part (model.validation.folds). ``--keep`` keeps each fold's model, for
benchmarks.stateful_protocol and benchmarks.settling. The figures are the network's own answers over the held-out
subjects' recordings and over the same with their segments shuffled and all transitions cut, before any filter.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmarks.crossval import append, done
from model.artefact import write_artefact
from model.packaging import pack
from model.stateful.classifier import StreamClassifier
from model.stateful.hearers import StreamHearer
from model.stateful.protocol import ARRANGEMENTS
from model.stateful.scoring import arranged, score_trials
from model.stateful.sequences import training_sources
from model.training import EpochReport, TrainingOptions, default_options, train_network
from model.training_options import STREAM_TEACHER
from model.validation import folds

LOG = Path(__file__).parent.parent / "docs" / "experiments" / "stateful.jsonl"
logger = logging.getLogger(__name__)

_DEFAULT = replace(default_options("stream"), temperature=1.0)

_FROM_LABELS = replace(_DEFAULT, teacher=None)


def _mixed(**changes: Any) -> TrainingOptions:
    return replace(_FROM_LABELS, sequences=replace(_DEFAULT.sequences, **changes))


CONFIGURATIONS: dict[str, TrainingOptions] = {
    "default": _DEFAULT,
    "natural-only": _mixed(spliced=0.0, reordered=0.0, monotone=0.0),
    "spliced-25": _mixed(spliced=0.25, reordered=0.15, monotone=0.05),
    "wild-25": _mixed(wild=0.25),
    "untaught": _FROM_LABELS,
    "large": replace(_FROM_LABELS, hyperparameters=STREAM_TEACHER),
}
"""``default`` is what `har-model train --network stream` trains; the others learn from the labels, and are the same but
for what their names say."""


def kept_model(keep: Path, configuration: str, fold: int, seed: int) -> Path:
    """Where the model of one training lies."""
    return keep / f"{configuration}-{fold}-{seed}.har"


def run(name: str, fold_index: int, seed: int, keep: Path) -> dict[str, Any]:
    """Train one configuration on one fold."""
    fold = folds()[fold_index]
    trained = train_network(replace(CONFIGURATIONS[name], seed=seed, subjects=fold.train), _told)
    path = kept_model(keep, name, fold_index, seed)
    keep.mkdir(parents=True, exist_ok=True)
    write_artefact(path, pack(trained, path.stem))
    hearer, sources = StreamHearer(StreamClassifier.load(path), settled=False), training_sources(fold.held_out)
    figures: dict[str, Any] = {}
    for arrangement in ARRANGEMENTS:
        scores = score_trials(hearer, arranged(arrangement, sources, seed=0))
        figures[arrangement] = {
            "at_windows": round(scores.at_windows, 6),
            "accuracy": round(scores.scores.accuracy, 6),
            "false_switches_per_hour": round(scores.scores.false_switches_per_hour, 2),
        }
    key = {"configuration": name, "fold": fold_index, "seed": seed}
    seconds, parameters = trained.training["seconds"], trained.model.count_params()
    return {**key, **figures, "seconds": seconds, "parameters": parameters, "options": trained.training["options"]}


def _told(report: EpochReport) -> None:
    if report.epoch % 10 == 0:
        logger.info("epoch %d of %d: loss %.4f, %.0f s", report.epoch, report.epochs, report.loss, report.seconds)


@click.group()
def main() -> None:
    """Cross-validate the stateful network."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")


@main.command()
@click.argument("configurations", nargs=-1, required=True, type=click.Choice(sorted(CONFIGURATIONS)))
@click.option("--seeds", default="0", help="Seeds, with commas.")
@click.option("--folds", "which", default="0,1,2", help="Folds, with commas.")
@click.option("--keep", type=click.Path(path_type=Path), required=True, help="Folder for the models.")
@click.option("--threads", default=1, show_default=True, help="TensorFlow's threads.")
def train(configurations: tuple[str, ...], seeds: str, which: str, keep: Path, threads: int) -> None:
    """Train CONFIGURATIONS on each fold, and judge them on who was held out."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    for name in configurations:
        for seed, fold in ((int(seed), int(fold)) for seed in seeds.split(",") for fold in which.split(",")):
            if (name, fold, seed) not in done(LOG):
                row = run(name, fold, seed, keep)
                append(LOG, row)
                logger.info("%s fold %d seed %d: %.4f", name, fold, seed, row["natural"]["at_windows"])


@main.command()
def table() -> None:
    """Print what the log says, the mean of the folds of each configuration and seed."""
    rows = [json.loads(line) for line in LOG.read_text(encoding="utf-8").splitlines()]
    titles = ("configuration", "seed", "folds", "parameters", "minutes a fold", *ARRANGEMENTS)
    click.echo("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    for name, seed in dict.fromkeys((row["configuration"], row["seed"]) for row in rows):
        own = [row for row in rows if (row["configuration"], row["seed"]) == (name, seed)]
        seconds = [row["seconds"] for row in own if row["seconds"]]  # not known of a run that was cut off behind it
        minutes = sum(seconds) / 60 / max(len(seconds), 1)
        shares = [100 * sum(row[each]["at_windows"] for row in own) / len(own) for each in ARRANGEMENTS]
        cells = [name, seed, len(own), own[0]["parameters"], f"{minutes:.1f}", *(f"{share:.2f}" for share in shares)]
        click.echo("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
