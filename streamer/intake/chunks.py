"""What the intake gives: samples of the six raw channels at 50 Hz, in pieces without gaps."""

from __future__ import annotations

from dataclasses import dataclass

from model.signals import FloatArray, Stage, Start

JUMPED = "the stream jumped"
"""The cause of a piece's end that says no more than that times do not follow on each other."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the stream begins.

    ``start`` is the filters' state. ``cause`` says in words what ended the piece before; None at a recording's start,
    which counts its samples from 0 (``anew``).
    """

    start: Start
    stage: Stage = Stage.RAW
    anew: bool = False
    cause: str | None = None


@dataclass(slots=True)
class Chunk:
    """``values`` ``(n, 6)`` in a row, the first taken at ``time_s``; ``piece`` if a piece begins with it."""

    values: FloatArray
    time_s: float
    piece: Piece | None = None
