"""Keeps what a listener is, so that the next one goes on from there: the journal, and a checkpoint now and then.

A checkpoint is where everything stands between two messages; the journal holds what came since. A listener that starts
takes the first and works off the second, which leaves it as the one before was when it last drew breath.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import DataError
from streamer.admission.fair_inbox import FairInbox
from streamer.inbox import Message
from streamer.publishing.ledger import Ledger, Numbers
from streamer.state.checkpoint import (
    Checkpoint,
    clear_aside,
    clear_unfinished,
    read_checkpoint,
    set_aside,
    write_checkpoint,
)
from streamer.state.codec import Maker, NotKeptError, Taker
from streamer.state.journal import Journal, Receive
from streamer.state.locking import lock_folder
from streamer.state.once import Once
from streamer.state.register import KEPT_BY, REGISTER
from streamer.state.segments import Mark, read_segments, segments
from streamer.state.time_base import TimeBase

log = logging.getLogger(__name__)

EVERY_S = 10.0
"""From one checkpoint to the next, at least."""

SHARE = 0.01
"""Of the recognising thread's time, that checkpoints may take; with many phones they become rarer."""

SYNC_S = 1.0
"""What is older than this is on the disk, even if the power fails."""


@dataclass(frozen=True)
class Kept:
    """What is kept: ``roots`` are objects whose attributes named in their ``kept`` are; ``inbox`` is where messages
    wait; ``lock`` is held while they are looked at, ``once`` and ``ledger`` count what was told, and ``phones`` are
    those that are followed.
    """

    roots: Mapping[str, Any]
    inbox: FairInbox
    lock: AbstractContextManager[Any]
    once: Once
    ledger: Ledger | None
    phones: Callable[[], Container[str]]


@dataclass(frozen=True)
class Earlier:
    """What an earlier run left, beside what the roots hold now.

    ``told`` and ``published`` are the numbers of phones' last predictions and messages that got out. ``gap_s`` is how
    long nobody listened, ``shift_s`` what makes arrivals on this process's clock of those then.
    """

    folder: Path
    number: int
    base: TimeBase
    waiting: Sequence[Message]
    told: Numbers
    published: Numbers
    gap_s: float
    shift_s: float

    def messages(self) -> Iterator[Sequence[Message]]:
        """What is to be worked off again, in its order, on this process's clock."""
        now = TimeBase.now()
        yield _shifted(self.waiting, now.shift_s(self.base))
        for entry in read_segments(self.folder, self.number):
            yield _shifted(entry.messages, now.shift_s(entry.base))


