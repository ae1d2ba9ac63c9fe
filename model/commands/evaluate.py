"""``har-model evaluate`` and ``har-model robustness``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from model.commands.console import console, print_json, print_written, steps
from model.commands.options import FILE, SEED, artefact_argument, json_option

if TYPE_CHECKING:
    from model.artefact import Artefact


@click.command()
@artefact_argument
@json_option
@click.option("--report", type=FILE, help="Also write everything, with plots, as one HTML file.")
@click.option(
    "--robustness/--no-robustness", default=True, help="Also under disturbances, which takes most of the time."
)
def evaluate(artefact: Path | None, as_json: bool, report: Path | None, robustness: bool) -> None:
    """Evaluate ARTEFACT (a file, or a model in the box: window, the default, or stream) on the nine test subjects.

    "official" are UCI HAR v1.0's 2,947 test windows. "streaming" are whole recordings as a listener cuts them;
    scored are the windows inside one segment of one of the six activities, not those in transitions. "smoothed" are
    the same behind the filter over consecutive windows.

    A model for streams is told each official window from a cold start, and is judged on rearranged recordings, cold
    starts and gaps besides; --robustness is for window models.
    """
    from model.artefact import default_artefact_path, read_artefact
    from model.card import STREAM
    from model.classifier import Classifier
    from model.evaluation import evaluate_fully

    if report:
        from model.page_file import check_page

        check_page(report)
    read = read_artefact(artefact or default_artefact_path())
    if read.card.network == STREAM:
        _evaluate_stream(read, as_json, report)
        return
    classifier = Classifier(read)
    display = console(stderr=True)
    with steps(display) as on_progress:
        evaluation = evaluate_fully(classifier, robustness=robustness, on_progress=on_progress)
    if report:
        from model.page_file import write_page
        from model.report import render_report

        write_page(report, render_report(evaluation))
        print_written(display, report)
    if as_json:
        print_json(evaluation)
        return
    from model.evaluation_tables import evaluation_view

    console().print(evaluation_view(evaluation))


def _evaluate_stream(artefact: Artefact, as_json: bool, report: Path | None) -> None:
    from model.stateful.classifier import StreamClassifier
    from model.stateful.evaluation import evaluate_stream_fully
    from model.stateful.evaluation_tables import stream_evaluation_view

    display = console(stderr=True)
    with steps(display) as on_progress:
        evaluation = evaluate_stream_fully(StreamClassifier(artefact), on_progress=on_progress)
    if report:
        from model.page_file import write_page
        from model.stateful.report import render_stream_report

        write_page(report, render_stream_report(evaluation))
        print_written(display, report)
    if as_json:
        print_json(evaluation)
    else:
        console().print(stream_evaluation_view(evaluation))


@click.command()
@artefact_argument
@json_option
@click.option(
    "--subjects",
    "split",
    type=click.Choice(["train", "test"]),
    default="train",
    help="Whose recordings: train while a model is being made, test for its report.",
)
@click.option("--seed", type=SEED, default=0, help="Of axes, phases, losses and noise.")
def robustness(artefact: Path | None, as_json: bool, split: str, seed: int) -> None:
    """Evaluate ARTEFACT (a file, or a model in the box: window, the default, or stream) on disturbed recordings.

    The phone is turned, samples at other rates, loses samples, is noisy, or sends other units, signs or no gyroscope.
    """
    from model.classifier import Classifier
    from model.robustness import benchmark

    classifier = Classifier.load(artefact)
    with steps(console(stderr=True)) as on_progress:
        result = benchmark(classifier, split, seed=seed, on_progress=on_progress)
    if as_json:
        print_json(result)
        return
    from model.evaluation_tables import robustness_view

    console().print(robustness_view(result))
