"""A capture of a phone worn anyhow: its report goes by the calibration, as a listener does."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.orientation import Basis, Calibration
from streamer.capture.format import Record
from streamer.capture.reader import Capture
from streamer.capture.writer import CaptureWriter
from streamer.mount.book import MountOptions
from streamer.mount.notation import AUTO
from streamer.mount.store import Mount, MountStore
from streamer.report.recognised import RecogniseOptions, recognise_capture
from tests.processes import assert_one_sentence, run
from tests.streamer.turned_phones import EPOCH, RECORDING, payloads, pose, segments_of, worn

WALKS = slice(*segments_of(RECORDING, "WALKING")[0])


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody walks with a phone worn anyhow."""
    path = tmp_path_factory.mktemp("capture") / "walk.har"
    writer = CaptureWriter(path, EPOCH)
    for number, (topic, payload) in enumerate(payloads("s07", worn(RECORDING, pose(9))[WALKS])):
        writer.add(Record(EPOCH + number / 2, topic, payload))
    writer.close()
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The phone's calibration."""
    turn = pose(9).T
    MountStore(tmp_path).remember("s07", Mount.of(Calibration(turn, turn[0], Basis.WALKING), now_s=EPOCH))
    return tmp_path


def share_of_walking(path: Path, mount: MountOptions) -> float:
    with path.open("rb") as stream:
        report = recognise_capture(Capture(stream, path.name), RecogniseOptions(mount=mount))
    return report.seconds.get("WALKING", 0.0) / sum(report.seconds.values())


def test_a_capture_is_recognised_by_the_phones_calibration(capture: Path, state: Path, tmp_path: Path) -> None:
    assert share_of_walking(capture, MountOptions()) < 0.3
    assert share_of_walking(capture, MountOptions(AUTO, tmp_path / "elsewhere")) < 0.3
    assert share_of_walking(capture, MountOptions(AUTO, state)) > 0.9


def test_the_command_takes_it_and_refuses_it_for_lines(capture: Path, state: Path, tmp_path: Path) -> None:
    done = run("streamer", "report", capture, "--state", state, "--json")
    assert done.returncode == 0, done.stderr
    assert '"WALKING"' in done.stdout
    lines = tmp_path / "lines.jsonl"
    lines.write_text("")
    assert_one_sentence(run("streamer", "report", lines, "--mount", "as-is"), "--mount is for captures")
