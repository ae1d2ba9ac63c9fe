"""``har-stream classify``: the command line. Heavy imports wait until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from streamer.backfill.names import ACCELERATION_UNITS, ANGULAR_UNITS, AUTO, SPLITS, TIME_UNITS
from streamer.formats.names import AUTO as ANY_FORMAT
from streamer.formats.names import CHOICES
from streamer.mount.options import mount_of, mount_options
from streamer.recognition.options import engine_options, model_options


@click.command()
@click.argument("files", nargs=-1, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--bundled", type=click.Choice(SPLITS), help="Classify these recordings in the box, too.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="OUT.jsonl|OUT.parquet",
    help="Write predictions there: JSON lines, or a table.  [default: JSON lines on stdout]",
    show_default=False,
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Processes that share the files.  [default: one a core, fewer for little]",
    show_default=False,
)
@click.option("--time-unit", type=click.Choice([AUTO, *TIME_UNITS]), default=AUTO, help="Of tables' times.")
@click.option("--acc-unit", type=click.Choice([AUTO, *ACCELERATION_UNITS]), default=AUTO, help="Of tables.")
@click.option("--gyro-unit", type=click.Choice([AUTO, *ANGULAR_UNITS]), default=AUTO, help="Of tables.")
@click.option("--format", "format_name", type=click.Choice(CHOICES), default=ANY_FORMAT, help="Of captures' messages.")
@model_options
@mount_options
def classify(files: tuple[Path, ...], **flags: Any) -> int:
    """Recognise all that is in files, as fast as this machine can: the listener's predictions without a broker.

    FILE is a capture of listen --record, a CSV or Parquet table with time stamps, a raw recording (acc_exp01_user01.txt
    with its gyro_exp01_user01.txt beside it), a folder or zip of UCI HAR v1.0 or HAPT, or a folder of captures and
    tables. A file that cannot be read is told, the others are classified, and the exit status is 1.
    """
    from streamer.backfill.outcome import BackfillOptions
    from streamer.backfill.run import RunOptions, run
    from streamer.backfill.sinks import is_table
    from streamer.backfill.units import TableOptions

    recognise = BackfillOptions(
        engine=engine_options(flags),
        mount=mount_of(flags),
        tables=TableOptions(flags["time_unit"], flags["acc_unit"], flags["gyro_unit"]),
        format=flags["format_name"],
        is_table=is_table(flags["out"]),
    )
    return run(RunOptions(files, flags["bundled"], flags["out"], flags["workers"], recognise))
