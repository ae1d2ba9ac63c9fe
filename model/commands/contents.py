"""``har-model info`` and ``har-model export``: what the box holds."""

from __future__ import annotations

from pathlib import Path

import click

from model.commands.console import console, print_json, print_written, steps
from model.commands.options import FILE, artefact_argument


@click.command()
@artefact_argument
@click.option("--json", "as_json", is_flag=True, help="The card as JSON instead of a table.")
def info(artefact: Path | None, as_json: bool) -> None:
    """Show the card of ARTEFACT (a file, or a model in the box: window, the default, or stream)."""
    from model.artefact import default_artefact_path, read_artefact

    card = read_artefact(artefact or default_artefact_path()).card
    if as_json:
        print_json(card)
        return
    from model.tables import card_view

    console().print(card_view(card))


@click.command()
@click.argument("directory", type=FILE)
def export(directory: Path) -> None:
    """Write the official UCI HAR v1.0 folder, regenerated from the recordings in the box, to DIRECTORY."""
    from model.uci_har import write_uci_har

    display = console(stderr=True)
    with steps(display) as on_progress:
        write_uci_har(directory, lambda done, total: on_progress("files", done, total))
    print_written(display, directory)
