"""``har-stream calibrate``: how one phone is worn, measured or named, and remembered. Heavy imports wait."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from streamer.access_options import broker_address
from streamer.connection_options import broker_option, connection_options, subscriber_options
from streamer.mount.options import state_option

if TYPE_CHECKING:
    from model.orientation import Calibration
    from streamer.mount.store import MountStore


@click.command()
@click.argument("phone")
@broker_option
@connection_options
@state_option
@click.option("--walk/--no-walk", default=True, help="Whether to walk, too, for the heading; standing gives only up.")
@click.option("--delay", type=click.FloatRange(0, 600), default=10.0, help="Seconds to put the phone in place.")
@click.option("--timeout", type=click.FloatRange(0, 600, min_open=True), default=60.0, help="Seconds a step may take.")
@click.option("--axes", metavar="AXES", help="Remember named axes instead of measuring, as up=+y,forward=-x.")
@click.option("--forget", is_flag=True, help="Forget the phone's calibration.")
@click.option("--json", "as_json", is_flag=True, help="Print the calibration as one JSON object on stdout.")
def calibrate(phone: str, forget: bool, axes: str | None, as_json: bool, **flags: Any) -> None:
    """Measure how PHONE is worn, and remember it for har-stream listen.

    Wear the phone where you will wear it, stand still for 5 s when told, then walk straight on for some 10 steps. A
    listener that runs with --mount auto takes the calibration up within a second.
    """
    from streamer.mount.store import MountStore

    _check_name(phone)
    store = MountStore(flags["state"])
    if forget:
        known = store.forget(phone)
        click.echo(f"The calibration of {phone} is forgotten." if known else f"There is no calibration of {phone}.")
        return
    found = _named(axes) if axes is not None else _measured(phone, flags)
    _remember(store, phone, found, as_json)


def _check_name(phone: str) -> None:
    from streamer.wire import IMU, WireError, topic

    try:
        topic("har", phone, IMU)
    except WireError as error:
        raise click.BadParameter(f"{error}.", param_hint="PHONE") from error


def _named(axes: str) -> Calibration:
    from model.orientation import Basis, Calibration
    from streamer.mount.notation import parse_rotation

    try:
        rotation = parse_rotation(axes)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--axes") from error
    return Calibration(rotation, rotation[0], Basis.AXES)


def _measured(phone: str, flags: dict[str, Any]) -> Calibration:
    from streamer.formats import detect
    from streamer.formats.names import AUTO, app_topics, default_topics
    from streamer.inbox import one_by_one
    from streamer.mount.feed import Feed
    from streamer.mount.measuring import MeasuringOptions, measure
    from streamer.subscriber import Subscriber

    feed = Feed(phone, detect.decode)
    address = broker_address(flags["broker"], flags)
    topics = default_topics(AUTO, flags["root"])
    options = subscriber_options(address, flags, topics=topics, app_topics=app_topics(AUTO))
    subscriber = Subscriber(options, one_by_one(feed.receive))
    subscriber.start()
    try:
        click.echo(f"Waiting for {phone} ...", err=True)
        return measure(feed, MeasuringOptions(phone, flags["walk"], flags["delay"], flags["timeout"]), _say)
    finally:
        subscriber.stop()


def _say(words: str) -> None:
    """On stderr, with a bell on a terminal: the wearer does not look at it."""
    from model.text import printable

    click.echo(printable(words) + ("\a" if sys.stderr.isatty() else ""), err=True)


def _remember(store: MountStore, phone: str, found: Calibration, as_json: bool) -> None:
    from streamer.mount.notation import main_axis, mount_words
    from streamer.mount.store import Mount

    if problem := store.remember(phone, Mount.of(found, now_s=time.time())):
        click.echo(f"Warning: {problem}", err=True)
    words = mount_words(found.rotation)
    click.echo(
        f"{phone} is calibrated, by {found.basis.value}: as {words}, to the nearest 45°. Kept in {store.path}.",
        err=True,
    )
    if as_json:
        content = {
            "phone": phone,
            "basis": found.basis.value,
            "up": main_axis(found.up),
            "axes": words,
            "rotation": found.rotation.tolist(),
            "likeness": found.likeness,
            "file": str(store.path),
        }
        click.echo(json.dumps(content))
