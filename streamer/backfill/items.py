"""What there is to classify: the files that the command line names, and what folders and data sets among them hold."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from model import hapt, uci_har
from model.archive import find_folder
from model.bundled import index
from model.errors import DataError
from model.recordings import subjects_of
from streamer.capture.reader import is_capture

CSV_NAMES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
PARQUET_NAMES = (".parquet", ".pq")
PARQUET_MAGIC = b"PAR1"
CAPTURE_NAMES = (".cap",)

_LOOSE = (*CSV_NAMES, *PARQUET_NAMES, *CAPTURE_NAMES)

READABLE = (
    "a capture of listen --record, a table (.csv, .tsv or .parquet), a raw recording (acc_exp01_user01.txt), or a "
    "folder or zip of UCI HAR v1.0 or HAPT"
)

_RAW_NAME = re.compile(r"(?:acc|gyro)_exp(\d+)_user(\d+)\.txt")


RECORDING_BYTES, SPLIT_BYTES = 2 << 20, 64 << 20
"""The size of what has none of its own to look up: a recording of six minutes, and a split, as text."""


class Kind(Enum):
    """What an item is, and so who reads it."""

    BUNDLED = "a recording in the box"
    RAW = "a raw recording of HAPT's form"
    WINDOWS = "a split of UCI HAR v1.0"
    CAPTURE = "a capture"
    TABLE = "a table"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to classify.

    ``name`` is what it is called in what is written. ``path`` is the file; of :attr:`Kind.RAW` the folder that it is
    in, or the folder or zip of the data set, and ``session`` says which (experiment, subject); of
    :attr:`Kind.WINDOWS` the data set, and ``split`` says which. ``size`` is in bytes of text, roughly.
    """

    kind: Kind
    name: str
    path: Path | None = None
    session: hapt.Session = (0, 0)
    split: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Unread:
    """What cannot be read, and why, in one sentence."""

    name: str
    reason: str


def bundled_items(split: str) -> list[Item]:
    """The recordings in the box of ``"train"``, ``"test"`` or ``"all"``."""
    wanted = [session for session in index() if session[1] in subjects_of(split)]
    names = [f"s{subject:02d}-e{experiment:02d}" for experiment, subject in wanted]
    return [
        Item(Kind.BUNDLED, name, session=session, size=RECORDING_BYTES)
        for name, session in zip(names, wanted, strict=True)
    ]


def find_items(paths: Sequence[Path]) -> list[Item | Unread]:
    """What the paths hold, in their order; a raw recording once, whichever of its two files are named."""
    found: dict[Item | Unread, None] = {}
    for path in paths:
        for each in _loose_files(path) or [path]:
            try:
                found.update(dict.fromkeys(_of_path(each)))
            except DataError as error:
                found[Unread(_shown(each), str(error))] = None
    return list(found)


def _loose_files(path: Path) -> list[Path]:
    """The captures and tables beside each other in a folder."""
    if not path.is_dir():
        return []
    try:
        return [file for file in sorted(path.iterdir()) if file.name.lower().endswith(_LOOSE) and file.is_file()]
    except OSError:
        return []


def _of_path(path: Path) -> list[Item]:
    if path.is_dir():
        sessions = hapt.sessions(path)
        return [_raw(path, session) for session in sessions] or list(_of_data_set(path))
    try:
        with path.open("rb") as file:
            start = file.read(4)
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}); check the path.") from error
    return list(_of_data_set(path)) if start[:2] == b"PK" else [_of_file(path, start, size)]


def _of_file(path: Path, start: bytes, size: int) -> Item:
    name = path.name.lower()
    if raw := _RAW_NAME.fullmatch(path.name):
        return _raw(path.parent, (int(raw[1]), int(raw[2])))
    if is_capture(path) or name.endswith(CAPTURE_NAMES):
        return Item(Kind.CAPTURE, _shown(path), path, size=size)
    if start == PARQUET_MAGIC or name.endswith((*CSV_NAMES, *PARQUET_NAMES)):
        return Item(Kind.TABLE, _shown(path), path, size=size)
    raise DataError(f"{path} is of no kind that can be classified; give {READABLE}.")


def _of_data_set(path: Path) -> Iterator[Item]:
    root = find_folder(path, (*uci_har.MARKERS, hapt.MARKER))
    if root is None:
        raise DataError(f"{path} holds nothing that can be classified; give {READABLE}.")
    if root.joinpath(hapt.MARKER).is_dir():
        folder = root.joinpath(hapt.MARKER)
        sessions = hapt.sessions(folder)
        if not sessions:
            raise DataError(f"{path} has no recordings (acc_exp01_user01.txt ...); unpack the data set again.")
        yield from (_raw(folder if isinstance(folder, Path) else path, session) for session in sessions)
        return
    for split, marker in zip(uci_har.SPLITS, uci_har.MARKERS, strict=True):
        if root.joinpath(marker).is_dir():
            yield Item(Kind.WINDOWS, f"{_shown(path)}/{split}", path, split=split, size=SPLIT_BYTES)


def _raw(folder: Path, session: hapt.Session) -> Item:
    experiment, subject = session
    return Item(
        Kind.RAW,
        f"{_shown(folder)}/acc_exp{experiment:02d}_user{subject:02d}.txt",
        folder,
        session,
        size=RECORDING_BYTES,
    )


def _shown(path: Path) -> str:
    """As text, whatever bytes it is of."""
    return os.fsencode(path).decode(errors="replace")
