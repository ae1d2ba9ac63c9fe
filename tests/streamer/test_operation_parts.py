"""Metrics, health, logs and systemd's messages, each by itself."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import threading
import urllib.error
import urllib.request
from dataclasses import fields, replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from model.errors import HarError
from streamer.counts import Counts
from streamer.operation.address import HttpAddress, parse_http_address
from streamer.operation.facts import Facts
from streamer.operation.health import STALLED_S, is_alive, is_ready
from streamer.operation.logs import CALM, errors_logged, logging_to, stderr_handler
from streamer.operation.metrics import COUNTED
from streamer.operation.server import MOST_AT_ONCE, serving
from streamer.operation.systemd import Notifier, supervised

FACTS = Facts(
    model="window",
    is_connected=True,
    has_failed=False,
    stalled_s=0.1,
    last_message_age_s=0.5,
    counts={field.name: number for number, field in enumerate(fields(Counts), 1)},
    latency_ms={"p50": 12.0, "p90": 20.0, "p99": None},
    phones=7,
    active_phones=3,
    queued=4,
    losses={"dropped_messages": 5, "crowded_messages": 2},
    published=100,
    unpublished=6,
    recorded=90,
    unrecorded=10,
    unkept=11,
)


def get(address: HttpAddress, path: str, method: str = "GET") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://{address}{path}", method=method), timeout=5) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_are_what_prometheus_reads() -> None:
    with serving(HttpAddress("127.0.0.1", 0), lambda: FACTS, "1.2.3") as address:
        assert address
        status, text = get(address, "/metrics")
    assert status == 200
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples[("har_stream_info", ("model", "window"), ("version", "1.2.3"))] == 1
    for number, field in enumerate(fields(Counts), 1):
        assert samples[(f"har_stream_{field.name}_total",)] == number
        assert field.name in COUNTED, "say what it means"
    assert samples[("har_stream_latency_seconds", ("quantile", "0.5"))] == 0.012
    assert samples[("har_stream_latency_seconds", ("quantile", "0.99"))] != 0  # NaN: not known yet
    for name, value in (
        ("phones", 7), ("active_phones", 3), ("queued_messages", 4), ("dropped_messages_total", 5), ("alive", 1),
        ("published_messages_total", 100), ("unpublished_messages", 6), ("connected", 1), ("ready", 1),
        ("recorded_messages_total", 90), ("unrecorded_messages_total", 10), ("unkept_messages_total", 11),
        ("last_message_age_seconds", 0.5),
    ):  # fmt: skip
        assert samples[(f"har_stream_{name}",)] == value
    assert samples[("process_open_fds",)] > 0 and samples[("process_resident_memory_bytes",)] > 1e6


def test_who_hangs_is_not_alive_and_who_is_not_connected_is_not_ready() -> None:
    assert is_alive(FACTS) and is_ready(FACTS)
    hanging, failed = replace(FACTS, stalled_s=STALLED_S + 1), replace(FACTS, has_failed=True)
    assert not is_alive(hanging) and not is_ready(hanging) and not is_alive(failed)
    away = replace(FACTS, is_connected=False)
    assert is_alive(away) and not is_ready(away)
    for facts, health, ready in ((FACTS, 200, 200), (away, 200, 503), (hanging, 503, 503)):
        with serving(HttpAddress("127.0.0.1", 0), lambda facts=facts: facts, "1") as address:  # type: ignore[misc]
            assert address
            status, text = get(address, "/health")
            assert (status, get(address, "/ready")[0]) == (health, ready)
            assert json.loads(text)["alive"] is is_alive(facts) and json.loads(text)["ready"] is is_ready(facts)


def test_who_asks_badly_harms_nobody() -> None:
    with serving(HttpAddress("127.0.0.1", 0), lambda: FACTS, "1") as address:
        assert address
        assert get(address, "/../etc/passwd")[0] == 404
        assert get(address, "/metrics", "POST")[0] == 501
        status, content = get(address, "/metrics", "HEAD")
        assert (status, content) == (200, "")
        with socket.create_connection(address) as other:
            other.sendall(b"\0\xff nonsense\r\n\r\n")
            assert b"400" in other.recv(1000)
        idle = [socket.create_connection(address) for _ in range(MOST_AT_ONCE + 5)]
        for each in idle:
            each.close()
        assert get(address, "/health")[0] == 200


def test_a_port_that_is_taken_is_told() -> None:
    with serving(HttpAddress("127.0.0.1", 0), lambda: FACTS, "1") as address:
        assert address
        with pytest.raises(HarError, match=r"Metrics cannot be at 127\.0\.0\.1:\d+ \(.*in use\)"):
            serving(address, lambda: FACTS, "1").__enter__()


@pytest.mark.parametrize(
    ("where", "address"),
    [("9464", ("127.0.0.1", 9464)), ("0.0.0.0:80", ("0.0.0.0", 80)), ("[::1]:9464", ("::1", 9464))],
)
def test_addresses(where: str, address: tuple[str, int]) -> None:
    assert parse_http_address(where) == address


@pytest.mark.parametrize("where", ["", "host", "host:", "1:2:x", "65536", "-1", "host:٣"])
def test_what_is_no_address(where: str) -> None:
    with pytest.raises(HarError, match="Metrics cannot be at"):
        parse_http_address(where)


class Systemd:
    """The socket on which systemd hears its services."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.settimeout(5)

    def next(self) -> bytes:
        return self._socket.recv(100)


