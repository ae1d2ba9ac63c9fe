"""Files of windows: what is read, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import DataError
from model.window_files import check_finite, read_windows

WINDOWS = np.random.default_rng(0).normal(size=(3, 128, 9)).astype(np.float32)


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize("windows", [WINDOWS, WINDOWS.astype(np.float64), WINDOWS[:0], np.ones((1, 128, 9), int)])
def test_windows_are_read_from_either_file(tmp_path: Path, windows: np.ndarray) -> None:
    np.save(tmp_path / "w.npy", windows)
    np.savez(tmp_path / "w.npz", windows=windows, phone=np.array(["s02-e03"]))
    for name in ("w.npy", "w.npz"):
        np.testing.assert_array_equal(read_windows(tmp_path / name), windows)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no .npy or .npz"),
        (b"1,2,3\n", "no .npy or .npz"),
        (npy(np.array([print], dtype=object)), "no .npy or .npz"),
        (npy(WINDOWS)[:-1], "no .npy or .npz"),
        (b"PK\x03\x04 but no zip", "no .npy or .npz"),
        (npy(WINDOWS[:, :, :6]), "(3, 128, 6)"),
        (npy(WINDOWS[0]), "(128, 9)"),
        (npy(WINDOWS.astype(complex)), "complex128"),
        (npy(WINDOWS.astype("U4")), "real numbers"),
        (npy(WINDOWS > 0), "real numbers"),
    ],
)
def test_what_are_no_windows_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "odd.npy").write_bytes(content)
    with pytest.raises(DataError) as refused:
        read_windows(tmp_path / "odd.npy")
    sentence = str(refused.value)
    assert "odd.npy" in sentence and said in sentence
    assert sentence.endswith(".") and "\n" not in sentence


def test_a_missing_file_and_a_missing_array_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_windows(tmp_path / "nowhere.npy")
    np.savez(tmp_path / "other.npz", samples=np.zeros(3))
    with pytest.raises(DataError, match="'windows'"):
        read_windows(tmp_path / "other.npz")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_window_that_is_not_finite_is_named(value: float) -> None:
    windows = WINDOWS.copy()
    check_finite(windows, 0, "w.npy")
    windows[1:, 17, 2] = value
    with pytest.raises(DataError, match=r"Window 11 of w\.npy"):
        check_finite(windows, 10, "w.npy")
