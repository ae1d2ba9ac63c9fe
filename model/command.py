"""What the three command lines share: help on ``-h``, and errors as one sentence.

Imports click alone, so that ``--help`` stays quick.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from model.errors import HarError
from model.text import printable

EXIT_FAILURE = 1
EXIT_INTERRUPTED = 130
"""128 + SIGINT, the shell's convention."""

CONTEXT_SETTINGS: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "show_default": True,
    "max_content_width": 120,
}
"""``context_settings`` of every group and command."""

version_option = click.version_option(package_name="har-stream", message="%(prog)s %(version)s")
"""Decorator: ``--version``, read from the installed package."""


def run(command: click.Command) -> NoReturn:
    """Run a command line and end the process.

    The exit status is what the command returns or exits with if that is an integer, else 0. A :class:`HarError` is
    printed as one sentence on stderr and ends with its ``exit_code`` if its class has one, else 1; wrong
    usage ends with click's 2; an interrupt with 130.
    """
    try:
        status = command.main(standalone_mode=False)
    except HarError as error:
        click.echo(f"Error: {printable(str(error))}", err=True)  # it may quote a file or a network peer
        sys.exit(getattr(error, "exit_code", EXIT_FAILURE))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)
