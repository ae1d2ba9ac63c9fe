"""``har-model``: train, evaluate, predict, info, export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from model.command import CONTEXT_SETTINGS, run, version_option

if TYPE_CHECKING:
    from rich.console import Console

    from model.metrics import Scores
    from model.training import EpochReport, TrainingOptions

NETWORKS = ("window", "lstm", "lstm2")
"""As :data:`model.training.NETWORKS`, which is too heavy to import for ``--help``; a test compares them."""

NETWORK_SETTINGS: tuple[str, ...] = ("units", "second_units", "dropout", "second_dropout")
"""Options of ``train`` that are the network's hyperparameters; the others are the training's."""

FILE = click.Path(path_type=Path)
AT_LEAST_1 = click.IntRange(min=1)
SHARE = click.FloatRange(0, 1, max_open=True)

artefact_argument = click.argument("artefact", type=FILE, required=False)


@click.group(context_settings=CONTEXT_SETTINGS)
@version_option
def cli() -> None:
    """Train, evaluate and use models of human activity."""


@cli.command()
@click.option("--network", type=click.Choice(NETWORKS), default="window", help="Architecture and recipe.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of weights, order, dropout and augmentation.")
@click.option("--output", type=FILE, help="Where the model is written.  [default: NETWORK.har]")
@click.option("--epochs", type=AT_LEAST_1, help="Passes over the training windows.  [default: the recipe's]")
@click.option("--batch-size", type=AT_LEAST_1, help="Windows in a step.  [default: the recipe's]")
@click.option(
    "--learning-rate", type=click.FloatRange(0, min_open=True), help="Of the optimizer.  [default: the recipe's]"
)
@click.option("--members", type=AT_LEAST_1, help="Networks to average (window).  [default: the recipe's]")
@click.option("--units", type=AT_LEAST_1, help="Units of the (first) LSTM.  [default: the network's]")
@click.option("--second-units", type=AT_LEAST_1, help="Units of the second LSTM (lstm2).  [default: the network's]")
@click.option("--dropout", type=SHARE, help="Share dropped after the (first) LSTM.  [default: the network's]")
@click.option("--second-dropout", type=SHARE, help="Same after the second (lstm2).  [default: the network's]")
def train(network: str, seed: int, output: Path | None, **settings: Any) -> None:
    """Train on the 21 training subjects, score on the test subjects, write the model.

    The last epoch's weights are kept, whatever they score; the scores are written into the model's card.
    """
    from model.artefact import write_artefact
    from model.classifier import Classifier
    from model.evaluate import evaluate as evaluate_classifier
    from model.packaging import pack, prepare_tensorflow, with_metrics
    from model.training import train_network

    path = output or Path(f"{network}.har")
    _check_writable(path)
    prepare_tensorflow()
    options = _training_options(network, seed, settings)
    console = _console(stderr=True)
    with _epoch_progress(console) as on_epoch:
        artefact = pack(train_network(options, on_epoch), path.stem)
    with _steps(console) as on_progress:
        metrics = evaluate_classifier(Classifier(artefact), on_progress)
    write_artefact(path, with_metrics(artefact, metrics))
    _print_scores(metrics)
    console.print(f"Written to {path}", highlight=False, markup=False, soft_wrap=True)


@cli.command()
@artefact_argument
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
def evaluate(artefact: Path | None, as_json: bool) -> None:
    """Score ARTEFACT (default: the model in the box) on the nine test subjects.

    "official" are UCI HAR v1.0's 2,947 test windows. "streaming" are whole recordings as a listener cuts them;
    scored are the windows inside one segment of one of the six activities, not those in transitions.
    """
    from model.classifier import Classifier
    from model.evaluate import evaluate as evaluate_classifier

    classifier = Classifier.load(artefact)
    with _steps(_console(stderr=True)) as on_progress:
        metrics = evaluate_classifier(classifier, on_progress)
    if as_json:
        _print_json(metrics)
    else:
        _print_scores(metrics)


@cli.command()
@click.argument("file", type=FILE)
@click.option("--model", type=FILE, help="A model made by har-model train.  [default: the one in the box]")
def predict(file: Path, model: Path | None) -> None:
    """Classify the windows in FILE: one JSON object a line, with activity and probabilities.

    FILE is a .npy of shape (n, 128, 9) or a .npz of har-stream listen --save-windows. The channels are the
    data set's: body_acc x y z [g], body_gyro x y z [rad/s], total_acc x y z [g], at 50 Hz.
    """
    from model.classifier import SLICE, Classifier
    from model.window_files import check_finite, read_windows

    windows = read_windows(file)
    classifier = Classifier.load(model)
    for start in range(0, len(windows), SLICE):
        part = windows[start : start + SLICE]
        check_finite(part, start, file.name)
        _print_predictions(classifier.probabilities(part).tolist())


@cli.command()
@artefact_argument
@click.option("--json", "as_json", is_flag=True, help="The card as JSON instead of a table.")
def info(artefact: Path | None, as_json: bool) -> None:
    """Show the card of ARTEFACT (default: the model in the box)."""
    from model.artefact import default_artefact_path, read_artefact

    card = read_artefact(artefact or default_artefact_path()).card
    if as_json:
        _print_json(card)
        return
    from model.tables import card_view

    _console().print(card_view(card))


@cli.command()
@click.argument("directory", type=FILE)
def export(directory: Path) -> None:
    """Write the official UCI HAR v1.0 folder, regenerated from the recordings in the box, to DIRECTORY."""
    from model.uci_har import write_uci_har

    console = _console(stderr=True)
    with _steps(console) as on_progress:
        write_uci_har(directory, lambda done, total: on_progress("files", done, total))
    console.print(f"Written to {directory}", highlight=False, markup=False, soft_wrap=True)


def main() -> NoReturn:
    """The entry point of ``har-model``."""
    run(cli)


def _training_options(network: str, seed: int, settings: dict[str, Any]) -> TrainingOptions:
    """The network's recipe, changed by the options that were given."""
    from dataclasses import replace

    from model.training import default_options

    recipe = default_options(network)
    given = {name: value for name, value in settings.items() if value is not None}
    of_network: dict[str, Any] = {
        name: given.pop(name) for name in ("units", "second_units", "dropout", "second_dropout") if name in given
    }
    return replace(recipe, seed=seed, hyperparameters={**recipe.hyperparameters, **of_network}, **given)


