"""UCI HAR v1.0 folders and zips: read, stitched, written, refused when damaged."""

import csv
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bundled import DATA, load_recording, official_windows
from model.errors import DataError
from model.recordings import Segment, WindowSet
from model.signals import CHANNELS, Stage, Start
from model.uci_har import read_uci_har, stitch, write_uci_har
from model.uci_har_export import number_lines
from model.windows import cut

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT.parent / "shared" / "data" / "v1" / "inertial_signals.npz"
N_SMALL = 40


def printed(value: float) -> str:
    """One number as the published files have it, by another road than the product's."""
    mantissa, exponent = f"{value:.6e}".split("e")
    return f"{mantissa}0e{exponent[0]}{int(exponent[1:]):03d}".rjust(16)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("export") / "UCI HAR Dataset"
    write_uci_har(directory)
    return directory


@pytest.fixture(scope="module")
def official() -> WindowSet:
    whole = official_windows("test")
    return WindowSet(whole.windows[:N_SMALL], whole.labels[:N_SMALL], whole.subjects[:N_SMALL])


@pytest.fixture
def small(tmp_path: Path, official: WindowSet) -> Path:
    """The first windows of the test split as an official folder, written line by line."""
    folder = tmp_path / "small" / "test"
    (folder / "Inertial Signals").mkdir(parents=True)
    for index, channel in enumerate(CHANNELS):
        lines = ["".join(map(printed, row)) + "\n" for row in official.windows[:, :, index].tolist()]
        (folder / "Inertial Signals" / f"{channel}_test.txt").write_text("".join(lines))
    (folder / "y_test.txt").write_text("".join(f"{label + 1}\n" for label in official.labels))
    (folder / "subject_test.txt").write_text("".join(f"{subject}\n" for subject in official.subjects))
    return folder.parent


def zipped(folder: Path, target: Path, prefix: str) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{prefix}{file.relative_to(folder).as_posix()}")
    return target


def assert_same(windows: WindowSet, expected: WindowSet) -> None:
    """Equal within what seven printed digits allow."""
    np.testing.assert_allclose(windows.windows, expected.windows, rtol=6e-7, atol=0)
    np.testing.assert_array_equal(windows.labels, expected.labels)
    np.testing.assert_array_equal(windows.subjects, expected.subjects)
    assert windows.windows.dtype == np.float32


class TestReading:
    def test_folder(self, small: Path, official: WindowSet) -> None:
        assert_same(read_uci_har(small, "test"), official)

    @pytest.mark.parametrize("depth", [1, 2])
    def test_folder_around_the_folder(self, small: Path, official: WindowSet, depth: int) -> None:
        outer = small.parent / "outer"
        shutil.copytree(small, outer.joinpath(*["nested"] * depth))
        assert_same(read_uci_har(outer, "test"), official)

    @pytest.mark.parametrize("prefix", ["", "UCI HAR Dataset/", "downloads/UCI HAR Dataset/"])
    def test_zip(self, small: Path, official: WindowSet, tmp_path: Path, prefix: str) -> None:
        assert_same(read_uci_har(zipped(small, tmp_path / "d.zip", prefix), "test"), official)

    def test_zip_in_a_zip_as_the_uci_page_has_it(self, small: Path, official: WindowSet, tmp_path: Path) -> None:
        inner = zipped(small, tmp_path / "UCI HAR Dataset.zip", "UCI HAR Dataset/")
        with zipfile.ZipFile(tmp_path / "page.zip", "w") as page:
            page.write(inner, inner.name)
            page.writestr("UCI HAR Dataset.names", "")
        assert_same(read_uci_har(tmp_path / "page.zip", "test"), official)

    def test_what_macos_adds_is_passed_over(self, small: Path, official: WindowSet, tmp_path: Path) -> None:
        archive = zipped(small, tmp_path / "mac.zip", "UCI HAR Dataset/")
        with zipfile.ZipFile(archive, "a") as file:
            file.writestr("__MACOSX/test/Inertial Signals/._body_acc_x_test.txt", b"\0\5\26\7")
        assert_same(read_uci_har(archive, "test"), official)

    def test_unknown_split(self, small: Path) -> None:
        with pytest.raises(ValueError, match="split='all' is not one of train, test"):
            read_uci_har(small, "all")


