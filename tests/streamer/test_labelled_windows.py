"""A capture's labelled windows are those that the listener classifies, and ``model`` finds the reader."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from model.bundled import load_recordings
from model.evaluate import scored_windows
from model.recorded import GROUP
from streamer.capture.format import Record
from streamer.capture.labelled import labelled_windows, load
from streamer.capture.writer import CaptureWriter
from streamer.wire import Label, encode_label
from tests.processes import ROOT
from tests.streamer.app_phones import sensorspot
from tests.streamer.captures import EPOCH, record


def test_they_are_the_windows_inside_labelled_segments_bit_for_bit(tmp_path: Path) -> None:
    found = labelled_windows(record(tmp_path / "x.cap", 3))
    expected = [scored_windows(recording) for recording in load_recordings((3,))]
    for stream, recording in enumerate(expected):
        mine = found.streams == stream
        assert np.array_equal(found.windows[mine], recording.windows.astype(np.float32))
        assert np.array_equal(found.labels[mine], recording.labels)
        assert (np.diff(found.start_s[mine]) > 1.27).all()
    assert len(found) == sum(len(recording.labels) for recording in expected)
    assert found.n_unlabelled > 50


def test_without_labels_there_are_none(tmp_path: Path) -> None:
    found = labelled_windows(record(tmp_path / "x.cap", 3, labels=False))
    assert len(found) == 0
    assert found.windows.shape == (0, 128, 9)
    assert found.n_unlabelled > 200


def test_a_phone_whose_times_count_from_its_start_is_labelled_by_when_its_messages_came(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "x.cap", EPOCH)
    label = encode_label(Label("STANDING", EPOCH, EPOCH + 100))
    writer.add(Record(EPOCH, "har/mine/label", label))
    for k, (topic, payload) in enumerate(sensorspot(load_recordings((3,))[0].samples[:1000])):
        writer.add(Record(EPOCH + 0.1 + k / 100, topic, payload))
    writer.close()
    found = labelled_windows(tmp_path / "x.cap")
    assert len(found) > 10
    assert found.n_unlabelled == 0
    assert found.start_s[0] == pytest.approx(EPOCH, abs=0.2)


def test_a_cut_capture_gives_what_there_is_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = record(tmp_path / "x.cap", 3)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    assert len(labelled_windows(path)) > 20
    assert "no end" in caplog.text


def test_the_package_offers_the_reader_to_the_training(tmp_path: Path) -> None:
    offered = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"][GROUP]
    module, _, name = offered["capture"].partition(":")
    reader = getattr(import_module(module), name)
    assert reader is load
    other = tmp_path / "other"
    other.write_bytes(b"something else")
    assert reader(other) is None
