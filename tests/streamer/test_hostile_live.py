"""Hostile messages and phones that come and go, through a real Mosquitto, at a listener that is a real process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import psutil
import pytest

from model.bundled import load_recordings
from streamer.wire import encode_imu
from tests.brokers import Mosquitto
from tests.processes import Listening, run
from tests.publishers import sender
from tests.streamer.hostile_messages import hostile

SUBJECTS = (2, 20)

COUNT = 10_000
"""Hostile messages."""

MORE_BYTES = 100e6
"""What they may make the listener's process larger by."""

LEFT_BYTES = 20e6
"""What may be left of thousands of phones that are gone: Python and malloc keep some of what was free."""


@contextmanager
def listening(*arguments: object) -> Iterator[Listening]:
    listener = Listening(*arguments)
    try:
        assert listener.greeting.startswith("Listening to "), listener.greeting
        yield listener
    finally:
        listener.kill()


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


def test_memory_comes_back_when_thousands_of_phones_have_gone(mosquitto: Mosquitto) -> None:
    payload = encode_imu(np.tile([1.0, 0, 0, 0, 0, 0], (25, 1)), time_s=time.time(), encoding="msgpack")
    sizes: list[int] = []
    with listening("--broker", mosquitto.where, "--forget-after", "1") as listener, sender(mosquitto.port) as sending:
        memory = psutil.Process(listener.pid).memory_info
        for wave in range(2):
            sending.send((f"har/p{wave}-{k}/imu", payload) for k in range(5000))
            sending.send([(f"har/last-{wave}/imu", b"{")])
            listener.wait_for(wave + 1, "warning")  # the last has been heard
            sizes.append(memory().rss)
        deadline = time.monotonic() + 20
        while (left := memory().rss) > sizes[0] + LEFT_BYTES:
            assert time.monotonic() < deadline, f"{left / 1e6:.0f} MB, after the first wave {sizes[0] / 1e6:.0f}"
            time.sleep(0.1)
        sending.send([("har/real/imu", payload)])
        listener.wait_until_quiet()
        summary = listener.stop()
    assert summary["messages"] == 10_001
    assert summary["forgotten_phones"] >= 10_000
    assert summary["no_room_messages"] == 0
