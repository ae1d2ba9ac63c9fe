"""Calibration and not knowing: what the held-out training subjects' streams say about temperatures and thresholds.

    python -m benchmarks.crossval default --seeds 1 --keep DIR
    python -m benchmarks.decision run --streams DIR --seed 1
    python -m benchmarks.decision table

Always fitted on two folds' held-out outputs and judged on the third's. JSON lines in docs/experiments/decision.jsonl.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from benchmarks.smoothing import TEMPERATURE, Stream, load_streams
from model.activities import ACTIVITIES, POSTURAL_TRANSITIONS, TRANSITION
from model.bundled import index, load_recording
from model.decision import ANSWERS, UNKNOWN, DecisionSettings, coverage_curve, decide_all, min_confidence
from model.novelty import THRESHOLD
from model.novelty_training import fit_novelty
from model.recordings import label_at
from model.smoothing import FilterSettings, smooth
from model.validation import best_temperature, calibration_error, folds, six_activities, soften
from model.windows import HOP, WINDOW_LENGTH, cut

LOG = Path(__file__).parent.parent / "docs" / "experiments" / "decision.jsonl"

COVERAGES = (0.99, 0.98, 0.95, 0.9)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Outputs:
    """All windows of the held-out recordings of one fold.

    ``rows`` ``(n, 7)`` class probabilities at the recipe's temperature; ``smoothed`` ``(n, 6)``; ``labels`` ``(n,)``:
    the activity's index, 6 inside a postural transition, -1 elsewhere; ``overlap`` ``(n,)`` samples of a postural
    transition in the window; ``novelty`` ``(n,)`` scores by checks fitted on the fold's training subjects.
    """

    rows: Floats
    smoothed: Floats
    labels: Integers
    overlap: Integers
    novelty: Floats

    @property
    def active(self) -> npt.NDArray[np.bool_]:
        """Windows inside one segment of an activity."""
        return (self.labels >= 0) & (self.labels < len(ACTIVITIES))


def label_of(stream: Stream, number: int) -> int:
    """The label of a stream's window, as :class:`Outputs` has it."""
    name = label_at(stream.segments, number * HOP, number * HOP + WINDOW_LENGTH)
    if name in POSTURAL_TRANSITIONS:
        return len(ACTIVITIES)
    return ACTIVITIES.index(name) if name else -1


def overlap_of(stream: Stream, number: int) -> int:
    """Samples of a postural transition in a stream's window."""
    start, stop = number * HOP, number * HOP + WINDOW_LENGTH
    parts = [min(stop, s.stop) - max(start, s.start) for s in stream.segments if s.activity in POSTURAL_TRANSITIONS]
    return max([0, *parts])


def outputs(directory: Path, seed: int) -> list[Outputs]:
    """The outputs of each fold."""
    streams, subjects, per_fold = load_streams(directory, seed), dict(index()), []
    for fold in folds():
        novelty = fit_novelty(fold.train)
        chosen = {e: stream for e, stream in streams.items() if subjects[e] in fold.held_out}
        each = list(chosen.values())
        per_fold.append(
            Outputs(
                np.concatenate([stream.rows for stream in each]),
                np.concatenate([smooth(stream.rows, FilterSettings()) for stream in each]),
                np.array([label_of(stream, i) for stream in each for i in range(len(stream.rows))]),
                np.array([overlap_of(stream, i) for stream in each for i in range(len(stream.rows))]),
                np.concatenate([novelty.score(cut(load_recording(e).signals())) for e in chosen]),
            )
        )
    return per_fold


