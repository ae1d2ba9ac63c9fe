"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path)
SEED = click.IntRange(min=0)
AT_LEAST_1 = click.IntRange(min=1)
SHARE = click.FloatRange(0, 1, max_open=True)

artefact_argument = click.argument("artefact", type=FILE, required=False)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
