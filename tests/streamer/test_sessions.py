"""What the broker keeps for a listener, and how a listener waits for its broker: real Mosquitto, real connections."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from click.testing import CliRunner
from paho.mqtt.enums import CallbackAPIVersion

from model.errors import HarError
from streamer import attempts
from streamer.address import BrokerError, parse_broker
from streamer.broker_config import Access, mosquitto_passwords
from streamer.cli import cli
from streamer.inbox import Message
from streamer.link import ConnectionState
from streamer.mqtt import client as bulk_client
from streamer.publishing.outbox import Outbox, Outgoing
from streamer.publishing.pump import SendOnly
from streamer.subscriber import Subscriber
from streamer.subscription import SubscriberOptions
from tests.brokers import USER, Mosquitto, start_mosquitto
from tests.obedient import Obedient
from tests.processes import Listening, environment
from tests.proxy import Proxy, proxy
from tests.publishers import Sender, sender
from tests.subscribers import subscriber
from tests.waiting import wait_until

VERSIONS = (311, 5)
_ids = itertools.count()


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is to wait for long until a listener tries again."""
    monkeypatch.setattr(attempts, "FIRST_WAIT_S", 0.1)


@pytest.fixture
def network(mosquitto: Mosquitto) -> Iterator[Proxy]:
    with proxy(mosquitto.port) as made:
        yield made


class Hearing:
    """A listener that keeps what comes."""

    def __init__(self, port: int, version: int, client_id: str | None = None, **changes: Any) -> None:
        self.came: list[bytes] = []
        address = parse_broker(
            f"127.0.0.1:{port}", username=changes.pop("user", None), password=changes.pop("pw", None)
        )
        plain = SubscriberOptions(
            *(address, ("har/+/imu",), 1, client_id or f"listener-{next(_ids)}", 60, version),
            resume_session=True,
            has_given_id=client_id is not None,
        )
        self.subscriber = Subscriber(replace(plain, **changes), self._take)

    def _take(self, messages: Sequence[Message]) -> None:
        self.came += [message.payload for message in messages]

    @property
    def numbers(self) -> list[int]:
        return [int(payload) for payload in self.came]


@contextmanager
def hearing(port: int, version: int, client_id: str | None = None, **changes: Any) -> Iterator[Hearing]:
    made = Hearing(port, version, client_id, **changes)
    made.subscriber.start()
    try:
        yield made
    finally:
        made.subscriber.stop()


def send(to: Sender, numbers: range) -> None:
    to.send(("har/p/imu", b"%d" % number) for number in numbers)


