"""The filter over the stateful model's answers: its settings, chosen on held-out training subjects.

    python -m benchmarks.stateful train default --seeds 0 --keep DIR
    python -m benchmarks.settling grid --keep DIR --seed 0
    python -m benchmarks.settling table

``grid`` lets each fold's model hear the recordings of who was held out, in the protocol's arrangements and from cold
starts, and settles its answers with every combination of settings: a JSON line each in
docs/experiments/settling.jsonl. ``table`` prints those that keep within what is asked for (a delay of
:data:`MOST_DELAY_S` and :data:`MOST_SWITCHES` false switches an hour in recordings as they are), by the accuracy at
windows of the recordings as they are and of the same with all transitions cut.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import click

from benchmarks.stateful import kept_model
from model.smoothing import FilterSettings
from model.stateful.classifier import StreamClassifier
from model.stateful.hearers import FloatArray, held_answers, network_answers, settled_answers, step_answers
from model.stateful.protocol import Gapped, Trial
from model.stateful.scoring import arranged, cold_trials, score_cold, score_trials
from model.stateful.sequences import training_sources
from model.stream_metrics import Answers
from model.validation import folds

LOG = Path(__file__).parent.parent / "docs" / "experiments" / "settling.jsonl"

GRID: dict[str, tuple[float, ...]] = {
    "stay": (0.98, 0.99, 0.995),
    "exponent": (0.2, 0.25, 0.3),
    "door": (0.1, 0.5),
    "posture": (0.3, 0.1),
    "switch": (0.8, 0.9, 0.95),
}

KINDS = ("natural", "cut", "kept")
MOST_DELAY_S = 0.8
MOST_SWITCHES = 6.0


@dataclass(frozen=True)
class _Heard:
    """Streams, and what the network alone says about each."""

    trials: list[Trial]
    network: list[FloatArray]

    def settled(self, settings: FilterSettings, switch: float) -> _Settled:
        answers = settled_answers(self.network, settings)
        return _Settled([step_answers(held_answers(each, switch)) for each in answers])


@dataclass(frozen=True)
class _Settled:
    """What is told about each stream, for the scoring."""

    answers: list[Answers]

    def follow(self, trials: Sequence[Trial]) -> list[Answers]:
        return self.answers

    def follow_pieces(self, stream: Gapped, *, keep: bool) -> list[Answers]:
        raise NotImplementedError


def _hear(keep: Path, seed: int) -> dict[str, _Heard]:
    heard = {kind: _Heard([], []) for kind in (*KINDS, "cold")}
    for number, fold in enumerate(folds()):
        classifier = StreamClassifier.load(kept_model(keep, "default", number, seed))
        sources = training_sources(fold.held_out)
        trials = {kind: arranged(kind, sources, seed=0) for kind in KINDS} | {"cold": cold_trials(sources, seed=0)}
        for kind, those in trials.items():
            heard[kind].trials.extend(those)
            heard[kind].network.extend(network_answers(classifier, [trial.signals for trial in those]))
    return heard


@click.group()
def main() -> None:
    """Settings of the filter over the stateful model's answers."""


@main.command()
@click.option("--keep", type=click.Path(path_type=Path), required=True, help="Folder of the models.")
@click.option("--seed", default=0, show_default=True, help="Of the models.")
def grid(keep: Path, seed: int) -> None:
    """Try every combination."""
    heard = _hear(keep, seed)
    combinations = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    with LOG.open("w", encoding="utf-8") as log, click.progressbar(combinations) as bar:
        for chosen in bar:
            settings = FilterSettings(
                stay=chosen["stay"], exponent=chosen["exponent"], door=chosen["door"], posture=chosen["posture"]
            )
            row: dict[str, Any] = dict(chosen)
            for kind in KINDS:
                told = heard[kind].settled(settings, chosen["switch"])
                figures = score_trials(told, heard[kind].trials)
                row[kind] = {
                    "at_windows": round(figures.at_windows, 6),
                    "accuracy": round(figures.scores.accuracy, 6),
                    "false_switches_per_hour": round(figures.scores.false_switches_per_hour, 2),
                    "delay_median_s": figures.scores.delay_median_s,
                    "delay_p90_s": figures.scores.delay_p90_s,
                }
            cold = heard["cold"].settled(settings, chosen["switch"])
            row["cold"] = round(score_cold(cold, heard["cold"].trials).prompt, 4)
            log.write(json.dumps(row) + "\n")


@main.command()
@click.option("--rows", default=12, show_default=True, help="How many to print.")
def table(rows: int) -> None:
    """Print the best that keep within what is asked for."""
    tried = [json.loads(line) for line in LOG.read_text(encoding="utf-8").splitlines()]
    within = [row for row in tried if _is_within(row)] or tried
    within.sort(key=lambda row: row["natural"]["at_windows"] + row["cut"]["at_windows"], reverse=True)
    titles = [*GRID, *(f"{kind} {what}" for kind in KINDS for what in ("%", "false/h", "delay s")), "cold %"]
    click.echo("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    for row in within[:rows]:
        cells = [f"{row[name]:g}" for name in GRID]
        for kind in KINDS:
            figures = row[kind]
            cells += [f"{100 * figures['at_windows']:.2f}", f"{figures['false_switches_per_hour']:.1f}"]
            cells.append("-" if figures["delay_median_s"] is None else f"{figures['delay_median_s']:.2f}")
        click.echo("| " + " | ".join([*cells, f"{100 * row['cold']:.1f}"]) + " |")


def _is_within(row: dict[str, Any]) -> bool:
    natural = row["natural"]
    return bool(natural["delay_median_s"] <= MOST_DELAY_S and natural["false_switches_per_hour"] <= MOST_SWITCHES)


if __name__ == "__main__":
    main()
