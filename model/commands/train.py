"""``har-model train``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from model.commands.console import console, epoch_progress, print_json, print_written, steps
from model.commands.finetune import FinetuneRequest, run_finetuning
from model.commands.options import AT_LEAST_1, FILE, SEED, SHARE
from model.errors import HarError

if TYPE_CHECKING:
    from model.artefact import Artefact
    from model.metrics import Scores
    from model.training import TrainingOptions

NETWORKS = ("window", "stream", "lstm", "lstm2")
"""As :data:`model.training.NETWORKS`, which is too heavy to import for ``--help``; a test compares them."""

NETWORK_SETTINGS: tuple[str, ...] = ("units", "second_units", "dropout", "second_dropout")
"""Options of ``train`` that are the network's hyperparameters; the others are the training's."""

OF_RECIPES = {"network", "members", *NETWORK_SETTINGS}
"""Options that mean nothing with ``--from``."""

OF_RECORDINGS = {"model", "held_out"}
"""Options that mean nothing without it."""


@click.command()
@click.option("--network", type=click.Choice(NETWORKS), default="window", help="Architecture and recipe.")
@click.option("--seed", type=SEED, default=0, help="Of weights, order, dropout and augmentation.")
@click.option("--output", type=FILE, help="Where the model is written.  [default: NETWORK.har]")
@click.option("--epochs", type=AT_LEAST_1, help="Passes over windows or sequences.  [default: the recipe's]")
@click.option("--batch-size", type=AT_LEAST_1, help="Windows, or sequences, in a step.  [default: the recipe's]")
@click.option(
    "--learning-rate", type=click.FloatRange(0, min_open=True), help="Of the optimizer.  [default: the recipe's]"
)
@click.option("--members", type=AT_LEAST_1, help="Networks to average (window).  [default: the recipe's]")
@click.option("--units", type=AT_LEAST_1, help="Units of the (first) LSTM.  [default: the network's]")
@click.option("--second-units", type=AT_LEAST_1, help="Units of the second LSTM (lstm2).  [default: the network's]")
@click.option("--dropout", type=SHARE, help="Share dropped after the (first) LSTM.  [default: the network's]")
@click.option("--second-dropout", type=SHARE, help="Same after the second (lstm2).  [default: the network's]")
@click.option(
    "--from",
    "recordings",
    type=FILE,
    multiple=True,
    metavar="RECORDING",
    help="Learn on from recorded and labelled sessions: captures, or files of --save-windows; repeatable.",
)
@click.option("--model", type=FILE, help="Artefact to learn on from, with --from.  [default: the one in the box]")
@click.option(
    "--held-out", type=SHARE, default=0.25, help="Share of each activity, the last by time, to compare on, with --from."
)
@click.option("--json", "as_json", is_flag=True, help="The scores as one JSON object.")
@click.argument("more", type=FILE, nargs=-1, metavar="[RECORDING]...")
def train(network: str, seed: int, output: Path | None, **settings: Any) -> None:
    """Train on the 21 training subjects, score on the test subjects, write the model.

    The last epoch's weights are kept, whatever they score; the scores are written into the model's card.

    With --from, the model in the box (or --model) learns a user's own phone, pocket and gait: in minutes, on the
    recorded windows that har-stream label or a phone has labelled, mixed with the training subjects' own so that
    these are not forgotten. Told are both models' scores on a part that was held out.
    """
    recordings = (*settings.pop("recordings"), *settings.pop("more"))
    of_recordings = {name: settings.pop(name) for name in ("model", "held_out")}
    _check_usage(click.get_current_context(), bool(recordings))
    if recordings:
        chosen = {name: settings[name] for name in ("epochs", "batch_size", "learning_rate")} | {"seed": seed}
        path = output or Path("finetuned.har")
        _check_writable(path)
        run_finetuning(
            FinetuneRequest(recordings, output=path, as_json=settings["as_json"], settings=chosen, **of_recordings)
        )
    else:
        _train(network, seed, output or Path(f"{network}.har"), **settings)


def _check_usage(context: click.Context, has_recordings: bool) -> None:
    """Refuse options of the one kind of training together with the other."""
    given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if "recordings" not in given and has_recordings:
        raise HarError("Recordings are learnt from with --from; write har-model train --from RECORDING.")
    for name in sorted(given & (OF_RECIPES if has_recordings else OF_RECORDINGS)):
        option = f"--{name.replace('_', '-')}"
        raise HarError(f"{option} is for training {'without' if has_recordings else 'with'} --from; leave it out.")


def _train(network: str, seed: int, path: Path, *, as_json: bool, **settings: Any) -> None:
    from model.artefact import write_artefact
    from model.packaging import pack, prepare_tensorflow, with_metrics
    from model.tables import scores_view
    from model.training import train_network

    _check_writable(path)
    prepare_tensorflow()
    options = _training_options(network, seed, settings)
    display = console(stderr=True)
    with epoch_progress(display) as on_epoch:
        artefact = pack(train_network(options, on_epoch), path.stem)
    with steps(display) as on_progress:
        metrics = _evaluated(artefact, on_progress)
    write_artefact(path, with_metrics(artefact, metrics))
    if as_json:
        print_json(metrics)
    else:
        console().print(scores_view(metrics))
    print_written(display, path)


def _evaluated(artefact: Artefact, on_progress: Callable[[str, int, int], None]) -> dict[str, Scores]:
    from model.card import STREAM

    if artefact.card.network == STREAM:
        from model.stateful.classifier import StreamClassifier
        from model.stateful.evaluation import evaluate_stream

        return evaluate_stream(StreamClassifier(artefact), on_progress)
    from model.classifier import Classifier
    from model.evaluate import evaluate

    return evaluate(Classifier(artefact), on_progress)


def _training_options(network: str, seed: int, settings: dict[str, Any]) -> TrainingOptions:
    """The network's recipe, changed by the options that were given."""
    from dataclasses import replace

    from model.training import default_options

    recipe = default_options(network)
    given = {name: value for name, value in settings.items() if value is not None}
    of_network: dict[str, Any] = {name: given.pop(name) for name in NETWORK_SETTINGS if name in given}
    return replace(recipe, seed=seed, hyperparameters={**recipe.hyperparameters, **of_network}, **given)


def _check_writable(path: Path) -> None:
    """Fail before the training, not after it."""
    from model.errors import ArtefactError

    if path.is_dir() or not path.resolve().parent.is_dir():
        raise ArtefactError(f"The model cannot be written to {path}; give a file in a folder that exists.")
