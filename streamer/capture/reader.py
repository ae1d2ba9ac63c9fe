"""Reading a capture, as far as it goes: one that was cut or damaged gives what lies before."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from model.errors import DataError
from model.text import counted
from streamer.capture.format import GZIP, LONGEST_HEADER, MAGIC, FrameError, Frames, Record, decode_header

PIECE = 1 << 16
"""Bytes that are read, and decompressed, at once."""


class Capture:
    """The records of a capture, once, in the order of their arrival.

    ``started_s`` is when the recording began (Unix time). After the records, ``count`` says how many there were and
    ``damage`` what is wrong with the file, a sentence for its user; None if it is whole.

    Parameters
    ----------
    stream : at the file's beginning.
    name : names the file in errors.

    Raises
    ------
    DataError : it is not a capture, or one of a newer format.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self.started_s = decode_header(stream.readline(LONGEST_HEADER), name)
        self.count = 0
        self.damage: str | None = None
        self._stream = stream

    def __iter__(self) -> Iterator[Record]:
        """Yield the records.

        Raises
        ------
        DataError : the file cannot be read on.
        """
        frames = Frames()
        try:
            for piece in self._pieces():
                for record in frames.push(piece):
                    self.count += 1
                    yield record
            if not self._ended or not frames.is_whole:
                self.damage = "It has no end: the listener was killed, its disk was full, or it still records."
        except (FrameError, zlib.error) as error:
            after = counted(self.count, "message")
            self.damage = f"It is damaged after {after}, and what follows is left out ({error})."

    def _pieces(self) -> Iterator[bytes]:
        """What lies compressed in the file, in pieces of bounded size."""
        inflate = zlib.decompressobj(GZIP)
        self._ended = False
        while content := self._read():
            if inflate.eof:
                raise FrameError("there is more after its end")
            piece = inflate.decompress(content, PIECE)
            yield piece
            while inflate.unconsumed_tail or len(piece) == PIECE:
                piece = inflate.decompress(inflate.unconsumed_tail, PIECE)
                yield piece
            self._ended = inflate.eof
            if inflate.unused_data:
                raise FrameError("there is more after its end")

    def _read(self) -> bytes:
        try:
            return self._stream.read(PIECE)
        except OSError as error:
            raise _unreadable(self.name, error) from error


@contextmanager
def open_capture(path: Path) -> Iterator[Capture]:
    """The capture at ``path``.

    Raises
    ------
    DataError : it cannot be read, is not a capture, or one of a newer format.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise _unreadable(str(path), error) from error
    with stream:
        yield Capture(stream, path.name)


def is_capture(path: Path) -> bool:
    """Whether the file begins as a capture does; false too if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _unreadable(name: str, error: OSError) -> DataError:
    return DataError(f"The capture {name} cannot be read ({error.strerror or error}); give another file.")
