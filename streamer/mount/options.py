"""The flags about how phones are worn. Heavy imports wait until they are used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from streamer.mount.book import MountOptions
    from streamer.mount.notation import MountChoice

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where calibrations are remembered and, only if it is given, everything else that a restart would lose.  "
    "[default: the platform's folder for state]",
    show_default=False,
)


def _choice(_context: click.Context, _option: click.Parameter, text: str) -> MountChoice:
    from streamer.mount.notation import parse_mount

    try:
        return parse_mount(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


def mount_options(command: Decorated) -> Decorated:
    """``--mount`` and ``--state``."""
    mount = click.option(
        "--mount",
        callback=_choice,
        default="auto",
        metavar="auto|as-is|AXES",
        help="How the phones are worn: auto goes by each one's calibration (har-stream calibrate), as-is is as in the "
        "data set, AXES name the phone's axes that point up and forward, as up=+y,forward=-x.",
    )
    return mount(state_option(command))


def mount_of(flags: dict[str, Any]) -> MountOptions:
    """From the flags of :func:`mount_options`; without them all phones are worn as the data set's."""
    from streamer.mount.book import MountOptions
    from streamer.mount.notation import AS_IS

    return MountOptions(flags.get("mount", AS_IS), flags.get("state"))
