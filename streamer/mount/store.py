"""The calibrations of phones, remembered across restarts: one JSON file in the platform's directory for state.

Written as a whole and put in place at once, so that a reader never sees half a file and a crash loses nothing. A file
that cannot be understood is kept aside under another name and told, never fatal. Phones are keys in it: what a phone
calls itself never becomes a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from model.errors import HarError
from model.files import replace_file
from model.orientation import Calibration
from model.signals import FloatArray

FILE_NAME = "mounts.json"

MAX_BYTES = 16 << 20
"""A larger file is not one of ours: 10,000 phones take 3 MB."""

_Row = tuple[float, float, float]


class Mount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one phone is worn: ``rotation`` takes its axes to the data set's. ``basis`` as
    :class:`model.orientation.Basis`; ``calibrated_s`` in Unix seconds.
    """

    rotation: tuple[_Row, _Row, _Row]
    basis: Literal["named axes", "gravity", "gravity and walking"]
    calibrated_s: float
    likeness: float | None = None

    def __post_init__(self) -> None:
        turn = self.matrix()
        if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-6) or np.linalg.det(turn) < 0:
            raise ValueError("the rotation is not one")

    def matrix(self) -> FloatArray:
        """The rotation, ``(3, 3)``."""
        return np.array(self.rotation, np.float64)

    @classmethod
    def of(cls, calibration: Calibration, *, now_s: float) -> Mount:
        """A calibration as it is remembered."""
        return cls(
            rotation=msgspec.convert(calibration.rotation.tolist(), tuple[_Row, _Row, _Row]),
            basis=calibration.basis.value,
            calibrated_s=now_s,
            likeness=calibration.likeness,
        )


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1] = 1
    mounts: dict[str, Mount] = {}


_DECODER = msgspec.json.Decoder(_Content)


@dataclass(frozen=True, slots=True)
class Read:
    """What the file holds. ``problem`` says in one sentence why it holds nothing, if it should."""

    mounts: Mapping[str, Mount] = field(default_factory=dict)
    problem: str | None = None


def state_folder() -> Path:
    """Where this user's programs keep their state (on Linux ``~/.local/state/har-stream``)."""
    from platformdirs import user_state_path

    return user_state_path("har-stream", appauthor=False)


class MountStore:
    """The file in one folder, which need not exist; None: :func:`state_folder`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (state_folder() if folder is None else folder) / FILE_NAME

    def stamp(self) -> tuple[int, int, int] | None:
        """Changes whenever the file does; None while there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def read(self) -> Read:
        """The calibrations by phone. A file that is not understood is moved aside."""
        try:
            with self.path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return Read()
        except OSError as error:
            return Read(problem=f"The calibrations in {self.path} cannot be read ({error.strerror}).")
        try:
            if len(content) > MAX_BYTES:
                raise ValueError("it is too large")
            return Read(_DECODER.decode(content).mounts)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            return Read(problem=self._put_aside(error))

    def _put_aside(self, error: Exception) -> str:
        aside = self.path.with_name(f"{FILE_NAME}.unreadable")
        try:
            self.path.replace(aside)
        except OSError:
            aside = self.path
        return f"The calibrations were not understood ({error}) and are kept in {aside}; calibrate the phones anew."

    def remember(self, phone: str, mount: Mount) -> str | None:
        """Keep a phone's calibration; give the problem with what was there before, if any.

        Raises
        ------
        HarError : the folder cannot be written to.
        """
        before = self.read()
        self._write({**before.mounts, phone: mount})
        return before.problem

    def forget(self, phone: str) -> bool:
        """Drop a phone's calibration; False if there was none.

        Raises
        ------
        HarError : the folder cannot be written to.
        """
        mounts = dict(self.read().mounts)
        if mounts.pop(phone, None) is None:
            return False
        self._write(mounts)
        return True

    def _write(self, mounts: Mapping[str, Mount]) -> None:
        content = msgspec.json.format(msgspec.json.encode(_Content(mounts=dict(mounts))), indent=1)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, content + b"\n")
        except OSError as error:
            raise HarError(
                f"The calibration cannot be kept in {self.path} ({error.strerror}); give another --state."
            ) from error
