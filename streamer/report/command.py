"""``har-stream report``: a recorded session as text, as a page, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click
from click.core import ParameterSource

from model.errors import HarError
from streamer.formats.names import AUTO, CHOICES
from streamer.mount.options import mount_of, mount_options
from streamer.recognition.options import engine_options, model_options

if TYPE_CHECKING:
    from streamer.report.export import PredictionTable
    from streamer.report.figures import Figures, SessionReport
    from streamer.report.lines import PredictionLine


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--html", type=click.Path(path_type=Path), metavar="OUT.html", help="Write a page with plots, too.")
@click.option(
    "--table",
    type=click.Path(path_type=Path),
    metavar="OUT.csv|OUT.parquet",
    help="Write the predictions as a table, too, a row a window.",
)
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object on stdout.")
@click.option("--format", "format_name", type=click.Choice(CHOICES), default=AUTO, help="Of a capture's messages.")
@model_options
@mount_options
def report(file: Path, html: Path | None, table: Path | None, as_json: bool, **how: Any) -> None:
    """Tell what a session adds up to (- for stdin).

    FILE is what listen --output jsonl has written, or a capture of listen --record, which is recognised anew: all of
    it, without a broker.
    """
    if html:
        from model.page_file import check_page

        check_page(html)
        _check_other(html, file, "page", "--html")
    rows = _table(table, file) if table else None
    figures = _read(file, how, rows.add if rows else None)
    if table and rows:
        rows.write(table)
    if html:
        from model.page_file import write_page
        from streamer.report.page import render_page

        write_page(html, render_page(figures, "stdin" if str(file) == "-" else file.name))
    if as_json:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(figures)))
    else:
        from rich.console import Console

        from streamer.report.tables import print_report

        print_report(figures, Console(highlight=False))


def _table(table: Path, file: Path) -> PredictionTable:
    from streamer.report.export import PredictionTable, check_table

    check_table(table)
    _check_other(table, file, "table", "--table")
    return PredictionTable()


def _check_other(out: Path, file: Path, what: str, option: str) -> None:
    if out.exists() and file.exists() and out.samefile(file):
        raise HarError(f"The {what} would overwrite the session; give another {option}.")


def _read(file: Path, how: dict[str, Any], on_prediction: Callable[[PredictionLine], None] | None) -> SessionReport:
    from streamer.capture.format import MAGIC
    from streamer.report.figures import Figures

    figures = Figures(on_prediction)

    try:
        with click.open_file(str(file), "rb") as stream:
            # A capture is told by its beginning; a pipe's too, which cannot be read twice.
            if cast(BufferedReader, stream).peek(len(MAGIC))[: len(MAGIC)] == MAGIC:
                return _recognise(cast(BinaryIO, stream), file, how, figures)
            return _add_up(cast(BinaryIO, stream), figures)
    except OSError as error:
        raise HarError(f"The session {file} cannot be read ({error.strerror}); give another file.") from error


def _recognise(stream: BinaryIO, file: Path, how: dict[str, Any], figures: Figures) -> SessionReport:
    from streamer.capture.reader import Capture
    from streamer.report.recognised import RecogniseOptions, recognise_capture

    options = RecogniseOptions(engine_options(how), mount_of(how), how["format_name"])
    return recognise_capture(Capture(stream, file.name), options, figures)


def _add_up(stream: BinaryIO, figures: Figures) -> SessionReport:
    from streamer.report.figures import read_session

    context = click.get_current_context()
    for option in ("model", "every_s", "smoothing", "lag", "format_name", "mount", "state"):
        if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            name = option.removesuffix("_name").removesuffix("_s")
            raise HarError(f"--{name} is for captures, and these predictions have been made; leave it out.")
    return read_session(stream, figures)
