"""The artefact file: what is written is read, and nothing else is."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model import artefact as artefact_module
from model import boxed
from model.activities import ACTIVITIES
from model.artefact import Artefact, default_artefact_path, make_artefact, read_artefact, write_artefact
from model.boxed import IN_THE_BOX, SHA256
from model.card import program_input
from model.errors import ArtefactError
from tests.model.tiny_artefact import MATRIX, tiny_artefact, tiny_card, tiny_graph

TINY = tiny_artefact()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.har"
    write_artefact(file, TINY)
    return file


def refusal(path: Path) -> str:
    with pytest.raises(ArtefactError) as refused:
        read_artefact(path)
    sentence = str(refused.value)
    assert sentence.endswith(".") and "\n" not in sentence
    assert path.name in sentence
    return sentence


def members_of(artefact: Artefact) -> dict[str, bytes]:
    card = json.loads(msgspec.json.encode(artefact.card))
    return {"card.json": json.dumps(card).encode(), "model.onnx": artefact.onnx, "weights.npz": artefact.weights_npz}


def write_members(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def write_with_card(path: Path, change: Any) -> None:
    members = members_of(TINY)
    card = json.loads(members["card.json"])
    change(card)
    write_members(path, {**members, "card.json": json.dumps(card).encode()})


def test_what_is_written_is_read(path: Path) -> None:
    read = read_artefact(path)
    assert read == TINY
    for array, expected in zip(read.weights(), [MATRIX, MATRIX[0]], strict=True):
        np.testing.assert_array_equal(array, expected)


def test_equal_models_are_equal_files(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.har"
    write_artefact(again, tiny_artefact())
    assert again.read_bytes() == path.read_bytes()


def test_any_zip_tool_sees_the_members(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["card.json", "model.onnx", "weights.npz"]
        assert json.loads(archive.read("card.json"))["input"]["sampling_rate"] == 50.0
        assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in archive.infolist())


def test_a_deflated_copy_is_the_same_model(tmp_path: Path) -> None:
    file = tmp_path / "deflated.har"
    write_members(file, members_of(TINY), zipfile.ZIP_DEFLATED)
    assert read_artefact(file) == TINY


def test_numpy_reads_the_weights() -> None:
    with np.load(io.BytesIO(TINY.weights_npz), allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["000"], MATRIX)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_harmless(path: Path, position: int, bit: int) -> None:
    content = bytearray(artefact_bytes())
    content[position % len(content)] ^= 1 << bit
    path.write_bytes(content)
    try:
        assert read_artefact(path) == TINY
    except ArtefactError as error:
        assert path.name in str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(length=st.integers(0, 5000))
def test_a_truncated_file_is_refused(path: Path, length: int) -> None:
    content = artefact_bytes()
    path.write_bytes(content[: length % len(content)])
    assert "fetch the file again" in refusal(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=300))
def test_any_other_bytes_are_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refusal(path)


def artefact_bytes() -> bytes:
    return artefact_module._zip(members_of(TINY).items())


@pytest.mark.parametrize(
    ("field", "value", "theirs", "ours"),
    [
        ("sampling_rate", 100.0, "100.0", "50.0"),
        ("window_length", 256, "256", "128"),
        ("hop", 32, "32", "64"),
        ("channels", ["acc_x"], "[acc_x]", "[body_acc_x, body_acc_y,"),
        ("units", ["m/s2"] * 9, "[m/s2, m/s2,", "[g, g, g, rad/s,"),
        ("filter", {"lowpass": {"noise": {"order": 3, "cutoff_hz": 20.0}}, "steps": ["none"]}, "order 3", "order 10"),
    ],
)
def test_another_input_is_refused_with_both_values(
    tmp_path: Path, field: str, value: object, theirs: str, ours: str
) -> None:
    file = tmp_path / "other.har"
    write_with_card(file, lambda card: card["input"].update({field: value}))
    sentence = refusal(file)
    mine, yours = sentence.split(", but this program produces ")
    assert field in mine and theirs in mine and ours in yours


def test_every_field_of_the_input_is_compared() -> None:
    compared = {"sampling_rate", "window_length", "hop", "channels", "units", "filter"}
    assert set(msgspec.structs.asdict(program_input("window"))) == compared


@pytest.mark.parametrize("classes", [ACTIVITIES[:5], (*ACTIVITIES, "WALKING")])
def test_classes_without_an_activity_or_with_one_twice_are_refused(tmp_path: Path, classes: tuple[str, ...]) -> None:
    file = tmp_path / "classes.har"
    write_artefact(file, tiny_artefact(classes=classes))
    assert "LAYING" in refusal(file)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card.update(format_version=2), "format version 2, this program reads version 1"),
        (lambda card: card.pop("classes"), "malformed"),
        (lambda card: card.update(classes="WALKING"), "malformed"),
        (lambda card: card["input"].update(hop="64"), "malformed"),
        (lambda card: card.pop("format_version"), "malformed"),
        (lambda card: card["sha256"].update({"model.onnx": "0" * 64}), "0" * 64),
        (lambda card: card["sha256"].pop("weights.npz"), "SHA-256"),
    ],
)
def test_a_wrong_card_is_refused(tmp_path: Path, change: Any, said: str) -> None:
    file = tmp_path / "card.har"
    write_with_card(file, change)
    assert said in refusal(file)


@pytest.mark.parametrize("card", [b"", b"[]", b"\xff{}", b"[" * 100_000, b'{"format_version": NaN}'])
def test_a_card_that_is_no_card_is_refused(tmp_path: Path, card: bytes) -> None:
    file = tmp_path / "card.har"
    write_members(file, {**members_of(TINY), "card.json": card})
    assert "card.json" in refusal(file)


def test_a_changed_graph_is_refused_with_both_hashes(tmp_path: Path) -> None:
    file = tmp_path / "graph.har"
    graph = tiny_graph(6)
    write_members(file, {**members_of(TINY), "model.onnx": graph})
    sentence = refusal(file)
    assert hashlib.sha256(graph).hexdigest() in sentence and TINY.card.sha256["model.onnx"] in sentence


@pytest.mark.parametrize("name", ["card.json", "model.onnx", "weights.npz"])
def test_a_missing_member_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "missing.har"
    write_members(file, {n: c for n, c in members_of(TINY).items() if n != name})
    assert name in refusal(file)


def test_a_further_member_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "more.har"
    write_members(file, {**members_of(TINY), "setup.py": b"import os"})
    assert "setup.py" in refusal(file)


def test_a_member_that_would_decompress_into_too_much_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bomb.har"
    bomb = bytes(artefact_module.MAX_FILE_BYTES + 1)
    write_members(file, {**members_of(TINY), "model.onnx": bomb}, zipfile.ZIP_DEFLATED)
    assert file.stat().st_size < 100_000
    assert "too large" in refusal(file)


def test_a_file_that_is_too_large_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefact_module, "MAX_FILE_BYTES", path.stat().st_size - 1)
    assert "too large" in refusal(path)
    monkeypatch.setattr(artefact_module, "MAX_FILE_BYTES", path.stat().st_size)
    assert read_artefact(path) == TINY


def test_what_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "nowhere.har")
    (tmp_path / "folder.har").mkdir()
    assert "not a file" in refusal(tmp_path / "folder.har")
    os.mkfifo(tmp_path / "pipe.har")  # must not wait for a writer
    assert "not a file" in refusal(tmp_path / "pipe.har")


def npz(**arrays: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in arrays.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def huge_npy() -> bytes:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }"
    return b"\x93NUMPY\x01\x00" + len(header + b"\n").to_bytes(2, "little") + header + b"\n"


@pytest.mark.parametrize(
    "content",
    [
        b"no zip",
        npz(a=b"no array"),
        npz(a=npy(np.array([print, None], dtype=object))),
        npz(a=npy(np.zeros(3))),
        npz(a=npy(np.asfortranarray(np.zeros((2, 3), np.float32)))),
        npz(a=huge_npy()),
        npz(a=npy(np.zeros(3, np.float32))[:-1]),
    ],
)
def test_weights_that_are_not_plain_arrays_are_refused(content: bytes) -> None:
    with pytest.raises(ArtefactError, match=r"weights\.npz in tiny is malformed"):
        Artefact(tiny_card(), b"", content).weights()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="cannot be written"):
        write_artefact(tmp_path / "nowhere" / "tiny.har", TINY)


def test_a_failed_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ArtefactError, match="No space left"):
        write_artefact(path, make_artefact(tiny_card(name="new"), tiny_graph(), []))
    assert read_artefact(path) == TINY
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_model_in_the_box_is_small() -> None:
    assert default_artefact_path().stat().st_size < 3_000_000
    assert read_artefact(default_artefact_path()).card.name == "window"


def test_a_model_in_the_box_whose_card_was_changed_with_its_graph_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its card vouches for its graph, but nobody for its card."""
    (tmp_path / "pretrained").mkdir()
    monkeypatch.setattr(boxed, "__file__", str(tmp_path / "boxed.py"))
    write_artefact(tmp_path / "pretrained" / "window.har", TINY)
    sentence = refusal(default_artefact_path())
    assert SHA256["window"] in sentence
    assert "reinstall" in sentence
    write_artefact(tmp_path / "window.har", TINY)
    assert read_artefact(tmp_path / "window.har") == TINY


@pytest.mark.parametrize("name", IN_THE_BOX)
def test_the_models_in_the_box_are_those_that_their_hashes_name(name: str) -> None:
    """A new model needs its ``sha256sum`` in model/boxed.py."""
    assert hashlib.sha256(default_artefact_path(name).read_bytes()).hexdigest() == SHA256[name]
