"""What systemd is told: that the listener is ready, that it is alive, that it stops (sd_notify(3)).

Nothing is told where nobody has asked: systemd names its socket in ``NOTIFY_SOCKET``.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping

READY = b"READY=1"
ALIVE = b"WATCHDOG=1"
STOPPING = b"STOPPING=1"


class Notifier:
    """Tells systemd, if there is one that wants to know.

    Parameters
    ----------
    environment : with ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC``, ``WATCHDOG_PID`` (sd_watchdog_enabled(3)).
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        where = environment.get("NOTIFY_SOCKET", "")
        # "@" stands for the zero byte of Linux's abstract names.
        self._where = "\0" + where[1:] if where.startswith("@") else where
        self.watchdog_s = _watchdog_s(environment)

    def tell(self, state: bytes) -> None:
        """Send it; without anybody to hear, nothing happens."""
        if not self._where:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.setblocking(False)  # a supervisor that does not read must not stop whoever it watches
            to.connect(self._where)
            to.send(state)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """How often systemd wants to hear, if it does, and of this process."""
    try:
        for_pid = int(environment.get("WATCHDOG_PID", os.getpid()))
        watchdog_s = int(environment["WATCHDOG_USEC"]) / 1e6
    except (KeyError, ValueError):
        return None
    return watchdog_s if watchdog_s > 0 and for_pid == os.getpid() else None


@contextlib.contextmanager
def supervised(is_alive: Callable[[], bool], notifier: Notifier | None = None) -> Iterator[None]:
    """Ready now; alive for as long as it is, told twice as often as is asked for; stopping at the end of the block."""
    notifier = notifier or Notifier()
    is_over = threading.Event()
    thread = None
    notifier.tell(READY)
    if notifier.watchdog_s is not None:
        every_s = notifier.watchdog_s / 2
        thread = threading.Thread(target=_watch, args=(is_alive, notifier, every_s, is_over), name="watchdog")
        thread.daemon = True
        thread.start()
    try:
        yield
    finally:
        notifier.tell(STOPPING)
        is_over.set()
        if thread:
            thread.join()


def _watch(is_alive: Callable[[], bool], notifier: Notifier, every_s: float, is_over: threading.Event) -> None:
    while not is_over.wait(every_s):
        if is_alive():
            notifier.tell(ALIVE)
