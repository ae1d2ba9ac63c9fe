"""A data set as its user has it: a folder or a zip file, read with one sentence per fault.

The official downloads differ in nesting: ``UCI HAR Dataset.zip`` holds ``UCI HAR Dataset/``, the UCI page wraps
that zip in another, HAPT's zip holds ``RawData/`` at its top. What is looked for is therefore found up to two
folders deep, and in a zip within a zip. Folders that macOS adds (``__MACOSX``) are passed over.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from model.errors import DataError
from model.signals import FloatArray

Place = Path | zipfile.Path
"""A file or folder, on disk or in a zip."""

DEPTH = 2
"""How many folders deep a data set may be nested."""

MAX_MEMBER_BYTES = 1 << 30
"""Of a file in a zip, unpacked: ten times the largest of the official data sets."""

_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def find_folder(path: Path, markers: tuple[str, ...]) -> Place | None:
    """The folder in ``path`` (a folder or zip) that holds one of the sub-folders ``markers``, nearest first.

    Raises
    ------
    DataError : the path does not exist, is neither folder nor zip, or is a damaged zip.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist; give the folder or zip of an official data set.")
    try:
        return _find(path if path.is_dir() else _open_zip(path), markers)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def file_names(folder: Place) -> list[str]:
    """Names of what is in a folder, sorted.

    Raises
    ------
    DataError : it cannot be read.
    """
    try:
        return sorted(child.name for child in folder.iterdir())
    except _UNREADABLE as error:
        raise _unreadable(folder, error) from error


def read_bytes(file: Place) -> bytes:
    """A file's content.

    Raises
    ------
    DataError : it is missing or cannot be read.
    """
    try:
        return _read_bounded(file)
    except FileNotFoundError as error:
        raise DataError(f"{file} is missing; unpack or download the data set again.") from error
    except _UNREADABLE as error:
        raise _unreadable(file, error) from error


def read_numbers(file: Place, n_columns: int) -> FloatArray:
    """A text file of numbers separated by blanks, ``(n_rows, n_columns)``.

    Raises
    ------
    DataError : it is missing, empty, or a line of it is not ``n_columns`` finite numbers.
    """
    content = read_bytes(file)
    if not content.strip():
        raise DataError(f"{file} is empty; unpack or download the data set again.")
    try:
        table = np.loadtxt(io.BytesIO(content), ndmin=2, comments=None, encoding="latin-1")
    except ValueError as error:
        raise _malformed(file, content, n_columns) from error
    if table.shape[1] != n_columns or not np.isfinite(table).all():
        raise _malformed(file, content, n_columns)
    return table


def read_integers(file: Place, n_columns: int) -> np.ndarray:
    """A text file of integers separated by blanks, int64 ``(n_rows, n_columns)``.

    Raises
    ------
    DataError : as :func:`read_numbers`, or a number is not an integer.
    """
    numbers = read_numbers(file, n_columns)
    wrong = np.argwhere(numbers != np.rint(numbers))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(f"{file} holds {numbers[row, column]:g} in row {row + 1}, which is not an integer.")
    return numbers.astype(np.int64)


def _read_bounded(file: Place) -> bytes:
    """A file's content; a zip says beforehand what a member of it would become, and gives no more."""
    if isinstance(file, zipfile.Path) and file.exists():
        size = file.root.getinfo(file.at).file_size
        if size > MAX_MEMBER_BYTES:
            raise DataError(f"{file} would become {size} bytes, more than any file of a data set; download it again.")
    return file.read_bytes()


def _open_zip(path: Path) -> zipfile.Path:
    with path.open("rb") as file:
        signature = file.read(2)
    if signature != b"PK" and path.suffix.lower() != ".zip":
        raise DataError(f"{path} is neither a folder nor a zip file; give the one of an official data set.")
    return zipfile.Path(zipfile.ZipFile(path))


def _find(root: Place, markers: tuple[str, ...]) -> Place | None:
    for folder in _folders(root):
        if any(folder.joinpath(marker).is_dir() for marker in markers):
            return folder
    inner = [file for file in root.iterdir() if file.name.lower().endswith(".zip")]
    if isinstance(root, zipfile.Path) and inner:
        archive = zipfile.ZipFile(io.BytesIO(_read_bounded(inner[0])))
        archive.filename = str(inner[0])  # for the error messages
        return _find(zipfile.Path(archive), markers)
    return None


def _folders(root: Place) -> Iterator[Place]:
    level = [root]
    for _ in range(DEPTH + 1):
        yield from level
        level = [child for folder in level for child in _subfolders(folder)]


def _subfolders(folder: Place) -> list[Place]:
    try:
        children: list[Place] = sorted(folder.iterdir(), key=lambda child: child.name)
    except PermissionError:  # somebody else's folder beside the data
        return []
    return [child for child in children if child.is_dir() and not child.name.startswith((".", "__MACOSX"))]


def _unreadable(file: Place, error: BaseException) -> DataError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return DataError(f"{file} cannot be read ({reason}); unpack or download the data set again.")


def _malformed(file: Place, content: bytes, n_columns: int) -> DataError:
    """Find the first faulty line; slow, but only on the way out."""
    lines = content.decode("latin-1").splitlines()
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if fields and len(fields) != n_columns:
            return DataError(f"{file} has {len(fields)} instead of {n_columns} values in line {number}.")
        for field in fields:
            if not _is_finite(field):
                return DataError(f"{file} has {field[:30]!a} in line {number}, which is not a finite number.")
    return DataError(f"{file} is not a table of numbers separated by blanks; unpack or download the data set again.")


def _is_finite(field: str) -> bool:
    try:
        return bool(np.isfinite(float(field)))
    except ValueError:
        return False
