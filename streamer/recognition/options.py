"""The flags that say what recognises. Heavy imports wait until they are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from streamer.recognition.names import DEFAULT_MODEL, EVERY_S, LEAST_EVERY_S, MOST_EVERY_S

if TYPE_CHECKING:
    from streamer.recognition.loading import EngineOptions

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--model",
        default=DEFAULT_MODEL,
        metavar="window|stream|FILE",
        help="What recognises: window judges 2.56 s at a time, stream never stops listening; or an artefact of yours.",
    ),
    click.option(
        "--every",
        "every_s",
        type=click.FloatRange(LEAST_EVERY_S, MOST_EVERY_S),
        metavar="SECONDS",
        help=f"Stream model: seconds from one prediction to the next, in steps of {LEAST_EVERY_S}.  "
        f"[default: {EVERY_S}]",
        show_default=False,
    ),
    click.option(
        "--smoothing/--no-smoothing",
        default=True,
        help="Window model: whether an answer heeds the windows before, or each window alone.",
    ),
    click.option(
        "--lag",
        type=click.IntRange(0, 3),
        default=0,
        help="Window model: windows of 1.28 s that an answer waits for, to be surer.",
    ),
)


def model_options(command: Decorated) -> Decorated:
    """For commands that recognise; :func:`engine_options` understands them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def engine_options(flags: dict[str, Any]) -> EngineOptions:
    """From the flags of :data:`model_options`."""
    from model.smoothing import FilterSettings
    from streamer.recognition.loading import EngineOptions

    return EngineOptions(
        model=flags["model"],
        every_s=flags["every_s"],
        smoothing=FilterSettings(lag=flags["lag"]) if flags["smoothing"] else None,
    )
