"""One listener alone keeps its state in a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from model.errors import HarError


def lock_folder(folder: Path) -> IO[bytes]:
    """Make the folder, and hold it until what is given is closed, or the process ends.

    Raises
    ------
    HarError : another process holds it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (folder / "lock").open("ab")
    except OSError as error:
        raise HarError(f"Nothing can be kept in {folder} ({error.strerror}); give another --state.") from error
    if not _is_locked(file):
        file.close()
        raise HarError(f"Another listener keeps its state in {folder}; give another --state.")
    return file


def _is_locked(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
