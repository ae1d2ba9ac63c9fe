"""What is written of one phone: lines of JSON as ``listen --output jsonl`` has them, or the rows of a table.

Made where it was recognised, which may be another process than the one that writes it.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from model.activities import ACTIVITIES
from streamer.outputs import change_fields, prediction_fields, transition_fields
from streamer.recognition.prediction import Prediction

Content = bytes | dict[str, list[Any]]
"""Lines, or columns."""


class Rendering(Protocol):
    """Of one phone, from its first prediction to its last."""

    def prediction(self, prediction: Prediction) -> None:
        """One more, with the change and the transitions that it brings."""

    def warning(self, reason: str) -> None:
        """Something about the phone's samples that their owner should know."""

    def content(self) -> Content:
        """All of it."""


class Lines:
    """JSON lines; ``file`` says where the phone's samples are from, and nobody waited: ``latency_ms`` is null."""

    def __init__(self, file: str, phone: str | None) -> None:
        self._file, self._phone = file, phone
        self._lines: list[bytes] = []

    def _add(self, kind: str, fields: dict[str, Any]) -> None:
        self._lines.append(_ENCODER.encode({"type": kind, "file": self._file, **fields}))

    def prediction(self, prediction: Prediction) -> None:
        """Add it, and what it brings."""
        fields = prediction_fields(prediction)
        fields["phone"], fields["latency_ms"] = self._phone, None
        self._add("prediction", fields)
        if prediction.change:
            self._add("event", change_fields(self._phone or "", prediction.change))
        for transition in prediction.transitions:
            self._add("transition", transition_fields(self._phone or "", transition))

    def warning(self, reason: str) -> None:
        """Add it."""
        self._add("warning", {"phone": self._phone, "reason": reason})

    def content(self) -> bytes:
        """The lines."""
        return b"".join(line + b"\n" for line in self._lines)


class Rows:
    """A row a prediction; changes, and what is only told, are not in it."""

    def __init__(self, file: str, phone: str | None) -> None:
        self._file, self._phone = file, phone
        self._predictions: list[tuple[Any, ...]] = []

    def prediction(self, prediction: Prediction) -> None:
        """Add it."""
        window = prediction.window
        transition = prediction.transitions[-1].name if prediction.transitions else None
        self._predictions.append(
            (
                window.start_s,
                window.end_s,
                window.start_sample,
                prediction.answer,
                prediction.activity,
                prediction.window_activity,
                transition,
                window.label,
                prediction.confidence,
                prediction.novelty,
                *prediction.probabilities.tolist(),
            )
        )

    def warning(self, reason: str) -> None:
        """Nothing: a table has no place for it."""

    def content(self) -> dict[str, list[Any]]:
        """The columns, by name."""
        count = len(self._predictions)
        columns = list(map(list, zip(*self._predictions, strict=True))) or [[] for _ in COLUMNS]
        same: dict[str, list[Any]] = {"file": [self._file] * count, "phone": [self._phone] * count}
        return same | dict(zip(COLUMNS, columns, strict=True))


COLUMNS: tuple[str, ...] = (
    "start_s",
    "end_s",
    "start_sample",
    "answer",
    "activity",
    "window_activity",
    "transition",
    "label",
    "confidence",
    "novelty",
    *(f"p_{activity.lower()}" for activity in ACTIVITIES),
)
"""Of a table, after ``file`` and ``phone``; the last ones are the activities' probabilities."""

_ENCODER = msgspec.json.Encoder(enc_hook=float)


def rendering(is_table: bool, file: str, phone: str | None) -> Rendering:
    """An empty one."""
    return Rows(file, phone) if is_table else Lines(file, phone)
