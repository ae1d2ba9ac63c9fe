"""Where each phone's stream stands: a row of every array, so that many are taken, advanced and put back at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from model.signals import CHANNELS
from model.stateful.settling import NOTHING_TOLD, first_settled
from model.stateful.transitions import first_runs
from model.windows import WINDOW_LENGTH

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StreamStates:
    """Of n phones: all that the future of their predictions depends on.

    ``network`` ``(n, size)``, ``settled`` ``(n, 7)``, ``told`` ``(n,)`` and ``runs`` ``(n, 7)`` are what the network,
    :mod:`model.stateful.settling` and :mod:`model.stateful.transitions` keep. ``recent`` ``(n, 128, 9)`` are the last
    samples, ``novelty`` ``(n,)`` their score when it was taken last. ``spans`` ``(n,)`` counts the spans of the piece
    so far, and ``ended_s`` ``(n,)`` is the Unix time of the sample after the last [s].
    """

    network: npt.NDArray[np.float32]
    settled: FloatArray
    told: IntArray
    runs: FloatArray
    recent: npt.NDArray[np.float32]
    novelty: FloatArray
    spans: IntArray
    ended_s: FloatArray

    @classmethod
    def first(cls, n: int, size: int) -> StreamStates:
        """Before the first samples; ``size`` numbers are the network's state."""
        return cls(
            network=np.zeros((n, size), np.float32),
            settled=first_settled(n),
            told=np.full(n, NOTHING_TOLD, np.int64),
            runs=first_runs(n),
            recent=np.zeros((n, WINDOW_LENGTH, len(CHANNELS)), np.float32),
            novelty=np.zeros(n),
            spans=np.zeros(n, np.int64),
            ended_s=np.full(n, -np.inf),
        )

    def take(self, rows: npt.ArrayLike) -> StreamStates:
        """A copy of some rows."""
        return StreamStates(*(getattr(self, field.name)[rows] for field in fields(self)))

    def put(self, rows: npt.ArrayLike, states: StreamStates) -> None:
        """Write over some rows."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(states, field.name)

    def followed_by(self, more: StreamStates) -> StreamStates:
        """These rows, then those."""
        both = ((getattr(self, field.name), getattr(more, field.name)) for field in fields(self))
        return StreamStates(*(np.concatenate(each) for each in both))