def joined(parts: list[Outputs]) -> Outputs:
    """Several folds' windows as one."""
    names = Outputs.__dataclass_fields__
    return Outputs(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def calibration(others: Outputs, held_out: Outputs) -> dict[str, Any]:
    """The best temperature on the others, and the calibration errors on the held-out fold."""
    logits_at_one = soften(others.rows, 1 / TEMPERATURE)
    best = best_temperature(logits_at_one[others.active], others.labels[others.active])
    mine, labels = held_out.rows[held_out.active], held_out.labels[held_out.active]
    return {
        "windows": len(labels),
        "temperature": best,
        "ece_at_1": calibration_error(soften(mine, 1 / TEMPERATURE), labels),
        "ece_at_best": calibration_error(soften(mine, best / TEMPERATURE), labels),
        "ece_at_recipe": calibration_error(mine, labels),
        "ece_smoothed": calibration_error(held_out.smoothed[held_out.active], labels),
    }


def deciding(kind: str, coverage: float, others: Outputs, held_out: Outputs) -> dict[str, Any]:
    """The threshold that keeps so many of the others' windows, and what it does on the held-out fold."""

    def activities(part: Outputs) -> Floats:
        return part.smoothed if kind == "smoothed" else six_activities(part.rows)

    threshold = min_confidence(activities(others)[others.active].max(axis=1), coverage)
    chosen = DecisionSettings(min_confidence=threshold)
    answers = decide_all(
        activities(held_out), settings=chosen, transition=held_out.rows[:, -1], novelty=held_out.novelty
    )
    active, unknown, transition = held_out.active, ANSWERS.index(UNKNOWN), ANSWERS.index(TRANSITION)
    named = active & (answers < len(ACTIVITIES))
    is_right = activities(held_out).argmax(axis=1) == held_out.labels
    (point,) = coverage_curve(activities(held_out)[active].max(axis=1), is_right[active], [coverage])
    return {
        "windows": int(active.sum()),
        "min_confidence": threshold,
        "accuracy_of_all": is_right[active].mean(),
        "accuracy_of_named": is_right[named].mean(),
        "named": named.sum() / active.sum(),
        "unsure": (active & (answers == unknown) & (held_out.novelty <= THRESHOLD)).sum() / active.sum(),
        "novel": (held_out.novelty[active] > THRESHOLD).mean(),
        "taken_for_transitions": (answers[active] == transition).mean(),
        "transitions_found": (answers[held_out.labels == len(ACTIVITIES)] == transition).mean(),
        "half_transitions_found": (answers[held_out.overlap >= WINDOW_LENGTH // 2] == transition).mean(),
        "accuracy_at_coverage": point.accuracy,
    }


def lines(per_fold: list[Outputs]) -> Iterator[dict[str, Any]]:
    """Every measurement of every fold."""
    for fold, held_out in enumerate(per_fold):
        others = joined([part for other, part in enumerate(per_fold) if other != fold])
        yield {"fold": fold, "what": "calibration", **calibration(others, held_out)}
        for kind in ("single windows", "smoothed"):
            for coverage in COVERAGES:
                yield {"fold": fold, "what": kind, "coverage": coverage, **deciding(kind, coverage, others, held_out)}


@click.group()
def main() -> None:
    """Measure calibration, coverage and transitions."""


@main.command()
@click.option("--streams", "directory", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--seed", default=1, show_default=True)
def run(directory: Path, seed: int) -> None:
    """Measure; writes the log anew."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log:
        for line in lines(outputs(directory, seed)):
            plain = {k: round(float(v), 5) if isinstance(v, float | np.floating) else v for k, v in line.items()}
            log.write(json.dumps(plain) + "\n")


@main.command()
def table() -> None:
    """Print the log: means over the folds, weighted by their windows."""
    logged = [json.loads(line) for line in LOG.read_text(encoding="utf-8").splitlines()]
    for what, coverage in dict.fromkeys((line["what"], line.get("coverage")) for line in logged):
        rows = [line for line in logged if (line["what"], line.get("coverage")) == (what, coverage)]
        weights = [row["windows"] for row in rows]
        names = [name for name in rows[0] if name not in ("fold", "what", "coverage", "windows")]
        means = {name: float(np.average([row[name] for row in rows], weights=weights)) for name in names}
        click.echo(f"{what} {coverage or ''}: " + "  ".join(f"{name} {mean:.4f}" for name, mean in means.items()))


if __name__ == "__main__":
    main()
