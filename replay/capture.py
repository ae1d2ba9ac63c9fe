"""A capture made by ``har-stream listen --record``, played back: its own messages, topics and times between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.errors import DataError
from replay.phone import Outgoing
from streamer.capture.format import Record
from streamer.capture.reader import open_capture
from streamer.wire import IMU, LABEL, WireError, parse_topic, topic


@dataclass(frozen=True, slots=True)
class Survey:
    """A capture's messages, different topics, seconds from the first message to the last, and what is wrong with it."""

    messages: int
    topics: int
    duration_s: float
    damage: str | None


def survey(path: Path) -> Survey:
    """Read a capture through.

    Raises
    ------
    DataError : it cannot be read, is no capture, or holds no message.
    """
    topics: set[str] = set()
    last_s = 0.0
    with open_capture(path) as capture:
        for due_s, record in _scheduled(iter(capture)):
            topics.add(record.topic)
            last_s = due_s
    if not capture.count:
        raise DataError(f"The capture {path.name} holds no message; record again while phones send.")
    return Survey(capture.count, len(topics), last_s, capture.damage)


def messages(path: Path, root: str | None) -> Iterator[Outgoing]:
    """What to publish, in the order of its arrival, due when it came after the first message.

    Parameters
    ----------
    root : topic levels that replace those before ``<phone>/imu`` and ``<phone>/label``; None keeps all topics.

    Raises
    ------
    DataError : the capture cannot be read any more.
    """
    with open_capture(path) as capture:
        for due_s, record in _scheduled(iter(capture)):
            yield Outgoing(due_s, record.topic if root is None else under(root, record.topic), record.payload)


def under(root: str, name: str) -> str:
    """The topic below another root if it is one of the wire format's own, else the topic itself."""
    try:
        phone, kind = parse_topic(name)
    except WireError:
        return name
    return topic(root, phone, kind) if kind in (IMU, LABEL) else name


def _scheduled(records: Iterator[Record]) -> Iterator[tuple[float, Record]]:
    """Each record with its time after the first; a clock that goes back stands still."""
    due_s, before_s = 0.0, None
    for record in records:
        due_s += 0.0 if before_s is None else max(0.0, record.arrived_s - before_s)
        before_s = record.arrived_s
        yield due_s, record
