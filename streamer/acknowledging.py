"""Messages that are acknowledged only once they have been handled, so that the broker keeps what a dead listener lost.
Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol


class Progress(Protocol):
    """How far the one who handles messages is: they are handled in the order in which they were accepted."""

    @property
    def accepted(self) -> int:
        """Messages that were taken in so far."""

    @property
    def handled(self) -> int:
        """Those of them that need not be kept any more."""


class Acknowledgements:
    """What one connection owes its broker; all calls come from its network thread.

    Others may hand messages to the same ``progress``: then one waits for some that came after it, never for fewer.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._owed: deque[tuple[int, Sequence[bytes]]] = deque()

    @property
    def are_owed(self) -> bool:
        """Whether something is owed."""
        return bool(self._owed)

    def owe(self, packet_ids: Sequence[bytes]) -> None:
        """Messages with these ids have just been handed over."""
        if packet_ids:
            self._owed.append((self._progress.accepted, packet_ids))

    def due(self) -> list[bytes]:
        """Ids of the messages that have been handled; they are owed no more."""
        handled = self._progress.handled
        ids: list[bytes] = []
        while self._owed and self._owed[0][0] <= handled:
            ids += self._owed.popleft()[1]
        return ids

    def forget(self) -> None:
        """The connection is another: its ids begin anew, and the broker delivers again what was not acknowledged."""
        self._owed.clear()
