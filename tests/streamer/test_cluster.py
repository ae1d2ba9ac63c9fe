"""Three brokers, three workers, and phones that send while one of each is killed: the product's own processes."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cluster_phones import Due, SimulatedPhone
from model.activities import TEST_SUBJECTS
from model.bundled import load_recording, load_recordings
from model.signals import SAMPLING_RATE
from streamer.capture.reader import open_capture
from streamer.cluster.partitioning import partition_of
from streamer.inbox import Message
from streamer.listener import Listener, ListenerOptions
from streamer.outputs import JsonLines
from streamer.recognition.loading import EngineOptions, load_engine
from streamer.wire import decode_imu, encode_imu
from tests.clusters import PARTITIONS, RunningCluster, running_cluster
from tests.processes import Listening, run
from tests.publishers import sender
from tests.streamer.recorded_phones import phyphox, sensor_logger, sensorspot, worn

BATCH = 25
PACE_S = 0.1
"""Between two messages of a phone: five times real time."""

SHARES = ("0-1", "2-3", "4-5")
BEGIN_S = 1_700_000_000.0
N_MESSAGES = 110
ACK_WAIT_S = 3


def recorded_phones(ports: Sequence[int], n: int, n_messages: int) -> list[SimulatedPhone]:
    """Phones that send a recording of a test subject each, to one node while it is there."""
    phones = []
    for k, recording in enumerate(load_recordings(TEST_SUBJECTS)[:n]):
        samples = recording.samples[1000 : 1000 + n_messages * BATCH].reshape(-1, BATCH, 6)
        nodes = [("127.0.0.1", ports[(k + j) % len(ports)]) for j in range(len(ports))]
        messages = [
            Due(
                PACE_S * (seq + k / n),
                f"har/{recording.name}/imu",
                encode_imu(chunk, time_s=BEGIN_S + seq * BATCH / SAMPLING_RATE, seq=seq, start=seq == 0),
            )
            for seq, chunk in enumerate(samples)
        ]
        phones.append(SimulatedPhone(recording.name, messages, nodes))
    return phones


class Sending:
    """The phones, on a thread of their own."""

    def __init__(self, phones: Sequence[SimulatedPhone]) -> None:
        self.phones = phones
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    async def _run(self) -> None:
        start_s = time.monotonic()
        await asyncio.gather(*(phone.run(start_s) for phone in self.phones))

    def wait(self) -> None:
        """Until the brokers have acknowledged everything."""
        self._thread.join(60)
        assert all(phone.is_done for phone in self.phones)


def alone(messages: Iterable[tuple[float, str, bytes]]) -> dict[tuple[str, int], dict[str, Any]]:
    """A single listener's predictions, by phone and the number of the window's first sample; of arrivals in seconds,
    topics and payloads."""
    lines = StringIO()
    listener = Listener(ListenerOptions(max_phones=100), load_engine(EngineOptions()), [JsonLines(lines)])
    in_order = sorted(messages, key=lambda each: each[0])
    listener.recognise(Message(topic, payload, BEGIN_S + at_s) for at_s, topic, payload in in_order)
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    return {(p["phone"], p["start_sample"]): p for p in told if p["type"] == "prediction"}


def assert_same(found: dict[str, Any], alone: dict[str, Any]) -> None:
    assert found["answer"] == alone["answer"]
    assert found["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-4)


@contextmanager
def workers(cluster: RunningCluster, folder: Path) -> Iterator[list[Listening]]:
    """One for each of :data:`SHARES`, started at once, recording what they hear."""

    def start(share: str) -> Listening:
        return Listening(*cluster.worker, "--partition", f"{share}/{PARTITIONS}", "--record", folder / share)

    with ThreadPoolExecutor() as pool:
        started = list(pool.map(start, SHARES))
    try:
        assert all("har-partitions/6/" in worker.greeting for worker in started), [w.greeting for w in started]
        yield started
    finally:
        for worker in started:
            worker.kill()


def restarted(capture: Path, *arguments: object) -> Listening:
    """A worker, started as a supervisor does: again, while the brokers have no leader and do not let it in."""
    for _ in range(10):
        worker = Listening(*arguments, "--record", capture)
        line = worker.greeting
        while line and not line.startswith("Listening to "):
            line = worker.next_line_of_stderr()
        if line:
            return worker
        worker.kill()
        capture.unlink(missing_ok=True)
    raise AssertionError("the worker does not start")


def wait_for_windows_after(worker: Listening, phones: set[str], end_s: float) -> None:
    """Until each of these phones has a prediction of a window that ends after this moment."""
    deadline = time.monotonic() + 60
    while not phones <= {p["phone"] for p in worker.of_type("prediction") if p["end_s"] > end_s}:
        assert time.monotonic() < deadline, f"no prediction of all of {phones} after {end_s}"
        time.sleep(0.05)


def heard(path: Path) -> dict[str, set[int]]:
    """Numbers of the messages in a capture, by phone."""
    numbers: dict[str, set[int]] = {}
    with open_capture(path) as capture:
        for record in capture:
            seq = decode_imu(record.payload).seq
            assert seq is not None
            numbers.setdefault(record.topic.split("/")[1], set()).add(seq)
    return numbers


def test_phones_keep_to_one_worker_and_lose_nothing_as_a_node_and_a_worker_are_killed(tmp_path: Path) -> None:
    with (
        running_cluster(tmp_path / "cluster", "--anonymous", "--ack-wait", ACK_WAIT_S) as cluster,
        workers(cluster, tmp_path) as started,
    ):
        phones = recorded_phones(cluster.ports, n=12, n_messages=N_MESSAGES)
        sending = Sending(phones)
        names = [{p.name for p in phones if partition_of(p.name, PARTITIONS) // 2 == k} for k in range(3)]
        doomed = max(range(3), key=lambda k: len(names[k]))
        for worker, mine in zip(started, names, strict=True):
            wait_for_windows_after(worker, mine, BEGIN_S)

        undisturbed_s = BEGIN_S + min(len(p.sent_s) for p in phones) * BATCH / SAMPLING_RATE
        cluster.kill(0)
        first = started[doomed]
        first.kill()
        partitions = f"{SHARES[doomed]}/{PARTITIONS}"
        second = restarted(tmp_path / "second", *cluster.worker, "--partition", partitions)
        started.append(second)
        taken_over_s = time.monotonic()
        sending.wait()
        time.sleep(max(0.0, taken_over_s + ACK_WAIT_S + 2 - time.monotonic()))  # what the dead one held comes again
        for worker in (other for other in started if other is not first):
            worker.wait_until_quiet(0.5)
            worker.stop()

    expected = alone((due.at_s, due.topic, due.payload) for phone in phones for due in phone.messages)
    for worker, mine in zip(started[:3], names, strict=True):
        early = [p for p in worker.of_type("prediction") if p["end_s"] < undisturbed_s]
        assert {p["phone"] for p in early} == mine
        for found in early:
            assert_same(found, expected[found["phone"], found["start_sample"]])
    for share, mine in zip(SHARES, names, strict=True):
        if share != SHARES[doomed]:
            assert heard(tmp_path / share) == {name: set(range(N_MESSAGES)) for name in mine}

    taken_over = heard(tmp_path / "second")
    assert taken_over.keys() == names[doomed]
    recognised = first.of_type("prediction")
    for name, numbers in taken_over.items():
        last_end_s = max(p["end_s"] for p in recognised if p["phone"] == name)
        n_recognised = round((last_end_s - BEGIN_S) * SAMPLING_RATE) // BATCH
        missing = set(range(n_recognised, N_MESSAGES)) - numbers
        # What the dead worker had handled of the window in progress is gone with it, and nothing else.
        assert missing == set(range(n_recognised, n_recognised + len(missing)))
        assert len(missing) * BATCH <= 64 + BATCH
        assert [p for p in second.of_type("prediction") if p["phone"] == name]


def test_apps_keep_their_phones_names_and_a_second_worker_of_a_partition_gives_way(tmp_path: Path) -> None:
    phone = worn(load_recording(38), ("WALKING",))
    sent = [
        *sensor_logger(phone, "ann", ios=False),
        *((f"{topic}/bob", payload) for topic, payload in sensor_logger(phone, "bob", ios=False)),
        *phyphox(phone, "cyd"),
        *sensorspot(phone, "d.d", dedicated=True),
    ]
    messages = [(0.01 * k, topic, payload.encode()) for k, (topic, payload) in enumerate(sent)]
    with running_cluster(tmp_path / "cluster", "--anonymous", nodes=1) as cluster, sender(cluster.ports[0]) as phones:
        worker = Listening(*cluster.worker, "--partition", f"0-5/{PARTITIONS}")
        try:
            phones.send((topic, payload) for _, topic, payload in messages)
            worker.wait_until_quiet()
            second = Listening(*cluster.worker, "--partition", f"3/{PARTITIONS}")
            try:
                assert second.wait() == 1
                assert "Another listener has taken over the session har-partition-3-of-6" in second.rest_of_stderr()
            finally:
                second.kill()
            worker.stop()
        finally:
            worker.kill()
        assert cluster.consumers() == 2 * PARTITIONS  # a filter that ends in # takes two
        gone = run("streamer", "cluster", "forget", *cluster.worker, "--partition", f"0-5/{PARTITIONS}")
        assert gone.returncode == 0, gone.stderr
        assert gone.stdout.count("given up") == PARTITIONS
        assert cluster.consumers() == 0
    predictions = worker.of_type("prediction")
    expected = alone(messages)
    assert {(p["phone"], p["start_sample"]) for p in predictions} == expected.keys()
    assert {p["phone"] for p in predictions} == {"ann", "bob", "cyd", "d.d"}
    for found in predictions:
        assert_same(found, expected[found["phone"], found["start_sample"]])
