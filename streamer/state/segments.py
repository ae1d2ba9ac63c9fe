"""The journal's files: ``journal-NNNNNNNN``, one behind the other, of framed entries. What is no entry ends a file.

An entry is MessagePack: a kind, and what it is about. The first is the :class:`TimeBase` of the arrivals in it.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from streamer.capture.format import Bodies, FrameError, encode_frame
from streamer.inbox import Message
from streamer.publishing.ledger import Numbers
from streamer.state.time_base import TimeBase

PIECE = 1 << 20
"""Bytes that are read at once."""

_NAME = re.compile(r"journal-(\d{8,})")
_ENCODER = msgspec.msgpack.Encoder()


class Mark(IntEnum):
    """What numbers of phones' last messages or predictions are about."""

    TOLD = 1
    """Predictions that the outputs have been given."""

    PUBLISHED = 2
    """Messages that the broker has taken."""


_BEGIN, _MESSAGES = 0, 3

_BODY: msgspec.msgpack.Decoder[tuple[int, msgspec.Raw]] = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])
_TIME_BASE = msgspec.msgpack.Decoder(TimeBase)
_MESSAGE_LIST = msgspec.msgpack.Decoder(list[Message])
_NUMBERS = msgspec.msgpack.Decoder(dict[str, int])


class Entry(NamedTuple):
    """Messages in their order, on this time base; or numbers of phones, by which ``mark`` says something."""

    messages: Sequence[Message]
    base: TimeBase
    mark: Mark | None = None
    numbers: Numbers = MappingProxyType({})


def segment_path(folder: Path, number: int) -> Path:
    """Of a file of the journal."""
    return folder / f"journal-{number:08d}"


def segments(folder: Path) -> dict[int, Path]:
    """The journal's files by number, in order."""
    found = {int(match[1]): path for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))}
    return dict(sorted(found.items()))


class Segment:
    """A new file of the journal; whatever has been added is the operating system's.

    Raises
    ------
    OSError : it cannot be made, or added to; then it ends with what was added before.
    """

    def __init__(self, path: Path, base: TimeBase) -> None:
        self.size = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        self._add(_BEGIN, base)

    def messages(self, messages: Sequence[Message]) -> None:
        """Add messages."""
        self._add(_MESSAGES, messages)

    def mark(self, mark: Mark, numbers: Numbers) -> None:
        """Add numbers of phones."""
        self._add(int(mark), numbers)

    def _add(self, kind: int, content: Any) -> None:
        rest = memoryview(encode_frame(_ENCODER.encode((kind, content))))
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
            raise
        self.size = os.lseek(self._file, 0, os.SEEK_CUR)

    def handle(self) -> int:
        """Another handle of the file, which is the caller's to close."""
        return os.dup(self._file)

    def close(self) -> None:
        """Add no more."""
        os.close(self._file)


def read_segments(folder: Path, first: int) -> Iterator[Entry]:
    """The entries from a file on, up to the first number that is missing."""
    number, found = first, segments(folder)
    while number in found:
        yield from _read(found[number])
        number += 1


def _read(path: Path) -> Iterator[Entry]:
    base, bodies = None, Bodies()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                for body in bodies.bodies(piece):
                    kind, content = _BODY.decode(body)
                    if base is None or kind == _BEGIN:
                        base = _TIME_BASE.decode(content)
                    elif kind == _MESSAGES:
                        yield Entry(_MESSAGE_LIST.decode(content), base)
                    else:
                        yield Entry((), base, Mark(kind), _NUMBERS.decode(content))
    except (OSError, FrameError, msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return  # cut as the machine went down: what follows was never acknowledged, or lost with it
