"""``listen --record`` as a process: what was heard is in the file, whatever happens to the listener."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.capture.format import Record
from streamer.capture.naming import capture_path
from streamer.capture.reader import open_capture
from streamer.capture.recorder import Recorder
from streamer.faults import TooLong
from streamer.inbox import Message
from tests.brokers import USER, Mosquitto, free_port, start_mosquitto
from tests.disks import small_disk
from tests.processes import TIMEOUT_S, Listening, assert_one_sentence, command, environment, run
from tests.subscribers import subscriber


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


def replay(where: str, *arguments: object) -> None:
    done = run("replay", *arguments, "--broker", where, "--speed", "max")
    assert done.returncode == 0, done.stderr


def read(path: Path) -> tuple[list[Record], str | None]:
    with open_capture(path) as capture:
        return list(capture), capture.damage


def wait_for_records(path: Path, count: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while len(read(path)[0]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Heard:
    """What one listener made of what it heard."""

    def __init__(self, listener: Listening, windows: Path) -> None:
        self.lines = listener.lines
        self.summary = listener.lines[-1]
        self.predictions: dict[str, list[dict[str, Any]]] = {}
        for line in listener.of_type("prediction"):
            others = {name: value for name, value in line.items() if name != "latency_ms"}
            self.predictions.setdefault(line["phone"], []).append(others)
        self.windows: dict[str, np.ndarray] = {}
        with np.load(windows, allow_pickle=False) as saved:
            for phone in self.predictions:
                self.windows[phone] = saved["windows"][saved["phone"] == phone]


def check_alike(predictions: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    """The same; probabilities to 1e-5, as a matrix product's last bits depend on how many windows are in a batch."""
    assert len(predictions) == len(others)
    for one, other in zip(predictions, others, strict=True):
        assert one.pop("probabilities") == pytest.approx(other.pop("probabilities"), abs=1e-5)
        assert one.pop("confidence") == pytest.approx(other.pop("confidence"), abs=1e-5)
        assert one == other


def heard(where: str, windows: Path, source: tuple[object, ...], *arguments: object) -> Heard:
    """Listen while a replay runs, and for as long as lines come after it."""
    listener = Listening("--broker", where, "--save-windows", windows, *arguments)
    try:
        replay(where, *source)
        listener.wait_until_quiet()
        listener.stop()
    finally:
        listener.kill()
    return Heard(listener, windows)


