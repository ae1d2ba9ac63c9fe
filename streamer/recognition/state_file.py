"""Where phones' streams stood when the listener ended, so that the next one goes on from there: one file.

MessagePack that is checked as it is read, never unpickled; written as a whole and put in place at once. A file that is
not understood, or of another model, is told once and ignored: the streams begin from nothing, as without it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.files import replace_file
from model.stateful.settling import NOTHING_TOLD, SETTLED_SIZE

log = logging.getLogger(__name__)

FILE_NAME = "streams.msgpack"

MAX_BYTES = 64 << 20
"""A larger file is not one of ours: :data:`MOST_PHONES` phones take 26 MB."""

MOST_PHONES = 10_000
"""Phones that are remembered, those heard of last."""

KEEP_S = 10.0
"""How often the file is written, in seconds."""

RESTORE_S = 5.0
"""Seconds that a stream may have missed and still go on from where it stood."""

_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kept:
    """Where n phones' streams stood: ``ended_s`` ``(n,)`` the Unix time of the sample after the last [s], ``network``
    ``(n, size)``, ``settled`` ``(n, 7)``, ``told`` ``(n,)`` as
    :class:`streamer.recognition.stream_states.StreamStates`.
    """

    phones: tuple[str, ...]
    ended_s: FloatArray
    network: npt.NDArray[np.float32]
    settled: FloatArray
    told: npt.NDArray[np.int64]

    def row(self, number: int) -> Kept:
        """One phone's."""
        rows = [number]
        name = (self.phones[number],)
        return Kept(name, self.ended_s[rows], self.network[rows], self.settled[rows], self.told[rows])

    def latest(self, most: int) -> Kept:
        """The ``most`` phones whose last sample is the latest."""
        if len(self.phones) <= most:
            return self
        rows = np.argsort(-self.ended_s, kind="stable")[:most]
        names = tuple(self.phones[row] for row in rows)
        return Kept(names, self.ended_s[rows], self.network[rows], self.settled[rows], self.told[rows])


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    model: str
    phones: Annotated[list[_Name], msgspec.Meta(max_length=MOST_PHONES)]
    ended_s: bytes
    network: bytes
    settled: bytes
    told: bytes
    version: Literal[1] = 1


_DECODER = msgspec.msgpack.Decoder(_Content)


class StateFile:
    """The file in one folder, which need not exist, for one model.

    Parameters
    ----------
    folder : where it is, or will be.
    model : SHA-256 of the model's graph: a state means nothing to another.
    size : numbers of the network's state.
    """

    def __init__(self, folder: Path, model: str, size: int) -> None:
        self.path = folder / FILE_NAME
        self._model = model
        self._size = size
        self._failed = False

    def read(self) -> Kept | None:
        """What the file holds; None if there is none that can be used."""
        try:
            with self.path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            return self._checked(content)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            log.warning("where streams stood, in %s, is not used (%s): they begin anew", self.path, reason)
            return None

    def write(self, kept: Kept) -> None:
        """Replace the file; that it cannot be written is told once."""
        kept = kept.latest(MOST_PHONES)
        content = _Content(
            self._model,
            list(kept.phones),
            kept.ended_s.astype("<f8").tobytes(),
            kept.network.astype("<f4").tobytes(),
            kept.settled.astype("<f8").tobytes(),
            kept.told.astype("i1").tobytes(),
        )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, msgspec.msgpack.encode(content))
        except OSError as error:
            if not self._failed:
                log.warning("where streams stand cannot be kept in %s (%s)", self.path, error.strerror)
            self._failed = True

    def _checked(self, encoded: bytes) -> Kept:
        if len(encoded) > MAX_BYTES:
            raise ValueError("it is too large")
        content = _DECODER.decode(encoded)
        if content.model != self._model:
            raise ValueError("it is of another model")
        n = len(content.phones)
        kept = Kept(
            tuple(content.phones),
            np.frombuffer(content.ended_s, "<f8").reshape(n),
            np.frombuffer(content.network, "<f4").reshape(n, self._size),
            np.frombuffer(content.settled, "<f8").reshape(n, SETTLED_SIZE),
            np.frombuffer(content.told, "i1").reshape(n).astype(np.int64),
        )
        finite = all(np.isfinite(values).all() for values in (kept.ended_s, kept.network, kept.settled))
        shares = kept.settled[:, : len(ACTIVITIES)]
        if not finite or (kept.settled < 0).any() or (kept.settled > 1).any() or (shares.sum(axis=1) <= 0).any():
            raise ValueError("its numbers are none of ours")
        if ((kept.told < NOTHING_TOLD) | (kept.told >= len(ACTIVITIES))).any():
            raise ValueError("its activities are none of ours")
        return kept


class Keeper:
    """Keeps where the streams of a run stand, now and then, and knows where those of the run before stood."""

    def __init__(self, file: StateFile) -> None:
        self._file = file
        self._earlier = file.read()
        self._rows = {phone: row for row, phone in enumerate(self._earlier.phones)} if self._earlier else {}
        self._keep_at_s: float | None = None

    def earlier(self, phone: str, start_s: float) -> Kept | None:
        """Where a phone's stream stood that now begins again at ``start_s``; None if it has missed too much since."""
        row = self._rows.pop(phone, None)
        if self._earlier is None or row is None:
            return None
        return self._earlier.row(row) if 0 <= start_s - self._earlier.ended_s[row] <= RESTORE_S else None

    def tick(self, now_s: float, standing: Callable[[], Kept]) -> None:
        """Keep where they stand if it is time."""
        if self._keep_at_s is None:
            self._keep_at_s = now_s + KEEP_S
        elif now_s >= self._keep_at_s:
            self.keep(standing())
            self._keep_at_s = now_s + KEEP_S

    def keep(self, standing: Kept) -> None:
        """Keep where they stand."""
        self._file.write(standing)
