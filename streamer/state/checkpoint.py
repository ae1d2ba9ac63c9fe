"""Where everything stands, in one file; and what becomes of one that cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from model.errors import DataError
from model.files import replace_file
from streamer.capture.format import MAX_BODY, Bodies, FrameError, encode_frame
from streamer.inbox import Message
from streamer.state.segments import segments
from streamer.state.time_base import TimeBase

FILE_NAME = "checkpoint"

ASIDE = ".unreadable"
"""What is added to the names of files that cannot be used."""


class Checkpoint(msgspec.Struct, array_like=True):
    """Where everything stood when file ``number`` of the journal began.

    ``made_by`` names the program, ``identity`` the model and what else the state depends on. ``waiting`` are messages
    that had come and were not worked off, ``recent`` is :meth:`streamer.state.recent.Recent.take`'s; ``shapes`` and
    ``tree`` are those of :class:`streamer.state.codec.Taker`.
    """

    made_by: str
    identity: str
    number: int
    base: TimeBase
    recent: bytes
    waiting: list[Message]
    shapes: list[list[Any]]
    tree: dict[str, dict[str, Any]]


_ENCODER = msgspec.msgpack.Encoder()
_OWNER: msgspec.msgpack.Decoder[list[Any]] = msgspec.msgpack.Decoder(list[Any])
_DECODER = msgspec.msgpack.Decoder(Checkpoint)


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the file, down to the disk.

    Raises
    ------
    OSError : it cannot be written; the one before stays.
    """
    body = _ENCODER.encode(checkpoint)
    if len(body) > MAX_BODY:
        raise OSError(0, "where the phones stand is too much for one file")
    replace_file(folder / FILE_NAME, encode_frame(body))


def read_checkpoint(folder: Path, made_by: str, identity: str) -> Checkpoint | None:
    """What is there; None without a file.

    Raises
    ------
    DataError : it is damaged, or of another program or model; says which.
    """
    try:
        content = (folder / FILE_NAME).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror}") from error
    try:
        (body,) = Bodies().bodies(content)
        owner = _OWNER.decode(body)
        if owner[0] != made_by:
            raise DataError("it is of another version")
        if owner[1] != identity:
            raise DataError("it is of another model or other settings of it")
        return _DECODER.decode(body)
    except (FrameError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, IndexError) as error:
        raise DataError(f"it is damaged: {error}") from error


def set_aside(folder: Path) -> str:
    """Rename what cannot be used, in place of what was set aside before; gives the new name."""
    for path in _files(folder):
        path.replace(path.with_name(path.name + ASIDE))
    return f"{folder / FILE_NAME}{ASIDE}"


def clear_unfinished(folder: Path) -> None:
    """Delete checkpoints that were being written when a listener was killed."""
    for path in folder.glob(f".{FILE_NAME}-*"):
        path.unlink(missing_ok=True)


def clear_aside(folder: Path) -> None:
    """Delete what was set aside before of the journal: its files have other numbers each time."""
    for path in folder.glob(f"journal-*{ASIDE}"):
        path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterable[Path]:
    checkpoint = folder / FILE_NAME
    return [*([checkpoint] if checkpoint.exists() else []), *segments(folder).values()]
