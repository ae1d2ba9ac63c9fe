"""The bundled recordings, against what the authors published."""

import csv
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from model import bundled
from model.activities import ACTIVITIES, ALL_LABELS, TEST_SUBJECTS, TRAIN_SUBJECTS
from model.bundled import index, load_recording, load_recordings, official_windows
from model.errors import DataError
from model.recordings import Segment, WindowSet, label_at, subjects_of
from model.signals import CHANNELS

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT.parent / "shared" / "data" / "v1" / "inertial_signals.npz"

SHA256 = {
    "y_train": "415b3357e2e2d5e70a45c781947c6bdd80e0410a579d862eedcd6bbce3c694ef",
    "subject_train": "66e1e2fbe9b396fa5155f531dc3348c803f503be663e2318772d49947db9153a",
    "y_test": "2a94cb53ca46b956c1b2aebd4a09a72badd8a8e9ea9cdfe9f31b3306a08666bb",
    "subject_test": "63b8c577f4a85431c06bd87f6384608c90a9f72f05c7956dd21255dc63515c07",
}
"""Of the files as UCI HAR v1.0 publishes them."""


@pytest.fixture(scope="module", params=["train", "test"])
def split(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def official(split: str) -> WindowSet:
    return official_windows(split)


def sha256_of_lines(numbers: np.ndarray) -> str:
    return hashlib.sha256("".join(f"{number}\n" for number in numbers).encode()).hexdigest()


def test_first_samples_are_the_published_ones(split: str, official: WindowSet) -> None:
    with (ROOT / "tests" / "data" / "published_rows.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    published = [[float(row[channel]) for channel in CHANNELS] for row in rows]
    ours = [official.windows[int(row["row"]), int(row["step"])] for row in rows]
    assert len(rows) == 6
    np.testing.assert_allclose(ours, published, rtol=0, atol=1e-6)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published windows are not beside this repository")
def test_all_windows_are_the_published_ones(split: str, official: WindowSet) -> None:
    with np.load(PUBLISHED) as archive:
        published = archive[split]
    assert official.windows.shape == published.shape
    assert np.abs(official.windows - published).max() <= 1e-6


def test_labels_and_subjects_are_the_published_files(split: str, official: WindowSet) -> None:
    assert official.windows.shape == ({"train": 7352, "test": 2947}[split], 128, 9)
    assert sha256_of_lines(official.labels + 1) == SHA256[f"y_{split}"]
    assert sha256_of_lines(official.subjects) == SHA256[f"subject_{split}"]
    assert set(official.subjects) == set(subjects_of(split))


def test_double_precision_windows_round_to_single(split: str, official: WindowSet) -> None:
    exact = official_windows(split, np.float64)
    assert exact.windows.dtype == np.float64
    np.testing.assert_array_equal(exact.windows.astype(np.float32), official.windows)


def test_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="split='all' is not one of train, test"):
        official_windows("all")


def test_recordings_are_of_thirty_subjects_and_within_the_sensors_range() -> None:
    recordings = load_recordings(subjects_of("all"))
    assert [(r.experiment, r.subject) for r in recordings] == list(index())
    assert [r.experiment for r in recordings] == list(range(1, 62))
    assert {r.subject for r in recordings} == {*TRAIN_SUBJECTS, *TEST_SUBJECTS}
    assert sum(len(r.segments) for r in recordings) == 1214
    for recording in recordings:
        assert np.abs(recording.samples[:, :3]).max() <= 2.01  # the accelerometer's range is 2 g
        assert 0.9 < np.median(np.linalg.norm(recording.samples[:, :3], axis=1)) < 1.1


def test_lengths_and_segments_fit() -> None:
    with (bundled.DATA / "recordings.csv").open(newline="") as file:
        lengths = {int(row["experiment"]): int(row["samples"]) for row in csv.DictReader(file)}
    for recording in load_recordings(TEST_SUBJECTS):
        assert len(recording.samples) == lengths[recording.experiment]
        for segment in recording.segments:
            assert 0 <= segment.start < segment.stop <= len(recording.samples)
            assert segment.activity in ALL_LABELS


def test_first_segment_is_the_official_one() -> None:
    first = load_recording(1)
    assert first.segments[0] == Segment("STANDING", 249, 1232)
    assert first.name == "s01-e01"
    assert first.duration_s == len(first.samples) / 50


def test_label_needs_the_whole_range_in_one_segment() -> None:
    segments = load_recording(1).segments
    assert label_at(segments, 249, 377) == "STANDING"
    assert label_at(segments, 1104, 1232) == "STANDING"
    assert label_at(segments, 248, 376) is None
    assert label_at(segments, 1105, 1233) is None
    assert label_at(segments, 1232, 1360) == "STAND_TO_SIT"


def test_each_split_has_every_activity(official: WindowSet) -> None:
    assert set(official.labels) == set(range(len(ACTIVITIES)))


def test_there_is_no_experiment_62() -> None:
    with pytest.raises(ValueError, match="experiment=62 is not one of 1 to 61"):
        load_recording(62)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data, with one recording, to be damaged."""
    (tmp_path / "recordings").mkdir()
    for name in ("recordings.csv", "segments.csv", "recordings/e01.flac"):
        shutil.copyfile(bundled.DATA / name, tmp_path / name)
    monkeypatch.setattr(bundled, "DATA", tmp_path)
    return tmp_path / "recordings" / "e01.flac"


@pytest.mark.parametrize("kept", [0, 30, 60_000, -1])
def test_truncated_recording_is_one_sentence(copied: Path, kept: int) -> None:
    assert len(load_recording(1).samples) == 20598
    copied.write_bytes(copied.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"e01\.flac is missing or damaged"):
        load_recording(1)


def test_overwritten_recording_is_one_sentence(copied: Path) -> None:
    content = bytearray(copied.read_bytes())
    content[50_000:50_100] = bytes(100)
    copied.write_bytes(content)
    with pytest.raises(DataError, match=r"e01\.flac is missing or damaged"):
        load_recording(1)


def test_missing_recording_is_one_sentence(copied: Path) -> None:
    copied.unlink()
    with pytest.raises(DataError, match=r"e01\.flac is missing or damaged"):
        load_recording(1)