def replace(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = (folder / name).read_bytes()
        assert old in content
        (folder / name).write_bytes(content.replace(old, new, 1))

    return damage


def keep(name: str, size: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:size])

    return damage


SIGNAL = "test/Inertial Signals/body_gyro_y_test.txt"
LINE = 128 * 16 + 1
FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing signal": (lambda folder: (folder / SIGNAL).unlink(), "body_gyro_y_test.txt is missing"),
    "missing labels": (lambda folder: (folder / "test/y_test.txt").unlink(), "y_test.txt is missing"),
    "missing subjects": (lambda folder: (folder / "test/subject_test.txt").unlink(), "subject_test.txt is missing"),
    "empty": (keep(SIGNAL, 0), "body_gyro_y_test.txt is empty"),
    "cut in a line": (keep(SIGNAL, 7 * LINE + 160), "body_gyro_y_test.txt has 10 instead of 128 values in line 8"),
    "cut in the first line": (keep(SIGNAL, 160), "body_gyro_y_test.txt has 10 instead of 128 values in line 1"),
    "cut in a number": (keep(SIGNAL, LINE + 128 * 16 - 3), "body_gyro_y_test.txt has '.*e-' in line 2"),
    "cut after a line": (keep(SIGNAL, 7 * LINE), "body_gyro_y_test.txt has 7 rows, but y_test.txt has 40"),
    "one value too many": (replace(SIGNAL, b"\n", b" 1.0\n"), "has 129 instead of 128 values in line 1"),
    "not a number": (replace(SIGNAL, b"e-001", b"x-001"), "body_gyro_y_test.txt has '.*x-001' in line 1"),
    "nan": (
        lambda folder: replace(SIGNAL, (folder / SIGNAL).read_bytes()[:16], b" NaN")(folder),
        "has 'NaN' in line 1",
    ),
    "infinite": (replace(SIGNAL, b"e-001", b"e+999"), r"body_gyro_y_test.txt has '.*e\+999' in line 1"),
    "binary": (lambda folder: (folder / SIGNAL).write_bytes(bytes(range(256)) * 9), "body_gyro_y_test.txt has "),
    "label 0": (replace("test/y_test.txt", b"5\n", b"0\n"), r"y_test.txt has 0 in row 1, .*not an activity \(1 to 6\)"),
    "label 7": (replace("test/y_test.txt", b"5\n", b"7\n"), r"y_test.txt has 7 in row 1, .*not an activity \(1 to 6\)"),
    "label 5.5": (replace("test/y_test.txt", b"5\n", b"5.5\n"), "y_test.txt holds 5.5 in row 1, .*not an integer"),
    "label a word": (replace("test/y_test.txt", b"5\n", b"STANDING\n"), "y_test.txt has 'STANDING' in line 1"),
    "subject 0": (replace("test/subject_test.txt", b"2\n", b"0\n"), "subject_test.txt has 0 in row 1"),
    "a subject less": (keep("test/subject_test.txt", 78), "subject_test.txt has 39 rows, but y_test.txt has 40"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("fault", FAULTS)
def test_damage_is_one_sentence_naming_the_file(small: Path, tmp_path: Path, fault: str, packed: bool) -> None:
    damage, message = FAULTS[fault]
    damage(small)
    path = zipped(small, tmp_path / "d.zip", "UCI HAR Dataset/") if packed else small
    with pytest.raises(DataError, match=message) as raised:
        read_uci_har(path, "test")
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


class TestWrongPlaces:
    def refusal(self, path: Path) -> str:
        with pytest.raises(DataError) as raised:
            read_uci_har(path, "train")
        assert "\n" not in str(raised.value)
        return str(raised.value)

    def test_nothing_there(self, tmp_path: Path) -> None:
        assert "nowhere does not exist" in self.refusal(tmp_path / "nowhere")

    def test_folder_of_something_else(self, tmp_path: Path) -> None:
        assert "has no folder train/Inertial Signals" in self.refusal(tmp_path)

    def test_other_split_only(self, small: Path) -> None:
        assert "train/y_train.txt is missing" in self.refusal(small)

    def test_file_of_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("hello")
        assert "is neither a folder nor a zip file" in self.refusal(tmp_path / "notes.txt")

    @pytest.mark.parametrize("kept", [0, 2, 5000, -10])
    def test_truncated_zip(self, small: Path, tmp_path: Path, kept: int) -> None:
        archive = zipped(small, tmp_path / "d.zip", "")
        archive.write_bytes(archive.read_bytes()[:kept])
        assert "d.zip cannot be read (File is not a zip file)" in self.refusal(archive)

    def test_zip_with_a_flipped_byte(self, small: Path, tmp_path: Path) -> None:
        archive = zipped(small, tmp_path / "d.zip", "")
        content = bytearray(archive.read_bytes())
        with zipfile.ZipFile(archive) as file:
            at = file.getinfo("test/Inertial Signals/total_acc_z_test.txt").header_offset
        content[at + 2000] ^= 0x55
        archive.write_bytes(content)
        with pytest.raises(DataError, match=r"total_acc_z_test\.txt cannot be read"):
            read_uci_har(archive, "test")

    def test_damaged_zip_in_a_zip(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "page.zip", "w") as page:
            page.writestr("UCI HAR Dataset.zip", b"PK not really")
        assert "page.zip cannot be read (File is not a zip file)" in self.refusal(tmp_path / "page.zip")


class TestStitching:
    def test_pieces_are_where_the_windows_were_cut(self) -> None:
        with (DATA / "v1_windows.csv").open(newline="") as file:
            runs = [row for row in csv.DictReader(file) if row["split"] == "test"]
        pieces = stitch(official_windows("test"))
        assert len(pieces) == len(runs)
        for piece, run in zip(pieces, runs, strict=True):
            assert piece.subject == int(run["subject"])
            start, length = int(run["start"]), 128 + 64 * (int(run["windows"]) - 1)
            signals = load_recording(int(run["experiment"])).signals()[start : start + length]
            np.testing.assert_array_equal(piece.samples, signals[:, [6, 7, 8, 3, 4, 5]].astype(np.float32))

    def test_cutting_again_gives_the_windows(self, official: WindowSet) -> None:
        windows = np.concatenate([cut(piece.samples) for piece in stitch(official)])
        np.testing.assert_array_equal(windows, official.windows[:, :, [6, 7, 8, 3, 4, 5]])

    def test_pieces_say_what_they_are(self, official: WindowSet) -> None:
        pieces = stitch(official)
        assert [piece.experiment for piece in pieces] == list(range(1, len(pieces) + 1))
        for piece in pieces:
            assert (piece.stage, piece.start) == (Stage.DENOISED, Start.STEADY)
            assert piece.segments == (Segment(piece.segments[0].activity, 0, len(piece.samples)),)

    def test_gravity_settles_to_the_published_body_acceleration(self) -> None:
        official = official_windows("test")
        ends = np.cumsum([(len(piece.samples) - 64) // 64 for piece in stitch(official)])
        for piece, end in zip(stitch(official), ends, strict=True):
            if len(piece.samples) >= 1000:
                np.testing.assert_allclose(piece.signals()[-64:], official.windows[end - 1, -64:], atol=5e-3)

    @pytest.mark.parametrize("what", ["subjects", "labels", "windows"])
    def test_a_row_that_does_not_continue_begins_a_piece(self, official: WindowSet, what: str) -> None:
        first = {name: getattr(official, name)[:6].copy() for name in ("windows", "labels", "subjects")}
        assert len(stitch(WindowSet(**first))) == 1
        if what == "windows":
            first["windows"][3:, 10, 8] += 1e-6
        else:
            first[what][3:] += 1 if what == "subjects" else -1
        pieces = stitch(WindowSet(**first))
        n_overlapping = {"subjects": [3, 3], "labels": [3, 3], "windows": [3, 1, 1, 1]}[what]
        assert [(len(piece.samples) - 64) // 64 for piece in pieces] == n_overlapping

    def test_no_windows_no_pieces(self) -> None:
        nothing = np.empty(0, np.int64)
        assert stitch(WindowSet(np.empty((0, 128, 9), np.float32), nothing, nothing)) == []


class TestWriting:
    @given(st.lists(st.floats(-1e12, 1e12).filter(lambda x: x == 0 or abs(x) > 1e-99), min_size=1, max_size=20))
    def test_number_format(self, values: list[float]) -> None:
        expected = "".join(printed(value + 0.0) for value in values) + "\n"
        assert number_lines(np.array([values])).decode() == expected

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.00018085154, "  1.8085150e-004"),
            (-0.1232167, " -1.2321670e-001"),
            (0.0, "  0.0000000e+000"),
            (1.0, "  1.0000000e+000"),
            (0.99999999, "  1.0000000e+000"),
            (-9.9999995e-3, " -1.0000000e-002"),
            (1234567.0, "  1.2345670e+006"),
            (123456789.0, "  1.2345680e+008"),
            (1e-100, "  0.0000000e+000"),
        ],
    )
    def test_single_numbers(self, value: float, text: str) -> None:
        assert number_lines(np.array([[value]])) == text.encode() + b"\n"

    @pytest.mark.parametrize("split", ["train", "test"])
    def test_first_numbers_are_printed_as_published(self, exported: Path, split: str) -> None:
        with (ROOT / "tests" / "data" / "published_rows.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == split]
        for channel in CHANNELS:
            line = (exported / split / "Inertial Signals" / f"{channel}_{split}.txt").read_text().split("\n")[0]
            assert line.startswith("".join(printed(float(row[channel])) for row in rows))
            assert len(line) == 128 * 16

    @pytest.mark.skipif(not PUBLISHED.exists(), reason="the published windows are not beside this repository")
    @pytest.mark.parametrize("split", ["train", "test"])
    def test_all_numbers_are_printed_as_published(self, exported: Path, split: str) -> None:
        """But for one in 100,000, where the seventh digit was rounded from a five or the value is tiny."""
        with np.load(PUBLISHED) as archive:
            published = archive[split]
        windows = read_uci_har(exported, split).windows
        assert np.mean(windows != published) < 2e-5
        assert np.abs(windows - published).max() < 2e-9

    @pytest.mark.parametrize("split", ["train", "test"])
    def test_round_trip(self, exported: Path, split: str) -> None:
        assert_same(read_uci_har(exported, split), official_windows(split))

    @pytest.mark.parametrize("split", ["train", "test"])
    def test_labels_and_subjects_are_the_published_bytes(self, exported: Path, split: str) -> None:
        """The numbers' checksums are those of test_bundled.py; here, that they are written one a line."""
        official = official_windows(split)
        for name, numbers in (("y", official.labels + 1), ("subject", official.subjects)):
            content = (exported / split / f"{name}_{split}.txt").read_bytes()
            assert content == "".join(f"{number}\n" for number in numbers).encode()

    def test_what_is_in_the_folder(self, exported: Path) -> None:
        names = {file.relative_to(exported).as_posix() for file in exported.rglob("*") if file.is_file()}
        assert len(names) == 24
        assert (exported / "activity_labels.txt").read_text().startswith("1 WALKING\n2 WALKING_UPSTAIRS\n")
        readme = (exported / "README.txt").read_text("utf-8")
        assert "CC BY 4.0" in readme
        assert "ESANN 2013" in readme
        assert "Neurocomputing, 2016" in readme

    def test_an_earlier_export_is_overwritten_with_progress(self, exported: Path) -> None:
        y_train = exported / "train" / "y_train.txt"
        before = y_train.read_bytes()
        y_train.write_text("")
        seen: list[tuple[int, int]] = []
        write_uci_har(exported, lambda done, total: seen.append((done, total)))
        assert seen == [(done, 24) for done in range(1, 25)]
        assert y_train.read_bytes() == before

    def test_other_files_are_left_alone(self, small: Path) -> None:
        before = {file: file.read_bytes() for file in small.rglob("*.txt")}
        with pytest.raises(DataError, match="small holds other files; give an empty or new directory"):
            write_uci_har(small)
        assert {file: file.read_bytes() for file in small.rglob("*.txt")} == before

    def test_a_file_in_the_way(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        for directory in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(DataError, match=r"cannot be written.*; give another directory"):
                write_uci_har(directory)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_full_disk(self, tmp_path: Path) -> None:
        (tmp_path / "README.txt").write_text("UCI HAR v1.0, inertial signals, regenerated by har-stream\n")
        (tmp_path / "activity_labels.txt").symlink_to("/dev/full")
        with pytest.raises(DataError, match=r"activity_labels\.txt cannot be written \(No space left on device\)"):
            write_uci_har(tmp_path)


def test_numpy_reads_the_export(exported: Path) -> None:
    """As everybody's UCI HAR code does."""
    text = (exported / "test" / "Inertial Signals" / "total_acc_x_test.txt").read_text()
    assert np.loadtxt(io.StringIO(text)).shape == (2947, 128)
