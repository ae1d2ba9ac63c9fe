"""What was sent, and how late: counted while it is sent, reported at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from model.text import counted
from replay.phone import Outgoing


@dataclass(slots=True)
class Lateness:
    """How long after its deadline a message was sent, in seconds."""

    count: int = 0
    total_s: float = 0.0
    max_s: float = 0.0

    def add(self, late_s: float) -> None:
        """Count one message."""
        self.count += 1
        self.total_s += late_s
        self.max_s = max(self.max_s, late_s)

    @property
    def mean_s(self) -> float:
        """Mean over all messages, 0 without any."""
        return self.total_s / self.count if self.count else 0.0


@dataclass(slots=True)
class Sent(ABC):
    """Totals of what was sent. ``n_bytes`` is of all messages; ``lost`` ones of QoS 0 went down with a connection.

    ``recording_s`` is the recording time that has passed.
    """

    messages: int = 0
    n_bytes: int = 0
    reconnects: int = 0
    lost: int = 0
    recording_s: float = 0.0
    duration_s: float = 0.0
    lateness: Lateness = field(default_factory=Lateness)

    unit: ClassVar[str]
    """What progress is counted in."""

    @property
    @abstractmethod
    def done(self) -> int:
        """How much has been sent, in ``unit``."""

    @property
    @abstractmethod
    def senders(self) -> str:
        """Whose messages they are, in words."""

    @property
    @abstractmethod
    def contents(self) -> str:
        """What was sent, in words."""

    @abstractmethod
    def count(self, message: Outgoing) -> None:
        """Add a message that was handed to the broker."""

    @property
    def real_time_factor(self) -> float:
        """Recording time sent per second, 0 before anything was."""
        return self.recording_s / self.duration_s if self.duration_s > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The summary for ``--json``."""
        return {
            "bytes": self.n_bytes,
            "reconnects": self.reconnects,
            "lost": self.lost,
            "duration_s": round(self.duration_s, 3),
            "real_time_factor": round(self.real_time_factor, 3),
            "late_mean_ms": round(self.lateness.mean_s * 1e3, 3) if self.lateness.count else None,
            "late_max_ms": round(self.lateness.max_s * 1e3, 3) if self.lateness.count else None,
        }


@dataclass(slots=True)
class Tally(Sent):
    """Totals over all phones. ``messages`` carry samples, ``labels`` are counted apart.

    ``recordings`` counts those begun. ``dropped``, ``duplicated`` and ``reordered`` were done on purpose.
    """

    phones: int = 0
    recordings: int = 0
    samples: int = 0
    labels: int = 0
    dropped: int = 0
    duplicated: int = 0
    reordered: int = 0

    unit: ClassVar[str] = "samples"

    @property
    def done(self) -> int:
        """Samples."""
        return self.samples

    @property
    def senders(self) -> str:
        """The phones."""
        return counted(self.phones, "phone")

    @property
    def contents(self) -> str:
        """Samples, messages, labels, recordings."""
        sent = f"{counted(self.samples, 'sample')} in {counted(self.messages, 'message')}"
        of = f"{counted(self.recordings, 'recording')} by {counted(self.phones, 'phone')}"
        return f"{sent} and {counted(self.labels, 'label')} ({self.n_bytes / 1e6:.1f} MB) of {of}"

    def count(self, message: Outgoing) -> None:
        """Add a message that was handed to the broker."""
        self.n_bytes += len(message.payload)
        self.recording_s = max(self.recording_s, message.due_s)
        if message.n_samples:
            self.messages += 1
            self.samples += message.n_samples
            self.recordings += message.new_piece
        else:
            self.labels += 1

    def as_dict(self) -> dict[str, Any]:
        """The summary for ``--json``."""
        names = ("phones", "recordings", "messages", "samples", "labels", "dropped", "duplicated", "reordered")
        return {name: getattr(self, name) for name in names} | Sent.as_dict(self)


@dataclass(slots=True)
class CaptureTally(Sent):
    """Totals of a capture that is played back; what its messages hold is not looked into."""

    topics: int = 0

    unit: ClassVar[str] = "messages"

    @property
    def done(self) -> int:
        """Messages."""
        return self.messages

    @property
    def senders(self) -> str:
        """The topics."""
        return counted(self.topics, "topic")

    @property
    def contents(self) -> str:
        """Messages and topics."""
        return f"{counted(self.messages, 'message')} ({self.n_bytes / 1e6:.1f} MB) of {counted(self.topics, 'topic')}"

    def count(self, message: Outgoing) -> None:
        """Add a message that was handed to the broker."""
        self.messages += 1
        self.n_bytes += len(message.payload)
        self.recording_s = max(self.recording_s, message.due_s)

    def as_dict(self) -> dict[str, Any]:
        """The summary for ``--json``."""
        return {"topics": self.topics, "messages": self.messages} | Sent.as_dict(self)
