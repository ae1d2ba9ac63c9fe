"""The listener as a process, through real brokers, on the real recordings."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from model.activities import ACTIVITIES, TEST_SUBJECTS
from model.bundled import load_recordings, official_windows
from model.decision import ANSWERS
from model.recordings import label_at
from model.uci_har import write_uci_har
from model.windows import WINDOW_LENGTH
from tests.brokers import USER, Mosquitto, free_port, start_mosquitto
from tests.certificates import make_certificate
from tests.processes import Listening, assert_one_sentence, listening, run
from tests.saved_windows import check_saved_windows, expected_windows, replay


def check_labels_and_accuracy(predictions: list[dict[str, Any]], summary: dict[str, Any]) -> None:
    """Labels are the segments' own, and the accuracy told is that of the lines."""
    segments = {r.name: r.segments for r in load_recordings(TEST_SUBJECTS)}
    for line in predictions:
        start = line["start_sample"]
        label = label_at(segments[line["phone"]], start, start + WINDOW_LENGTH)
        assert line["label"] == (label if label in ACTIVITIES else None)
    labelled = [line for line in predictions if line["label"] is not None]
    accuracy = np.mean([line["activity"] == line["label"] for line in labelled])
    assert summary["accuracy"] == pytest.approx(accuracy)
    assert summary["labelled_windows"] == len(labelled)


