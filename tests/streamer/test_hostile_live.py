"""Hostile messages and phones that come and go, through a real Mosquitto, at a listener that is a real process."""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import psutil
import pytest

from model.bundled import load_recordings
from streamer.wire import encode_imu
from tests.brokers import Mosquitto, free_port
from tests.processes import listening, run
from tests.publishers import sender
from tests.streamer.hostile_messages import hostile

SUBJECTS = (2, 20)

COUNT = 10_000
"""Hostile messages."""

MORE_BYTES = 100e6
"""What they may make the listener's process larger by."""

WAVE = 5000
"""Phones that come at once, send one message each, and vanish."""

PHONE_BYTES = 32e3
"""What a phone needs while it is there, and its part in what the listener needs once."""


def largest_bytes(pid: int) -> int:
    """What the process has had in memory at most."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def assail(port: int, phones: list[str]) -> None:
    upright = np.tile([1.0, 0, 0, 0, 0, 0], (1, 1))
    flood = (("har/flood/imu", encode_imu(upright, time_s=1e9 + k / 50, seq=k)) for k in range(COUNT // 2))
    with sender(port) as sending:
        for messages in (hostile(COUNT, phones), flood):
            sending.send(messages)


def streamed(broker: Mosquitto, path: Path, *, is_assailed: bool) -> dict[str, Any]:
    """The recordings through a listener: its summary, predictions and windows, and how large it became."""
    recordings = load_recordings(SUBJECTS)
    phones = [recording.name for recording in recordings]
    with listening("--broker", broker.where, "--save-windows", path) as listener:
        attack = Thread(target=assail, args=(broker.port, phones))
        if is_assailed:
            attack.start()
        subjects = ",".join(map(str, SUBJECTS))
        speed = "100" if is_assailed else "max"
        done = run("replay", "test", "--broker", broker.where, "--speed", speed, "--subjects", subjects, "--json")
        assert done.returncode == 0, done.stderr
        if is_assailed:
            attack.join()
        listener.wait_until_quiet()
        largest = largest_bytes(listener.pid)
        summary = listener.stop()
    with np.load(path, allow_pickle=False) as saved:
        of = {p: saved["phone"] == p for p in phones}
        windows = {p: (saved["start_sample"][of[p]], saved["windows"][of[p]]) for p in phones}
    predictions = {p: [line for line in listener.of_type("prediction") if line["phone"] == p] for p in phones}
    return {"summary": summary, "windows": windows, "predictions": predictions, "largest": largest}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_ten_thousand_hostile_messages_change_nothing_of_real_streams(mosquitto: Mosquitto, tmp_path: Path) -> None:
    quiet = streamed(mosquitto, tmp_path / "quiet.npz", is_assailed=False)
    assailed = streamed(mosquitto, tmp_path / "assailed.npz", is_assailed=True)
    assert assailed["summary"]["malformed_messages"] >= 0.8 * COUNT
    assert assailed["summary"]["malformed_messages"] + assailed["summary"]["ignored_messages"] == COUNT
    assert assailed["summary"]["too_long_messages"] > 10
    assert assailed["summary"]["dropped_messages"] == assailed["summary"]["flood_messages"] == 0
    for phone, (starts, windows) in quiet["windows"].items():
        assert len(starts) > 200
        assert np.array_equal(starts, assailed["windows"][phone][0])
        assert np.array_equal(windows, assailed["windows"][phone][1])
        for one, other in zip(quiet["predictions"][phone], assailed["predictions"][phone], strict=True):
            assert one["answer"] == other["answer"]
            assert one["confidence"] == pytest.approx(other["confidence"], abs=1e-4)
    assert assailed["largest"] - quiet["largest"] < MORE_BYTES


def phones_that_have_gone(port: int) -> int:
    """By the listener's own metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as got:
        lines = got.read().decode().splitlines()
    return next(int(float(line.split()[1])) for line in lines if line.startswith("har_stream_forgotten_phones_total "))


def test_memory_comes_back_when_thousands_of_phones_have_gone(mosquitto: Mosquitto) -> None:
    """What one wave of them needed at most, Python and malloc may keep for the next."""
    payload = encode_imu(np.tile([1.0, 0, 0, 0, 0, 0], (25, 1)), time_s=time.time(), encoding="msgpack")
    port = free_port()
    flags = ("--broker", mosquitto.where, "--forget-after", "1", "--metrics", f"127.0.0.1:{port}")
    with listening(*flags) as listener, sender(mosquitto.port) as sending:
        memory = psutil.Process(listener.pid).memory_info
        before = memory().rss
        for wave in (1, 2):
            sending.send((f"har/p{wave}-{k}/imu", payload) for k in range(WAVE))
            deadline = time.monotonic() + 60
            while phones_that_have_gone(port) < wave * WAVE:
                assert time.monotonic() < deadline, f"{phones_that_have_gone(port)} phones have gone"
                time.sleep(0.2)
        left = memory().rss - before
        summary = listener.stop()
    assert left < WAVE * PHONE_BYTES, f"{left / WAVE:.0f} bytes a phone"
    assert summary["messages"] == summary["forgotten_phones"] == 2 * WAVE
    assert summary["phones"] == summary["no_room_messages"] == 0
