"""The reference, reproduced: the 2019 notebook's six LSTM configurations, three seeds each.

    python -m benchmarks.reference [--seeds 0,1,2] [--table]

30 epochs of RMSprop on the official training windows; the last epoch's weights meet the official test windows
once, after the training, so no epoch is chosen on them. Appends to docs/experiments/reference.jsonl and skips
what is there already; ``--table`` writes docs/experiments/reference.md from it. Hours.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from model import bundled
from model.training import TrainingOptions, default_options, train_network
from model.validation import accuracy

FOLDER = Path(__file__).parent.parent / "docs" / "experiments"
LOG = FOLDER / "reference.jsonl"
TABLE = FOLDER / "reference.md"
NOTEBOOK = """The notebook's column is its table of experiments, one run each; the two models that it evaluated at its
end, of one and of two layers, had 90.19 and 92.16 %."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reference:
    """One row of the notebook's table: how to train it, and what the notebook got [%]."""

    options: TrainingOptions
    notebook: float


def _one(units: int, batch_size: int, dropout: float, notebook: float) -> Reference:
    hyperparameters = {"units": units, "dropout": dropout}
    return Reference(replace(default_options("lstm"), batch_size=batch_size, hyperparameters=hyperparameters), notebook)


def _two(second_units: int, notebook: float) -> Reference:
    hyperparameters = {"units": 128, "second_units": second_units, "dropout": 0.2, "second_dropout": 0.5}
    return Reference(replace(default_options("lstm2"), hyperparameters=hyperparameters), notebook)


REFERENCES: dict[str, Reference] = {
    "LSTM 64, batch 16, dropout 0.5": _one(64, 16, 0.5, 90.6),
    "LSTM 64, batch 16, dropout 0.25": _one(64, 16, 0.25, 91.45),
    "LSTM 64, batch 32, dropout 0.25": _one(64, 32, 0.25, 90.84),
    "LSTM 128, batch 32, dropout 0.5": _one(128, 32, 0.5, 92.81),
    "LSTM 128-32, batch 32, dropout 0.2, 0.5": _two(32, 90.84),
    "LSTM 128-64, batch 32, dropout 0.2, 0.5": _two(64, 92.16),
}
"""The notebook's configurations, in its order."""


def rows(log: Path) -> list[dict[str, Any]]:
    """The log's lines, one a configuration and seed (two processes may have run the same)."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return list({(row["configuration"], row["seed"]): row for row in map(json.loads, lines)}.values())


def run(name: str, seed: int) -> dict[str, Any]:
    """Train one configuration; then, once, the official test windows."""
    trained = train_network(replace(REFERENCES[name].options, seed=seed))
    test = bundled.official_windows("test")
    probabilities = trained.model.predict(test.windows, batch_size=512, verbose=0)
    return {
        "configuration": name,
        "seed": seed,
        "test_accuracy": round(accuracy(probabilities, test.labels), 6),
        "training_accuracy": round(trained.history[-1].accuracy, 6),
        "parameters": trained.model.count_params(),
        "seconds": trained.training["seconds"],
        "options": asdict(REFERENCES[name].options) | {"seed": seed},
    }


def table(log: Path) -> str:
    """The log as a Markdown table beside the notebook's figures."""
    lines = [
        "| configuration | parameters | notebook | seeds | mean | spread | each |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, reference in REFERENCES.items():
        mine = sorted((row for row in rows(log) if row["configuration"] == name), key=lambda row: int(row["seed"]))
        if mine:
            scores = [100 * row["test_accuracy"] for row in mine]
            spread = f"{np.std(scores, ddof=1):.2f}" if len(scores) > 1 else "-"
            each = ", ".join(f"{score:.2f}" for score in scores)
            figures = f"{len(mine)} | {np.mean(scores):.2f} | {spread} | {each}"
            lines.append(f"| {name} | {mine[0]['parameters']:,} | {reference.notebook:.2f} | {figures} |")
    return "\n".join(lines) + "\n"


def write_table() -> None:
    """The table with its explanation, to docs/experiments/reference.md."""
    measured = "Accuracy on the official 2,947 test windows [%], last epoch of 30 (made by `make reference`)."
    head = f"# The reference networks\n\n{measured}\n\n"
    TABLE.write_text(f"{head}{table(LOG)}\n{NOTEBOOK}\n", encoding="utf-8")


@click.command()
@click.option("--seeds", default="0,1,2", show_default=True, help="Seeds, with commas.")
@click.option("--threads", default=1, show_default=True, help="TensorFlow's threads.")
@click.option("--table", "table_only", is_flag=True, help="Only write the table from the log.")
def main(seeds: str, threads: int, table_only: bool) -> None:
    """Train the notebook's six configurations and write their table."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not table_only:
        _train_missing([int(seed) for seed in seeds.split(",")], threads)
    write_table()


def _train_missing(seeds: list[int], threads: int) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    for key in [(name, seed) for seed in seeds for name in REFERENCES]:
        if key not in {(row["configuration"], row["seed"]) for row in rows(LOG)}:
            row = run(*key)
            FOLDER.mkdir(parents=True, exist_ok=True)
            with LOG.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            logger.info("%s seed %d: %.4f", *key, row["test_accuracy"])


if __name__ == "__main__":
    main()
