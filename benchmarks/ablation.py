"""The ablation table, docs/experiments/crossval.md, from the log of all cross-validated trainings.

python -m benchmarks.ablation
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.configurations import CONFIGURATIONS
from benchmarks.crossval import LOG
from benchmarks.ensembles import LOG as ENSEMBLES

TABLE = LOG.parent / "crossval.md"

HEAD = """# Cross-validation by subject

Accuracy [%] on the held-out training subjects; three folds of seven subjects (`model.validation.folds`), no test
subject anywhere. Made by `python -m benchmarks.ablation` from `crossval.jsonl` and `ensembles.jsonl`.
"""


def read(log: Path) -> list[dict[str, Any]]:
    """The log's lines, none if there is no log."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def pooled(rows: list[dict[str, Any]], windows: str) -> float:
    """Accuracy [%] over all held-out windows of these trainings."""
    counts = [row[windows]["windows"] for row in rows]
    return float(100 * np.average([row[windows]["accuracy"] for row in rows], weights=counts))


def single_networks(rows: list[dict[str, Any]]) -> str:
    """One line a configuration whose three folds are there."""
    lines = [
        "| configuration | parameters | seeds | official windows | each seed | whole recordings | minutes |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in CONFIGURATIONS:
        by_seed: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            if row["configuration"] == name:
                by_seed.setdefault(row["seed"], []).append(row)
        whole = [folds for _, folds in sorted(by_seed.items()) if len(folds) == 3]
        if whole:
            lines.append(_line(name, whole))
    return "\n".join(lines) + "\n"


def _line(name: str, seeds: list[list[dict[str, Any]]]) -> str:
    official = [pooled(folds, "official") for folds in seeds]
    recordings = [pooled(folds, "recordings") for folds in seeds]
    minutes = np.mean([row["seconds"] / 60 for folds in seeds for row in folds])
    each = ", ".join(f"{figure:.2f}" for figure in official)
    figures = f"{np.mean(official):.2f} | {each} | {np.mean(recordings):.2f} | {minutes:.1f}"
    return f"| {name} | {seeds[0][0]['parameters']:,} | {len(seeds)} | {figures} |"


def averages(rows: list[dict[str, Any]]) -> str:
    """One line an average of several networks."""
    lines = [
        "| average of | official windows | each fold | whole recordings | temperature | ECE (folds apart) |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        official, recordings = row["official"], row["recordings"]
        folds = ", ".join(f"{100 * figure:.2f}" for figure in official["folds"])
        accuracies = f"{100 * official['accuracy']:.2f} | {folds} | {100 * recordings['accuracy']:.2f}"
        ece = f"{official['ece']:.3f} ({', '.join(f'{e:.3f}' for e in official['ece_folds'])})"
        lines.append(f"| {', '.join(row['members'])} | {accuracies} | {official['temperature']} | {ece} |")
    return "\n".join(lines) + "\n"


@click.command()
def main() -> None:
    """Write docs/experiments/crossval.md."""
    text = f"{HEAD}\n## Single networks\n\n{single_networks(read(LOG))}"
    text += f"\n## Averages of networks (configuration:seed)\n\n{averages(read(ENSEMBLES))}"
    TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
