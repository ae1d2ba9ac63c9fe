"""HAPT folders and zips: an official folder written from the bundled recordings, read, refused when damaged."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.activities import ALL_LABELS
from model.bundled import load_recording
from model.errors import DataError
from model.hapt import read_hapt
from model.recordings import Recording, Segment

N_SAMPLES = 1500


def shortened(experiment: int) -> Recording:
    whole = load_recording(experiment)
    segments = tuple(s for s in whole.segments if s.stop <= N_SAMPLES)
    return Recording(experiment, whole.subject, whole.samples[:N_SAMPLES], segments)


RECORDINGS = [shortened(experiment) for experiment in (1, 2, 3, 12)]
"""Of subjects 1, 1, 2 and 6."""


def lines(table: np.ndarray) -> str:
    return "".join(" ".join(repr(value) for value in row) + "\n" for row in table.tolist())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    raw = tmp_path / "HAPT Data Set" / "RawData"
    raw.mkdir(parents=True)
    labels = []
    for recording in RECORDINGS:
        session = f"exp{recording.experiment:02d}_user{recording.subject:02d}.txt"
        (raw / f"acc_{session}").write_text(lines(recording.samples[:, :3]))
        (raw / f"gyro_{session}").write_text(lines(recording.samples[:, 3:]))
        for segment in recording.segments:
            activity = ALL_LABELS.index(segment.activity) + 1
            labels.append(f"{recording.experiment} {recording.subject} {activity} {segment.start + 1} {segment.stop}\n")
    (raw / "labels.txt").write_text("".join(labels))
    return raw.parent


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*.txt")):
            archive.write(file, file.relative_to(folder).as_posix())
    return target


def assert_same(recordings: list[Recording], expected: list[Recording]) -> None:
    assert [(r.experiment, r.subject, r.segments) for r in recordings] == [
        (r.experiment, r.subject, r.segments) for r in expected
    ]
    for recording, other in zip(recordings, expected, strict=True):
        assert (recording.stage, recording.start) == (other.stage, other.start)
        np.testing.assert_array_equal(recording.samples, other.samples)


def test_folder_gives_the_bundled_recordings(folder: Path) -> None:
    assert_same(read_hapt(folder), RECORDINGS)


def test_folder_around_the_folder(folder: Path) -> None:
    assert_same(read_hapt(folder.parent), RECORDINGS)


def test_zip_gives_the_bundled_recordings(folder: Path, tmp_path: Path) -> None:
    assert_same(read_hapt(zipped(folder, tmp_path / "hapt.zip")), RECORDINGS)


def test_only_the_subjects_asked_for_are_read(folder: Path) -> None:
    (folder / "RawData" / "acc_exp12_user06.txt").write_text("damaged")
    assert_same(read_hapt(folder, subjects=(1, 2)), RECORDINGS[:3])
    assert read_hapt(folder, subjects=(30,)) == []


def test_official_first_label_is_read_with_both_ends(folder: Path) -> None:
    assert (folder / "RawData" / "labels.txt").read_text().startswith("1 1 5 250 1232\n")
    assert read_hapt(folder)[0].segments[0] == Segment("STANDING", 249, 1232)


def test_printed_decimals_are_read_as_they_are(tmp_path: Path) -> None:
    raw = tmp_path / "RawData"
    raw.mkdir()
    (raw / "labels.txt").write_text("1 1 5 1 2\n")
    (raw / "acc_exp01_user01.txt").write_text("0.1 -1.25e-3 3\n  1  2\t3 \n")
    (raw / "gyro_exp01_user01.txt").write_text("0.91805559 0 -0.5\r\n4 5 6")
    (recording,) = read_hapt(tmp_path)
    assert recording.samples.tolist() == [[0.1, -1.25e-3, 3, 0.91805559, 0, -0.5], [1, 2, 3, 4, 5, 6]]
    assert recording.segments == (Segment("STANDING", 0, 2),)


def edit(name: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def damage(raw: Path) -> None:
        (raw / name).write_text(change((raw / name).read_text()))

    return damage


def keep_lines(count: int, *names: str) -> Callable[[Path], None]:
    def damage(raw: Path) -> None:
        for name in names:
            edit(name, lambda text: "".join(text.splitlines(keepends=True)[:count]))(raw)

    return damage


def relabel(row: str) -> Callable[[Path], None]:
    return edit("labels.txt", lambda text: row + "\n" + text)


ACC, GYRO = "acc_exp02_user01.txt", "gyro_exp02_user01.txt"
FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no labels": (lambda raw: (raw / "labels.txt").unlink(), "labels.txt is missing"),
    "no gyroscope": (lambda raw: (raw / GYRO).unlink(), f"{GYRO} is missing"),
    "no accelerometer": (lambda raw: (raw / ACC).unlink(), f"{ACC} is missing"),
    "labelled, but not there": (relabel("61 30 5 1 2"), "acc_exp61_user30.txt is missing"),
    "another user": (relabel("2 7 5 1 2"), "acc_exp02_user07.txt is missing"),
    "empty": (edit(GYRO, lambda _: "\n"), f"{GYRO} is empty"),
    "cut after a line": (keep_lines(10, GYRO), f"{GYRO} has 10 rows, but {ACC} has 1500"),
    "both cut": (keep_lines(50, ACC, GYRO), f"{ACC} has 50 rows, but labels.txt labels its samples up to"),
    "two columns": (edit(ACC, lambda t: "1 2\n" + t), f"{ACC} has 2 instead of 3 values in line 1"),
    "a word": (edit(ACC, lambda t: "1 2 x\n" + t), f"{ACC} has 'x' in line 1, which is not a finite number"),
    "nan": (edit(ACC, lambda t: "1 2 3\n1 nan 3\n" + t), f"{ACC} has 'nan' in line 2, which is not a finite number"),
    "activity 0": (relabel("1 1 0 1 2"), r"labels.txt has 0 in row 1, which is not an activity \(1 to 12\)"),
    "activity 13": (relabel("1 1 13 1 2"), r"labels.txt has 13 in row 1, which is not an activity \(1 to 12\)"),
    "start 0": (relabel("1 1 5 0 2"), "labels.txt has samples 0 to 2 in row 1"),
    "end before start": (relabel("1 1 5 9 8"), "labels.txt has samples 9 to 8 in row 1"),
    "end after the last": (relabel("1 1 5 9 1501"), "acc_exp01_user01.txt has 1500 rows, but .* up to 1501"),
    "half a sample": (relabel("1 1 5 9.5 12"), "labels.txt holds 9.5 in row 1, which is not an integer"),
    "four columns": (relabel("1 1 5 9"), "labels.txt has 4 instead of 5 values in line 1"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("fault", FAULTS)
def test_damage_is_one_sentence_naming_the_file(folder: Path, tmp_path: Path, fault: str, packed: bool) -> None:
    damage, message = FAULTS[fault]
    damage(folder / "RawData")
    path = zipped(folder, tmp_path / "hapt.zip") if packed else folder
    with pytest.raises(DataError, match=message) as raised:
        read_hapt(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_last_sample_may_be_labelled(folder: Path) -> None:
    relabel("1 1 5 1499 1500")(folder / "RawData")
    assert read_hapt(folder)[0].segments[0] == Segment("STANDING", 1498, 1500)


def test_folder_without_recordings(folder: Path) -> None:
    for file in (folder / "RawData").glob("*_exp*"):
        file.unlink()
    with pytest.raises(DataError, match="RawData has no recordings"):
        read_hapt(folder)


def test_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no folder RawData; give the folder or zip of HAPT"):
        read_hapt(tmp_path)


def test_truncated_zip(folder: Path, tmp_path: Path) -> None:
    archive = zipped(folder, tmp_path / "hapt.zip")
    archive.write_bytes(archive.read_bytes()[:10_000])
    with pytest.raises(DataError, match=r"hapt\.zip cannot be read \(File is not a zip file\)"):
        read_hapt(archive)
