"""Recording while listening: the network thread never waits, the file is written on a thread of its own."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamer.capture.format import Record
from streamer.capture.writer import CaptureWriter
from streamer.faults import TooLong
from streamer.inbox import Inbox, Message

log = logging.getLogger(__name__)

FLUSH_S = 1.0
"""What is older than this is in the file."""

MAX_BYTES = 64 << 20
"""Payload bytes that may wait for the disk; a message beyond that is not recorded, and counted."""

BATCH = 256
"""Messages that are taken at once at most."""


def arrival_clock() -> Callable[[], float]:
    """Unix time that starts right and then goes on evenly, whatever is done to the machine's clock.

    A computer without a battery for its clock starts in 1970 and finds out the time later; a jump of fifty years
    between two messages would be of no use.
    """
    elapsed = _seconds_since_boot
    offset_s = time.time() - elapsed()
    return lambda: offset_s + elapsed()


def _seconds_since_boot() -> float:
    """As ``time.monotonic``, but where there is such a clock sleep counts as well."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Recorder:
    """Keeps messages in a capture until :meth:`close`.

    ``recorded`` messages are in the file; ``failure`` says why the recording has stopped by itself, as of a full disk,
    which is logged as a warning.

    Raises
    ------
    HarError : the file exists, or cannot be made.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self.recorded = 0
        self.failure: str | None = None
        self._path = path
        self._clock = arrival_clock()
        self._ahead_s = -math.inf
        self._writer = CaptureWriter(path, self._clock())
        self._inbox = Inbox(max_bytes)
        self._received = 0
        self._unheld = 0
        self._added = 0
        self._told = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    @property
    def missed(self) -> int:
        """Messages that did not fit into the queue, were too long to be held, or came to no file as the recording had
        stopped.
        """
        return self._inbox.dropped + self._unheld if self.failure is None else self._received - self.recorded

    def put(self, topic: str, payload: bytes) -> None:
        """Record a message; quick, and safe on the network thread."""
        self.put_many([Message(topic, payload, time.monotonic())])

    def put_many(self, messages: Sequence[Message]) -> None:
        """Record messages, which have arrived by the monotonic clock; as :meth:`put`."""
        self._received += len(messages)
        if self.failure is None:
            # A pause between the two readings makes it less; a computer that slept, more.
            self._ahead_s = max(self._ahead_s, self._clock() - time.monotonic())
            held = [message for message in messages if not isinstance(message.payload, TooLong)]
            self._unheld += len(messages) - len(held)
            self._inbox.put(*[Message(m.topic, m.payload, m.arrived_s + self._ahead_s) for m in held])

    def before(self, receive: Callable[[Sequence[Message]], None]) -> Callable[[Sequence[Message]], None]:
        """A callback that records messages, then hands them to ``receive``."""

        def record_then_receive(messages: Sequence[Message]) -> None:
            self.put_many(messages)
            receive(messages)

        return record_then_receive

    def close(self) -> dict[str, Any]:
        """Write what waits, and the end; say what became of it, ready for JSON. Closing again changes nothing."""
        self._closing.set()
        self._inbox.close()
        self._thread.join()
        return {"file": str(self._path), "messages": self.recorded, "missed": self.missed, "failure": self.failure}

    def _run(self) -> None:
        try:
            self._record()
            self._writer.close()
            self.recorded = self._added
        except OSError as error:
            self._writer.abandon()
            self.failure = error.strerror or str(error)
            log.warning("recording to %s has stopped (%s); listening goes on", self._path, self.failure)

    def _record(self) -> None:
        flush_at_s = time.monotonic() + FLUSH_S
        while not (self._closing.is_set() and not len(self._inbox)):
            for message in self._inbox.take(BATCH, FLUSH_S / 4):
                self._writer.add(Record(message.arrived_s, message.topic, message.payload))
                self._added += 1
            if time.monotonic() >= flush_at_s:
                self._writer.flush()
                self.recorded = self._added
                flush_at_s = time.monotonic() + FLUSH_S
                self._tell_missed()

    def _tell_missed(self) -> None:
        """Once, and again when it has become ten times as many."""
        if self._inbox.dropped > 10 * self._told:
            self._told = self._inbox.dropped
            log.warning("%d messages came faster than they could be recorded to %s", self._told, self._path)


@contextmanager
def recording(path: Path | None) -> Iterator[Recorder | None]:
    """Record while the block runs; None if there is nothing to record to.

    A block that fails before any message has come, as no broker was there, leaves no file behind.

    Raises
    ------
    HarError : the file exists, or cannot be made.
    """
    if path is None:
        yield None
        return
    recorder = Recorder(path)
    try:
        yield recorder
    except BaseException:
        if not recorder.close()["messages"]:
            path.unlink(missing_ok=True)
        raise
    recorder.close()
