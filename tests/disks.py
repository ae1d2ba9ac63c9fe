"""A small disk for one test, to be filled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FILLER = "filler"

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where to write down to the disk takes no time."""


@contextmanager
def small_disk(place: Path, size_kb: int) -> Iterator[Path]:
    """A file system of its own; needs root, without which the test is skipped, but not in CI."""
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(place)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no small disk can be mounted, but CI tests with one ({error})")
        pytest.skip("a small disk is root's to mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True, capture_output=True)


def fill(disk: Path) -> Path:
    """Leave no room on it; deleting the file that is given makes room again."""
    filler = disk / FILLER
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler
