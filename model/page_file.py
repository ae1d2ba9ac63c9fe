"""A page of a report as a file."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from model.errors import HarError


def check_page(path: Path) -> None:
    """Fail before there is work for a page, not after it.

    Raises
    ------
    HarError : Matplotlib is missing, or the file cannot be written.
    """
    if find_spec("matplotlib") is None:
        raise HarError("The report's plots need Matplotlib; install it with: pip install 'har-stream[report]'.")
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise HarError(f"The report cannot be written to {path}; give a file in a folder that exists.")


def write_page(path: Path, content: str) -> None:
    """Write a page.

    Raises
    ------
    HarError : it cannot be written.
    """
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise HarError(f"The report cannot be written to {path} ({error.strerror}); give another place.") from error
