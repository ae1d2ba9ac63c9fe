"""The official UCI HAR v1.0 data set (UCI id 240): a folder or zip with ``train/`` and ``test/``, read and written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from model.recordings import Recording, WindowSet

OnProgress = Callable[[int, int], None]
"""Called with the number of files written and their total."""


def read_uci_har(path: Path, split: str) -> WindowSet:
    """The windows of one split, ``"train"`` or ``"test"``.

    Raises
    ------
    DataError : a file is missing, truncated or malformed.
    """
    raise NotImplementedError


def stitch(windows: WindowSet) -> list[Recording]:
    """The stream that overlapping windows were cut from, in pieces: one recording each, in the windows' order.

    ``experiment`` numbers the pieces of a subject from 1; each has one segment, which covers it.
    """
    raise NotImplementedError


def write_uci_har(directory: Path, on_progress: OnProgress | None = None) -> None:
    """Write the official folder (``train/``, ``test/``, ``activity_labels.txt``) from the bundled recordings.

    Raises
    ------
    DataError : the directory holds something else, or cannot be written.
    """
    raise NotImplementedError
