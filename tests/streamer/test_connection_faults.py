"""Whole streams under faults of broker and network: every window once, bit for bit as without any fault."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from streamer.address import parse_broker
from streamer.inbox import Message
from streamer.link import ConnectionState
from streamer.subscriber import Subscriber
from streamer.subscription import SubscriberOptions
from tests.brokers import Mosquitto, start_mosquitto
from tests.processes import ROOT, TIMEOUT_S, Listening, command, environment
from tests.proxy import Proxy, proxy
from tests.saved_windows import check_saved_windows, expected_windows
from tests.waiting import wait_until

SUBJECTS = (2, 20)
SPEED = 15

Flags = tuple[object, ...]


class Reader:
    """Reads the predictions by a session that outlives broken connections, as a consumer does who wants them all.

    It is the listener's own client: paho's throws away what has come when it cannot write any more.
    """

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, float]] = []
        address = parse_broker(f"127.0.0.1:{port}")
        options = SubscriberOptions(address, ("har/+/activity",), 1, "reader", 60, 311, resume_session=True)
        self._subscriber = Subscriber(options, self._hear)
        self._subscriber.start()

    def _hear(self, messages: Sequence[Message]) -> None:
        for message in messages:
            content = json.loads(message.payload)
            self.heard.append((content["phone"], content["time"]))

    @property
    def is_connected(self) -> bool:
        return self._subscriber.state is ConnectionState.CONNECTED

    def stop(self) -> None:
        self._subscriber.stop()


class Replaying:
    """``har-replay`` in the background, with quality of service 1."""

    def __init__(self, port: int) -> None:
        subjects = ",".join(map(str, SUBJECTS))
        words = ("test", "--broker", f"127.0.0.1:{port}", "--subjects", subjects, "--speed", SPEED, "--json")
        self._process = subprocess.Popen(
            command("replay", *words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, env=environment()
        )

    def reconnects(self) -> int:
        """Wait for its end; it has sent everything."""
        out, _ = self._process.communicate(timeout=TIMEOUT_S)
        assert self._process.returncode == 0
        return int(json.loads(out)["reconnects"])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Scene:
    """A listener, a replay and a reader of predictions; what they must have made of the recordings in the end.

    ``heard_by`` and ``sent_to`` are the ports of the listener and the replay: the broker's, or those of proxies.
    """

    def __init__(self, folder: Path, broker: Mosquitto, heard_by: int, sent_to: int, flags: Flags) -> None:
        self._windows = folder / "windows.npz"
        self._expected = expected_windows(SUBJECTS)
        self.n_windows = sum(map(len, self._expected.values()))
        self.reader = Reader(broker.port)
        self.listener = Listening("--broker", f"127.0.0.1:{heard_by}", "--save-windows", self._windows, *flags)
        assert self.listener.greeting.startswith("Listening to "), self.listener.greeting
        self.replay = Replaying(sent_to)

    @property
    def n_predictions(self) -> int:
        return len(self.listener.of_type("prediction"))

    def wait_for_more(self, share: float = 0.04) -> None:
        """Until so much more of all windows was recognised, and the reader is there."""
        wanted = self.n_predictions + round(share * self.n_windows)
        wait_until(lambda: self.n_predictions >= wanted, "more predictions")
        wait_until(lambda: self.reader.is_connected, "the reader")

    def check(self, *, disturbances: int) -> None:
        """After so many of them."""
        assert self.replay.reconnects() >= disturbances
        # The last window of each stream waits for a sample of look-ahead, which the end of the run stands for.
        self.listener.wait_for(self.n_windows - len(self._expected))
        self.listener.wait_until_quiet()
        summary = self.listener.stop()
        # Not late_messages: at this speed, what a broker gives once more may be too old to be known as repeated.
        lost = ("lost_messages", "bridged_samples", "gaps", "dropped_messages", "unpublished_messages")
        assert [summary[name] for name in lost] == [0] * len(lost), self.listener.of_type("warning")
        check_saved_windows(self._windows, self._expected)
        wait_until(lambda: len(set(self.reader.heard)) >= self.n_windows, "all predictions at the reader")
        said = [(line["phone"], line["end_s"]) for line in self.listener.of_type("prediction")]
        for phone in self._expected:
            of_phone = [at_s for name, at_s in said if name == phone]
            heard = [at_s for name, at_s in self.reader.heard if name == phone]
            assert list(dict.fromkeys(heard)) == pytest.approx(of_phone, abs=1e-6)

    def end(self) -> None:
        self.replay.kill()
        self.listener.kill()
        self.reader.stop()


@contextmanager
def scene(folder: Path, broker: Mosquitto, *, heard_by: int, sent_to: int, flags: Flags = ()) -> Iterator[Scene]:
    with ExitStack() as stack:
        made = Scene(folder, broker, heard_by, sent_to, flags)
        stack.callback(made.end)
        yield made


def test_a_broker_that_is_killed_five_times_costs_no_window(tmp_path: Path) -> None:
    """Each time everybody is connected. Mosquitto hands a message on before it acknowledges it, but saves it later:
    what it acknowledges while there is nobody to be given it is lost if it is killed before that."""
    settings = ("max_inflight_messages 0", "set_tcp_nodelay true")
    with (
        start_mosquitto(tmp_path, is_persistent=True, more=settings) as broker,
        scene(tmp_path, broker, heard_by=broker.port, sent_to=broker.port) as made,
    ):
        broker.wait_until_saved()  # it knows its sessions from now on
        for _ in range(5):
            made.wait_for_more()
            broker.kill()
            broker.start()
        made.check(disturbances=5)


def test_networks_that_are_cut_slow_and_lossy_cost_no_window(tmp_path: Path) -> None:
    """The listener's and the phones'."""
    flags = ("-V", 5, "-i", "listener", "-c")
    with (
        start_mosquitto(tmp_path) as broker,
        proxy(broker.port) as near,
        proxy(broker.port) as far,
        scene(tmp_path, broker, heard_by=near.port, sent_to=far.port, flags=flags) as made,
    ):
        for disturb in (_cut, _shut, _slow, _lossy, _swallow):
            made.wait_for_more()
            disturb(near, made)
            disturb(far, made)
        made.check(disturbances=3)


def _cut(network: Proxy, made: Scene) -> None:
    network.cut()


def _shut(network: Proxy, made: Scene) -> None:
    before = network.connections
    network.shut()
    network.open()
    wait_until(lambda: network.connections > before, "another connection")


def _slow(network: Proxy, made: Scene) -> None:
    network.bytes_per_s, network.latency_s, network.piece = 60_000, 0.05, 500
    made.wait_for_more(0.03)
    network.bytes_per_s, network.latency_s, network.piece = 1e9, 0.0, 1 << 16


def _lossy(network: Proxy, made: Scene) -> None:
    network.loss = 0.2
    made.wait_for_more(0.03)
    network.loss = 0.0


def _swallow(network: Proxy, made: Scene) -> None:
    """For a while nothing comes through, and then no more: the connection is found dead."""
    before = network.connections
    network.swallow()
    network.cut()
    network.flow()
    wait_until(lambda: network.connections > before, "another connection")
