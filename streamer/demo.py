"""``har-stream demo``: embedded broker, ``har-replay test`` as a child process, and the listener, in one."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from model.errors import HarError
from model.text import MOST, printable
from streamer import session
from streamer.address import BrokerAddress
from streamer.broker import EmbeddedBroker
from streamer.recognising import Recognising

QUIET_S = 1.0
"""The demo is over when the replay has ended and nothing has come for so long."""

STOP_TIMEOUT_S = 5.0


class Replay:
    """``har-replay test`` as a child process."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._process = process
        self._errors = errors

    def is_over(self, listener: Recognising) -> bool:
        """Whether all has been sent and received.

        Raises
        ------
        HarError : the replay failed.
        """
        status = self._process.poll()
        if status is None:
            return False
        if status != 0:
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            reason = printable(lines[-1], MOST).removeprefix("Error: ") if lines else f"exit status {status}."
            raise HarError(f"The replay failed: {reason}")
        return not listener.n_queued and time.monotonic() - listener.last_message_s > QUIET_S


@contextlib.contextmanager
def _replaying(address: BrokerAddress, arguments: Sequence[str]) -> Iterator[Replay]:
    command = [sys.executable, "-m", "replay.cli", "test", "--broker", f"{address}", *arguments]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            yield Replay(process, errors)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_TIMEOUT_S)
            process.kill()


def run_demo(arguments: Sequence[str], options_for: Callable[[BrokerAddress], session.SessionOptions]) -> int:
    """Run the demo; ``arguments`` go to ``har-replay test``. Gives the exit status.

    Raises
    ------
    HarError : the broker, the replay or an output fails.
    """
    with EmbeddedBroker() as broker:
        replays: list[Replay] = []
        with contextlib.ExitStack() as stack:

            def is_over(listener: Recognising) -> bool:
                if not replays:  # the listener is subscribed by now: nothing is published before it hears
                    replays.append(stack.enter_context(_replaying(broker.address, arguments)))
                return replays[0].is_over(listener)

            return session.run(options_for(broker.address), is_over)
