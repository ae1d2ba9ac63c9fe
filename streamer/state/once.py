"""Outputs that are given each prediction once, however often it is worked out after restarts. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from model.changes import ActivityChange
from model.stateful.transitions import PosturalTransition
from streamer.outputs import Notice, Output
from streamer.publishing.ledger import Numbers
from streamer.recognition.prediction import Prediction


class Once:
    """An output in front of others. Predictions of a phone are counted: the same come in the same order again.

    ``fresh`` are the numbers of phones' last predictions since it was emptied, for the journal.
    """

    kept = ("told",)

    def __init__(self, outputs: Sequence[Output]) -> None:
        self.told: dict[str, int] = {}
        self.fresh: dict[str, int] = {}
        self._outputs = outputs
        self._before: Numbers | None = None
        self._passes = True

    def resume(self, told: Numbers) -> None:
        """What comes now has been told by an earlier run, up to these numbers."""
        self._before, self._passes = told, False

    def resumed(self) -> None:
        """Everything that comes now is new."""
        self._before, self._passes = None, True

    def forget_others(self, phones: Container[str]) -> None:
        """Phones that are followed no longer begin anew."""
        self.told = {phone: number for phone, number in self.told.items() if phone in phones}

    def prediction(self, prediction: Prediction) -> None:
        """Hand it on if it is new."""
        phone = prediction.phone
        number = self.told[phone] = self.told.get(phone, 0) + 1
        self._passes = self._before is None or number > self._before.get(phone, 0)
        if self._passes:
            self.fresh[phone] = number
            for output in self._outputs:
                output.prediction(prediction)

    def change(self, phone: str, change: ActivityChange) -> None:
        """Hand it on if the prediction that it came with was new."""
        if self._passes:
            for output in self._outputs:
                output.change(phone, change)

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        """The same."""
        if self._passes:
            for output in self._outputs:
                output.transition(phone, transition)

    def warning(self, warning: Notice) -> None:
        """The same; what is about messages has been told."""
        if self._passes:
            for output in self._outputs:
                output.warning(warning)

    def finish(self, summary: dict[str, Any]) -> None:
        """Hand it on."""
        for output in self._outputs:
            output.finish(summary)
