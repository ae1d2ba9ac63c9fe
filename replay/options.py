"""Checks of the command line's options that click has no type for; each is a click callback."""

from __future__ import annotations

import math

import click


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
