"""The capture format: a header line, then one gzip member of framed records (docs/capture-format.md). Pure.

A record is kept exactly as the message came; whoever reads a capture decodes its payloads anew.
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final

import msgspec

from model.errors import DataError

MAGIC: Final = b"har-stream capture "
"""What a capture begins with, whatever its name is."""

VERSION: Final = 1

LONGEST_HEADER = 100
"""Bytes of the header line at most."""

MAX_BODY = (256 << 20) + (1 << 17)
"""Bytes of a record's body at most: MQTT's largest payload, longest topic and a time."""

GZIP: Final = 31
"""zlib's ``wbits`` of a gzip member with the largest window."""

_FRAME = struct.Struct(">II")
"""Before each record: length and CRC-32 of its body."""

_HEADER = re.compile(re.escape(MAGIC) + rb"(\d{1,9}) (\d{1,10}\.\d{1,9})\n")


class Record(msgspec.Struct, array_like=True, frozen=True):
    """A message as it came. ``arrived_s`` is Unix time on the recorder's clock, which never jumps."""

    arrived_s: float
    topic: str
    payload: bytes


class FrameError(ValueError):
    """What follows is no record: damage, or something else than a capture."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Record)


def encode_header(started_s: float) -> bytes:
    """The first line: format version and when the recording began (Unix time)."""
    return MAGIC + b"%d %.6f\n" % (VERSION, started_s)


def decode_header(line: bytes, source: str) -> float:
    """When the recording began; ``source`` names the file in errors.

    Raises
    ------
    DataError : it is not the first line of a capture, or one of a newer format.
    """
    header = _HEADER.fullmatch(line)
    if header is None:
        raise DataError(f"{source} is not a capture; give a file that har-stream listen --record has made.")
    version = int(header[1])
    if version != VERSION:
        raise DataError(
            f"{source} is a capture of format {version}, and this program reads format {VERSION}; "
            "use the har-stream release that made it, or a newer one."
        )
    return float(header[2])


def encode_record(record: Record) -> bytes:
    """A record with its frame."""
    return encode_frame(_ENCODER.encode(record))


def encode_frame(body: bytes) -> bytes:
    """A body with its length and checksum before it."""
    return _FRAME.pack(len(body), zlib.crc32(body)) + body


class Bodies:
    """Finds the bodies in a stream of frames, however it is cut."""

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def is_whole(self) -> bool:
        """Whether no frame has begun that has not ended."""
        return not self._held

    def bodies(self, piece: bytes) -> Iterator[bytes]:
        """Take the next bytes; give the bodies that they complete.

        Raises
        ------
        FrameError : what comes is no frame. The bodies before it have been given.
        """
        self._held += piece
        start = 0
        while (body := self._body(start)) is not None:
            start += _FRAME.size + len(body)
            yield body
        del self._held[:start]

    def _body(self, start: int) -> bytes | None:
        """The checked body of the record that begins there; None while it is not whole."""
        if len(self._held) < start + _FRAME.size:
            return None
        length, checksum = _FRAME.unpack_from(self._held, start)
        if length > MAX_BODY:
            raise FrameError(f"a record of {length} bytes")
        stop = start + _FRAME.size + length
        if len(self._held) < stop:
            return None
        body = bytes(memoryview(self._held)[start + _FRAME.size : stop])
        if zlib.crc32(body) != checksum:
            raise FrameError("a record whose checksum is wrong")
        return body


class Frames(Bodies):
    """Decodes a stream of framed records, however it is cut."""

    def push(self, piece: bytes) -> Iterator[Record]:
        """Take the next bytes; give the records that they complete.

        Raises
        ------
        FrameError : what comes is no record. The records before it have been given.
        """
        return map(_decode, self.bodies(piece))


def _decode(body: bytes) -> Record:
    try:
        record = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FrameError(str(error)) from error
    if not math.isfinite(record.arrived_s) or abs(record.arrived_s) > 1e12:
        raise FrameError("a time that no clock shows")
    if not record.topic or any(sign in record.topic for sign in "+#\0") or len(record.topic.encode()) > 65_535:
        raise FrameError("a topic that no message can have")
    return record
