"""Checks of the command line's options that click has no type for; those of one option are click callbacks."""

from __future__ import annotations

import math

import click
from click.core import ParameterSource

from model.errors import HarError

SPLITS = ("test", "train", "all")
"""Sources that name the subjects of a split."""

OF_PHONES = (
    *("subjects", "loop", "phones", "data_dir", "batch", "encoding", "rate", "unit", "labels"),
    *("jitter_ms", "drop", "duplicate", "reorder", "seed"),
)
"""Parameters that say how simulated phones send; a capture's messages are sent as they came."""


def is_given(context: click.Context, name: str) -> bool:
    """Whether an option was given, and has not only its default."""
    return context.get_parameter_source(name) not in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)


def refuse_for_a_file(context: click.Context) -> None:
    """Let no option pass that a capture's messages, sent as they came, cannot heed.

    Raises
    ------
    HarError : naming the first such option.
    """
    for option in context.command.params:
        if option.name in OF_PHONES and is_given(context, option.name):
            name = max(option.opts, key=len)
            raise HarError(f"A recorded file is played as it was received, so {name} does not apply; leave it out.")


def speed(context: click.Context, option: click.Parameter, text: str) -> float:
    """A positive number, or ``max`` (infinity)."""
    if text == "max":
        return math.inf
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise click.BadParameter(f"{text!r} is not a positive number or 'max'.")
    return number


def subjects(context: click.Context, option: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """Numbers with commas between them: each once, in the order given."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise click.BadParameter(f"{text!r} is not a list of subjects like 2,4,9.")
    return tuple(dict.fromkeys(int(part) for part in parts))


def topic_root(context: click.Context, option: click.Parameter, text: str) -> str:
    """The first levels of a topic: no wildcard, no empty level."""
    if not all(text.split("/")) or any(sign in text for sign in "+#\0") or text.startswith("$"):
        raise click.BadParameter(f"{text!r} is not a topic: no '+', '#', leading '$' or empty level.")
    if len(text.encode()) > 1000:
        raise click.BadParameter("the topic is longer than 1000 bytes.")
    return text
