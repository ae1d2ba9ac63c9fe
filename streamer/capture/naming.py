"""Where a recording goes: to the file that was named, or to a new one in a folder."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path


def capture_path(place: Path, now_s: float) -> Path:
    """The file to record to: ``place`` itself unless it is a folder; there one named by ``now_s`` (Unix time), in UTC,
    that does not exist yet.
    """
    if not place.is_dir():
        return place
    name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_s))
    names = (f"{name}.cap" if k == 1 else f"{name}-{k}.cap" for k in count(1))
    return next(path for each in names if not (path := place / each).exists())
