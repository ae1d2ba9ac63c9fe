"""``har-model``: train, evaluate, robustness, predict, info, export."""

from __future__ import annotations

from typing import NoReturn

import click

from model.command import CONTEXT_SETTINGS, run, version_option
from model.commands.contents import export, info
from model.commands.evaluate import evaluate, robustness
from model.commands.predict import predict
from model.commands.train import train


@click.group(context_settings=CONTEXT_SETTINGS)
@version_option
def cli() -> None:
    """Train, evaluate and use models of human activity."""


for _command in (train, evaluate, robustness, predict, info, export):
    cli.add_command(_command)


def main() -> NoReturn:
    """The entry point of ``har-model``."""
    run(cli)


if __name__ == "__main__":
    main()
