"""``har-replay``: recordings as simulated phones. Heavy imports happen inside the command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from model.command import CONTEXT_SETTINGS, run, version_option
from replay.options import SPLITS, is_given, refuse_for_a_file, speed, subjects, topic_root
from streamer.access_options import broker_address, tls_of, tls_options, user_options

if TYPE_CHECKING:
    from replay.run import Outcome, PlayOptions, ReplayOptions

_PLACE = click.Path(exists=True, path_type=Path)
_SHARE = click.FloatRange(0, 1)

_HELP = """Publish recordings as simulated phones.

SOURCE is test, train or all: the recordings of UCI HAR's 9 test subjects, of its 21 training subjects, or of all
30. Each recording becomes a phone called like s02-e03 (subject, experiment). It publishes samples on
<root>/<phone>/imu and what the subject does on <root>/<phone>/label, as in UCI HAR's own recordings at 50 Hz.
Time stamps are the recording's clock from now on: 1/50 s a sample, at any speed.

Or SOURCE is a file made by har-stream listen --record: its messages are published again as they came, the same bytes
on the same topics with the same time between them.

Exit status: 0 when everything was sent; the CONNACK code (1 to 5) when the broker refuses; 1 on any other failure; 2
on wrong usage; 130 on Ctrl-C and 143 on SIGTERM, after the summary.
"""


@click.command(help=_HELP, context_settings=CONTEXT_SETTINGS)
@version_option
@click.argument("source", metavar="SOURCE")
@click.option(
    "--broker",
    metavar="WHERE",
    default="localhost:1883",
    envvar="HAR_BROKER",
    show_envvar=True,
    help="HOST, HOST:PORT, or a URL: mqtt://, mqtts://, ws:// or wss://, with [USER[:PASSWORD]@].",
)
@user_options
@tls_options
@click.option(
    "-q",
    "--qos",
    type=click.IntRange(0, 2),
    default=1,
    help="Quality of service. With 1 the broker acknowledges each message, so that none is lost on the way to it and "
    "the replay never runs ahead of it.",
)
@click.option(
    "--root", callback=topic_root, default="har", help="First level of the topics; of a file's, to replace theirs."
)
@click.option("--subjects", metavar="2,4,9", callback=subjects, help="Only these subjects.")
@click.option(
    "--speed",
    metavar="1|N|max",
    callback=speed,
    default="1",
    help="Times real time. 'max' sends as fast as the broker acknowledges; subscribers that are slower depend on the "
    "broker's queue (Mosquitto: max_queued_messages).",
)
@click.option("--loop", is_flag=True, help="Begin again at the end, until stopped.")
@click.option("--phones", type=click.IntRange(1, 100_000), help="Number of phones; they share the recordings.")
@click.option("--data-dir", type=_PLACE, help="Official UCI HAR v1.0 or HAPT folder or zip to replay from.")
@click.option("--batch", type=click.IntRange(1, 1000), default=25, help="Samples a message.")
@click.option("--encoding", type=click.Choice(["json", "msgpack"]), default="json", help="Of the messages.")
@click.option("--rate", type=click.FloatRange(1, 1000), default=50.0, help="Hz; other rates than 50 are resampled.")
@click.option("--unit", type=click.Choice(["g", "m/s2"]), default="g", help="Of the acceleration; the messages say so.")
@click.option("--labels/--no-labels", default=True, help="Publish what the subjects do.")
@click.option("--jitter-ms", type=click.FloatRange(0, 60_000), default=0.0, help="Delay messages by up to so much.")
@click.option("--drop", type=_SHARE, default=0.0, help="Share of the messages that is not sent.")
@click.option("--duplicate", type=_SHARE, default=0.0, help="Share of the messages that is sent twice.")
@click.option("--reorder", type=_SHARE, default=0.0, help="Share of the messages that the next one overtakes.")
@click.option("--start-delay", type=click.FloatRange(0, 86_400), default=0.0, help="Seconds to wait, connected, first.")
@click.option("--seed", type=int, default=0, help="Of the faults above: the same seed, the same faults.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object on stdout.")
def command(as_json: bool, **values: Any) -> int:
    """Replay, report, and return the exit status."""
    is_file = values["source"] not in SPLITS and Path(values["source"]).exists()
    if is_file:
        refuse_for_a_file(click.get_current_context())
    values["address"] = broker_address(values["broker"], values)
    from rich.console import Console

    from replay.run import play, replay

    console = Console(stderr=True)
    outcome = play(_play_options(values), console) if is_file else replay(_replay_options(values), console)
    return _report(outcome, as_json, console)


def _play_options(values: dict[str, Any]) -> PlayOptions:
    from replay.run import PlayOptions

    return PlayOptions(
        capture=Path(values["source"]),
        root=values["root"] if is_given(click.get_current_context(), "root") else None,
        **_send_options(values),
    )


def _send_options(values: dict[str, Any]) -> dict[str, Any]:
    chosen = {name: values[name] for name in ("address", "qos", "speed")}
    return chosen | {"start_delay_s": values["start_delay"], "tls": tls_of(values)}


def _replay_options(values: dict[str, Any]) -> ReplayOptions:
    from replay.faults import Faults
    from replay.phone import Manner
    from replay.run import ReplayOptions

    return ReplayOptions(
        **_send_options(values),
        source=values["source"],
        rate=values["rate"],
        subjects=values["subjects"],
        data_dir=values["data_dir"],
        n_phones=values["phones"],
        seed=values["seed"],
        manner=Manner(
            root=values["root"],
            batch=values["batch"],
            encoding=values["encoding"],
            acc_unit=values["unit"],
            labels=values["labels"],
            loop=values["loop"],
        ),
        faults=Faults(values["drop"], values["duplicate"], values["reorder"], values["jitter_ms"] / 1e3),
    )


def _report(outcome: Outcome, as_json: bool, console: Any) -> int:
    import json

    from replay.display import print_summary

    print_summary(console, outcome.tally)
    if as_json:
        click.echo(json.dumps(outcome.tally.as_dict()))
    if outcome.failure is not None:
        raise outcome.failure
    return 0 if outcome.signal is None else 128 + outcome.signal


def main() -> NoReturn:
    """The console script."""
    run(command)


if __name__ == "__main__":
    main()
