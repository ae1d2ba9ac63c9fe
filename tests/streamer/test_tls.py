"""TLS to a real Mosquitto, of listener and replay: who is trusted, who is let in, and what is said if not."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from replay.pacing import Stop
from replay.publisher import Publisher
from streamer.address import BrokerError, parse_broker
from streamer.subscriber import Subscriber
from streamer.subscription import SubscriberOptions
from streamer.tls import TlsOptions, tls_context
from tests.brokers import USER, free_port, start_mosquitto
from tests.certificates import Authority, make_authority
from tests.subscribers import subscriber

PASSWORD = "right"


@dataclass(frozen=True)
class Brokers:
    """One Mosquitto: ``plain`` for the test itself; by each kind of certificate a port for MQTT, and for WebSockets."""

    authority: Authority
    foreign: Authority
    plain: int
    ports: dict[str, int]

    def url(self, kind: str, scheme: str, host: str) -> str:
        return f"{scheme}://{host}:{self.ports[f'{scheme} {kind}']}"


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    folder = tmp_path_factory.mktemp("tls")
    authority, foreign = make_authority(folder), make_authority(folder, "foreign")
    kinds = {
        "good": authority.issue("good"),
        "other name": authority.issue("elsewhere", "DNS:elsewhere.example,IP:192.0.2.1"),
        "expired": authority.issue("expired", days=-1),
        "unknown": foreign.issue("unknown"),
        "wants certificate": authority.issue("strict"),
    }
    ports: dict[str, int] = {}
    lines = []
    for scheme in ("mqtts", "wss"):
        for kind, (certificate, key) in kinds.items():
            port = ports[f"{scheme} {kind}"] = free_port()
            lines += [f"listener {port} 127.0.0.1", f"certfile {certificate}", f"keyfile {key}"]
            lines += ["protocol websockets"] if scheme == "wss" else []
            if kind == "wants certificate":
                lines += [f"cafile {authority.certificate}", "require_certificate true"]
    with start_mosquitto(folder, password=PASSWORD, more=lines) as broker:
        yield Brokers(authority, foreign, broker.port, ports)


def listen(url: str, tls: TlsOptions, password: str = PASSWORD) -> None:
    """The listener connects and leaves."""
    address = parse_broker(url, username=USER, password=password)
    cafile, cert, key = (None if each is None else str(each) for each in (tls.cafile, tls.cert, tls.key))
    options = SubscriberOptions(
        address, ("har/+/imu",), 1, f"tls-{os.getpid()}", 60, 5, cafile, cert, key, insecure=tls.insecure
    )
    made = Subscriber(options, lambda _messages: None)
    made.start()
    made.stop()


def play(url: str, tls: TlsOptions, password: str = PASSWORD) -> None:
    """The replay publishes a message and leaves."""
    made = Publisher(parse_broker(url, username=USER, password=password), qos=1, stop=Stop(), tls=tls)
    made.connect()
    assert made.publish("har/p/imu", b"x")
    made.drain()
    made.close()


Connect = Callable[..., None]
both = pytest.mark.parametrize("connect", [listen, play])
all_schemes = pytest.mark.parametrize("scheme", ["mqtts", "wss"])


def refused(connect: Connect, url: str, tls: TlsOptions, password: str = PASSWORD) -> BrokerError:
    with pytest.raises(BrokerError) as caught:
        connect(url, tls, password)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert PASSWORD not in sentence
    return caught.value


@both
@all_schemes
def test_a_certificate_of_a_trusted_authority_is_good_for_its_names(
    brokers: Brokers, connect: Connect, scheme: str
) -> None:
    trusting = TlsOptions(brokers.authority.certificate)
    for host in ("127.0.0.1", "localhost"):
        connect(brokers.url("good", scheme, host), trusting)
    wrong = refused(connect, brokers.url("good", scheme, "localhost"), trusting, "wrong")
    assert wrong.exit_code == 5
    assert "HAR_PASSWORD" in str(wrong)


def told_in_the_end(connect: Connect, url: str, tls: TlsOptions, told: str) -> bool:
    """Whether it is refused so. A broker that refuses a certificate after the handshake closes at once, and now and
    then what it says is lost with the connection: then it is refused in other words, and tried again."""
    return any(told in str(refused(connect, url, tls)) for _ in range(10))


@both
@all_schemes
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("other name", "is not made for 127.0.0.1"),
        ("expired", "has expired"),
        ("unknown", "is not trusted"),
    ],
)
def test_everything_else_is_refused_in_a_sentence(
    brokers: Brokers, connect: Connect, scheme: str, kind: str, told: str
) -> None:
    error = refused(connect, brokers.url(kind, scheme, "127.0.0.1"), TlsOptions(brokers.authority.certificate))
    assert told in str(error)
    assert error.is_final == (kind != "expired")  # a clock may be set


@both
@all_schemes
def test_a_client_s_certificate_lets_it_in_if_the_broker_trusts_it(
    brokers: Brokers, connect: Connect, scheme: str
) -> None:
    url, cafile = brokers.url("wants certificate", scheme, "127.0.0.1"), brokers.authority.certificate
    connect(url, TlsOptions(cafile, *brokers.authority.issue("client")))
    assert told_in_the_end(connect, url, TlsOptions(cafile), "wants a certificate of this client; give --cert")
    stranger = TlsOptions(cafile, *brokers.foreign.issue("stranger"))
    assert told_in_the_end(connect, url, stranger, "does not take this client's certificate (unknown ca)")


@both
def test_insecure_does_not_look_at_the_name_but_still_at_the_authority(brokers: Brokers, connect: Connect) -> None:
    lax = TlsOptions(brokers.authority.certificate, insecure=True)
    connect(brokers.url("other name", "mqtts", "127.0.0.1"), lax)
    assert "is not trusted" in str(refused(connect, brokers.url("unknown", "mqtts", "127.0.0.1"), lax))


def test_the_system_s_authorities_are_trusted_where_none_is_named(
    brokers: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = brokers.url("good", "mqtts", "127.0.0.1")
    assert "is not trusted" in str(refused(listen, url, TlsOptions()))
    # The system's list for this test; OpenSSL reads its place from the environment.
    monkeypatch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, str(brokers.authority.certificate))
    listen(url, TlsOptions())
    play(url, TlsOptions())


def test_what_is_sent_through_tls_arrives(brokers: Brokers, tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as broker, subscriber(broker.port) as heard:
        with pytest.raises(BrokerError, match="does not speak TLS"):
            play(f"mqtts://{broker.where}", TlsOptions(brokers.authority.certificate))
        assert heard.messages == []


def test_files_that_cannot_be_used_are_named(tmp_path: Path, brokers: Brokers) -> None:
    cert, key = brokers.authority.issue("one")
    other = brokers.authority.issue("two")[1]
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    for options, told in (
        (TlsOptions(cafile=nothing), f"--cafile {nothing} (not in PEM format)"),
        (TlsOptions(cafile=tmp_path / "none"), "No such file"),
        (TlsOptions(cert=cert, key=other), "do not belong together"),
        (TlsOptions(cert=nothing), f"--cert {nothing}"),
        (TlsOptions(key=key), "--key without --cert"),
    ):
        with pytest.raises(BrokerError) as caught:
            tls_context(options)
        assert told in str(caught.value)
