"""``har-stream report``: a recorded session as text, as a page, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO, cast

import click

from model.errors import HarError


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--html", type=click.Path(path_type=Path), metavar="OUT.html", help="Write a page with plots, too.")
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object on stdout.")
def report(file: Path, html: Path | None, as_json: bool) -> None:
    """Tell what a session adds up to, of FILE that listen --output jsonl has written (- for stdin)."""
    import msgspec

    from streamer.report.figures import read_session

    if html:
        from streamer.report.page import check_page, write_page

        check_page(html)
        if html.exists() and file.exists() and html.samefile(file):
            raise HarError("The page would overwrite the session; give another --html.")
    try:
        with click.open_file(str(file), "rb") as stream:
            figures = read_session(cast(BinaryIO, stream))
    except OSError as error:
        raise HarError(f"The session {file} cannot be read ({error.strerror}); give another file.") from error
    if html:
        write_page(html, figures, "stdin" if str(file) == "-" else file.name)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(figures)))
    else:
        from rich.console import Console

        from streamer.report.tables import print_report

        print_report(figures, Console(highlight=False))
