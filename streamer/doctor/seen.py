"""What was seen at a broker for some seconds: all that a diagnosis goes by. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.intake.report import IntakeReport


@dataclass(frozen=True, slots=True)
class PhoneSeen:
    """One phone. ``messages`` are those that could be used, ``malformed`` those that could not.

    ``silent_s`` is the time since its last message; ``worn`` says what is strange about where its gravity points.
    """

    phone: str
    messages: int = 0
    malformed: int = 0
    last_fault: str | None = None
    lost: int = 0
    windows: int = 0
    silent_s: float = 0.0
    worn: str | None = None
    report: IntakeReport | None = None


@dataclass(frozen=True, slots=True)
class TopicSeen:
    """Messages on one topic that are nobody's samples; ``format`` is set if they are, but are not listened to."""

    topic: str
    messages: int
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything. ``unused`` are topics that are listened to but brought no samples, ``others`` those that are not."""

    broker: str
    topics: tuple[str, ...]
    seconds: float
    phones: tuple[PhoneSeen, ...] = ()
    unused: tuple[TopicSeen, ...] = ()
    others: tuple[TopicSeen, ...] = ()
