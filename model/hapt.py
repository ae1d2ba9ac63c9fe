"""Reader of the official HAPT data set (UCI id 341): a folder or zip with ``RawData/``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from model.recordings import Recording


def read_hapt(path: Path, subjects: Sequence[int] | None = None) -> list[Recording]:
    """The recordings of these subjects (None: all), in order of the experiments.

    Raises
    ------
    DataError : a file is missing, truncated or malformed.
    """
    raise NotImplementedError
