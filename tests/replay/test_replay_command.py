"""``har-replay`` as a process, through a real broker."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pexpect
import pytest

from model.bundled import load_recording, official_windows
from model.recordings import Recording
from model.signals import CHANNELS, Stage
from streamer.wire import Samples, decode_imu, decode_label
from tests.brokers import USER, Mosquitto, free_port, start_mosquitto
from tests.subscribers import Heard, subscriber

COMMAND = [sys.executable, "-m", "replay.cli"]
HEAVY = ("tensorflow", "onnxruntime", "pandas", "scipy", "numpy", "soundfile", "paho", "rich", "msgspec")


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would configure the command."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HAR_")} | more


def har_replay(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, env=environment(**more), timeout=200)


def summary_of(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert result.returncode == 0, result.stderr
    summary: dict[str, Any] = json.loads(result.stdout)
    return summary


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path_factory.mktemp("broker")) as mosquitto:
        yield mosquitto


def received(heard: Heard, phone: str, root: str = "har") -> list[Samples]:
    return [decode_imu(payload) for payload in heard.of(f"{root}/{phone}/imu")]


def check_labels(heard: Heard, recording: Recording, start_s: float) -> None:
    labels = [decode_label(payload) for payload in heard.of(f"har/{recording.name}/label")]
    said = [(x.activity, round((x.start_s - start_s) * 50), round((x.end_s - start_s) * 50)) for x in labels]
    assert [one for one in said if one[0]] == [(s.activity, s.start, s.stop) for s in recording.segments]
    assert (said[0][1], said[-1][2]) == (0, len(recording.samples))


def test_whole_recordings_arrive_bit_for_bit_with_their_labels(broker: Mosquitto) -> None:
    experiments = (3, 4, 7, 8)  # of subjects 2 and 4, by recordings.csv
    with subscriber(broker.port) as heard:
        result = har_replay("test", "--broker", broker.where, "--subjects", "2,4", "--speed", "max", "--json")
        summary = summary_of(result)
        heard.wait_for(summary["messages"] + summary["labels"])
    recordings = [load_recording(experiment) for experiment in experiments]
    assert {recording.subject for recording in recordings} == {2, 4}
    for recording in recordings:
        samples = received(heard, recording.name)
        np.testing.assert_array_equal(np.concatenate([s.values for s in samples]), recording.samples)
        assert [s.seq for s in samples] == list(range(len(samples)))
        assert [s.start for s in samples] == [True] + [False] * (len(samples) - 1)
        check_labels(heard, recording, float(samples[0].times[0]))
    assert len(heard.messages) == summary["messages"] + summary["labels"]
    assert summary["samples"] == sum(len(recording.samples) for recording in recordings)
    assert summary["bytes"] == sum(len(payload) for _, payload in heard.messages)
    assert (summary["phones"], summary["recordings"], summary["dropped"], summary["lost"]) == (4, 4, 0, 0)
    assert result.stderr.splitlines()[0] == f"Replaying 4 phones to {broker.where}: {summary['samples']} samples"
    assert result.stderr.splitlines()[1].startswith(f"Sent {summary['samples']} samples in ")


def test_faults_arrive_as_they_are_counted(broker: Mosquitto) -> None:
    faults = ["--drop", "0.1", "--duplicate", "0.1", "--reorder", "0.1", "--jitter-ms", "300", "--seed", "5"]
    form = ["--encoding", "msgpack", "--unit", "m/s2", "--rate", "100", "--batch", "100", "--root", "home/har"]
    with subscriber(broker.port, "home/har/#") as heard:
        summary = summary_of(
            har_replay(
                "test", "--broker", broker.where, "--subjects", "2", "--phones", "3", "--no-labels", "--json",
                *["--speed", "max"], *faults, *form,
            )
        )  # fmt: skip
        heard.wait_for(summary["messages"])
    assert {topic for topic, _ in heard.messages} == {
        f"home/har/{p}/imu" for p in ("s02-e03", "s02-e04", "s02-e03-002")
    }
    expected = missing = twice = 0
    for phone in ("s02-e03", "s02-e04", "s02-e03-002"):
        samples = received(heard, phone, "home/har")
        seqs = [s.seq for s in samples if s.seq is not None]
        expected += -(-2 * len(load_recording(4 if "e04" in phone else 3).samples) // 100)
        missing += max(seqs) + 1 - len(set(seqs))
        twice += len(seqs) - len(set(seqs))
        assert np.diff(samples[0].times) == pytest.approx(0.01, abs=1e-6)
        assert 0.9 < np.median(np.linalg.norm(np.concatenate([s.values for s in samples])[:, :3], axis=1)) < 1.1
    assert twice == summary["duplicated"] > 20
    assert summary["reordered"] > 20
    assert expected - 3 <= missing + summary["messages"] - summary["duplicated"] <= expected  # a last one may be lost
    assert missing <= summary["dropped"] <= missing + 3


def test_an_official_v1_folder_is_stitched_into_streams(broker: Mosquitto, tmp_path: Path) -> None:
    official = official_windows("test")
    signals = tmp_path / "UCI HAR Dataset" / "test" / "Inertial Signals"
    signals.mkdir(parents=True)
    n = 60
    for index, channel in enumerate(CHANNELS):
        np.savetxt(signals / f"{channel}_test.txt", official.windows[:n, :, index], fmt="%.7e")
    np.savetxt(signals.parent / "y_test.txt", official.labels[:n] + 1, fmt="%d")
    np.savetxt(signals.parent / "subject_test.txt", official.subjects[:n], fmt="%d")
    with subscriber(broker.port, "har/s02/#") as heard:
        arguments = ["--data-dir", str(tmp_path), "--speed", "max", "--loop", "--json", "--broker", broker.where]
        once = summary_of(har_replay("test", *[a for a in arguments if a != "--loop"]))
        heard.wait_for(once["messages"] + once["labels"])
    samples = received(heard, "s02")
    assert {(s.stage, s.start) for s in samples} == {(Stage.DENOISED, False)}
    assert once["recordings"] == once["labels"] > 1
    times = np.concatenate([s.times for s in samples])
    values = np.concatenate([s.values for s in samples])
    gaps = np.flatnonzero(np.diff(times) > 1)
    assert len(gaps) == once["recordings"] - 1
    window = official.windows[0].astype(float)
    np.testing.assert_allclose(values[:128], np.hstack([window[:, 6:9], window[:, 3:6]]), atol=1e-7)
    labels = [decode_label(payload) for payload in heard.of("har/s02/label")]
    assert [label.start_s for label in labels] == pytest.approx(times[np.r_[0, gaps + 1]])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_the_summary(broker: Mosquitto, number: signal.Signals, status: int) -> None:
    arguments = ["test", "--broker", broker.where, "--subjects", "9", "--loop", "--json", "--speed", "20"]
    with subscriber(broker.port) as heard:
        process = subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        )
        heard.wait_for(30)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
        summary = json.loads(output)
        heard.wait_for(summary["messages"] + summary["labels"])
    assert process.returncode == status
    assert "Traceback" not in errors
    assert len(heard.messages) == summary["messages"] + summary["labels"]
    assert summary["late_max_ms"] >= summary["late_mean_ms"] >= 0


def test_a_terminal_shows_progress(broker: Mosquitto) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "replay.cli", "test", "--broker", broker.where, "--subjects", "2", "--speed", "200"],
        env=environment(TERM="xterm-256color", COLUMNS="120"),
        dimensions=(30, 120),
        encoding="utf-8",
        timeout=60,
    )
    child.expect("2 phones")
    child.expect("to go")
    child.expect("Sent 34591 samples")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def sentence_of(result: subprocess.CompletedProcess[str], status: int) -> str:
    """The one sentence that a command ends with."""
    assert (result.returncode, result.stdout) == (status, "")
    *warnings, line = result.stderr.splitlines()
    assert all("process list" in each or "(ps)" in each for each in warnings)
    assert line.startswith("Error: ")
    assert line.endswith(".")
    return line


def test_faults_of_the_user_are_one_sentence(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    assert f"no broker at {nowhere}" in sentence_of(har_replay("test", HAR_BROKER=nowhere), 1)
    assert "Subject 1 is not in" in sentence_of(har_replay("test", "--subjects", "1"), 1)
    assert "neither" in sentence_of(har_replay("test", "--data-dir", str(tmp_path)), 1)
    assert "not understood" in sentence_of(har_replay("test", "--broker", "http://x"), 1)
    assert "--username" in sentence_of(har_replay("test", HAR_PASSWORD="secret"), 1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=lambda: listening.accept()[0].close(), daemon=True).start()
        where = f"127.0.0.1:{listening.getsockname()[1]}"
        assert "is not an MQTT broker" in sentence_of(har_replay("test", "--broker", where), 1)


def test_a_wrong_password_exits_with_the_connack_code_and_is_not_shown(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path, password="right") as guarded:
        refused = har_replay("test", "--subjects", "2", "--broker", f"mqtt://{USER}:wr0ng@{guarded.where}")
        assert "refused the connection" in sentence_of(refused, 5)
        assert "wr0ng" not in refused.stderr
        (tmp_path / "pw").write_text("right\n")
        access = ["--broker", guarded.where, "-u", USER, "--password-file", str(tmp_path / "pw")]
        assert summary_of(har_replay("test", "--subjects", "2", "--speed", "max", "--json", *access))["phones"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["--speed", "0"],
        ["--speed", "fast"],
        ["--speed", "nan"],
        ["--subjects", "2;4"],
        ["--root", "har/#"],
        ["--batch", "1001"],
        ["--drop", "1.1"],
        ["--encoding", "xml"],
    ],
)
def test_wrong_usage_names_the_option(arguments: list[str]) -> None:
    result = har_replay("test", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"Invalid value for '{arguments[0]}'" in result.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom replay.cli import main\nsys.argv = ['har-replay', '--help']\n"
        "try:\n    main()\nfinally:\n    print([m for m in sys.modules if m.partition('.')[0] in sys.argv[2:]])"
    )
    code = code.replace("sys.argv[2:]", repr(HEAVY))
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Usage: har-replay ")
    assert result.stdout.splitlines()[-1] == "[]"
