"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

from model.boxed import IN_THE_BOX

FILE = click.Path(path_type=Path)
SEED = click.IntRange(min=0)
AT_LEAST_1 = click.IntRange(min=1)
SHARE = click.FloatRange(0, 1, max_open=True)


def _in_the_box(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    """The path of a model in the box that is named; a file of that name comes first."""
    from model.artefact import default_artefact_path

    if value is None or str(value) not in IN_THE_BOX or value.exists():
        return value
    return default_artefact_path(str(value))


artefact_argument = click.argument("artefact", type=FILE, required=False, callback=_in_the_box)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
