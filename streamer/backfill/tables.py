"""CSV and Parquet tables with time stamps as the rows of phones."""

from __future__ import annotations

import gzip
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from model.activities import ALL_LABELS
from model.errors import DataError
from streamer.backfill.columns import Columns, find_columns
from streamer.backfill.items import PARQUET_MAGIC
from streamer.backfill.messages import FloatArray, Phone
from streamer.backfill.units import TableOptions, in_g_and_rad_s, in_seconds
from streamer.formats.names import phone_name
from streamer.wire import MAX_VALUE, Label

if TYPE_CHECKING:
    import pandas as pd

_UNREADABLE = (OSError, ValueError, EOFError, NotImplementedError, zlib.error)
"""What reading raises, pandas' and PyArrow's own errors among it."""

LONGEST_HEAD = 1 << 16
"""Bytes that a CSV's first line, with the names of its columns, may have."""


def read_phones(path: Path, options: TableOptions) -> list[Phone]:
    """The phones of a table, in order of their first rows; each one's rows in order of time.

    A table without a column that names phones is of one, called as the file. Rows without a time are left out, and so
    is a sensor in rows that lack one of its axes.

    Raises
    ------
    DataError : it cannot be read, has not the columns that are needed, or its times are none.
    """
    frame, columns = _read(path)
    codes, names = _names(frame, columns, path)
    times = in_seconds(frame[columns.time], codes, options.time, f"{path}, column {columns.time}")
    values = np.stack([_numbers(frame[name]) for name in (*columns.acceleration, *columns.angular_velocity)], axis=1)
    values[~(np.abs(values) <= MAX_VALUE)] = np.nan
    labels = _labels(frame[columns.label]) if columns.label else None
    phones = []
    for code, name in enumerate(names):
        rows = np.flatnonzero((codes == code) & np.isfinite(times))
        rows = rows[np.argsort(times[rows], kind="stable")]
        if len(rows):
            of_phone = in_g_and_rad_s(values[rows], times[rows], columns, options)
            runs = () if labels is None else _runs(times[rows], labels[rows])
            phones.append(Phone(name, times[rows], of_phone, runs))
    if not phones:
        raise DataError(f"{path} has no row with a time in its column {columns.time}; give a table of samples.")
    return phones


def _read(path: Path) -> tuple[pd.DataFrame, Columns]:
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
        return _read_parquet(path) if is_parquet else _read_csv(path)
    except _UNREADABLE as error:
        reason = " ".join((getattr(error, "strerror", None) or str(error)).split())[:200]
        raise DataError(f"{path} cannot be read as a table ({reason}); give a CSV or Parquet file.") from error


def _read_parquet(path: Path) -> tuple[pd.DataFrame, Columns]:
    if find_spec("pyarrow") is None:
        raise DataError(f"{path} needs PyArrow; install it with: pip install 'har-stream[report]', or give a CSV file.")
    import pandas as pd
    from pyarrow.parquet import read_schema

    columns = find_columns(read_schema(path).names, str(path))
    return pd.read_parquet(path, columns=_wanted(columns), engine="pyarrow"), columns


def _read_csv(path: Path) -> tuple[pd.DataFrame, Columns]:
    import pandas as pd

    separator = _separator(path)
    names = pd.read_csv(path, nrows=0, sep=separator, encoding_errors="replace").columns
    columns = find_columns([str(name) for name in names], str(path))
    frame = pd.read_csv(
        path,
        usecols=_wanted(columns),
        sep=separator,
        decimal="," if separator == ";" else ".",
        encoding_errors="replace",
        low_memory=False,
    )
    return frame, columns


def _separator(path: Path) -> str:
    """What the first line is separated by; semicolons go with decimal commas."""
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
        head = file.readline(LONGEST_HEAD)
    return max((";", "\t", ","), key=lambda separator: head.count(separator.encode()))


def _wanted(columns: Columns) -> list[str]:
    optional = [name for name in (columns.phone, columns.label) if name is not None]
    return [columns.time, *columns.acceleration, *columns.angular_velocity, *optional]


def _names(frame: pd.DataFrame, columns: Columns, path: Path) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Each row's phone as an index of the names; -1 for none."""
    import pandas as pd

    if columns.phone is None:
        return np.zeros(len(frame), np.intp), [phone_name(path.name.partition(".")[0])]
    codes, names = pd.factorize(frame[columns.phone])
    return np.asarray(codes, np.intp), [phone_name(str(name)) for name in names]


def _numbers(column: pd.Series) -> FloatArray:
    import pandas as pd

    return np.asarray(pd.to_numeric(column, errors="coerce"), np.float64)


def _labels(column: pd.Series) -> npt.NDArray[np.int64]:
    """Each row's activity as an index of :data:`model.activities.ALL_LABELS`; -1 for none that is known."""
    known = {name: number for number, name in enumerate(ALL_LABELS)}
    return np.array([known.get(str(name).strip().upper(), -1) for name in column.tolist()], np.int64)


def _runs(times: FloatArray, labels: npt.NDArray[np.int64]) -> tuple[Label, ...]:
    """The labels of rows in order of time; one lasts until the row in which another begins."""
    starts = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist()]
    ends_s = [*times[starts[1:]].tolist(), float(times[-1])]
    runs = zip(starts, ends_s, strict=True)
    return tuple(Label(ALL_LABELS[labels[at]], float(times[at]), end_s) for at, end_s in runs if labels[at] >= 0)
