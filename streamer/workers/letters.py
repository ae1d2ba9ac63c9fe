"""What the processes say to each other: batches of messages there, and what came of them back. Pure.

Pickles, which only a program's own processes may exchange; their pipe is nobody else's.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from streamer.faults import Fault
from streamer.inbox import Message
from streamer.intake.report import Finding
from streamer.phone_stream import NOTHING_TAKEN, Taken
from streamer.recognition.prediction import Prediction
from streamer.wire import Label
from streamer.work import Journal

STOP = b""
"""In place of messages: no more will come, finish."""

FINISHED = b""
"""In place of what came of them: all has been said."""


def pack_messages(messages: Sequence[Message]) -> bytes:
    """A batch of messages."""
    return pickle.dumps([(m.topic, m.payload, m.arrived_s) for m in messages], protocol=5)


def unpack_messages(letter: bytes) -> list[Message]:
    """The inverse."""
    return [Message(*each) for each in pickle.loads(letter)]  # noqa: S301 - this program's own process has written it


class Letters:
    """A :class:`streamer.work.Journal` that is written down, to be read to another one elsewhere.

    Parameters
    ----------
    send : takes a letter, as :func:`read_to` understands it.
    """

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send
        self._lines: list[tuple[Any, ...]] = []

    def message(self, phone: str, n_samples: int, taken: Taken, arrived_s: float, format_name: str) -> None:
        """Write it down, without the windows that it completes: these are still to be recognised."""
        told = None if taken is NOTHING_TAKEN else _without_windows(taken)
        self._lines.append(("message", phone, n_samples, told, arrived_s, str(format_name)))

    def labels(self, phone: str, labels: tuple[Label, ...]) -> None:
        """Write them down."""
        self._lines.append(("labels", phone, labels))

    def found(self, phone: str, findings: tuple[Finding, ...]) -> None:
        """Write them down."""
        self._lines.append(("found", phone, findings))

    def released(self, phone: str, taken: Taken) -> None:
        """Write it down."""
        self._lines.append(("released", phone, _without_windows(taken)))

    def fault(self, phone: str | None, reason: str, kind: Fault) -> None:
        """Write it down."""
        self._lines.append(("fault", phone, reason, kind))

    def gone(self, phone: str, evicted: bool) -> None:
        """Write it down."""
        self._lines.append(("gone", phone, evicted))

    def ignored(self) -> None:
        """Write it down."""
        self._lines.append(("ignored",))

    def recognised(self, predictions: Sequence[Prediction], mounts: dict[int, str], took_ms: float | None) -> None:
        """Write it down, and send all that has been written."""
        self._lines.append(("recognised", list(predictions), mounts, took_ms))
        self.post()

    def post(self) -> None:
        """Send what has been written, if anything."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._send(pickle.dumps(lines, protocol=5))


def read_to(journal: Journal, letter: bytes) -> list[Callable[[], None]]:
    """Read a letter to another journal: all that is about messages at once; what was recognised is left to be called,
    without the lock that the journal needs for the rest.
    """
    later: list[Callable[[], None]] = []
    for name, *values in pickle.loads(letter):  # noqa: S301 - as above
        if name == "recognised":
            later.append(_Recognised(journal, *values))
        elif name == "message":
            phone, n_samples, taken, arrived_s, format_name = values
            journal.message(phone, n_samples, NOTHING_TAKEN if taken is None else taken, arrived_s, format_name)
        else:
            getattr(journal, name)(*values)
    return later


class _Recognised:
    def __init__(
        self, journal: Journal, predictions: list[Prediction], mounts: dict[int, str], took_ms: float | None
    ) -> None:
        self._journal, self._values = journal, (predictions, mounts, took_ms)

    def __call__(self) -> None:
        self._journal.recognised(*self._values)


def _without_windows(taken: Taken) -> Taken:
    return replace(taken, windows=[]) if taken.windows else taken
