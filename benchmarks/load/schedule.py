"""Which phone sends when, and which predictions must come of it. Pure.

Time is cut into slots as long as a message. In every slot each phone that has begun sends once, at its own moment:
phone k of n at k/n of the slot. Phones begin in different slots, too, so that not all their windows end in the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.signals import SAMPLING_RATE
from model.windows import HOP, WINDOW_LENGTH

STRIDE = 7919
"""A prime: phones next to each other in a slot begin in slots far apart."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How the listener cuts streams: ``length`` and ``hop`` in samples, and samples behind a window that it waits for
    (``look_ahead``: 1 of the median of three)."""

    length: int = WINDOW_LENGTH
    hop: int = HOP
    look_ahead: int = 1

    def first_slots(self, batch: int) -> int:
        """Messages of so many samples until a phone has had a window."""
        return -(-(self.length + self.look_ahead) // batch)

    def windows(self, n_samples: int) -> int:
        """Windows that so many samples of a stream complete."""
        return max(0, (n_samples - self.look_ahead - self.length) // self.hop + 1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """``phones`` phones send ``batch`` samples a message; they begin in the first ``ramp`` slots, and it ends after
    ``slots``."""

    phones: int
    slots: int
    ramp: int = 1
    batch: int = 25

    @property
    def slot_s(self) -> float:
        """Seconds from one message of a phone to the next."""
        return self.batch / SAMPLING_RATE

    @property
    def positions(self) -> int:
        """Moments at which a phone may send: phones times slots."""
        return self.phones * self.slots

    @property
    def first_slots(self) -> npt.NDArray[np.int64]:
        """The slot in which each phone begins, ``(phones,)``."""
        return np.arange(self.phones) * STRIDE % self.ramp

    def due(self, elapsed_s: float) -> int:
        """Positions whose moment has come."""
        return min(self.positions, int(elapsed_s / self.slot_s * self.phones) + 1) if elapsed_s >= 0 else 0

    def due_s(self, position: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The moment of a position, from the beginning."""
        return np.asarray(position * (self.slot_s / self.phones), np.float64)

    def messages(self) -> npt.NDArray[np.int64]:
        """Messages of each phone in all, ``(phones,)``."""
        return self.slots - self.first_slots

    def expected(self, cut: Cut) -> Expected:
        """The windows that must be predicted, in order of phones."""
        counts = np.array([cut.windows(int(n) * self.batch) for n in self.messages()], np.int64)
        phone = np.repeat(np.arange(self.phones), counts)
        number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        needed = cut.length + cut.hop * number + cut.look_ahead
        message = -(-needed // self.batch) - 1
        return Expected(phone, number, (self.first_slots[phone] + message) * self.phones + phone)


@dataclass(frozen=True, slots=True)
class Expected:
    """Windows by ``phone`` and ``number``, and the ``position`` of the message that completes each; all ``(n,)``."""

    phone: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
