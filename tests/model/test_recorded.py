"""Labelled recordings: read, checked, and a part held out that shares nothing with the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import recorded
from model.activities import ACTIVITIES
from model.errors import DataError, HarError
from model.recorded import FEWEST, GROUP, RecordedWindows, hold_out, learnable, load_all, load_labelled
from model.windows import WINDOW_LENGTH

HOP_S, LENGTH_S = 1.28, 2.56


def some(*runs: tuple[str, int], stream: int = 0, first_s: float = 1.7e9) -> RecordedWindows:
    """Windows that follow each other: so many of each activity, each window full of its own number."""
    labels = np.array([ACTIVITIES.index(name) for name, count in runs for _ in range(count)], np.int64)
    n = len(labels)
    windows = np.broadcast_to(np.arange(n, dtype=np.float32)[:, None, None], (n, WINDOW_LENGTH, 9)).copy()
    return RecordedWindows(windows, labels, first_s + HOP_S * np.arange(n, dtype=np.float64), np.full(n, stream))


def save(path: Path, **changes: Any) -> Path:
    n = 12
    arrays: dict[str, Any] = {
        "windows": np.zeros((n, WINDOW_LENGTH, 9), np.float32),
        "phone": np.array(["ann"] * 6 + ["bob"] * 6),
        "start_s": HOP_S * np.arange(n),
        "label": np.array(["SITTING"] * 5 + [""] * 2 + ["WALKING"] * 5),
    }
    arrays |= changes
    with path.open("wb") as file:
        np.savez(file, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_saved_windows_are_read_with_their_labels(tmp_path: Path) -> None:
    found = load_labelled(save(tmp_path / "a.npz"))
    assert found.counts() == {"WALKING": 5, "SITTING": 5}
    assert found.n_unlabelled == 2
    assert found.streams.tolist() == [0] * 5 + [1] * 5
    assert found.start_s.tolist() == pytest.approx([HOP_S * k for k in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"label": np.array(["JUMPING"] * 12)}, "'JUMPING'"),
        ({"label": None}, "no arrays"),
        ({"windows": None}, "no array 'windows'"),
        ({"windows": np.zeros((12, 128, 6), np.float32)}, "shape"),
        ({"windows": np.full((12, 128, 9), np.nan, np.float32)}, "not finite"),
        ({"start_s": np.zeros(3)}, "do not fit"),
        ({"start_s": np.array(["x"] * 12)}, "do not fit"),
        ({"phone": np.array([None] * 12, object)}, "no arrays"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        load_labelled(save(tmp_path / "a.npz", **changes))


def offer(monkeypatch: pytest.MonkeyPatch, *loaders: Callable[[Path], RecordedWindows | None]) -> None:
    def entry_points(group: str) -> list[Any]:
        assert group == GROUP
        return [SimpleNamespace(load=lambda loader=loader: loader) for loader in loaders]

    monkeypatch.setattr(recorded, "entry_points", entry_points)


def test_other_files_are_read_by_whoever_knows_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_text("mine")
    offer(monkeypatch, lambda _: None, lambda p: some(("SITTING", 3)) if p.read_text() == "mine" else None)
    assert load_labelled(path).counts() == {"SITTING": 3}
    path.write_text("nobody's")
    with pytest.raises(DataError, match="is no recording"):
        load_labelled(path)
    with pytest.raises(DataError, match="no recording"):
        load_labelled(tmp_path / "none")


def test_several_recordings_are_put_together_and_rare_activities_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {
        "a": some(("SITTING", 7), ("LAYING", FEWEST - 1), stream=3),
        "b": some(("SITTING", 7), stream=0),
    }
    for name in parts:
        (tmp_path / name).touch()
    offer(monkeypatch, lambda path: parts[path.name])
    every = load_all([tmp_path / "a", tmp_path / "b"])
    assert len(every) == 14 + FEWEST - 1
    assert len(set(every.streams.tolist())) == 2
    assert learnable(every).counts() == {"SITTING": 14}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (replace(some(), n_unlabelled=70), "None of the 70"),
        (some(("SITTING", FEWEST - 1), ("WALKING", 1)), f"{FEWEST - 1} of SITTING"),
    ],
)
def test_too_little_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: RecordedWindows, told: str
) -> None:
    (tmp_path / "x").touch()
    offer(monkeypatch, lambda _: found)
    with pytest.raises(HarError, match=told):
        load_all([tmp_path / "x"])


@given(
    runs=st.lists(st.tuples(st.sampled_from(ACTIVITIES), st.integers(1, 30)), min_size=1, max_size=8),
    share=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]),
)
def test_what_is_held_out_shares_no_sample_with_what_is_learnt_from(runs: list[tuple[str, int]], share: float) -> None:
    every = some(*runs)
    learnt, held_out = hold_out(every, share)
    for label in set(every.labels.tolist()):
        mine, theirs = learnt.start_s[learnt.labels == label], held_out.start_s[held_out.labels == label]
        total = int((every.labels == label).sum())
        assert abs(len(theirs) - share * total) <= 1
        assert total - 2 <= len(mine) + len(theirs) <= total
        if len(mine) and len(theirs):
            assert mine.max() + LENGTH_S <= theirs.min() + 1e-3
    numbers = [*learnt.windows[:, 0, 0].tolist(), *held_out.windows[:, 0, 0].tolist()]
    assert len(numbers) == len(set(numbers))


def test_each_stream_has_its_own_end_held_out() -> None:
    first, second = some(("SITTING", 20)), some(("SITTING", 20), stream=1, first_s=1.0e9)
    names = ("windows", "labels", "start_s", "streams")
    joined: dict[str, Any] = {name: np.concatenate([getattr(p, name) for p in (first, second)]) for name in names}
    every = RecordedWindows(**joined)
    _, held_out = hold_out(every, 0.25)
    assert held_out.streams.tolist() == [0] * 5 + [1] * 5
    assert held_out.windows[:, 0, 0].tolist() == [15, 16, 17, 18, 19] * 2
