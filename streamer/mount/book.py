"""Which turn each phone's samples get while a listener runs: ``--mount`` and the remembered calibrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model.signals import FloatArray
from streamer.mount.notation import AS_IS, MountChoice
from streamer.mount.store import Mount, MountStore

CHECK_S = 1.0
"""How often the file of calibrations is looked at, in seconds, and so how late a new calibration takes effect."""


class MountBook:
    """The phones' turns; looks after the file of calibrations while ``choice`` asks for them.

    ``problem`` says what was wrong with the file when it was read last, None if nothing was.
    """

    def __init__(self, choice: MountChoice = AS_IS, store: MountStore | None = None) -> None:
        self.problem: str | None = None
        self._choice = choice
        self._store = store if choice.is_remembered else None
        self._mounts: Mapping[str, Mount] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._checked_s = float("-inf")

    def refresh(self, now_s: float) -> bool:
        """Read the file again if it has changed; whether it has. Cheap, so ask at every turn."""
        if self._store is None or now_s - self._checked_s < CHECK_S:
            return False
        self._checked_s = now_s
        stamp = self._store.stamp()
        if stamp == self._stamp:
            return False
        read = self._store.read()
        self._stamp = self._store.stamp() if read.problem else stamp  # a file put aside is gone
        self._mounts, self.problem = read.mounts, read.problem
        return True

    def rotation(self, phone: str) -> FloatArray | None:
        """The turn of a phone, ``(3, 3)``; None leaves its axes as they are."""
        mount = self._mounts.get(phone)
        return self._choice.rotation if mount is None else mount.matrix()


@dataclass(frozen=True, slots=True)
class MountOptions:
    """How phones are worn: ``choice`` of all; ``folder`` holds what is remembered of each (None: the platform's)."""

    choice: MountChoice = AS_IS
    folder: Path | None = None

    def book(self) -> MountBook:
        """The turns that follow from them."""
        return MountBook(self.choice, MountStore(self.folder) if self.choice.is_remembered else None)
