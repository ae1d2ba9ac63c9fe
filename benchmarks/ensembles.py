"""What averages of cross-validated networks give, from held-out probabilities that benchmarks.crossval kept.

    python -m benchmarks.ensembles DIR CONFIGURATION:SEED... [--log NAME]

Each CONFIGURATION:SEED is a member; the mean logits of the recurrent ones and of those on the summary (their
configurations begin with "summary") are averaged half and half, as the window network does inside its graph.
Prints accuracy a fold, the temperature with the least log loss over all folds and the calibration error that each
fold has at the temperature of the *other* folds. ``--log`` appends the figures to docs/experiments/ensembles.jsonl.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.crossval import append
from model.validation import N_FOLDS, accuracy, best_temperature, calibration_error, mean_of_members, soften

LOG = Path(__file__).parent.parent / "docs" / "experiments" / "ensembles.jsonl"


def load(folder: Path, members: tuple[str, ...], fold: int, windows: str) -> tuple[Any, Any]:
    """Mean-logit probabilities ``(n, 7)`` of a fold's held-out windows, and their labels."""
    summary = [member for member in members if member.startswith("summary")]
    recurrent = [member for member in members if member not in summary]
    means = []
    for kind in filter(None, (recurrent, summary)):
        files = [np.load(folder / f"{member.split(':')[0]}-{fold}-{member.split(':')[1]}.npz") for member in kind]
        means.append(mean_of_members([file[windows] for file in files]))
    return mean_of_members(means), files[0][f"{windows}_labels"]


def figures(folder: Path, members: tuple[str, ...], windows: str) -> dict[str, Any]:
    """Accuracy and calibration over the folds of ``windows`` (official or recordings)."""
    parts = [load(folder, members, fold, windows) for fold in range(N_FOLDS)]
    errors = []
    for fold, (probabilities, labels) in enumerate(parts):
        others = [parts[i] for i in range(N_FOLDS) if i != fold]
        temperature = best_temperature(np.concatenate([p for p, _ in others]), np.concatenate([y for _, y in others]))
        errors.append(calibration_error(soften(probabilities, temperature), labels))
    everything, truth = np.concatenate([p for p, _ in parts]), np.concatenate([y for _, y in parts])
    temperature = best_temperature(everything, truth)
    return {
        "accuracy": round(accuracy(everything, truth), 5),
        "folds": [round(accuracy(p, y), 5) for p, y in parts],
        "temperature": temperature,
        "ece": round(calibration_error(soften(everything, temperature), truth), 5),
        "ece_folds": [round(error, 5) for error in errors],
    }


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.argument("members", nargs=-1, required=True)
@click.option("--log", "name", help="Append to docs/experiments/ensembles.jsonl under this name.")
def main(folder: Path, members: tuple[str, ...], name: str | None) -> None:
    """Average the networks MEMBERS (configuration:seed) whose probabilities lie in FOLDER."""
    row = {"members": list(members)} | {w: figures(folder, members, w) for w in ("official", "recordings")}
    click.echo(json.dumps(row))
    if name:
        append(LOG, {"name": name, **row})


if __name__ == "__main__":
    main()
