"""The listener as a service: what it tells systemd, Prometheus, the log, and a bug report; starts and stops."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from benchmarks.soak.watch import read_metrics
from streamer.cli import listen
from tests.brokers import Mosquitto, free_port
from tests.processes import ROOT, Listening, run
from tests.streamer.test_operation_parts import Systemd

STARTS = int(os.environ.get("HAR_TEST_STARTS", "3"))
"""`make soak` makes it 200."""


def test_a_service_tells_its_supervisors_what_it_does(mosquitto: Mosquitto, tmp_path: Path) -> None:
    systemd, port = Systemd(tmp_path), free_port()
    listener = Listening(
        *("--broker", mosquitto.where, "--metrics", port, "--log-format", "json"),
        NOTIFY_SOCKET=str(systemd.path),
        WATCHDOG_USEC="400000",
    )
    try:
        greeting = json.loads(listener.greeting)
        assert greeting["message"].startswith("Listening to ") and greeting["level"] == "info"
        assert f"metrics at http://127.0.0.1:{port}/metrics" in greeting["message"]
        assert [systemd.next(), systemd.next()] == [b"READY=1", b"WATCHDOG=1"]
        done = run("replay", "test", "--subjects", "2", "--broker", mosquitto.where, "--speed", "max", "--json")
        sent = json.loads(done.stdout)
        listener.wait_until_quiet()
        told = read_metrics(port)
        assert told["har_stream_messages_total"] == sent["messages"]
        assert told["har_stream_windows_total"] == len(listener.of_type("prediction")) > 100
        assert told["har_stream_phones"] == 2 and told["har_stream_ready"] == told["har_stream_alive"] == 1
        mosquitto.stop()
        lost = json.loads(listener.next_line_of_stderr())
        assert lost["level"] == "warning" and "lost" in lost["message"]
        assert read_metrics(port)["har_stream_ready"] == 0 and read_metrics(port)["har_stream_alive"] == 1
        summary = listener.stop()
        assert summary["windows"] == told["har_stream_windows_total"]
    finally:
        listener.kill()


def test_errors_of_a_service_are_objects_too(tmp_path: Path) -> None:
    done = run("streamer", "listen", "--broker", f"127.0.0.1:{free_port()}", "--log-format", "json", "-W", "20")
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    told = json.loads(line)
    done = run("streamer", "listen", "--broker", f"u:p@127.0.0.1:{free_port()}", "--log-format", "json")
    assert [json.loads(each)["level"] for each in done.stderr.splitlines()] == ["warning", "error"]
    assert told["level"] == "error" and "There is no broker at" in told["message"]


def test_starts_and_stops_leave_nothing_behind(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Whatever ends it, and whenever: before it hears, while it hears, and with work to do."""
    log = mosquitto.config.with_suffix(".log")
    told = 0
    for number in range(STARTS):
        listener = Listening("--broker", mosquitto.where, "--state", tmp_path / "state")
        try:
            assert listener.greeting.startswith("Listening to "), listener.greeting
            publisher = subprocess.Popen(
                Listening.replay_command("test", "--subjects", "2", "--broker", mosquitto.where, "--speed", "max"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            listener.wait_for(1)
            summary = listener.stop(signal.SIGTERM if number % 2 else signal.SIGINT)  # under load
            told += len(listener.of_type("prediction"))
            assert summary["windows"] == told  # counters go on
            assert listener.rest_of_stderr() == ""
        finally:
            publisher.kill()
            publisher.wait()
            listener.kill()
    assert "error" not in log.read_text().lower()


def test_the_version_says_what_a_bug_report_needs(tmp_path: Path) -> None:
    done = run("streamer", "--version")
    lines = done.stdout.splitlines()
    assert lines[0] == f"har-stream {version('har-stream')}" and done.returncode == 0
    assert lines[1].startswith("Python 3.") and f"paho-mqtt {version('paho-mqtt')}" in lines[3]
    models = [line for line in lines if line.startswith("model ")]
    assert len(models) == 2 and all(len(line.rpartition("SHA-256 ")[2]) == 64 for line in models)
    assert str(Path.home()) not in done.stdout and os.uname().nodename not in done.stdout


UNIT = ROOT / "deploy" / "har-stream.service"


def test_the_unit_is_systemd_s_and_lets_the_service_do_little() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None and os.environ.get("CI") == "true":
        pytest.fail("systemd-analyze is not installed, but CI tests with it")
    if analyze is None:
        pytest.skip("systemd is not installed")
    verified = subprocess.run([analyze, "verify", str(UNIT)], capture_output=True, text=True, check=False)
    faults = [line for line in verified.stderr.splitlines() if "is not executable" not in line]  # it is not installed
    assert faults == []
    security = [analyze, "security", "--offline=true", "--threshold=20", str(UNIT)]  # 2.0 of 10
    assert subprocess.run(security, capture_output=True, check=False).returncode == 0


def test_unit_and_container_start_what_there_is() -> None:
    """Each variable that they set is a flag's, and each command is one."""
    container = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    variables = set(re.findall(r"\b(HAR_[A-Z_]+)=", UNIT.read_text(encoding="utf-8") + container))
    assert {"HAR_STATE", "HAR_BROKER", "HAR_METRICS", "HAR_LOG_FORMAT", "HAR_OUTPUT"} <= variables
    assert variables <= {parameter.envvar for parameter in listen.params if isinstance(parameter, click.Option)}
    started = re.search(r"^ExecStart=\S+/har-stream (.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    assert started
    name, *flags = started[1].split()
    assert name == "listen"
    listen.make_context(name, flags)
    for source in re.findall(r"^COPY (?!--from)(\S+)", container, re.MULTILINE):
        assert (ROOT / source).exists()
