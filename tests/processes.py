"""The commands as processes, as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

TIMEOUT_S = 180.0


def command(module: str, *arguments: object) -> list[str]:
    """The command line of ``har-stream`` (``streamer``), ``har-replay`` (``replay``) or ``har-model`` (``model``)."""
    return [sys.executable, "-m", f"{module}.cli", *map(str, arguments)]


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without the product's own variables, and the size of no terminal (xdist sets one)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HAR_")}
    return {name: value for name, value in kept.items() if name not in ("COLUMNS", "LINES")} | changes


def run(module: str, *arguments: object, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(module, *arguments),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=environment(**changes),
        cwd=ROOT,
        check=False,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], *told: str, status: int = 1) -> None:
    """The command failed as a user should see it: one line on stderr, no traceback, nothing on stdout."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.strip().splitlines() if not line.startswith("Listening to ")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: ")
    assert lines[0].endswith(".")
    for words in told:
        assert words in lines[0]


class Listening:
    """``har-stream listen --output jsonl`` in the background; its lines are read as they come."""

    def __init__(self, *arguments: object, keep_lines: bool = True, **changes: str) -> None:
        self._keeps_lines = keep_lines  # else they are read and forgotten
        self.lines: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            command("streamer", "listen", "--output", "jsonl", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**changes),
            cwd=ROOT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._process.stderr
        self.greeting = self._process.stderr.readline()
        """The line on stderr that says that it is subscribed; empty if it failed."""

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if self._keeps_lines:
                self.lines.append(json.loads(line))

    @staticmethod
    def command(*arguments: object) -> list[str]:
        """The command line of a listener."""
        return command("streamer", "listen", *arguments)

    @staticmethod
    def replay_command(*arguments: object) -> list[str]:
        """The command line of ``har-replay``."""
        return command("replay", *arguments)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def next_line_of_stderr(self) -> str:
        """Wait for it; empty at the end."""
        assert self._process.stderr
        return self._process.stderr.readline()

    def rest_of_stderr(self) -> str:
        """Wait for its end."""
        return "".join(iter(self.next_line_of_stderr, ""))

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The lines of one type so far."""
        return [line for line in list(self.lines) if line["type"] == kind]

    def wait_for(self, count: int, kind: str = "prediction") -> None:
        """Wait until there are so many lines of a type."""
        deadline = time.monotonic() + TIMEOUT_S
        while len(self.of_type(kind)) < count:
            assert self._process.poll() is None, self._process.stderr.read() if self._process.stderr else ""
            assert time.monotonic() < deadline, f"{len(self.of_type(kind))} of {count} {kind} lines"
            time.sleep(0.05)

    def wait_until_quiet(self, quiet_s: float = 2.0) -> None:
        """Wait until no line has come for so long."""
        before, since = -1, time.monotonic()
        while time.monotonic() - since < quiet_s:
            if len(self.lines) != before:
                before, since = len(self.lines), time.monotonic()
            time.sleep(0.05)

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal, as it should."""
        self._process.send_signal(number)
        assert self.wait() == 0

    def stop(self, number: int = signal.SIGTERM) -> dict[str, Any]:
        """End it by a signal; gives the summary."""
        self.end(number)
        assert self.lines[-1]["type"] == "summary"
        return self.lines[-1]

    def wait(self) -> int:
        """Wait for its end; gives the exit status."""
        status = self._process.wait(TIMEOUT_S)
        self._reader.join(10)
        return status

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@contextmanager
def listening(*arguments: object, **changes: str) -> Iterator[Listening]:
    """A listener that hears, for the block."""
    listener = Listening(*arguments, keep_lines=True, **changes)
    try:
        assert listener.greeting.startswith("Listening to "), listener.greeting
        yield listener
    finally:
        listener.kill()
