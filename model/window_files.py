"""Windows from a file: a ``.npy`` of shape (n, 128, 9), or a ``.npz`` of ``listen --save-windows``."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import DataError
from model.signals import CHANNELS
from model.windows import WINDOW_LENGTH

KEY = "windows"
"""The array's name in a ``.npz``."""

_UNREADABLE = (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, MemoryError)


def read_windows(path: Path) -> np.ndarray[Any, Any]:
    """The windows ``(n, 128, 9)``; a ``.npy`` is mapped, not read as a whole.

    Raises
    ------
    DataError : the file is missing or damaged, or holds no such array of numbers.
    """
    try:
        content = np.load(path, mmap_mode="r", allow_pickle=False)
        windows = content if isinstance(content, np.ndarray) else content[KEY]
    except OSError as error:
        raise DataError(f"The windows {path} cannot be read ({error.strerror or error}); check the path.") from error
    except KeyError as error:
        raise DataError(
            f"{path.name} has no array {KEY!r}; give a .npy of windows or a file of --save-windows."
        ) from error
    except _UNREADABLE as error:
        raise DataError(
            f"{path.name} is no .npy or .npz file of numbers, or it is damaged; save windows of shape "
            f"(n, {WINDOW_LENGTH}, {len(CHANNELS)}) with numpy.save."
        ) from error
    _check(windows, path.name)
    return windows


def _check(windows: np.ndarray[Any, Any], source: str) -> None:
    expected = (WINDOW_LENGTH, len(CHANNELS))
    if windows.ndim != 3 or windows.shape[1:] != expected:
        raise DataError(
            f"{source} has shape {windows.shape}, but windows have shape (n, {expected[0]}, {expected[1]}); "
            f"the channels are {', '.join(CHANNELS)}."
        )
    if not (np.issubdtype(windows.dtype, np.floating) or np.issubdtype(windows.dtype, np.integer)):
        raise DataError(f"{source} holds {windows.dtype}, but windows are real numbers; save them as float32.")


def check_finite(windows: np.ndarray[Any, Any], first: int, source: str) -> None:
    """Refuse windows with NaN or infinity; ``first`` is the index of ``windows[0]`` in the file.

    Raises
    ------
    DataError : naming the first such window.
    """
    bad = np.flatnonzero(~np.isfinite(windows).all(axis=(1, 2)))
    if len(bad):
        raise DataError(f"Window {first + bad[0]} of {source} has values that are not finite; remove or repair it.")
