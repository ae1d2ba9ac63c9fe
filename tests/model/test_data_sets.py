"""Whatever the source, sessions for phones to replay."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from model.activities import ACTIVITIES, TEST_SUBJECTS
from model.bundled import load_recording, official_windows
from model.data_sets import replayable
from model.errors import DataError
from model.recordings import WindowSet
from model.signals import CHANNELS, Stage, Start
from model.uci_har import stitch
from model.uci_har_export import number_lines


@pytest.fixture(scope="module")
def some_windows() -> WindowSet:
    """Every eighth recording piece or so: windows of all nine test subjects."""
    official = official_windows("test")
    kept = np.flatnonzero(np.arange(2947) // 25 % 8 == 0)
    return WindowSet(official.windows[kept], official.labels[kept], official.subjects[kept])


@pytest.fixture(scope="module")
def v1_zip(tmp_path_factory: pytest.TempPathFactory, some_windows: WindowSet) -> Path:
    path = tmp_path_factory.mktemp("v1") / "UCI HAR Dataset.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for index, channel in enumerate(CHANNELS):
            name = f"UCI HAR Dataset/test/Inertial Signals/{channel}_test.txt"
            archive.writestr(name, number_lines(some_windows.windows[:, :, index].astype(np.float64)))
        for name, numbers in (("y", some_windows.labels + 1), ("subject", some_windows.subjects)):
            archive.writestr(f"UCI HAR Dataset/test/{name}_test.txt", "\n".join(map(str, numbers)))
    return path


@pytest.fixture
def hapt_folder(tmp_path: Path) -> Path:
    raw = tmp_path / "RawData"
    raw.mkdir()
    for experiment, subject in ((3, 2), (1, 1)):
        samples = load_recording(experiment).samples[:500]
        for sensor, values in (("acc", samples[:, :3]), ("gyro", samples[:, 3:])):
            np.savetxt(raw / f"{sensor}_exp{experiment:02d}_user{subject:02d}.txt", values)
    (raw / "labels.txt").write_text("1 1 5 250 400\n3 2 5 298 400\n")
    return tmp_path


def test_bundled_test_split_is_nineteen_phones() -> None:
    sessions = replayable(None, "test")
    assert len(sessions) == 19
    assert sessions[0].name == "s02-e03"
    assert {session.subject for session in sessions} == set(TEST_SUBJECTS)
    for session in sessions:
        (recording,) = session.recordings
        assert session.name == recording.name
        assert session.duration_s == recording.duration_s
        assert (recording.stage, recording.start) == (Stage.RAW, Start.ZERO)


def test_bundled_splits_add_up() -> None:
    names = {split: [session.name for session in replayable(None, split)] for split in ("train", "test", "all")}
    assert len(names["all"]) == 61
    assert sorted(names["train"] + names["test"]) == sorted(names["all"])


def test_only_some_subjects() -> None:
    assert [session.name for session in replayable(None, "all", [9, 2])] == ["s02-e03", "s02-e04", "s09-e17", "s09-e18"]


@pytest.mark.parametrize(("split", "subject"), [("all", 31), ("test", 1), ("train", 2)])
def test_subject_that_is_not_there(split: str, subject: int) -> None:
    with pytest.raises(DataError, match=f"no recordings of subject {subject} in its split {split} .subjects "):
        replayable(None, split, [2, subject] if split != "train" else [subject])


def test_unknown_split() -> None:
    with pytest.raises(ValueError, match="split='validation'"):
        replayable(None, "validation")


def test_v1_zip_is_a_phone_a_subject(v1_zip: Path, some_windows: WindowSet) -> None:
    sessions = replayable(v1_zip, "test")
    assert [session.name for session in sessions] == [f"s{subject:02d}" for subject in TEST_SUBJECTS]
    pieces = stitch(some_windows)
    assert sum(len(session.recordings) for session in sessions) == len(pieces)
    for session in sessions:
        own = [piece for piece in pieces if piece.subject == session.subject]
        for recording, piece in zip(session.recordings, own, strict=True):
            assert (recording.stage, recording.start) == (Stage.DENOISED, Start.STEADY)
            assert recording.segments == piece.segments
            np.testing.assert_allclose(recording.samples, piece.samples, rtol=1e-6)
            assert recording.segments[0].activity in ACTIVITIES
        assert session.duration_s == pytest.approx(sum(len(piece.samples) for piece in own) / 50)


def test_v1_subjects_can_be_chosen(v1_zip: Path) -> None:
    assert [session.name for session in replayable(v1_zip, "test", [24, 4])] == ["s04", "s24"]
    with pytest.raises(DataError, match=r"UCI HAR Dataset\.zip has no recordings of subject 3 in its split test"):
        replayable(v1_zip, "test", [3])


def test_v1_split_that_is_not_there(v1_zip: Path) -> None:
    with pytest.raises(DataError, match=r"train/y_train\.txt is missing"):
        replayable(v1_zip, "all")


def test_hapt_folder_is_a_phone_a_recording(hapt_folder: Path) -> None:
    sessions = replayable(hapt_folder, "all")
    assert [session.name for session in sessions] == ["s01-e01", "s02-e03"]
    assert [session.name for session in replayable(hapt_folder, "test")] == ["s02-e03"]
    np.testing.assert_array_equal(sessions[1].recordings[0].samples, load_recording(3).samples[:500])


def test_hapt_folder_without_subjects_of_the_split(hapt_folder: Path) -> None:
    for file in hapt_folder.glob("RawData/*_user02.txt"):
        file.unlink()
    (hapt_folder / "RawData" / "labels.txt").write_text("1 1 5 250 400\n")
    with pytest.raises(DataError, match=r"has no recordings of subject 2, 4, .* in its split test"):
        replayable(hapt_folder, "test")


def test_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is neither UCI HAR v1\.0 .* nor HAPT"):
        replayable(tmp_path, "test")
