"""Why a message is not used: kinds, each with a counter of its own, and the error that says so. Pure."""

from __future__ import annotations

from enum import StrEnum

from model.text import MOST, printable


class Fault(StrEnum):
    """A kind of fault; its value is the field of :class:`streamer.counts.Counts` that counts it.

    All but the last two are counted as ``malformed_messages``, too.
    """

    TOO_LONG = "too_long_messages"
    """More bytes than any message needs; it was not decoded."""

    UNDECODABLE = "undecodable_messages"
    """Neither JSON nor MessagePack, invalid UTF-8, or nested too deeply."""

    MISTYPED = "mistyped_messages"
    """A field is missing, of another type, out of its range, or too long."""

    BAD_VALUE = "bad_value_messages"
    """A value that is not finite, or that no sensor gives."""

    BAD_TIME = "bad_time_messages"
    """A time that is not finite, or that no clock shows."""

    BAD_TOPIC = "bad_topic_messages"
    """No valid phone's name in the topic."""

    UNUSABLE = "unusable_messages"
    """Well formed, but not to be made a stream of."""

    TOO_FAST = "too_fast_messages"
    """Of a phone that sends more samples than any sensor gives."""

    NO_ROOM = "no_room_messages"
    """Of a phone beyond ``--max-phones``, while none is idle."""

    @property
    def is_malformed(self) -> bool:
        """Whether the message itself is at fault."""
        return self not in (Fault.TOO_FAST, Fault.NO_ROOM)


class WireError(ValueError):
    """A payload or topic that is not of its format, or not to be used; ``str(error)`` says why, ``kind`` in short, and
    ``phone`` whose it is if that is known.
    """

    def __init__(self, reason: str, kind: Fault = Fault.MISTYPED, phone: str | None = None) -> None:
        super().__init__(printable(reason, MOST))  # it may quote what somebody sent
        self.kind = kind
        self.phone = phone

    def of(self, phone: str) -> WireError:
        """The same, of this phone."""
        return WireError(str(self), self.kind, phone)


class TooLong(bytes):
    """Stands for a payload that is longer than :data:`streamer.wire.MAX_PAYLOAD_BYTES`, and holds nothing of it."""

    n_bytes: int

    @classmethod
    def of(cls, n_bytes: int) -> TooLong:
        """For one of so many bytes."""
        made = cls()
        made.n_bytes = n_bytes
        return made
