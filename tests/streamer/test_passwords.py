"""A password is nowhere to be seen: not in outputs, logs of the finest level, recordings, nor the process list."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from replay.cli import command as replay_command
from streamer.access_options import VISIBLE
from streamer.capture.reader import open_capture
from streamer.cli import cli
from streamer.tls import INSECURE
from tests.brokers import USER, Mosquitto, free_port, start_mosquitto
from tests.processes import ROOT, TIMEOUT_S, environment

SECRET = "Tr0ub4dor&3"


def talkative(module: str, *arguments: object, password: str = SECRET) -> subprocess.Popen[str]:
    """A command that tells all that is logged, of every library."""
    script = f"import logging; logging.basicConfig(level=0); from {module}.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(HAR_PASSWORD=password),
        cwd=ROOT,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit status and all that it said."""
    out, err = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, out + err


def test_a_whole_run_with_workers_and_a_recording_never_shows_it(tmp_path: Path) -> None:
    port, recording = free_port(), tmp_path / "session.cap"
    flags = ("--output", "jsonl", "--record", recording, "--workers", 2, "--username", USER)
    listener = talkative("streamer", "listen", "--broker", f"embedded:127.0.0.1:{port}", *flags)
    try:
        assert listener.stderr
        said = ""
        while "Listening to " not in said:
            line = listener.stderr.readline()
            assert line, said
            said += line
        family = [psutil.Process(listener.pid), *psutil.Process(listener.pid).children(recursive=True)]
        assert len(family) >= 4  # itself, the broker, two workers
        assert not [process.pid for process in family if SECRET in " ".join(process.cmdline())]
        replay = talkative(
            "replay", "test", "--broker", f"127.0.0.1:{port}", "-u", USER, "--subjects", 20, "--speed", "max"
        )
        status, more = ended(replay)
        assert status == 0, more
        listener.send_signal(signal.SIGTERM)
        status, rest = ended(listener)
    finally:
        listener.kill()
    assert status == 0, rest
    assert '"windows": ' in rest
    assert SECRET not in said + more + rest
    assert SECRET.encode() not in recording.read_bytes()
    with open_capture(recording) as capture:
        records = list(capture)
    assert records
    assert not [record for record in records if SECRET.encode() in record.payload or SECRET in record.topic]


def test_a_wrong_password_is_not_shown_by_any_command(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path, password="right") as broker:
        at = ("--broker", broker.where, "-u", USER)
        started = {
            "listen": talkative("streamer", "listen", *at, "--wait"),
            "doctor": talkative("streamer", "doctor", *at),
            "calibrate": talkative("streamer", "calibrate", "p", *at),
            "label": talkative("streamer", "label", "WALKING", "--phone", "p", *at),
            "forget": talkative("streamer", "forget", "p", *at),
            "replay": talkative("replay", "test", *at),
        }
        for name, process in started.items():
            status, said = ended(process)
            assert status == (4 if name == "doctor" else 5), said
            assert "refused the connection" in said
            assert SECRET not in said


@pytest.mark.parametrize("given", ["flag", "url", "environment", "file"])
@pytest.mark.parametrize("kind", ["listener", "replay"])
def test_what_others_can_read_in_the_command_line_is_warned_of(kind: str, given: str, tmp_path: Path) -> None:
    where = f"127.0.0.1:{free_port()}"
    (tmp_path / "password").write_text(SECRET)
    words = {
        "flag": ["--broker", where, "-P", SECRET, "-u", "a"],
        "url": ["--broker", f"mqtt://a:{SECRET.replace('&', '%26')}@{where}"],
        "environment": ["--broker", where, "-u", "a"],
        "file": ["--broker", where, "-u", "a", "--password-file", str(tmp_path / "password")],
    }[given]
    secret = {"HAR_PASSWORD": SECRET} if given == "environment" else {}
    program = (cli, ["forget", "p", *words]) if kind == "listener" else (replay_command, ["test", *words])
    done = CliRunner(env=environment(**secret)).invoke(*program)
    assert "There is no broker" in str(done.exception)
    assert done.stderr.count(VISIBLE) == (given in ("flag", "url"))
    assert SECRET not in done.output + str(done.exception)


def test_insecure_says_so_at_each_start(mosquitto: Mosquitto) -> None:
    arguments = ["forget", "p", "--broker", f"mqtts://{mosquitto.where}", "--insecure"]
    assert CliRunner().invoke(cli, arguments).stderr.count(INSECURE) == 1
