"""States of the console made from the recordings in the box, the same on every machine: real messages through the
real listener, at the pace of a clock that is not the machine's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from heapq import merge
from itertools import groupby, takewhile
from unittest.mock import patch

import numpy as np

from model.bundled import load_recordings
from model.classifier import Classifier
from model.signals import process
from model.smoothing import FilterSettings
from replay.phone import Manner, Outgoing, Phone
from replay.source import Piece, prepare
from streamer.console.snapshot import Snapshot, take_detail, take_health, take_rows
from streamer.inbox import Message
from streamer.limits import BATCH
from streamer.listener import Listener, ListenerOptions
from streamer.outputs import Recent
from streamer.recognition.window_engine import WindowClassifier, WindowEngine
from tests.streamer.rules import Rules

EPOCH = 1_700_000_000.0
"""Unix time at which all scenes begin: 22:13:20 UTC on 14 November 2023."""

DELAY_S = 0.004
"""From a message's arrival to its recognition."""

BATCH_MS = 1.6
"""What a batch of windows takes."""

UNTIL_S = 337.0
"""How long the scenes last: until after a walk upstairs."""

MANNER = Manner(batch=50)
"""A message a second."""

FAULTY_FROM = 220
"""Message of the recording with which a faulty phone begins."""

SUBJECTS = (2, 4, 9, 10, 12, 13, 18, 20, 24)
"""The test subjects; their first recordings are shown."""


class Clock:
    """Stands for :mod:`time` in the listener: it is as late as it is told."""

    now_s = 0.0

    def monotonic(self) -> float:
        """Seconds since the scene began."""
        return self.now_s

    def time(self) -> float:
        """Unix time [s]."""
        return EPOCH + self.now_s


@dataclass(frozen=True)
class Scene:
    """A listener as it stands after so many seconds of a scene."""

    listener: Listener
    recent: Recent
    now_s: float

    def snapshot(self, detail_of: str | None = None, connection: str = "connected") -> Snapshot:
        """As the session takes it, at a broker of the documentation."""
        tally = self.listener.tally
        health = take_health(
            tally,
            broker="broker.example:1883",
            connection=connection,
            queued=0,
            losses={"dropped_messages": 0, "flood_messages": 0},
            memory_mb=158.0,
            now_s=self.now_s,
        )
        detail = take_detail(tally, detail_of, self.now_s) if detail_of else None
        rows = tuple(take_rows(list(tally.phones.values()), self.now_s))
        return Snapshot(health, rows, tuple(self.recent.lines), detail)


@contextmanager
def told_by(clock: Clock) -> Iterator[None]:
    """The listener's clock is this one."""
    with ExitStack() as stack:
        for module in ("listener", "work", "account"):
            stack.enter_context(patch(f"streamer.{module}.time", clock))
        yield


def play(messages: Iterator[Outgoing], until_s: float, classifier: WindowClassifier, smoothing: bool) -> Scene:
    """What the listener has made of the messages that were due until then."""
    clock, recent = Clock(), Recent()
    engine = WindowEngine(classifier, FilterSettings() if smoothing else None)
    with told_by(clock):
        listener = Listener(ListenerOptions(max_phones=1000), engine, [recent])
        for due_s, group in groupby(takewhile(lambda message: message.due_s <= until_s, messages), _due_s):
            clock.now_s = due_s
            for message in group:
                listener.receive_many([Message(message.topic, message.payload, due_s)])
            clock.now_s = due_s + DELAY_S
            listener.work(listener.inbox.take(BATCH, 0))
    listener.tally.batch(listener.tally.batch_size, BATCH_MS)
    return Scene(listener, recent, until_s)


def _due_s(message: Outgoing) -> float:
    return message.due_s


@cache
def by_rules() -> Scene:
    """Recognised by rules of thumb, so that no other model changes what is drawn."""
    return play(_messages(), UNTIL_S, Rules(), smoothing=False)


@cache
def by_model() -> Scene:
    """Recognised by the model in the box, as users see it."""
    return play(_messages(), UNTIL_S, Classifier.load(), smoothing=True)


def _messages() -> Iterator[Outgoing]:
    """Nine people, and one phone for each thing that can be wrong."""
    sound = [_phone(name, piece).messages(MANNER) for name, piece in _pieces()]
    return merge(*sound, *_faulty(), key=_due_s)


@cache
def _pieces() -> tuple[tuple[str, Piece], ...]:
    recordings = load_recordings(SUBJECTS)
    firsts = [next(r for r in recordings if r.subject == subject) for subject in SUBJECTS]
    return tuple((r.name, prepare(r)) for r in firsts)


def _without_gravity(piece: Piece) -> Piece:
    """As of a phone that sends its acceleration without gravity."""
    signals = process(piece.samples)
    gravity = np.pad(signals[:, 6:] - signals[:, :3], ((0, len(piece.samples) - len(signals)), (0, 3)), "edge")
    gravity[:, 3:] = 0
    return replace(piece, samples=piece.samples - gravity)


def _phone(name: str, piece: Piece, behind_s: float = 0.0) -> Phone:
    return Phone(name, (piece,), EPOCH - behind_s)


def _faulty() -> list[Iterator[Outgoing]]:
    """A phone for each warning, from :data:`FAULTY_FROM` on."""
    piece = _pieces()[0][1]
    return [
        _only(_phone("faulty-gaps", piece), lambda k: not 300 < k < 304),
        _only(_phone("faulty-rate", piece), lambda k: k % 8 > 1),
        _only(_phone("faulty-silent", piece), lambda k: k < 310),
        _only(_phone("faulty-clock", piece, behind_s=47.0), lambda k: k != 300),
        _only(_phone("faulty-boot", piece, behind_s=EPOCH - 86_400.0)),
        _only(_phone("faulty-gravity", _without_gravity(piece))),
        (_spoilt(message, k) for k, message in enumerate(_only(_phone("faulty-payload", piece)))),
    ]


def _only(phone: Phone, is_sent: Callable[[int], bool] = lambda k: True) -> Iterator[Outgoing]:
    messages = phone.messages(replace(MANNER, labels=False))
    return (message for k, message in enumerate(messages) if k >= FAULTY_FROM and is_sent(k))


def _spoilt(message: Outgoing, k: int) -> Outgoing:
    return replace(message, payload=b'{"acc": "none"}') if k % 40 == 39 else message


def many(state: Snapshot, count: int) -> Snapshot:
    """So many phones, which share what the state's do."""
    copies = (divmod(k, len(state.rows)) for k in range(count))
    rows = (state.rows[which]._replace(phone=f"{state.rows[which].phone}-{copy:03d}") for copy, which in copies)
    return replace(state, rows=tuple(rows))
