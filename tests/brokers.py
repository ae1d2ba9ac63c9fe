"""A real Mosquitto for the tests, on a free port of 127.0.0.1."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import wait_until

USER = "ann"
"""The one user of a broker with a password."""


@dataclass
class Mosquitto:
    """A running broker; :meth:`stop` and :meth:`start` let a test take it away and bring it back."""

    executable: str
    config: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def where(self) -> str:
        """For ``--broker``."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.config.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen([self.executable, "-c", str(self.config)], stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while not answers(self.port) or self.process.poll() is not None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(self.config.with_suffix(".log").read_text())
            time.sleep(0.02)

    def wait_until_saved(self) -> None:
        """Until it has written to disk what it keeps now."""
        file, now = self.config.parent / "mosquitto.db", time.time()
        wait_until(lambda: file.exists() and file.stat().st_mtime > now, "the broker's saving")

    def kill(self) -> None:
        """As kill -9 does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


def find_mosquitto() -> str:
    """Its executable; without one the test fails in CI and is skipped elsewhere."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("mosquitto is not installed, but CI tests with it")
    if found is None:
        pytest.skip("mosquitto is not installed")
    return found


def _ports_of_this_process() -> Iterator[int]:
    """Ports that no other process of a parallel run is given, below those that systems give to clients (32,768 on)."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
    first, begin = 12_000 + 1_250 * number, os.getpid() * 31 % 1_250  # another run of the tests may be under way
    return itertools.chain(range(first + begin, first + 1_250), itertools.cycle(range(first, first + 1_250)))


_ports = _ports_of_this_process()


def free_port() -> int:
    """A port of loopback on which nothing listens."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many consecutive ports."""
    while True:
        ports = list(itertools.islice(_ports, count))
        with ExitStack() as probes, contextlib.suppress(OSError):
            for port in ports:
                probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            if ports == list(range(ports[0], ports[0] + count)):
                return ports


@contextmanager
def start_mosquitto(
    tmp_path: Path,
    *,
    password: str | None = None,
    settings: Sequence[str] = (),
    more: Sequence[str] = (),
    is_persistent: bool = False,
) -> Iterator[Mosquitto]:
    """A broker that listens on loopback alone; with ``password``, only :data:`USER` may connect.

    ``settings`` are more lines of its configuration, for instance ``certfile`` and ``keyfile``; ``more`` comes at the
    end, for instance another listener. If it ``is_persistent``, it writes what it keeps to disk every second.
    """
    executable = find_mosquitto()
    port = free_port()
    config = tmp_path / f"mosquitto-{port}.conf"
    lines = [f"listener {port} 127.0.0.1", "max_queued_messages 200000", "log_type error"]
    if is_persistent:
        lines += ["persistence true", f"persistence_location {tmp_path}/", "autosave_interval 1"]
    else:
        lines.append("persistence false")
    lines[1:1] = settings  # those of the listener follow it
    if os.geteuid() == 0:
        lines.append("user root")  # or it changes to a user who may not read tmp_path
    if password is None:
        lines.append("allow_anonymous true")
    else:
        lines += ["allow_anonymous false", f"password_file {_password_file(tmp_path / f'users-{port}', password)}"]
    config.write_text("\n".join([*lines, *more]) + "\n")
    broker = Mosquitto(executable, config, port)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextmanager
def nats_with_a_websocket(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Ports of MQTT and of MQTT through a WebSocket, which Mosquitto is not built with everywhere."""
    tcp, plain, websocket = free_port(), free_port(), free_port()
    (tmp_path / "nats.conf").write_text(
        f"listen: 127.0.0.1:{tcp}\nserver_name: test\njetstream {{ store_dir: '{tmp_path}' }}\n"
        f"mqtt {{ listen: 127.0.0.1:{plain} }}\nwebsocket {{ listen: '127.0.0.1:{websocket}', no_tls: true }}\n"
    )
    executable = Path(sysconfig.get_path("scripts")) / "nats-server"
    with subprocess.Popen([executable, "-c", tmp_path / "nats.conf"], stderr=subprocess.DEVNULL) as server:
        try:
            wait_for_port(websocket)
            wait_for_port(plain)
            yield plain, websocket
        finally:
            server.terminate()


def _password_file(path: Path, password: str) -> Path:
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed")
    path.touch(mode=0o600)
    subprocess.run([tool, "-b", str(path), USER, password], check=True, capture_output=True)
    return path


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_for_port(port: int, timeout_s: float = 10) -> None:
    """Until something listens there."""
    deadline = time.monotonic() + timeout_s
    while not answers(port):
        assert time.monotonic() < deadline, f"nothing listens on port {port}"
        time.sleep(0.02)
