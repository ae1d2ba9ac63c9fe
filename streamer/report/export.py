"""The predictions of a session as a table for other programs: CSV, or Parquet, by the file's name."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import HarError
from model.files import replace_file
from streamer.report.lines import PredictionLine

if TYPE_CHECKING:
    import pandas as pd

CSV, PARQUET = ".csv", ".parquet"

_NAMES = ("phone", "answer", "activity", "label")
"""Columns of few different values."""

_NUMBERS = ("confidence", "novelty", "latency_ms")


def check_table(path: Path) -> None:
    """Fail before the session is read, not after it.

    Raises
    ------
    HarError : the name does not tell a format, PyArrow is missing for it, or the file cannot be written.
    """
    if path.suffix.lower() not in (CSV, PARQUET):
        raise HarError(f"The table {path.name} is of no format that is known; call it something{CSV} or {PARQUET}.")
    if path.suffix.lower() == PARQUET and find_spec("pyarrow") is None:
        raise HarError(f"{PARQUET} needs PyArrow; install it with: pip install 'har-stream[report]', or give a {CSV}.")
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise HarError(f"The table cannot be written to {path}; give a file in a folder that exists.")


class PredictionTable:
    """Collects a row a window, in the order in which they were predicted.

    ``start`` is where the window begins, in UTC (empty for times that are no date) and, as ``start_s``, in Unix seconds
    of the phone; the other columns are as in the lines of ``listen --output jsonl``.
    """

    def __init__(self) -> None:
        self._start_s: list[float] = []
        self._names: dict[str, list[str | None]] = {name: [] for name in _NAMES}
        self._numbers: dict[str, list[float | None]] = {name: [] for name in _NUMBERS}

    def add(self, line: PredictionLine) -> None:
        """Take the next row."""
        self._start_s.append(line.start_s)
        for name, column in self._names.items():
            column.append(getattr(line, name))
        for name, values in self._numbers.items():
            values.append(getattr(line, name))

    def frame(self) -> pd.DataFrame:
        """All rows."""
        import pandas as pd

        start_s = pd.Series(self._start_s, dtype="float64")
        names = {name: pd.Categorical(column) for name, column in self._names.items()}
        numbers = {name: pd.Series(values, dtype="float64") for name, values in self._numbers.items()}
        start = pd.to_datetime(start_s, unit="s", utc=True, errors="coerce").dt.round("ms")
        frame = pd.DataFrame({"phone": names.pop("phone"), "start": start, "start_s": start_s})
        return frame.assign(**names, **numbers)

    def write(self, path: Path) -> None:
        """Write the table; a file that is there is replaced as a whole or not at all.

        Raises
        ------
        HarError : as :func:`check_table`.
        """
        check_table(path)
        content = io.BytesIO()
        if path.suffix.lower() == PARQUET:
            self.frame().to_parquet(content, engine="pyarrow", index=False)
        else:
            self.frame().to_csv(content, index=False, date_format="%Y-%m-%dT%H:%M:%S.%fZ")
        try:
            replace_file(path, content.getvalue())
        except OSError as error:
            raise HarError(
                f"The table cannot be written to {path} ({error.strerror}); give another --table."
            ) from error
