"""Calibrations remembered in a file: whole after every write, harmless when broken."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from model.errors import HarError
from model.orientation import Basis, Calibration
from streamer.mount.book import CHECK_S, MountBook, MountOptions
from streamer.mount.notation import AS_IS, AUTO, parse_mount
from streamer.mount.store import FILE_NAME, Mount, MountStore, state_folder


def a_mount(seed: int = 0) -> Mount:
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    return Mount.of(Calibration(turn, turn[0], Basis.WALKING, 0.9), now_s=1.7e9)


def test_what_is_remembered_is_there_for_the_next_program_to_the_last_bit(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    assert MountStore(folder).read().mounts == {}
    assert MountStore(folder).remember("s01", a_mount(1)) is None
    assert MountStore(folder).remember("s02", a_mount(2)) is None
    assert MountStore(folder).remember("s01", a_mount(3)) is None
    assert MountStore(folder).read().mounts == {"s01": a_mount(3), "s02": a_mount(2)}
    assert [path.name for path in folder.iterdir()] == [FILE_NAME], "no temporary file is left"


def test_a_phone_is_forgotten_and_only_it(tmp_path: Path) -> None:
    store = MountStore(tmp_path)
    store.remember("s01", a_mount(1))
    store.remember("s02", a_mount(2))
    assert store.forget("s01")
    assert not store.forget("s01")
    assert [*store.read().mounts] == ["s02"]


def test_a_phones_name_is_a_key_and_never_a_path(tmp_path: Path) -> None:
    MountStore(tmp_path / "state").remember("../../etc/passwd", a_mount())
    assert [path.name for path in tmp_path.rglob("*")] == ["state", FILE_NAME]


GOOD = {"rotation": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "basis": "gravity", "calibrated_s": 1.0}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        json.dumps({"version": 2, "mounts": {}}).encode(),
        json.dumps({"version": 1, "mounts": {"s01": {}}}).encode(),
        json.dumps({"version": 1, "mounts": {"s01": {**GOOD, "rotation": [[1, 0, 0], [0, 1, 0]]}}}).encode(),
        json.dumps({"version": 1, "mounts": {"s01": {**GOOD, "rotation": [[2, 0, 0], [0, 1, 0], [0, 0, 1]]}}}).encode(),
        json.dumps(
            {"version": 1, "mounts": {"s01": {**GOOD, "rotation": [[-1, 0, 0], [0, 1, 0], [0, 0, 1]]}}}
        ).encode(),
        json.dumps({"version": 1, "mounts": {"s01": {**GOOD, "basis": "a guess"}}}).encode(),
        json.dumps({"version": 1, "mounts": {"s01": {**GOOD, "unknown": 1}}}).encode(),
    ],
)
def test_a_broken_file_is_kept_aside_and_told_and_a_new_one_begins(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    read = MountStore(tmp_path).read()
    assert read.mounts == {}
    assert read.problem and "calibrate the phones anew" in read.problem
    assert (tmp_path / f"{FILE_NAME}.unreadable").read_bytes() == content
    assert not (tmp_path / FILE_NAME).exists()
    assert MountStore(tmp_path).remember("s01", a_mount()) is None
    assert MountStore(tmp_path).read().mounts == {"s01": a_mount()}


def test_the_plain_content_that_the_file_has_is_understood(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(json.dumps({"version": 1, "mounts": {"s01": GOOD}}))
    assert np.array_equal(MountStore(tmp_path).read().mounts["s01"].matrix(), np.eye(3))


def test_a_folder_that_cannot_be_written_to_is_told_in_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(HarError, match=r"cannot be kept in .*; give another --state"):
        MountStore(blocked / "state").remember("s01", a_mount())


def test_a_failed_write_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MountStore(tmp_path)
    store.remember("s01", a_mount(1))

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HarError, match="No space left"):
        store.remember("s02", a_mount(2))
    assert store.read().mounts == {"s01": a_mount(1)}
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_the_state_folder_is_the_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if os.name == "posix" and os.uname().sysname == "Linux":
        assert state_folder() == tmp_path / "har-stream"
        assert MountStore().path == tmp_path / "har-stream" / FILE_NAME
    assert state_folder().name == "har-stream"


def test_a_book_follows_the_file_while_it_runs(tmp_path: Path) -> None:
    store, book = MountStore(tmp_path), MountBook(AUTO, MountStore(tmp_path))
    assert not book.refresh(0.0)
    assert book.rotation("s01") is None
    store.remember("s01", a_mount(1))
    assert not book.refresh(CHECK_S / 2), "it looks once a second"
    assert book.refresh(CHECK_S)
    assert np.array_equal(book.rotation("s01"), a_mount(1).matrix())  # type: ignore[arg-type]
    assert not book.refresh(2 * CHECK_S), "nothing has changed"
    store.remember("s01", a_mount(2))
    assert book.refresh(3 * CHECK_S)
    assert np.array_equal(book.rotation("s01"), a_mount(2).matrix())  # type: ignore[arg-type]
    store.forget("s01")
    assert book.refresh(4 * CHECK_S)
    assert book.rotation("s01") is None
    store.path.write_text("nonsense")
    assert book.refresh(5 * CHECK_S)
    assert book.problem
    assert not book.refresh(6 * CHECK_S), "a problem is told once"


def test_named_axes_and_as_is_ask_no_file(tmp_path: Path) -> None:
    MountStore(tmp_path).remember("s01", a_mount(1))
    named = parse_mount("up=+y,forward=-x")
    for choice in (AS_IS, named):
        book = MountOptions(choice, tmp_path).book()
        assert not book.refresh(0.0)
        assert book.rotation("s01") is choice.rotation
    assert MountOptions(AUTO, tmp_path).book().refresh(0.0)