@pytest.fixture(scope="module")
def session(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> tuple[Heard, Path]:
    """Subject 2's two recordings as a listener heard them, and its capture."""
    folder = tmp_path_factory.mktemp("session")
    file = folder / "session.cap"
    return heard(mosquitto.where, folder / "a.npz", ("test", "--subjects", "2"), "--record", file), file


def test_a_replayed_capture_gives_the_same_windows_and_predictions(
    mosquitto: Mosquitto, session: tuple[Heard, Path], tmp_path: Path
) -> None:
    recorded, file = session
    played = heard(mosquitto.where, tmp_path / "b.npz", (file,))
    records, damage = read(file)
    assert damage is None
    assert recorded.summary["recording"] == {
        "file": str(file), "messages": len(records), "missed": 0, "failure": None
    }  # fmt: skip
    assert set(played.windows) == set(recorded.windows) == {"s02-e03", "s02-e04"}
    for phone, windows in recorded.windows.items():
        assert len(windows) > 200
        assert np.array_equal(played.windows[phone], windows)
        check_alike(played.predictions[phone], recorded.predictions[phone])
    assert played.summary["labelled_windows"] == recorded.summary["labelled_windows"] > 200
    assert played.summary["confusion_matrix"] == recorded.summary["confusion_matrix"]


def report(*arguments: object) -> dict[str, Any]:
    done = run("streamer", "report", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_a_capture_s_report_is_that_of_the_recorded_session(session: tuple[Heard, Path], tmp_path: Path) -> None:
    recorded, file = session
    lines = tmp_path / "session.jsonl"
    lines.write_text("".join(json.dumps(line) + "\n" for line in recorded.lines))
    live, anew = report(lines), report(file)
    assert live.pop("latency")["p50"] >= 0
    assert anew.pop("latency") is None
    assert (len(live.pop("notes")), live.pop("n_lines")) == (0, len(recorded.lines))
    (note,) = anew.pop("notes")
    assert note.startswith(f"A capture of {recorded.summary['recording']['messages']} messages, begun ")
    assert anew.pop("n_lines") == 0
    assert live["n_windows"] > 400
    assert anew["is_complete"] is True
    assert_alike(anew, live)


def assert_alike(one: Any, other: Any) -> None:
    """The same to a microsecond, to which the lines are rounded."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_alike(one[name], other[name])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            assert_alike(first, second)
    else:
        assert one == (pytest.approx(other, abs=2e-6) if isinstance(other, float) else other)


def test_a_cut_capture_is_reported_from_a_pipe_too_and_its_name_does_not_matter(
    session: tuple[Heard, Path], tmp_path: Path
) -> None:
    content = session[1].read_bytes()
    cut = tmp_path / "looks-like.jsonl"
    cut.write_bytes(content[: len(content) // 4])
    figures = report(cut, "--no-smoothing")
    assert 50 < figures["n_windows"] < 200
    assert figures["is_complete"] is False
    assert "no end" in figures["notes"][1]
    with cut.open("rb") as stream:
        told = subprocess.check_output(command("streamer", "report", "-"), stdin=stream, text=True, env=environment())
    assert "no end" in told
    assert "summary" not in told


def test_what_is_for_captures_is_refused_for_lines(session: tuple[Heard, Path], tmp_path: Path) -> None:
    lines = tmp_path / "session.jsonl"
    lines.write_text(json.dumps(session[0].lines[0]) + "\n")
    for arguments in (["--model", lines], ["--no-smoothing"], ["--lag", "1"]):
        assert_one_sentence(run("streamer", "report", lines, *arguments), "is for captures")
    assert_one_sentence(run("streamer", "report", session[1], "--model", lines), "session.jsonl")


def test_a_killed_listener_s_recording_is_read_to_the_last_second(mosquitto: Mosquitto, tmp_path: Path) -> None:
    file = tmp_path / "killed.cap"
    with subscriber(mosquitto.port, "har/+/imu") as all_of_it:
        listener = Listening("--broker", mosquitto.where, "--record", file, "-t", "har/+/imu")
        assert f"recording to {file}" in listener.greeting
        replay(mosquitto.where, "test", "--subjects", "20", "--phones", 1)
        sent = len(all_of_it.wait_for(500))
        wait_for_records(file, sent)
        listener.kill()
        records, damage = read(file)
        assert [(r.topic, r.payload) for r in records] == all_of_it.messages
    assert damage is not None
    assert "no end" in damage


def test_on_a_full_disk_recording_stops_and_listening_goes_on(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """A limit of the file's size is to the writer what a full disk is."""
    file, limit = tmp_path / "full.cap", 100_000
    process = subprocess.Popen(
        command("streamer", "listen", "--output", "jsonl", "--broker", mosquitto.where, "--record", file),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert process.stderr
    assert process.stdout
    try:
        assert process.stderr.readline().startswith("Listening to ")
        replay(mosquitto.where, "test", "--subjects", "2")
        warning = process.stderr.readline()
        assert warning.startswith(f"warning: recording to {file} has stopped (")
        assert warning.endswith("listening goes on\n")
        replay(mosquitto.where, "test", "--subjects", "20", "--phones", 1)
        first_of_20 = next(line for line in process.stdout if '"phone": "s20-' in line)
        assert '"answer"' in first_of_20
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert '"failure": "File too large"' in out.splitlines()[-1]
    assert '"dropped_messages": 0' in out.splitlines()[-1]
    records, damage = read(file)
    assert file.stat().st_size <= limit
    assert records
    assert damage is not None


def test_no_password_is_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "secret.cap"
    with start_mosquitto(tmp_path, password="geheim") as broker:
        where = f"mqtt://{USER}:geheim@{broker.where}"
        listener = Listening("--broker", where, "--record", file, "-i", "listener-7", "-C", "1")
        try:
            assert listener.greeting.startswith("Warning: A password in the command line")
            assert listener.next_line_of_stderr().startswith("Listening to ")
            replay(where, "test", "--subjects", "20", "--phones", 1)
            assert listener.wait() == 0
        finally:
            listener.kill()
    records, _ = read(file)
    content = file.read_bytes() + b"".join(record.topic.encode() + record.payload for record in records)
    for secret in (b"geheim", broker.where.encode(), b"listener-7"):
        assert secret not in content


def test_what_exists_is_not_overwritten_and_without_a_broker_nothing_is_left(tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("mine")
    assert_one_sentence(run("streamer", "listen", "--record", file), "exists", "--record")
    assert file.read_text() == "mine"
    done = run("streamer", "listen", "--broker", f"127.0.0.1:{free_port()}", "--record", tmp_path / "new.cap")
    assert_one_sentence(done, "no broker")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]
    assert_one_sentence(run("streamer", "listen", "--record", tmp_path / "none" / "x"), "cannot be recorded to")


def test_a_full_disk_ends_a_recording_that_can_be_read_up_to_its_last_second(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A real one. What was flushed, a second at a time, is there; what came in the last second may be."""
    with small_disk(tmp_path / "disk", 1500) as disk:
        recorder, flushed = Recorder(disk / "x.cap"), 0
        for k in range(2000):
            recorder.put("har/p/imu", b"%d " % k + os.urandom(4000))
            time.sleep(0.005)
            if recorder.failure:
                break
            flushed = recorder.recorded
        told = recorder.close()
        records, damage = read(disk / "x.cap")
    assert flushed > 0
    assert len(records) >= flushed
    assert [int(record.payload.split(b" ")[0]) for record in records] == list(range(len(records)))
    assert damage is not None
    assert told["failure"] == "No space left on device"
    assert told["missed"] == k + 1 - told["messages"]
    assert "listening goes on" in caplog.text


def test_a_listener_that_starts_again_records_to_a_new_file_in_the_same_folder(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    assert capture_path(tmp_path / "x.cap", 0.0) == tmp_path / "x.cap"
    (tmp_path / "20231114T221320Z.cap").touch()
    assert capture_path(tmp_path, 1_700_000_000.5) == tmp_path / "20231114T221320Z-2.cap"
    folder = tmp_path / "all"
    folder.mkdir()
    for k in range(2):
        listener = Listening("--broker", mosquitto.where, "--record", folder)
        try:
            assert f"recording to {folder}/20" in listener.greeting
            replay(mosquitto.where, "test", "--subjects", "20", "--phones", 1, "--root", "har")
            listener.wait_for(100)
            listener.stop()
        finally:
            listener.kill()
        files = sorted(folder.iterdir())
        assert len(files) == k + 1
        assert all(read(file)[1] is None for file in files)


def test_a_message_that_was_too_long_to_be_held_is_missing_in_a_recording_and_ends_it_not(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "x.cap")
    recorder.put_many([Message("t", TooLong.of(2_000_000), 0.0), Message("t", b"after", 0.0)])
    told = recorder.close()
    assert (told["messages"], told["missed"], told["failure"]) == (1, 1, None)
    assert [record.payload for record in read(tmp_path / "x.cap")[0]] == [b"after"]