def test_systemd_hears_of_the_start_of_life_and_of_the_end(tmp_path: Path) -> None:
    systemd, alive = Systemd(tmp_path), threading.Event()
    alive.set()
    notifier = Notifier(
        {"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "100000", "WATCHDOG_PID": str(os.getpid())}
    )
    with supervised(alive.is_set, notifier):
        assert systemd.next() == b"READY=1"
        assert systemd.next() == systemd.next() == b"WATCHDOG=1"
        alive.clear()
    rest = [systemd.next()]
    while rest[-1] != b"STOPPING=1":
        rest.append(systemd.next())
    assert set(rest[:-1]) <= {b"WATCHDOG=1"}


def test_who_is_not_alive_does_not_say_so(tmp_path: Path) -> None:
    systemd = Systemd(tmp_path)
    with supervised(lambda: False, Notifier({"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "20000"})):
        threading.Event().wait(0.2)
    assert [systemd.next(), systemd.next()] == [b"READY=1", b"STOPPING=1"]


@pytest.mark.parametrize(
    "environment", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}]
)
def test_no_watchdog_where_none_is_asked_for(environment: dict[str, str]) -> None:
    assert Notifier(environment).watchdog_s is None
    with supervised(lambda: True, Notifier({"NOTIFY_SOCKET": "/nonexistent/socket"} | environment)):
        pass


def test_the_log_in_json_is_one_object_a_line() -> None:
    stream = io.StringIO()
    with logging_to(stderr_handler("json", stream)):
        logging.getLogger("a.b").warning("two\nlines of %s", "words", extra={"phone": "ann"})
        CALM.info("calm")
        logging.getLogger("a.b").info("not told")
        try:
            raise ValueError("reason")
        except ValueError:
            logging.getLogger("a.b").exception("failed")
    first, second, third = map(json.loads, stream.getvalue().splitlines())
    assert first | {"time": ""} == {
        "time": "", "level": "warning", "logger": "a.b", "message": "two\nlines of words", "phone": "ann",
    }  # fmt: skip
    assert first["time"].endswith("Z") and second["message"] == "calm" and "ValueError: reason" in third["error"]


def test_the_log_in_text_is_one_line_that_cannot_control_a_terminal() -> None:
    stream = io.StringIO()
    with logging_to(stderr_handler("text", stream)):
        CALM.info("calm")
        logging.getLogger("a").warning("\x1b[2Jred\nline", extra={"phone": "ann"})
    assert stream.getvalue() == "calm\nwarning: ann: \\x1b[2Jred\\nline\n"


def test_an_error_at_the_end_is_an_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, errors_logged("json"):
        raise HarError("The disk is gone; get another.")
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().err)["message"] == "The disk is gone; get another."
    with pytest.raises(HarError), errors_logged("text"):
        raise HarError("As ever.")
