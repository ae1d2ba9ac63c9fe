"""What classify makes of archives is what a live listener makes of the same samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.activities import ACTIVITIES
from model.bundled import load_recording, official_windows
from model.classifier import Classifier
from model.signals import CHANNELS, STANDARD_GRAVITY
from streamer.backfill.items import Kind, Unread, bundled_items, find_items
from streamer.backfill.outcome import BackfillOptions
from streamer.backfill.units import TableOptions
from streamer.capture.reader import open_capture
from streamer.formats.names import Format
from streamer.inbox import Message
from streamer.readings import PhoneMessage, Readings, Sensor, Unit
from streamer.recognition.loading import EngineOptions
from tests.streamer.archives import (
    EPOCH,
    assert_same,
    classified,
    heard,
    lines,
    recognised,
    sent,
    short,
    signals,
    table,
)
from tests.streamer.captures import record

MODELS = pytest.mark.parametrize("model", ["window", "stream"])


@MODELS
def test_recordings_are_recognised_as_a_listener_recognises_them_live(model: str) -> None:
    options = EngineOptions(model)
    items = [item for item in bundled_items("all") if item.session[0] in (1, 12)]
    expected = heard(sent(load_recording(experiment) for experiment in (1, 12)), options)
    outcomes = classified(items=items, options=BackfillOptions(options))
    assert_same([line for outcome in outcomes for line in lines(outcome)], expected)
    changes = [p.change for p in expected if p.change]
    told = [line for outcome in outcomes for line in lines(outcome, "event")]
    assert [(line["from"], line["to"]) for line in told] == [(change.before, change.after) for change in changes]
    transitions = [transition.name for p in expected for transition in p.transitions]
    assert [line["transition"] for o in outcomes for line in lines(o, "transition")] == transitions
    assert len(changes) > 10
    assert bool(transitions) == (model == "stream")


@MODELS
def test_a_capture_is_recognised_as_its_messages_were(tmp_path: Path, model: str) -> None:
    file, options = record(tmp_path / "session.cap", 2), EngineOptions(model)
    with open_capture(file) as capture:
        expected = heard([Message(r.topic, r.payload, r.arrived_s) for r in capture], options)
    (outcome,) = classified(file, options=BackfillOptions(options))
    assert_same(lines(outcome), expected)
    assert {line["phone"] for line in lines(outcome)} == {"s02-e03", "s02-e04"}
    assert outcome.counts.right_windows / outcome.counts.labelled_windows > 0.9


def test_a_table_of_two_phones_at_any_rate_with_gaps_is_recognised_as_live(tmp_path: Path) -> None:
    phones = {"ann": signals(1, 100, 90.0), "ben": signals(5, 50, 90.0)}
    for name, (first, stop) in {"ann": (4000, 4200), "ben": (2000, 2100)}.items():  # two seconds are missing
        phones[name] = tuple(np.delete(each, np.s_[first:stop], axis=0) for each in phones[name])  # type: ignore[assignment]
    table(phones).to_csv(tmp_path / "two.csv", index=False)
    read = pd.read_csv(tmp_path / "two.csv")
    messages: list[PhoneMessage] = []
    for phone in phones:
        rows = read[read["phone"] == phone]
        values = rows.iloc[:, 1:7].to_numpy(np.float64)
        values = np.concatenate([values[:, :3] / STANDARD_GRAVITY, values[:, 3:] * np.deg2rad(1.0)], axis=1)
        messages += short(phone, rows["timestamp"].to_numpy() * 1e-6, values)
    (outcome,) = classified(tmp_path / "two.csv")
    told = sorted(lines(outcome), key=lambda line: str(line["phone"]))  # phones are in order of their first rows
    assert_same(told, recognised(messages, EngineOptions()))
    assert outcome.counts.gaps == 2
    assert any("gap" in line["reason"] for line in lines(outcome, "warning"))


@pytest.mark.parametrize(("unit", "factor"), [("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9), ("iso", 0)])
def test_times_are_in_the_unit_that_makes_a_sampling_rate(tmp_path: Path, unit: str, factor: float) -> None:
    times, samples = signals(1, 50, 20.0)
    frame = table({"ann": (times, samples)})
    if factor:
        frame["timestamp"] = times if unit == "s" else np.rint(times * factor).astype(np.int64)
    else:
        frame["timestamp"] = pd.to_datetime(np.rint(times * 1e3), unit="ms", utc=True)
    frame.to_csv(tmp_path / "file.csv", index=False)
    expected = recognised(short("ann", times, samples), EngineOptions())
    assert_same(lines(classified(tmp_path / "file.csv")[0]), expected)
    assert [prediction.window.start_s for prediction in expected] == pytest.approx(EPOCH + 1.28 * np.arange(14))


def test_units_are_found_out_from_brackets_flags_or_the_data(tmp_path: Path) -> None:
    walking = load_recording(1).samples[7496 : 7496 + 1000]
    times = EPOCH + np.arange(1000) / 50
    expected = recognised(short("file", times, walking), EngineOptions())
    frame = table({"ann": (times, walking)}).drop(columns="phone")
    frame.to_csv(tmp_path / "file.csv", index=False)  # m/s² and deg/s
    said = {n: f"{n} (m/s^2)" for n in frame if str(n).startswith("Acc")}
    frame.rename(columns=said).to_csv(tmp_path / "said.csv", index=False)
    stated = BackfillOptions(tables=TableOptions(acceleration="m/s2", angular_velocity="deg/s"))
    for outcome in (
        *classified(tmp_path / "file.csv", tmp_path / "said.csv"),
        *classified(tmp_path / "file.csv", options=stated),
    ):
        assert [line["answer"] for line in lines(outcome)] == [prediction.answer for prediction in expected]
        assert not lines(outcome, "warning")


def test_sensors_with_rows_of_their_own_are_put_together(tmp_path: Path) -> None:
    times, samples = signals(1, 100, 20.0)
    frame = table({"ann": (times, samples)})
    frame.iloc[::2, 1:4] = np.nan
    frame.iloc[1::2, 4:7] = np.nan
    frame.to_csv(tmp_path / "apart.csv", index=False)
    messages = []
    for first in range(0, len(times), 50):
        turning, pulling = slice(first, first + 50, 2), slice(first + 1, first + 50, 2)
        of_both = (
            Readings(Sensor.TOTAL_ACCELERATION, times[pulling], samples[pulling, :3], Unit.G),
            Readings(Sensor.ANGULAR_VELOCITY, times[turning], samples[turning, 3:], Unit.RADIANS_PER_SECOND),
        )
        messages.append(PhoneMessage("ann", Format.HAR, of_both))
    expected = recognised(messages, EngineOptions())
    assert_same(lines(classified(tmp_path / "apart.csv")[0]), expected)
    assert len(expected) > 10


def test_raw_files_are_read_with_their_labels_if_they_are_there(tmp_path: Path) -> None:
    recording, folder = load_recording(1), tmp_path / "RawData"
    folder.mkdir()
    np.savetxt(folder / "acc_exp01_user01.txt", recording.samples[:, :3], fmt="%.17g")
    np.savetxt(folder / "gyro_exp01_user01.txt", recording.samples[:, 3:], fmt="%.17g")
    (bundled,) = classified(items=bundled_items("all")[:1])
    (alone,) = classified(folder / "gyro_exp01_user01.txt", folder / "acc_exp01_user01.txt")
    answers = [[line["probabilities"] for line in lines(outcome)] for outcome in (bundled, alone)]
    assert answers[0] == answers[1]
    assert alone.counts.labelled_windows == 0
    (folder / "labels.txt").write_text("1 1 5 250 1232\n")
    for path in (folder, tmp_path):  # the folder of the files, and the data set's
        (outcome,) = classified(path)
        assert outcome.counts.labelled_windows == 14
        assert lines(outcome)[0]["file"] == str(folder / "acc_exp01_user01.txt")


def official_folder(folder: Path, n: int) -> Path:
    """The first windows of the test split as an official folder."""
    whole = official_windows("test")
    signals_of = folder / "test" / "Inertial Signals"
    signals_of.mkdir(parents=True)
    for index, channel in enumerate(CHANNELS):
        np.savetxt(signals_of / f"{channel}_test.txt", whole.windows[:n, :, index], fmt="%.9g")
    np.savetxt(folder / "test" / "y_test.txt", whole.labels[:n] + 1, fmt="%d")
    np.savetxt(folder / "test" / "subject_test.txt", whole.subjects[:n], fmt="%d")
    return folder


def test_official_windows_are_classified_as_they_are_or_stitched_for_the_stream_model(tmp_path: Path) -> None:
    folder = official_folder(tmp_path, 60)
    alone = BackfillOptions(EngineOptions(smoothing=None))
    (outcome,) = classified(folder, options=alone)
    told = np.array([[*line["probabilities"].values()] for line in lines(outcome)])
    np.testing.assert_allclose(told, Classifier.load().probabilities(official_windows("test").windows[:60]), atol=1e-6)
    assert [ACTIVITIES.index(line["label"]) for line in lines(outcome)] == official_windows("test").labels[:60].tolist()
    (stitched,) = classified(folder, options=BackfillOptions(EngineOptions("stream")))
    assert stitched.counts.right_windows / stitched.counts.labelled_windows > 0.8
    assert stitched.error is None and lines(stitched)[0]["phone"] == "s02"


def test_what_is_in_a_folder_is_found_and_the_rest_told(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("x,y\n1,2\n")
    (tmp_path / "a.cap").write_bytes(b"")
    (tmp_path / "notes.md").write_text("no")
    found = find_items([tmp_path, tmp_path / "notes.md", tmp_path / "nothing"])
    assert [getattr(item, "kind", None) for item in found] == [Kind.CAPTURE, Kind.TABLE, None, None]
    strange, missing = (item.reason for item in found[2:] if isinstance(item, Unread))
    assert "notes.md is of no kind" in strange and "RawData" not in strange
    assert missing.endswith("check the path.")


def test_a_table_without_the_columns_says_what_it_has_and_what_is_needed(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("time,ax,ay,az,note\n1,2,3,4,5\n")
    (outcome,) = classified(tmp_path / "b.csv")
    assert outcome.error == (
        f"{tmp_path / 'b.csv'} has the columns time, ax, ay, az, note, but lacks the angular velocity about x, y and z"
        "; needed are t (or timestamp), acc_x, acc_y, acc_z, gyro_x, gyro_y and gyro_z."
    )
