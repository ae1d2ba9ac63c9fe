"""``har-replay FILE``: a capture's messages again, as they came."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.errors import DataError
from replay.capture import messages, survey, under
from replay.pacing import Stop, pace
from replay.tally import Lateness
from streamer.capture.format import Record
from streamer.capture.writer import CaptureWriter
from tests.brokers import Mosquitto, start_mosquitto
from tests.processes import assert_one_sentence, run
from tests.subscribers import subscriber

T = 1_700_000_000.0
RECORDS = [
    Record(T + 5.0, "har/ann/label", b'{"activity": null, "start": 0, "end": 1}'),
    Record(T + 5.0, "har/ann/imu", b"\x00\xff not JSON"),
    Record(T + 5.25, "sensor-logger", b"{}"),
    Record(T + 3.0, "android/sensor/accelerometer", b""),  # the clock went back
    Record(T + 3.5, "deep/root/har/bob/imu", b"x" * 100_000),
]
DUE_S = [0.0, 0.0, 0.25, 0.25, 0.75]


def capture(path: Path, records: list[Record] = RECORDS) -> Path:
    writer = CaptureWriter(path, T)
    for record in records:
        writer.add(record)
    writer.close()
    return path


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path_factory.mktemp("broker")) as mosquitto:
        yield mosquitto


def test_messages_are_due_as_they_came(tmp_path: Path) -> None:
    file = capture(tmp_path / "x")
    played = list(messages(file, None))
    assert [(m.topic, m.payload) for m in played] == [(r.topic, r.payload) for r in RECORDS]
    assert [m.due_s for m in played] == pytest.approx(DUE_S)
    found = survey(file)
    assert (found.messages, found.topics, found.damage) == (5, 5, None)
    assert found.duration_s == pytest.approx(0.75)


class FakeClock:
    def __init__(self) -> None:
        self.time_s = 100.0

    def now(self) -> float:
        return self.time_s

    def sleep(self, seconds: float) -> None:
        self.time_s += seconds


@pytest.mark.parametrize("speed", [0.5, 1.0, 8.0, math.inf])
def test_any_speed_keeps_the_order_and_scales_the_times(tmp_path: Path, speed: float) -> None:
    clock, sent = FakeClock(), []
    stream = messages(capture(tmp_path / "x"), None)
    for message in pace(stream, start=100.0, speed=speed, clock=clock, lateness=Lateness(), stop=Stop()):
        sent.append((message.payload, clock.now() - 100))
    assert [payload for payload, _ in sent] == [record.payload for record in RECORDS]
    assert [at_s for _, at_s in sent] == pytest.approx([due_s / speed for due_s in DUE_S])


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("har/ann/imu", "home/x/ann/imu"),
        ("a/b/ann/label", "home/x/ann/label"),
        ("ann/imu", "home/x/ann/imu"),
        ("har/ann/activity", "har/ann/activity"),
        ("sensor-logger", "sensor-logger"),
        ("har/an n/imu", "har/an n/imu"),
    ],
)
def test_a_root_moves_only_our_own_topics(name: str, moved: str) -> None:
    assert under("home/x", name) == moved


@pytest.mark.parametrize("root", [None, "home/x"])
def test_the_same_bytes_come_on_the_same_topics(broker: Mosquitto, tmp_path: Path, root: str | None) -> None:
    file = capture(tmp_path / "x.cap")
    arguments = [] if root is None else ["--root", root]
    with subscriber(broker.port) as heard:
        done = run("replay", file, "--broker", broker.where, "--speed", "max", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        received = heard.wait_for(len(RECORDS))
    moved = [r.topic if root is None else under(root, r.topic) for r in RECORDS]
    assert received == [(topic, record.payload) for topic, record in zip(moved, RECORDS, strict=True)]
    summary = json.loads(done.stdout)
    assert (summary["messages"], summary["topics"], summary["lost"]) == (5, 5, 0)
    assert summary["bytes"] == sum(len(record.payload) for record in RECORDS)
    assert done.stderr.splitlines()[0] == f"Replaying 5 topics to {broker.where}: 5 messages"
    assert re.match(r"Sent 5 messages \(0\.1 MB\) of 5 topics; in ", done.stderr.splitlines()[1])


def test_a_cut_capture_is_played_as_far_as_it_goes_and_that_is_told(broker: Mosquitto, tmp_path: Path) -> None:
    file = capture(tmp_path / "x.cap", [Record(T, "har/a/imu", bytes([k])) for k in range(200)])
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    expected = survey(file).messages
    assert 0 < expected < 200
    with subscriber(broker.port, "har/a/imu") as heard:
        done = run("replay", file, "--broker", broker.where, "--speed", "max")
        assert done.returncode == 0, done.stderr
        received = heard.wait_for(expected)
    assert [payload for _, payload in received] == [bytes([k]) for k in range(expected)]
    assert done.stderr.startswith("x.cap: It has no end")


def test_what_is_no_capture_or_empty_is_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("hello")
    assert_one_sentence(run("replay", text), "is not a capture", "--record")
    assert_one_sentence(run("replay", tmp_path), "cannot be read")
    assert_one_sentence(run("replay", tmp_path / "none"), "no source", "--record")
    assert_one_sentence(run("replay", capture(tmp_path / "empty", [])), "holds no message")
    with pytest.raises(DataError, match="cannot be read"):
        list(messages(tmp_path / "none", None))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--loop"],
        ["--phones", "3"],
        ["--subjects", "2"],
        ["--rate", "100"],
        ["--drop", "0"],
        ["--no-labels"],
        ["--seed", "0"],
    ],
)
def test_what_does_not_apply_to_a_capture_is_refused_by_name(tmp_path: Path, arguments: list[str]) -> None:
    name = arguments[0].replace("--no-", "--")
    assert_one_sentence(run("replay", capture(tmp_path / "x"), *arguments), f"{name} does not apply")
