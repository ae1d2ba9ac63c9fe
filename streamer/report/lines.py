"""The lines that ``har-stream listen --output jsonl`` has written, read one by one and checked. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, BinaryIO, Literal, TypeAlias

import msgspec

from model.windows import HOP_S

LONGEST_LINE = 1 << 20
"""Bytes of a line that are read at most: the listener's own lines have less than 1 kB."""

Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Activity: TypeAlias = Literal["WALKING", "WALKING_UPSTAIRS", "WALKING_DOWNSTAIRS", "SITTING", "STANDING", "LAYING"]
Transition: TypeAlias = Literal[
    "STAND_TO_SIT", "SIT_TO_STAND", "SIT_TO_LIE", "LIE_TO_SIT", "STAND_TO_LIE", "LIE_TO_STAND"
]
Answer: TypeAlias = Activity | Literal["TRANSITION", "UNKNOWN"]
Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]


class PredictionLine(msgspec.Struct, tag="prediction"):
    """One window; what else the line has is not needed. A latency of None: nobody waited for it.

    ``span_s`` seconds it stands for; lines of earlier releases do not say it and are of windows.
    """

    phone: Name
    start_s: Seconds
    answer: Answer
    activity: Activity
    label: Activity | None
    latency_ms: Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None
    confidence: float | None = None
    novelty: float | None = None
    span_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = HOP_S


class EventLine(msgspec.Struct, tag="event", rename={"before": "from", "after": "to"}):
    """A change of activity."""

    phone: Name
    before: Answer
    after: Answer


class TransitionLine(msgspec.Struct, tag="transition"):
    """A postural transition."""

    phone: Name
    transition: Transition


class WarningLine(msgspec.Struct, tag="warning"):
    """What was warned of."""

    phone: Name | None
    reason: str


class Losses(msgspec.Struct, frozen=True, tag="summary"):
    """What the listener counted, from its summary; of several sessions in one file, the sum."""

    messages: Count = 0
    samples: Count = 0
    windows: Count = 0
    lost_messages: Count = 0
    late_messages: Count = 0
    repeated_messages: Count = 0
    malformed_messages: Count = 0
    dropped_messages: Count = 0
    gaps: Count = 0

    def plus(self, other: Losses) -> Losses:
        """The sum."""
        return Losses(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


Line: TypeAlias = PredictionLine | EventLine | TransitionLine | WarningLine | Losses


_DECODER = msgspec.json.Decoder(Line)


def decode(content: bytes | None) -> Line | None:
    """A line as its type; None for one that the listener does not write (or that was too long to be read)."""
    try:
        return None if content is None else _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def lines_of(stream: BinaryIO) -> Iterator[bytes | None]:
    """The lines that are not blank; None for one longer than :data:`LONGEST_LINE`, which is never held whole."""
    while content := stream.readline(LONGEST_LINE):
        whole = content
        while len(content) == LONGEST_LINE and not content.endswith(b"\n"):
            content = stream.readline(LONGEST_LINE)
        if content is not whole:
            yield None
        elif whole.strip():
            yield whole
