"""The journal of a listener that runs: what comes is in a file before the broker is told that it has come."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from streamer.inbox import Message
from streamer.publishing.ledger import Numbers
from streamer.state.recent import Recent
from streamer.state.segments import Mark, Segment, segment_path, segments
from streamer.state.time_base import TimeBase

log = logging.getLogger(__name__)

Receive = Callable[[Sequence[Message]], None]

MOST_BYTES = 1 << 30
"""Of a file: without a checkpoint for so long something is wrong, and the disk is not to be filled."""


class Journal:
    """Keeps messages and numbers in files of one folder, safe on any thread; begins with :meth:`rotate`.

    Where nothing can be kept, as the disk is full, that is told once and what comes is counted as ``unkept``, until
    :meth:`rotate` finds room. ``repeated`` counts messages that the broker delivered again. ``lock`` is held while a
    message is kept and handed over.
    """

    def __init__(self, folder: Path) -> None:
        self.unkept = self.repeated = 0
        self.failure: str | None = None
        self.recent = Recent()
        self.lock = threading.RLock()
        self._folder = folder
        self._segment: Segment | None = None
        self._number = max(segments(folder), default=0)
        self._empty_size = 0
        self._unkept_before = 0

    def before(self, receive: Receive) -> Receive:
        """A callback that hands on to ``receive`` those messages that have not been kept before."""

        def receive_new(messages: Sequence[Message]) -> None:
            if not any(message.again for message in messages):
                receive(messages)
                return
            with self.lock:
                new = [message for message in messages if not (message.again and message in self.recent)]
                self.repeated += len(messages) - len(new)
            if new:
                receive(new)

        return receive_new

    def keep(self, messages: Sequence[Message], receive: Callable[..., None]) -> None:
        """Keep messages, and call ``receive`` with them: a checkpoint comes before both, or after. What was too long to
        be held, and so of no use, is not kept.
        """
        kept = [message for message in messages if type(message.payload) is bytes]
        with self.lock:
            self._keep(lambda segment: segment.messages(kept), len(kept))
            self.recent.add(kept)
            receive(*messages)

    def mark(self, mark: Mark, numbers: Numbers) -> None:
        """Keep numbers of phones."""
        with self.lock:
            self._keep(lambda segment: segment.mark(mark, numbers), 0)

    def _keep(self, add: Callable[[Segment], None], n_messages: int) -> None:
        if self._segment is None:
            self.unkept += n_messages
            return
        try:
            add(self._segment)
            if self._segment.size > MOST_BYTES:
                raise OSError(0, "the journal has become too large")
        except OSError as error:
            self.unkept += n_messages
            self.fail(error.strerror or str(error))

    def fail(self, reason: str) -> None:
        """Keep nothing until the next :meth:`rotate`."""
        with self.lock:
            self._end()
            if self.failure is None:
                log.warning("nothing can be kept in %s (%s); listening goes on without", self._folder, reason)
            self.failure = reason

    def _end(self) -> None:
        if self._segment:
            self._segment.close()
            self._segment = None

    @property
    def has_news(self) -> bool:
        """Whether something has come since the last :meth:`rotate`."""
        return self.unkept > self._unkept_before or bool(self._segment and self._segment.size > self._empty_size)

    def rotate(self) -> int | None:
        """Begin a new file, whose number is given; None if that is impossible. A number is left out where something was
        not kept before, so that nobody takes the files for all that came.
        """
        with self.lock:
            number = self._number + (1 if self.failure is None else 2)
            try:
                segment = Segment(segment_path(self._folder, number), TimeBase.now())
            except OSError as error:
                with contextlib.suppress(OSError):
                    segment_path(self._folder, number).unlink()
                self.fail(error.strerror or str(error))
                return None
            self._end()
            self._segment, self._number, self._empty_size = segment, number, segment.size
            self._unkept_before = self.unkept
            return number

    def covered(self, number: int) -> None:
        """What was kept in files before this one is kept elsewhere."""
        with self.lock:
            if self.failure is not None and self._segment:
                log.warning("there is room in %s again", self._folder)
                self.failure = None
        for other, path in segments(self._folder).items():
            if other < number:
                path.unlink(missing_ok=True)

    def sync(self) -> None:
        """Wait until all that was kept so far is on the disk; nothing else waits meanwhile."""
        with self.lock:
            handle = self._segment.handle() if self._segment else None
        if handle is None:
            return
        try:
            os.fsync(handle)
        except OSError as error:
            self.fail(error.strerror or str(error))
        finally:
            os.close(handle)

    def close(self) -> None:
        """Keep nothing more."""
        self.sync()
        with self.lock:
            self._end()