def _check_writable(path: Path) -> None:
    """Fail before the training, not after it."""
    from model.errors import ArtefactError

    if path.is_dir() or not path.resolve().parent.is_dir():
        raise ArtefactError(f"The model cannot be written to {path}; give a file in a folder that exists.")


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def _print_predictions(rows: list[list[float]]) -> None:
    import msgspec

    from model.activities import ACTIVITIES

    lines = []
    for row in rows:
        probabilities = dict(zip(ACTIVITIES, row, strict=True))
        activity = max(ACTIVITIES, key=probabilities.__getitem__)
        lines.append(msgspec.json.encode({"activity": activity, "probabilities": probabilities}))
    click.echo(b"\n".join(lines))


def _print_scores(metrics: dict[str, Scores]) -> None:
    from model.tables import scores_view

    _console().print(scores_view(metrics))


@contextmanager
def _epoch_progress(console: Console) -> Iterator[Callable[[EpochReport], None]]:
    """A bar on a terminal, a line an epoch elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("training, epoch"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
    progress = Progress(*columns, TextColumn("{task.description}"), console=console, disable=not console.is_terminal)

    def on_epoch(report: EpochReport) -> None:
        figures = f"loss {report.loss:.4f}, accuracy on training windows {100 * report.accuracy:.2f} %"
        progress.update(task, completed=report.epoch, total=report.epochs, description=figures)
        if not console.is_terminal:
            click.echo(f"epoch {report.epoch} of {report.epochs}: {figures}", err=True)

    with progress:
        task = progress.add_task("", total=None)
        yield on_epoch


@contextmanager
def _steps(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each name that progress is reported of; nothing where there is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    tasks: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)

    def on_progress(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = progress.add_task(name, total=total)
        progress.update(tasks[name], completed=done)

    with progress:
        yield on_progress


if __name__ == "__main__":
    main()
