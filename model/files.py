"""Files that are there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Write down to the disk which files there are; nothing where a system has no such thing."""
    with contextlib.suppress(OSError, AttributeError):  # Windows opens no folders
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def replace_file(path: Path, content: bytes) -> None:
    """Write a new file beside it, down to the disk, then put that in its place: no reader ever sees half of it.

    Raises
    ------
    OSError : it cannot be written there; what was there before stays.
    """
    beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