def session_is_present(port: int, client_id: str) -> bool:
    """Whether the broker keeps a session of this id; none is kept afterwards."""
    present: list[bool] = []
    for clean in (False, True):
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
        client.on_connect = lambda _client, _user, flags, *_: present.append(flags.session_present)
        client.connect("127.0.0.1", port)
        while not client.is_connected():
            client.loop(0.1)
        client.disconnect()
        client.loop(0.1)
    return present[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_comes_while_the_connection_is_broken_comes_afterwards(
    mosquitto: Mosquitto, network: Proxy, version: int
) -> None:
    with sender(mosquitto.port) as phone, hearing(network.port, version) as listener:
        send(phone, range(100))
        wait_until(lambda: len(listener.came) == 100)
        network.shut()
        send(phone, range(100, 300))
        network.open()
        send(phone, range(300, 400))
        wait_until(lambda: listener.came[-1:] == [b"399"])
    assert listener.numbers == list(range(400))


@pytest.mark.parametrize("version", VERSIONS)
def test_of_a_listener_that_has_stopped_nothing_is_kept_and_of_one_before_nothing_is_taken(
    mosquitto: Mosquitto, version: int
) -> None:
    with hearing(mosquitto.port, version, "named"):
        pass
    assert not session_is_present(mosquitto.port, "named")
    earlier = Hearing(mosquitto.port, version, "named", keep_session=True)
    earlier.subscriber.start()
    earlier.subscriber.stop()
    with sender(mosquitto.port) as phone:
        send(phone, range(3))
        with hearing(mosquitto.port, version, "named") as listener:
            send(phone, range(3, 6))
            wait_until(lambda: listener.came[-1:] == [b"5"])
    assert listener.numbers == [3, 4, 5]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_that_is_kept_is_there_for_the_next_run(mosquitto: Mosquitto, version: int) -> None:
    with hearing(mosquitto.port, version, "kept", keep_session=True):
        pass
    with sender(mosquitto.port) as phone:
        send(phone, range(50))
        with hearing(mosquitto.port, version, "kept", keep_session=True) as listener:
            send(phone, range(50, 60))
            wait_until(lambda: listener.came[-1:] == [b"59"])
    assert listener.numbers == list(range(60))
    assert session_is_present(mosquitto.port, "kept")


def test_a_session_expires_when_it_was_said_to(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path, settings=["sys_interval 1"]) as broker, sender(broker.port) as phone:
        with hearing(broker.port, 5, "brief", keep_session=True, session_expiry_s=1):
            pass
        send(phone, range(3))
        with subscriber(broker.port, "$SYS/broker/clients/expired") as told:
            wait_until(lambda: told.messages[-1:] not in ([], [("$SYS/broker/clients/expired", b"0")]))
        with hearing(broker.port, 5, "brief", keep_session=True) as listener:
            send(phone, range(3, 6))
            wait_until(lambda: listener.came[-1:] == [b"5"])
    assert listener.numbers == [3, 4, 5]


def test_a_broker_that_has_forgotten_the_session_is_subscribed_to_again(mosquitto: Mosquitto) -> None:
    with hearing(mosquitto.port, 5) as listener:
        mosquitto.kill()  # it keeps nothing on disk
        mosquitto.start()
        with sender(mosquitto.port) as phone:
            wait_until(lambda: reaches(listener, phone))


def reaches(listener: Hearing, phone: Sender) -> bool:
    send(phone, range(1))
    return bool(listener.came)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_network_that_swallows_everything_is_noticed_and_nothing_is_lost(
    mosquitto: Mosquitto, network: Proxy, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_client, "PING_ANSWER_S", 0.3)
    with sender(mosquitto.port) as phone, hearing(network.port, version, keepalive=1) as listener:
        send(phone, range(100))
        network.swallow()
        send(phone, range(100, 300))
        wait_until(lambda: listener.subscriber.state is ConnectionState.RECONNECTING)
        network.cut()
        network.flow()
        send(phone, range(300, 400))
        wait_until(lambda: listener.came[-1:] == [b"399"])
    assert list(dict.fromkeys(listener.numbers)) == list(range(400))


@pytest.mark.parametrize("version", VERSIONS)
def test_messages_in_single_bytes_slow_and_late_are_the_same_messages(
    mosquitto: Mosquitto, network: Proxy, version: int
) -> None:
    network.piece, network.latency_s, network.loss = 1, 0.002, 0.1
    with sender(mosquitto.port) as phone, hearing(network.port, version) as listener:
        send(phone, range(200))
        wait_until(lambda: listener.came[-1:] == [b"199"])
    assert listener.numbers == list(range(200))


def test_a_broker_that_is_not_there_yet_is_waited_for_if_that_is_wanted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with start_mosquitto(tmp_path) as broker:
        broker.stop()
        with pytest.raises(BrokerError, match="There is no broker"), hearing(broker.port, 311):
            pass
        with hearing(broker.port, 311, wait=True) as listener:
            wait_until(lambda: listener.subscriber.state is ConnectionState.RECONNECTING)
            broker.start()
            with sender(broker.port) as phone:
                wait_until(lambda: reaches(listener, phone))
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert told[0].endswith("Waiting for it.")
    assert told[1:] == [f"connected to 127.0.0.1:{broker.port}"]


def test_a_service_says_that_it_waits_and_listens_later(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as broker:
        broker.stop()
        listener = Listening("--broker", broker.where, "--wait", "-i", "service", "-c", "--no-publish")
        try:
            assert listener.greeting.endswith("Waiting for it.\n")
            assert listener.next_line_of_stderr().startswith("Going to listen to har/+/imu, ")
            broker.start()
            assert listener.next_line_of_stderr().endswith(f"connected to {broker.where}\n")
            assert listener.stop()["messages"] == 0
        finally:
            listener.kill()
        assert session_is_present(broker.port, "service")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["-c"], "give -i"),
        (["-c", "-i", "x", "-q", "0"], "-q 0"),
        (["-x", "60"], "-V 5"),
        (["-c", "-i", "x", "--partition", "0/2"], "--partition"),
        (["-c", "-i", "x", "--broker", "embedded"], "embedded"),
    ],
)
def test_sessions_that_cannot_be_had_are_told_in_a_sentence(flags: list[str], told: str) -> None:
    done = CliRunner(env=environment()).invoke(cli, ["listen", *flags])
    assert isinstance(done.exception, HarError)
    assert told in str(done.exception)