def test_all_test_recordings_through_mosquitto_are_recognised_and_nothing_is_lost(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    expected = expected_windows(TEST_SUBJECTS)
    path = tmp_path / "windows.npz"
    with listening("--broker", mosquitto.where, "--save-windows", path) as listener:
        sent = replay(mosquitto.where)
        listener.wait_for(sum(map(len, expected.values())) - len(expected))
        listener.wait_until_quiet()
        summary = listener.stop()
    predictions = listener.of_type("prediction")
    assert len(predictions) == summary["windows"] == sum(map(len, expected.values()))
    assert summary["phones"] == 19
    assert summary["messages"] == sent["messages"]
    assert summary["samples"] == sum(len(r.samples) for r in load_recordings(TEST_SUBJECTS))
    faults = ("lost_messages", "late_messages", "repeated_messages", "malformed_messages", "dropped_messages", "gaps")
    assert [summary[name] for name in faults] == [0] * len(faults)
    assert not [w for w in listener.of_type("warning") if "gap" in w["reason"]]
    check_saved_windows(path, expected)
    check_labels_and_accuracy(predictions, summary)
    assert summary["accuracy"] >= 0.95
    for line in predictions[:50]:
        assert line["confidence"] == max(line["probabilities"].values()) == line["probabilities"][line["activity"]]
        assert sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert line["latency_ms"] >= 0


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_the_embedded_broker_from_the_registry_carries_a_recording_exactly(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")  # no Mosquitto to be found
    path, port = tmp_path / "windows.npz", free_port()
    expected = expected_windows((20,))
    listener = Listening("--broker", f"embedded:{port}", "--save-windows", path)
    try:
        assert (
            listener.greeting == f"Embedded broker (nats-server): phones of this machine reach it at 127.0.0.1:{port}\n"
        )
        assert listener.next_line_of_stderr().startswith("Listening to ")
        replay(f"127.0.0.1:{port}", "--subjects", "20", "--encoding", encoding)
        listener.wait_for(sum(map(len, expected.values())) - len(expected))
        listener.wait_until_quiet()
        summary = listener.stop(signal.SIGINT)
    finally:
        listener.kill()
    assert summary["lost_messages"] == summary["gaps"] == 0
    check_saved_windows(path, expected)


def test_lost_messages_are_bridged_or_told_and_no_window_straddles_a_gap(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "windows.npz"
    expected = expected_windows((2,))
    with listening("--broker", mosquitto.where, "--save-windows", path) as listener:
        sent = replay(mosquitto.where, "--subjects", "2", "--drop", "0.2", "--seed", "1")
        listener.wait_until_quiet()
        summary = listener.stop()
    assert 0 < summary["lost_messages"] <= sent["dropped"]  # the last messages' loss is seen by nobody
    assert summary["gaps"] == len([w for w in listener.of_type("warning") if w["reason"].startswith("gap: ")])
    assert summary["bridged_samples"] > 1000
    assert 0 < summary["gaps"] < summary["lost_messages"]
    assert 0 < summary["windows"] < sum(map(len, expected.values()))


def test_published_windows_stitched_into_a_stream_come_out_as_the_same_windows(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """An official v1 folder, replayed: what is past the noise filters already is only freed of gravity."""
    write_uci_har(tmp_path / "v1")
    official = official_windows("test")
    expected = official.windows[official.subjects == 20]
    path = tmp_path / "windows.npz"
    with listening("--broker", mosquitto.where, "--save-windows", path) as listener:
        replay(mosquitto.where, "--data-dir", tmp_path / "v1", "--subjects", "20")
        listener.wait_for(len(expected))
        listener.wait_until_quiet()
        summary = listener.stop()
    with np.load(path, allow_pickle=False) as saved:
        windows = saved["windows"]
    assert windows.shape == expected.shape
    past_the_chain = slice(3, 9)  # body angular velocity, total acceleration
    np.testing.assert_allclose(windows[..., past_the_chain], expected[..., past_the_chain], atol=1e-6)
    assert summary["labelled_windows"] == len(expected)
    assert summary["lost_messages"] == 0


def publish(where: str, *messages: tuple[str, bytes]) -> None:
    host, port = where.split(":")
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect(host, int(port))
    client.loop_start()
    for topic, payload in messages:
        client.publish(topic, payload, qos=1).wait_for_publish(10)
    client.loop_stop()
    client.disconnect()


def test_bad_input_is_counted_told_and_survived(mosquitto: Mosquitto) -> None:
    bad = (
        ("har/p1/imu", b"hello"),
        ("har/p1/imu", b""),
        ("har/p1/imu", b'{"t": 1e300, "acc": [[0,0,1]], "gyro": [[0,0,0]]}'),
        ("har/p1/label", b'{"activity": "\\u001b[31m", "start": 0, "end": 1}'),
        ("har/p 2/imu", b"{}"),
        ("har/" + "x" * 65 + "/imu", b"{}"),
        ("har/p3/imu", b"\xff" * 2_000_000),
        ("sensor-logger", b'{"messageId": 0, "deviceId": "p4", "payload": [{"name": "gravity", "time": 0}]}'),
    )
    ignored = (
        ("sensor-logger", b"Tap to Test"),
        ("android/sensor/anna", b'{"type": "android.sensor.light", "timestamp": 5, "values": [12.5]}'),
    )
    with listening("--broker", mosquitto.where) as listener:
        publish(mosquitto.where, *bad, *ignored)
        replay(mosquitto.where, "--subjects", "20")
        listener.wait_until_quiet()
        summary = listener.stop()
    assert summary["malformed_messages"] == len(bad)
    assert summary["ignored_messages"] == len(ignored)
    assert summary["windows"] == sum(map(len, expected_windows((20,)).values()))
    warnings = listener.of_type("warning")
    assert {w["phone"] for w in warnings} >= {"p1", "p3", "p4", None}
    assert any("a time is" in w["reason"] for w in warnings)


def test_a_count_and_a_time_end_it_as_mosquitto_sub_s_do(mosquitto: Mosquitto) -> None:
    with listening("--broker", mosquitto.where, "-C", 7) as listener:
        replay(mosquitto.where, "--subjects", "20")
        assert listener.wait() == 0
    assert len(listener.of_type("prediction")) == 7
    assert listener.lines[-1]["type"] == "summary"
    done = run("streamer", "listen", "--broker", mosquitto.where, "-W", "0.5", "--output", "jsonl")
    assert done.returncode == 27
    assert json.loads(done.stdout)["windows"] == 0


def test_plain_output_is_one_line_a_prediction(mosquitto: Mosquitto) -> None:
    process = subprocess.Popen(
        Listening.command("--output", "plain", "--broker", mosquitto.where, "-C", "5"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    assert process.stderr.readline().startswith("Listening to har/+/imu, har/+/label, sensor-logger/#, ")
    replay(mosquitto.where, "--subjects", "20")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    lines = out.splitlines()
    assert all(line.split()[1].startswith("s20-e") and line.split()[2] in ANSWERS for line in lines[:5])
    assert "1 phones" in lines[5] or "2 phones" in lines[5]


def test_a_broker_that_comes_back_is_listened_to_again(mosquitto: Mosquitto) -> None:
    with listening("--broker", mosquitto.where) as listener:
        replay(mosquitto.where, "--subjects", "20")
        listener.wait_until_quiet()
        first = len(listener.of_type("prediction"))
        mosquitto.stop()
        mosquitto.start()
        assert "lost" in listener.next_line_of_stderr()
        assert "again" in listener.next_line_of_stderr()
        replay(mosquitto.where, "--subjects", "24")
        listener.wait_until_quiet()
        summary = listener.stop()
    assert first > 0
    assert summary["windows"] == sum(map(len, expected_windows((20, 24)).values()))


def test_no_broker_is_one_sentence() -> None:
    port = free_port()
    done = run("streamer", "listen", "--broker", f"127.0.0.1:{port}")
    assert_one_sentence(done, f"127.0.0.1:{port}", "--broker")


def test_a_wrong_password_is_one_sentence_with_the_connack_code(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path, password="right") as broker:
        arguments = ("streamer", "listen", "--broker", broker.where, "-u", USER, "-W", "1")
        assert_one_sentence(run(*arguments, HAR_PASSWORD="wrong"), "HAR_PASSWORD", status=5)
        secret = tmp_path / "secret"
        secret.write_text("right\n")
        assert run(*arguments, "--password-file", secret).returncode == 27
        done = run("streamer", "listen", "--broker", f"mqtt://{USER}:right@{broker.where}", "-W", "1")
        assert done.returncode == 27
        assert "right" not in done.stdout + done.stderr


def test_tls_is_spoken_where_it_is_asked_for_and_faults_are_one_sentence(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    (tmp_path / "foreign").mkdir()
    foreign, _ = make_certificate(tmp_path / "foreign")
    with start_mosquitto(tmp_path, settings=[f"certfile {certificate}", f"keyfile {key}"]) as broker:
        for where in (broker.where, f"mqtts://{broker.where}"):
            with listening("--broker", where, "--cafile", certificate) as listener:
                assert listener.stop()["windows"] == 0
        listen = ("streamer", "listen", "--broker")
        assert_one_sentence(run(*listen, f"mqtts://{broker.where}"), "certificate")
        assert_one_sentence(run(*listen, broker.where, "--cafile", foreign), "certificate")
        assert_one_sentence(run(*listen, broker.where, "--tls-use-os-certs"), "certificate")
        assert_one_sentence(run(*listen, broker.where, "--cafile", key), "--cafile")
        assert_one_sentence(run(*listen, broker.where), "MQTT broker")


def test_flags_come_from_the_environment_too(mosquitto: Mosquitto) -> None:
    done = run("streamer", "listen", HAR_BROKER=mosquitto.where, HAR_TIMEOUT_S="0.3", HAR_OUTPUT="jsonl", HAR_QOS="0")
    assert done.returncode == 27
    assert json.loads(done.stdout)["type"] == "summary"
    assert mosquitto.where in done.stderr


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        b"220 mail ESMTP\r\n",
        b"\x20\x00",
        b"\x90\x01\x00",
        b"\x30\x02\xff\xff",
        b"",
    ],
)
def test_a_port_that_is_not_mqtt_is_one_sentence(answer: bytes) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        done = run("streamer", "listen", "--broker", f"127.0.0.1:{server.getsockname()[1]}")
    assert_one_sentence(done, "MQTT broker")


def test_an_unreadable_model_is_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "broken.har"
    broken.write_bytes(b"PK\x03\x04 not a model")
    assert_one_sentence(run("streamer", "listen", "--model", broken), "broken.har")
    assert_one_sentence(run("streamer", "listen", "--model", tmp_path / "none.har"), "none.har")


def test_a_file_for_the_windows_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    done = run("streamer", "listen", "--save-windows", tmp_path / "none" / "w.npz")
    assert_one_sentence(done, "--save-windows")


@pytest.mark.parametrize("where", ["http://x", "host:port", "embedded:x"])
def test_a_broker_that_is_none_is_one_sentence(where: str) -> None:
    assert_one_sentence(run("streamer", "listen", "--broker", where), "port" if where != "http://x" else "http")


@pytest.mark.parametrize("arguments", [["--help"], ["listen", "-h"], ["demo", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys; from streamer.cli import cli\n"
        f"cli({arguments!r}, standalone_mode=False)\n"
        "heavy = {'tensorflow', 'keras', 'onnxruntime', 'pandas', 'scipy', 'numpy', 'paho', 'rich', 'soundfile'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_listener_loads_only_what_it_needs() -> None:
    """A start costs mostly imports, and a cluster waits for it."""
    script = (
        "import sys, numpy; from streamer.session import *; from streamer.wire import encode_imu\n"
        "listener = Listener(ListenerOptions(9), load_engine(EngineOptions()), [])\n"
        "samples = numpy.tile([1.0, 0, 0, 0, 0, 0], (400, 1))\n"
        "from streamer.inbox import Message\n"
        "listener.recognise([Message('har/ann/imu', encode_imu(samples, time_s=1e9, seq=0, start=True), 1e9)])\n"
        "assert listener.tally.totals.windows >= 4\n"
        "unneeded = {'scipy.signal', 'scipy.spatial', 'pandas', 'rich', 'blessed', 'prometheus_client', 'soundfile', "
        "'multiprocessing', 'importlib.metadata', 'streamer.state.register'}\n"
        "sys.exit(str(unneeded & set(sys.modules)) if unneeded & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