class Keeper:
    """Of one folder, which is this process's alone.

    Parameters
    ----------
    identity : names the model and its settings: what is kept means nothing to others.

    Raises
    ------
    HarError : another listener uses the folder, or it cannot be made.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._lock = lock_folder(folder)
        clear_unfinished(folder)
        self._folder = folder
        self._identity = identity
        self._kept: Kept | None = None
        self._due_s = 0.0
        self._told_failure = False
        self._closing = threading.Event()
        self._work = threading.Condition()
        self._next: Checkpoint | None = None
        self._thread = threading.Thread(target=self._run, name="keep", daemon=True)
        self.journal = Journal(folder)

    def restore(self, roots: Mapping[str, Any]) -> Earlier | None:
        """Give the roots what an earlier run kept, and say what else there is; None if there is nothing.

        What cannot be used is told, and set aside.
        """
        try:
            checkpoint = read_checkpoint(self._folder, KEPT_BY, self._identity)
            if checkpoint is None and segments(self._folder):
                raise DataError("its checkpoint is missing")
            if checkpoint is None:
                return None
            now = TimeBase.now()
            maker = Maker(REGISTER, checkpoint.shapes, now.shift_s(checkpoint.base))
            tree = {
                name: {each: maker.make(value) for each, value in of.items()} for name, of in checkpoint.tree.items()
            }
            if tree.keys() != roots.keys() or any(set(tree[name]) != set(roots[name].kept) for name in roots):
                raise DataError("it is of another listener")
        except DataError as error:
            self.put_aside(str(error))
            return None
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            self.put_aside(f"it is damaged: {error!r}")
            return None
        for name, attributes in tree.items():
            for each, value in attributes.items():
                setattr(roots[name], each, value)
        return self._earlier(checkpoint, tree, now)

    def _earlier(self, checkpoint: Checkpoint, tree: Mapping[str, Any], now: TimeBase) -> Earlier:
        told = dict(tree["once"]["told"])
        published: dict[str, int] = {}
        last_s = checkpoint.base.at_s + now.shift_s(checkpoint.base)
        self.journal.recent.give(checkpoint.recent)
        for entry in read_segments(self._folder, checkpoint.number):
            self.journal.recent.add(entry.messages)
            if entry.messages:
                last_s = max(last_s, entry.messages[-1].arrived_s + now.shift_s(entry.base))
            if entry.mark is not None:
                _raise_to(told if entry.mark is Mark.TOLD else published, entry.numbers)
        gap_s = max(now.at_s - last_s, 0.0)
        return Earlier(
            self._folder,
            checkpoint.number,
            checkpoint.base,
            checkpoint.waiting,
            told,
            published,
            gap_s,
            now.shift_s(checkpoint.base),
        )

    def put_aside(self, reason: str) -> None:
        """What is there cannot be used: begin anew, and say so."""
        clear_aside(self._folder)
        try:
            where = set_aside(self._folder)
        except OSError as error:
            where = f"place ({error.strerror})"
        log.warning("what was kept in %s is not used (%s) and stays in %s", self._folder, reason, where)

    def start(self, kept: Kept) -> None:
        """Keep from now on."""
        self._kept = kept
        if checkpoint := self._take(kept):
            self._write(checkpoint)
        self._thread.start()

    def before(self, receive: Receive) -> Receive:
        """A callback that hands on to ``receive`` those messages that have not been kept before."""
        return self.journal.before(receive)

    def keep(self, messages: Sequence[Message], receive: Callable[..., None]) -> None:
        """Keep messages, and call ``receive`` with them."""
        self.journal.keep(messages, receive)

    @property
    def unkept(self) -> int:
        """Messages that could not be kept."""
        return self.journal.unkept

    def published(self, numbers: Numbers) -> None:
        """The broker has taken phones' messages up to these numbers."""
        self.journal.mark(Mark.PUBLISHED, numbers)

    def tick(self) -> None:
        """Keep what has been told, and a checkpoint if it is time; while nothing is half worked off, on the thread that
        recognises.
        """
        assert self._kept is not None
        self._mark_told(self._kept.once)
        if time.monotonic() >= self._due_s and self.journal.has_news and (checkpoint := self._take(self._kept)):
            with self._work:
                self._next = checkpoint
                self._work.notify()

    def _mark_told(self, once: Once) -> None:
        if once.fresh:
            self.journal.mark(Mark.TOLD, once.fresh)
            once.fresh = {}

    def _take(self, kept: Kept) -> Checkpoint | None:
        began_s = time.monotonic()
        with self.journal.lock:
            number = self.journal.rotate()
            waiting, recent = kept.inbox.waiting(), self.journal.recent.take()
        taker, tree = Taker(REGISTER), None
        try:
            if number is not None:
                with kept.lock:
                    phones = kept.phones()  # numbers of others are of no use without what the journal held so far
                    kept.once.forget_others(phones)
                    if kept.ledger:
                        kept.ledger.forget_others(phones)
                    tree = {name: _taken(root, taker) for name, root in kept.roots.items()}
        except NotKeptError as error:
            self.journal.fail(str(error))
        now_s = time.monotonic()
        self._due_s = now_s + max(EVERY_S, (now_s - began_s) / SHARE)
        if number is None or tree is None:
            return None
        return Checkpoint(KEPT_BY, self._identity, number, TimeBase.now(), recent, waiting, taker.shapes, tree)

    def _write(self, checkpoint: Checkpoint) -> None:
        try:
            write_checkpoint(self._folder, checkpoint)
            self._told_failure = False
            self.journal.covered(checkpoint.number)
        except OSError as error:
            if not self._told_failure and self.journal.failure is None:
                log.warning("no checkpoint can be kept in %s (%s)", self._folder, error.strerror or error)
            self._told_failure = True

    def _run(self) -> None:
        while not self._closing.is_set():
            with self._work:
                if self._next is None:
                    self._work.wait(SYNC_S)
                checkpoint, self._next = self._next, None
            if checkpoint:
                self._write(checkpoint)
            self.journal.sync()

    def close(self, *, is_whole: bool) -> dict[str, Any]:
        """The last checkpoint, unless something is half worked off; says what became of it all, ready for JSON."""
        self._closing.set()
        with self._work:
            self._work.notify()
        if self._thread.is_alive():
            self._thread.join()
        if is_whole and self._kept:
            self._mark_told(self._kept.once)
            if checkpoint := self._take(self._kept):
                self._write(checkpoint)
        self.journal.close()
        self._lock.close()
        journal = self.journal
        return {
            "folder": str(self._folder),
            "unkept_messages": journal.unkept,
            "redelivered_messages": journal.repeated,
            "failure": journal.failure,
        }


def _taken(root: Any, taker: Taker) -> dict[str, Any]:
    return {name: taker.take(getattr(root, name)) for name in root.kept}


def _raise_to(numbers: dict[str, int], to: Numbers) -> None:
    for phone, number in to.items():
        numbers[phone] = max(number, numbers.get(phone, 0))


def _shifted(messages: Sequence[Message], shift_s: float) -> Sequence[Message]:
    return [message._replace(arrived_s=message.arrived_s + shift_s) for message in messages] if shift_s else messages
