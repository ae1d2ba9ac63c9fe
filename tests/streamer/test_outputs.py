"""What is written of a prediction, and that nothing written controls a terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from model.activities import ACTIVITIES
from model.changes import ActivityChange
from model.errors import HarError
from model.stateful.transitions import PosturalTransition
from streamer.operation.logs import logging_to, stderr_handler
from streamer.outputs import JsonLines, Notice, PlainLines, Recent, WindowsFile, clock_time
from streamer.phone_stream import ReadyWindow
from streamer.recognition.prediction import Prediction
from streamer.tally import Tally

SUMMARY = Tally(max_phones=1).summary() | {"dropped_messages": 0}


def prediction(k: int, label: str | None = None) -> Prediction:
    values = np.random.default_rng(k).normal(size=(128, 9)).astype(np.float32)
    window = ReadyWindow(
        "s02-e03", 64 * k, 1_700_000_000 + 1.28 * k, 1_700_000_002.56 + 1.28 * k, values, 0.0, label, 1
    )
    probabilities = np.array([0.05, 0.05, 0.05, 0.7, 0.1, 0.05], np.float32)
    return Prediction(window, "SITTING", "SITTING", 0.7, probabilities, "SITTING", 3.25)


TRANSITION = PosturalTransition("SIT_TO_STAND", 1_700_000_001.26, 1.92, 0.8123456789)


def test_a_transition_is_a_line_of_its_own_everywhere() -> None:
    stream = io.StringIO()
    JsonLines(stream).transition("s02-e03", TRANSITION)
    assert json.loads(stream.getvalue()) == {
        "type": "transition",
        "phone": "s02-e03",
        "transition": "SIT_TO_STAND",
        "time_s": 1_700_000_001.26,
        "duration_s": 1.92,
        "confidence": 0.812346,
    }
    plain, recent = io.StringIO(), Recent()
    PlainLines(plain).transition("s02-e03", TRANSITION)
    recent.transition("s02-e03", TRANSITION)
    told = f"{clock_time(1_700_000_001)}.3  s02-e03  SIT_TO_STAND"
    assert plain.getvalue() == f"{told}\n"
    assert list(recent.lines) == [told]


@pytest.mark.parametrize(
    ("time_s", "ends"), [(0.0, "00.0"), (59.96, "00.0"), (3.04, "03.0"), (3.06, "03.1"), (-0.5, "59.5")]
)
def test_tenths_are_rounded(time_s: float, ends: str) -> None:
    assert clock_time(1_700_000_040 + time_s, tenths=True).endswith(ends)
    assert clock_time(1e300, tenths=True) == "--:--:--"


def test_json_lines_are_one_object_a_line_with_the_type_first() -> None:
    stream = io.StringIO()
    output = JsonLines(stream)
    output.prediction(prediction(1, "STANDING"))
    output.change("s02-e03", ActivityChange("SITTING", "WALKING", 1_700_000_000.0, 12.8))
    output.warning(Notice("s02-e03", "gap: 2 messages lost"))
    output.finish(SUMMARY)
    lines = stream.getvalue().splitlines()
    assert all(line.startswith('{"type": ') for line in lines)
    first, event, warning, summary = map(json.loads, lines)
    assert [x["type"] for x in (first, event, warning, summary)] == ["prediction", "event", "warning", "summary"]
    assert first["start_sample"] == 64
    assert first["end_s"] - first["start_s"] == pytest.approx(2.56)
    assert first["span_s"] == 1.28
    assert list(first["probabilities"]) == list(ACTIVITIES)
    assert first["probabilities"][first["activity"]] == first["confidence"] == pytest.approx(0.7)
    assert (first["label"], first["latency_ms"]) == ("STANDING", 3.25)
    assert (event["from"], event["to"], event["duration_s"]) == ("SITTING", "WALKING", 12.8)
    assert {"phones", "messages", "samples", "windows", "lost_messages", "malformed_messages", "accuracy"} <= set(
        summary
    )


def test_plain_lines_have_time_phone_activity_and_label() -> None:
    stream = io.StringIO()
    errors = io.StringIO()
    output = PlainLines(stream)
    output.prediction(prediction(0, "STANDING"))
    with logging_to(stderr_handler("text", errors)):
        output.warning(Notice("s02-e03", "gap: 2 messages lost"))
    assert errors.getvalue() == "warning: s02-e03: gap: 2 messages lost\n"
    output.finish(SUMMARY)
    first, *rest = stream.getvalue().splitlines()
    assert first.split() == [clock_time(1_700_000_002.56), "s02-e03", "SITTING", "70%", "label", "STANDING"]
    assert "0 phones" in rest[0]


def test_the_windows_file_holds_the_windows_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "windows.npz"
    output = WindowsFile(path)
    predictions = [prediction(k, None if k % 2 else "SITTING") for k in range(5)]
    for p in predictions:
        output.prediction(p)
    output.finish(SUMMARY)
    with np.load(path, allow_pickle=False) as saved:
        assert saved["windows"].dtype == np.float32
        assert np.array_equal(saved["windows"], np.stack([p.window.values for p in predictions]))
        assert saved["start_sample"].tolist() == [0, 64, 128, 192, 256]
        assert saved["phone"].tolist() == ["s02-e03"] * 5
        assert saved["label"].tolist() == ["SITTING", "", "SITTING", "", "SITTING"]
        assert saved["start_s"].tolist() == [p.window.start_s for p in predictions]
    assert [p.name for p in tmp_path.iterdir()] == ["windows.npz"]


def test_a_windows_file_without_windows_is_a_file_without_windows(tmp_path: Path) -> None:
    output = WindowsFile(tmp_path / "w.npz")
    output.finish(SUMMARY)
    with np.load(tmp_path / "w.npz", allow_pickle=False) as saved:
        assert saved["windows"].shape == (0, 128, 9)


def test_a_windows_file_in_no_folder_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(HarError, match="--save-windows"):
        WindowsFile(tmp_path / "none" / "w.npz")


def test_a_time_that_no_calendar_has_is_shown_too() -> None:
    assert clock_time(1e300) == "--:--:--"
