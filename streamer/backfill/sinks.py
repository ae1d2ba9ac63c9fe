"""Where predictions go, file by file: JSON lines to stdout or a file, or a Parquet table."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec

from model.errors import HarError
from streamer.backfill.items import PARQUET_NAMES
from streamer.backfill.rendering import COLUMNS, Content

NAMES = ("file", "phone", "answer", "activity", "window_activity", "transition", "label")
"""Columns of text."""


class Sink(Protocol):
    """A destination."""

    def write(self, content: Content) -> None:
        """The next phone's."""

    def finish(self, summary: dict[str, Any]) -> None:
        """All are written."""


class _LinesSink:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, content: Content) -> None:
        assert isinstance(content, bytes)
        self._stream.write(content)
        self._stream.flush()

    def finish(self, summary: dict[str, Any]) -> None:
        self.write(msgspec.json.encode({"type": "summary", **summary}) + b"\n")


class _ParquetSink:
    """Written beside the file, and put in its place when it is whole."""

    def __init__(self, path: Path) -> None:
        from pyarrow import float64, int64, schema, string
        from pyarrow.parquet import ParquetWriter

        types = {name: string() if name in NAMES else float64() for name in ("file", "phone", *COLUMNS)}
        self._schema = schema(types | {"start_sample": int64()})
        self._path = path
        self._beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        self._writer = ParquetWriter(self._beside, self._schema)

    def write(self, content: Content) -> None:
        from pyarrow import Table

        assert isinstance(content, dict)
        self._writer.write_table(Table.from_pydict(content, schema=self._schema))

    def finish(self, summary: dict[str, Any]) -> None:
        self._writer.close()
        self._beside.replace(self._path)

    def close(self) -> None:
        """Leave nothing that is not whole."""
        self._writer.close()
        with contextlib.suppress(OSError):
            self._beside.unlink()


def is_table(out: Path | None) -> bool:
    """Whether a table is asked for, by the file's name."""
    return out is not None and out.name.lower().endswith(PARQUET_NAMES)


def check_out(out: Path | None, inputs: list[Path]) -> None:
    """Fail before anything is read, not after it.

    Raises
    ------
    HarError : nothing can be written there, or one of the inputs would be overwritten.
    """
    if out is None:
        return
    if is_table(out) and find_spec("pyarrow") is None:
        raise HarError("Parquet needs PyArrow; install it with: pip install 'har-stream[report]', or give a .jsonl.")
    if out.suffix.lower() == ".csv":
        raise HarError(f"{out.name} would be JSON lines; give a .jsonl, or a .parquet for a table.")
    if out.is_dir() or not out.resolve().parent.is_dir():
        raise HarError(f"Nothing can be written to {out}; give a file in a folder that exists.")
    if out.exists() and any(path.exists() and out.samefile(path) for path in inputs):
        raise HarError(f"The predictions would overwrite {out}, which is to be read; give another --out.")


@contextmanager
def open_sink(out: Path | None, stdout: BinaryIO) -> Iterator[Sink]:
    """The destination; a table that is not finished is not there.

    Raises
    ------
    HarError : it cannot be written.
    """
    try:
        if out is None:
            yield _LinesSink(stdout)
        elif is_table(out):
            table = _ParquetSink(out)
            try:
                yield table
            finally:
                table.close()
        else:
            with out.open("wb") as stream:
                yield _LinesSink(stream)
    except BrokenPipeError as error:
        raise HarError("Whoever read the output has stopped reading it; the rest is not classified.") from error
    except OSError as error:
        raise HarError(
            f"The output cannot be written ({error.strerror or error}); make room or give another."
        ) from error