def test_a_wrong_password_is_not_waited_for_and_ends_a_listener_that_comes_again(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path, password="right") as broker:
        with (
            pytest.raises(BrokerError, match="does not let this user in"),
            hearing(broker.port, 5, user=USER, pw="wrong", wait=True),
        ):
            pass
        with hearing(broker.port, 5, user=USER, pw="right") as listener:
            broker.stop()
            change_password(broker, "another")
            broker.start()
            wait_until(lambda: listener.subscriber.failure is not None)
    assert listener.subscriber.failure
    assert listener.subscriber.failure.exit_code == 5


def change_password(broker: Mosquitto, password: str) -> None:
    users = next(line.split()[1] for line in broker.config.read_text().splitlines() if line.startswith("password_file"))
    access = Access(USER, password)
    Path(users).write_text(mosquitto_passwords(access, b"0123456789ab"))


def test_a_broker_that_is_not_available_is_tried_again(obedient: Obedient) -> None:
    made = Hearing(obedient.port, 311, wait=True)
    starting = threading.Thread(target=made.subscriber.start)
    starting.start()
    for _ in range(2):
        obedient.accept(b"\x20\x02\x00\x03")
        obedient.hang_up()
    obedient.accept()
    obedient.take_subscription()
    wait_until(lambda: made.subscriber.state is ConnectionState.CONNECTED)
    starting.join()
    made.subscriber.stop()


def test_two_listeners_of_one_name_do_not_fight_for_ever(mosquitto: Mosquitto) -> None:
    """Mosquitto 2.0 does not say why it ends a connection."""
    with hearing(mosquitto.port, 5, "one") as first, hearing(mosquitto.port, 5, "one") as second:
        both = (first, second)
        wait_until(lambda: any(each.subscriber.failure for each in both))
        (left,) = (each for each in both if not each.subscriber.failure)
        with sender(mosquitto.port) as phone:
            wait_until(lambda: reaches(left, phone))
    (failure,) = (each.subscriber.failure for each in both if each.subscriber.failure)
    assert "taken over the session one" in str(failure)


def test_who_is_told_that_another_has_come_leaves(obedient: Obedient) -> None:
    made = Hearing(obedient.port, 5)
    starting = threading.Thread(target=made.subscriber.start)
    starting.start()
    obedient.accept(b"\x20\x03\x00\x00\x00")
    obedient.take_subscription(b"\x00")
    starting.join()
    obedient.say(b"\xe0\x02\x8e\x00")
    wait_until(lambda: made.subscriber.failure is not None)
    made.subscriber.stop()
    assert "taken over" in str(made.subscriber.failure)


def test_of_more_than_may_wait_the_oldest_are_dropped_and_counted(mosquitto: Mosquitto, network: Proxy) -> None:
    """What is left goes out in order."""
    outbox = Outbox(most=100)
    address = parse_broker(f"127.0.0.1:{network.port}")
    options = SubscriberOptions(address, (), 1, "speaker", 60, 311, app_topics=("none",))
    speaker = Subscriber(options, lambda _messages: None, SendOnly(outbox))
    speaker.start()
    network.shut()
    wait_until(lambda: speaker.state is ConnectionState.RECONNECTING)
    for number in range(250):
        outbox.put(Outgoing("out/p", b"%d" % number, retain=False, phone="p"))
    dropped = outbox.dropped
    assert speaker.unpublished == 250
    with subscriber(mosquitto.port, "out/#") as heard:
        network.open()
        came = heard.wait_for(250 - dropped)
        wait_until(lambda: speaker.published == 250 - dropped)
    speaker.stop()
    assert 150 <= dropped < 170
    assert [int(payload) for _, payload in came] == list(range(dropped, 250))
    assert speaker.unpublished == dropped
