"""Both models in the protocol of rearranged streams, cross-validated: what the default of `listen` is chosen by.

    python -m benchmarks.stateful train default --seeds 0 --keep DIR
    python -m benchmarks.stateful_protocol windows --keep DIR
    python -m benchmarks.stateful_protocol run --keep DIR --seed 0
    python -m benchmarks.stateful_protocol table

``windows`` trains the window model of each fold (model.validation.folds), a few minutes each. ``run`` plays the
protocol (model.stateful.protocol) to each kind, every subject to the model that was trained without them, and writes
docs/experiments/stateful_protocol.json; ``table`` makes docs/experiments/stateful.md's tables of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from benchmarks.stateful import kept_model
from model.activities import TRAIN_SUBJECTS
from model.artefact import write_artefact
from model.classifier import Classifier
from model.dataset import Floats
from model.packaging import pack
from model.smoothing import activities_then_transition
from model.stateful.classifier import StreamClassifier
from model.stateful.evaluation import score_model_transitions
from model.stateful.evaluation_tables import Rows, arrangement_cells, transition_rows
from model.stateful.hearers import EachTheirOwn, FloatArray, StreamHearer, WindowHearer
from model.stateful.scoring import PROMPT_S, Hearer, ProtocolScores, run_protocol
from model.stateful.sequences import training_sources
from model.stateful.transition_scores import TransitionScores, together
from model.tables import percent
from model.training import default_options, train_network
from model.validation import folds

LOG = Path(__file__).parent.parent / "docs" / "experiments" / "stateful_protocol.json"
keep_option = click.option("--keep", type=click.Path(path_type=Path), required=True, help="Folder of the models.")


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """The protocol's scores by model, and the stream model's transitions, all cross-validated."""

    seed: int
    models: dict[str, ProtocolScores]
    transitions: TransitionScores


@click.group()
def main() -> None:
    """The window model and the stream model in the same protocol."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")


@main.command()
@keep_option
def windows(keep: Path) -> None:
    """Train the window model of each fold; one that is there already is left."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keep.mkdir(parents=True, exist_ok=True)
    for number, fold in enumerate(folds()):
        path = kept_model(keep, "window", number, 0)
        if not path.exists():
            trained = train_network(replace(default_options("window"), subjects=fold.train))
            write_artefact(path, pack(trained, path.stem))
            logging.getLogger(__name__).info("%s", path.name)


@main.command()
@keep_option
@click.option("--seed", default=0, show_default=True, help="Of the stream models.")
def run(keep: Path, seed: int) -> None:
    """Play the protocol to both."""
    sources = training_sources(TRAIN_SUBJECTS)
    streams = [StreamClassifier.load(kept_model(keep, "default", number, seed)) for number in range(len(folds()))]
    hearers: dict[str, list[Hearer]] = {"stream": [StreamHearer(each) for each in streams]}
    window_models = [kept_model(keep, "window", number, 0) for number in range(len(folds()))]
    if all(path.exists() for path in window_models):
        hearers["window"] = [_window_hearer(Classifier.load(path)) for path in window_models]
    models = {name: run_protocol(_by_fold(each), sources) for name, each in hearers.items()}
    scores = [
        score_model_transitions(classifier, training_sources(fold.held_out))
        for classifier, fold in zip(streams, folds(), strict=True)
    ]
    results = Results(seed=seed, models=models, transitions=together(scores))
    LOG.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def _by_fold(hearers: list[Hearer]) -> EachTheirOwn:
    return EachTheirOwn({subject: h for h, fold in zip(hearers, folds(), strict=True) for subject in fold.held_out})


def _window_hearer(classifier: Classifier) -> WindowHearer:
    def rows_of(values: Floats) -> FloatArray:
        return activities_then_transition(classifier.class_probabilities(values), classifier.classes)

    return WindowHearer(rows_of)


@main.command()
def table() -> None:
    """Print the results as Markdown."""
    results = msgspec.json.decode(LOG.read_bytes(), type=Results)
    for rows in _tables(results):
        click.echo(markdown(rows))


def _tables(results: Results) -> Iterator[Rows]:
    models = results.models
    columns = ("", "model", "at windows", "all answers", "false switches/h", "delay [s] median", "90 %", "missed")
    yield Rows(
        "Recordings as they are, and rearranged",
        columns,
        tuple(
            (arrangement, name, *arrangement_cells(scores.arrangements[arrangement]))
            for arrangement in models["stream"].arrangements
            for name, scores in models.items()
        ),
    )
    yield _side_by_side(
        "Ten minutes of one activity, all answers",
        {name: {a: s.scores.accuracy for a, s in scores.monotone.items()} for name, scores in models.items()},
    )
    yield _side_by_side(
        f"Streams that begin in the middle, right within {PROMPT_S:g} s",
        {name: {"all": scores.cold.prompt, **scores.cold.by_activity} for name, scores in models.items()},
    )
    yield _side_by_side(
        "Seconds of past that an answer knows", {name: scores.contexts for name, scores in models.items()}
    )
    yield _side_by_side(
        "The 10 s behind a gap of so many seconds",
        {
            f"{name}, {how}": {f"{gap.gap_s:g}": float(getattr(gap, field)) for gap in scores.gaps}
            for name, scores in models.items()
            for how, field in (("begun anew", "anew"), ("state kept", "kept"))
        },
    )
    yield transition_rows(results.transitions)


def _side_by_side(title: str, shares: dict[str, dict[str, float]]) -> Rows:
    columns = next(iter(shares.values()))
    return Rows(title, ("", *columns), tuple((name, *map(percent, row.values())) for name, row in shares.items()))


def markdown(rows: Rows) -> str:
    """A table in Markdown, its title above it."""
    lines = [f"**{rows.title}**", "", "| " + " | ".join(rows.columns) + " |", "|---" * len(rows.columns) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows.rows), ""])


if __name__ == "__main__":
    main()
