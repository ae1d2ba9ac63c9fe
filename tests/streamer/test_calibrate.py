"""har-stream calibrate as a process, with phones that wear real people, and listeners that follow it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from model.orientation import FORWARD, turn_deg
from streamer.mount.notation import parse_rotation
from streamer.mount.store import FILE_NAME, MountStore
from tests.brokers import Mosquitto, free_port
from tests.processes import ROOT, TIMEOUT_S, Listening, assert_one_sentence, command, environment, run
from tests.publishers import sender
from tests.streamer.turned_phones import RECORDING, payloads, pose, segments_of, worn

STANDS = segments_of(RECORDING, "STANDING")[0][0]
WALKS = segments_of(RECORDING, "WALKING")[0][0]


class Calibrating:
    """The command in the background; its words are read as they come."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            command("streamer", "calibrate", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=ROOT,
        )

    def wait_for(self, words: str) -> str:
        """Read lines until one has these words."""
        assert self._process.stderr
        for line in self._process.stderr:
            if words in line:
                return line
        raise AssertionError(f"it ended without saying {words!r}")

    def end(self) -> tuple[int, str]:
        """Exit status and stdout."""
        out, _ = self._process.communicate(timeout=TIMEOUT_S)
        return self._process.returncode, out


def test_a_phone_worn_anyhow_is_calibrated_and_a_running_listener_takes_it_up(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    turn, state = pose(5), tmp_path / "state"
    samples = worn(RECORDING, turn)
    listener = Listening("--broker", mosquitto.where, "--state", state)
    calibrating = Calibrating("s07", "--broker", mosquitto.where, "--state", state, "--delay", "0", "--json")
    try:
        calibrating.wait_for("Waiting for s07")
        with sender(mosquitto.port) as phone:
            phone.send(payloads("s07", samples[STANDS : STANDS + 200]))
            calibrating.wait_for("Stand still now")
            phone.send(payloads("s07", samples[STANDS + 200 : STANDS + 800], first=200))
            calibrating.wait_for("Now walk")
            phone.send(payloads("s07", samples[WALKS : WALKS + 700], first=800))
            assert "s07 is calibrated, by gravity and walking" in calibrating.wait_for("is calibrated")
            status, out = calibrating.end()
            assert status == 0
            found = json.loads(out)
            assert turn_deg(np.array(found["rotation"]) @ turn) < 45
            assert found["file"] == str(state / FILE_NAME)
            listener.wait_until_quiet()  # longer than it takes to look at the file
            before = len(listener.of_type("prediction"))
            phone.send(payloads("s07", samples[WALKS : WALKS + 700], first=1500))
            listener.wait_for(before + 8)
            listener.wait_until_quiet()
        answers = [line["activity"] for line in listener.of_type("prediction")]
        assert answers[before:].count("WALKING") >= 0.8 * len(answers[before:])
        assert answers[before - 5 : before].count("WALKING") <= 2, "without the calibration it was not recognised"
    finally:
        listener.kill()


def test_who_never_stands_still_is_told_so_and_nothing_is_kept(mosquitto: Mosquitto, tmp_path: Path) -> None:
    walking = worn(RECORDING, pose(6))[WALKS : WALKS + 750]
    options = ("--broker", mosquitto.where, "--state", tmp_path, "--delay", "0", "--timeout", "6")
    calibrating = Calibrating("s07", *options)
    calibrating.wait_for("Waiting for s07")
    with sender(mosquitto.port) as phone:
        phone.send(payloads("s07", walking[:200]))
        calibrating.wait_for("Stand still now")
        phone.send(payloads("s07", walking[200:], first=200))
        assert "The phone moved" in calibrating.wait_for("Error: ")
    assert calibrating.end() == (1, "")
    assert not (tmp_path / FILE_NAME).exists()


def test_a_phone_that_is_not_heard_is_told_with_those_that_are(mosquitto: Mosquitto, tmp_path: Path) -> None:
    options = ("--broker", mosquitto.where, "--state", tmp_path, "--timeout", "4")
    calibrating = Calibrating("s70", *options)
    calibrating.wait_for("Waiting for s70")
    with sender(mosquitto.port) as phone:
        phone.send(payloads("s07", RECORDING.samples[:100]))
        assert "Nothing usable came from s70 for 4 s; heard were s07; give one of these." in calibrating.wait_for(
            "Error"
        )
    assert calibrating.end()[0] == 1


def test_named_axes_are_remembered_without_a_broker_and_forgotten_again(tmp_path: Path) -> None:
    done = run("streamer", "calibrate", "s07", "--axes", "up=+y,forward=-x", "--state", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert "as up=+y,forward=-x" in done.stderr
    assert json.loads(done.stdout)["up"] == "+y"
    kept = MountStore(tmp_path).read().mounts["s07"]
    assert np.array_equal(kept.matrix(), parse_rotation("up=+y,forward=-x"))
    assert kept.matrix() @ [-1, 0, 0] == pytest.approx(FORWARD)
    assert "forgotten" in run("streamer", "calibrate", "s07", "--forget", "--state", tmp_path).stdout
    assert MountStore(tmp_path).read().mounts == {}


def test_wrong_usage_and_no_broker_are_one_sentence(tmp_path: Path) -> None:
    for arguments in (("../s07", "--forget"), ("s07", "--axes", "up=+q")):
        done = run("streamer", "calibrate", *arguments, "--state", tmp_path)
        assert done.returncode == 2
        assert "Error: Invalid value for" in done.stderr
    nobody = run("streamer", "calibrate", "s07", "--broker", f"127.0.0.1:{free_port()}", "--state", tmp_path)
    assert_one_sentence(nobody, "There is no broker")
    assert [*tmp_path.iterdir()] == []


def test_a_listener_tells_once_that_a_phone_is_upside_down_and_survives_a_broken_state_file(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / FILE_NAME).write_text("nonsense")
    samples = worn(RECORDING, parse_rotation("-x,-y,+z"))[STANDS : STANDS + 1200]
    listener = Listening("--broker", mosquitto.where, "--state", tmp_path)
    try:
        with sender(mosquitto.port) as phone:
            phone.send(payloads("s07", samples))
        listener.wait_for(15)
        listener.wait_until_quiet()
        told = [w["reason"] for w in listener.of_type("warning") if "har-stream calibrate s07" in w["reason"]]
        assert len(told) == 1
        assert "the phone's -x axis points up" in told[0]
        assert "The calibrations were not understood" in listener.next_line_of_stderr()
        assert (tmp_path / f"{FILE_NAME}.unreadable").read_text() == "nonsense"
    finally:
        listener.kill()
