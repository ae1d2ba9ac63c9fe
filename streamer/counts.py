"""What is counted of messages, windows and phones, each a field of its own. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model.activities import TRANSITION
from model.decision import UNKNOWN
from model.text import counted
from streamer.faults import Fault
from streamer.phone_stream import NOTHING_TAKEN, Taken
from streamer.recognition.prediction import Prediction


@dataclass(slots=True)
class Counts:
    """What is counted, per phone and in all."""

    messages: int = 0
    samples: int = 0
    windows: int = 0
    lost_messages: int = 0
    late_messages: int = 0
    repeated_messages: int = 0
    reordered_messages: int = 0
    bridged_samples: int = 0
    malformed_messages: int = 0
    too_long_messages: int = 0
    undecodable_messages: int = 0
    mistyped_messages: int = 0
    bad_value_messages: int = 0
    bad_time_messages: int = 0
    bad_topic_messages: int = 0
    unusable_messages: int = 0
    too_fast_messages: int = 0
    no_room_messages: int = 0
    evicted_phones: int = 0
    forgotten_phones: int = 0
    untold_notices: int = 0
    ignored_messages: int = 0
    gaps: int = 0
    unknown_windows: int = 0
    transition_windows: int = 0
    labelled_windows: int = 0
    right_windows: int = 0
    answered_windows: int = 0
    right_answers: int = 0

    @property
    def accuracy(self) -> float | None:
        """Share of the labelled windows that were recognised rightly; None without any."""
        return self.right_windows / self.labelled_windows if self.labelled_windows else None

    @property
    def answered_accuracy(self) -> float | None:
        """The same of those labelled windows alone that were answered with an activity."""
        return self.right_answers / self.answered_windows if self.answered_windows else None

    def message(self, n_samples: int, taken: Taken) -> None:
        """Count a message of so many samples, and what came of it."""
        self.messages += 1
        self.samples += n_samples
        if taken is not NOTHING_TAKEN:
            self.take(taken)

    def take(self, taken: Taken) -> None:
        """Count what came of a message."""
        self.lost_messages += taken.lost_messages
        self.gaps += taken.gaps
        self.late_messages += taken.late_messages
        self.repeated_messages += taken.repeated_messages
        self.reordered_messages += taken.reordered_messages
        self.bridged_samples += taken.bridged_samples

    def fault(self, kind: Fault) -> None:
        """Count a message that is not used."""
        setattr(self, kind.value, getattr(self, kind.value) + 1)
        self.malformed_messages += kind.is_malformed

    @property
    def refused_messages(self) -> int:
        """Messages that nothing was wrong with, but that were too many, or of too many phones."""
        return self.too_fast_messages + self.no_room_messages

    def predict(self, prediction: Prediction) -> None:
        """Count a window and whether it was right."""
        self.windows += 1
        self.unknown_windows += prediction.answer == UNKNOWN
        self.transition_windows += prediction.answer == TRANSITION
        if prediction.is_right is not None:
            self.labelled_windows += 1
            self.right_windows += prediction.is_right
            is_answer = prediction.answer == prediction.activity
            self.answered_windows += is_answer
            self.right_answers += is_answer and prediction.is_right


def refusal_lines(summary: dict[str, Any]) -> list[str]:
    """What was too much, if anything was: see docs/limits.md."""
    told = {
        "refused of phones that send too much": summary["too_fast_messages"] + summary.get("flood_messages", 0),
        "refused of phones for which there was no room": summary["no_room_messages"],
        "dropped for their age": summary.get("outdated_messages", 0),
    }
    lines = [f"{counted(count, 'message')} {words}" for words, count in told.items() if count]
    if evicted := summary["evicted_phones"]:
        lines.append(f"{counted(evicted, 'silent phone')} made room for others")
    return lines
