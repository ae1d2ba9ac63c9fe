"""``har-stream label``: the command line."""

from __future__ import annotations

import sys
from typing import Any

import click

from model.activities import ALL_LABELS
from model.errors import HarError
from model.text import MOST, printable
from streamer.access_options import broker_address
from streamer.activity_names import activity_of
from streamer.connection_options import broker_option, connection_options, subscriber_options


def _activity(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """The label that is meant, as people write it, and as the annotations of Sensor Logger are read."""
    if value is None:
        return None
    if (activity := activity_of(value)) is not None:
        return activity
    known = ", ".join(label.lower() for label in ALL_LABELS)
    raise click.BadParameter(f"'{printable(value, MOST)}' is not one of {known}.")


@click.command()
@click.argument("activity", callback=_activity, required=False)
@click.option("--phone", required=True, help="Name of the phone, as in its topics.")
@click.option("--clear", is_flag=True, help="From now on nothing is known.")
@broker_option
@connection_options
def label(activity: str | None, phone: str, clear: bool, broker: str, **flags: Any) -> int:
    """Say what a phone's owner does, from now until the next label, for live accuracy and for training.

    ACTIVITY is one of the data set's, as walking, upstairs, "sit to stand" or lying. Without it, on a terminal, each
    key is a label: 1 to 6 the activities, t and then 1 to 6 the transitions, 0 nothing, q quits.
    """
    if activity and clear:
        raise HarError("An activity and --clear exclude each other; give one.")
    is_prompt = not (activity or clear)
    if is_prompt and not sys.stdin.isatty():
        raise HarError(f"There is no terminal to ask on; give --clear, or one of {', '.join(ALL_LABELS)}.")
    from streamer.labelling.sender import LabelSender
    from streamer.wire import LABEL, WireError, topic

    try:
        topics = (topic(flags["root"], phone, LABEL),)
    except WireError as error:
        raise HarError(f"{str(error)[0].upper()}{str(error)[1:]}; give another --phone.") from error
    options = subscriber_options(broker_address(broker, flags), flags, topics=topics)
    sender = LabelSender(options)
    sender.start()
    status = 0
    try:
        if is_prompt:
            status = _ask(sender, phone, str(options.address))
        else:
            sender.send(activity)
    finally:
        sender.stop()
    return status


def _ask(sender: Any, phone: str, where: str) -> int:
    import time

    from streamer.labelling.prompt import run_prompt

    return run_prompt(sender, phone, where, time.time)
