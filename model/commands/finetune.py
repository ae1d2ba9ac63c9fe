"""``har-model train --from RECORDING``: fine-tuning on a user's own recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from model.commands.console import console, epoch_progress, print_json, print_written

if TYPE_CHECKING:
    from model.artefact import Artefact
    from model.comparison import Comparison
    from model.finetune import FinetuneOptions
    from model.recorded import RecordedWindows


@dataclass(frozen=True)
class FinetuneRequest:
    """What the command line asks for; ``settings`` of :class:`model.finetune.FinetuneOptions`, None: its default."""

    recordings: Sequence[Path]
    model: Path | None
    output: Path
    held_out: float
    as_json: bool
    settings: dict[str, Any]


def run_finetuning(request: FinetuneRequest) -> None:
    """Load, train on, compare, write.

    Raises
    ------
    HarError : a recording or the model cannot be used, or there is too little to learn from.
    """
    from model.artefact import default_artefact_path, read_artefact, write_artefact
    from model.packaging import prepare_tensorflow, with_metrics
    from model.recorded import hold_out, learnable, load_all
    from model.tables import comparison_view

    base = read_artefact(request.model or default_artefact_path())
    every = load_all(request.recordings)
    recorded = learnable(every)
    display = console(stderr=True)
    _tell_left_out(every, recorded)
    learnt, held_out = hold_out(recorded, request.held_out)
    prepare_tensorflow()
    artefact, comparison = _finetune(request, base, learnt, held_out)
    metrics = {"training_subjects": comparison.training_subjects.after}
    metrics |= {"recorded": comparison.held_out.after} if comparison.held_out else {}
    write_artefact(request.output, with_metrics(artefact, metrics))
    if request.as_json:
        print_json(comparison)
    else:
        counts = ", ".join(f"{activity} {count}" for activity, count in comparison.learnt_from.items())
        click.echo(f"Learnt from windows of {counts}.")
        console().print(comparison_view(comparison))
    if comparison.held_out and not comparison.is_better:
        click.echo("No more of the windows held out are recognised than before: keep the old model.", err=True)
    print_written(display, request.output)


def _finetune(
    request: FinetuneRequest, base: Artefact, learnt: RecordedWindows, held_out: RecordedWindows
) -> tuple[Artefact, Comparison]:
    from model.classifier import Classifier
    from model.comparison import compare
    from model.finetune import FinetuneOptions, finetune, training_card
    from model.packaging import pack_finetuned

    given = {name: value for name, value in request.settings.items() if value is not None}
    options: FinetuneOptions = FinetuneOptions(**given)
    with epoch_progress(console(stderr=True)) as on_epoch:
        network = finetune(base, learnt, options, on_epoch)
    card = training_card(base.card, learnt, options, request.held_out)
    artefact = pack_finetuned(base, network, request.output.stem, card, learnt.windows)
    return artefact, compare(Classifier(base), Classifier(artefact), learnt, held_out)


def _tell_left_out(every: RecordedWindows, recorded: RecordedWindows) -> None:
    from model.recorded import FEWEST

    kept = recorded.counts()
    for activity, count in every.counts().items():
        if activity not in kept:
            click.echo(f"{activity} is left out: {count} windows, and {FEWEST} are needed.", err=True)
