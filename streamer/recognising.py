"""What a session needs of whoever recognises: one process (streamer.listener) or several (streamer.workers)."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from streamer.acknowledging import Progress
from streamer.inbox import Message
from streamer.tally import Tally


class Recognising(Protocol):
    """Takes messages from any thread, and tells what comes of them to its outputs.

    ``lock`` is held while ``tally`` changes; whoever draws takes it for the time of a snapshot. ``done`` is set when it
    is over, by ``failure`` if that is not None. ``kind`` is the model's; ``last_message_s`` and ``turned_s``,
    when it last went on with its work or looked for some, are on the monotonic clock.
    """

    kind: str
    tally: Tally
    lock: threading.Lock
    done: threading.Event
    failure: Exception | None
    last_message_s: float

    @property
    def turned_s(self) -> float:
        """When it last turned; now while it has not begun."""

    @property
    def progress(self) -> Progress | None:
        """How far it is with what it received, if it knows."""

    @property
    def n_queued(self) -> int:
        """Messages that wait to be worked off."""

    @property
    def losses(self) -> dict[str, int]:
        """Messages that are not recognised, as too many came, by why; ``dropped_messages`` had been let in."""

    def keep_all(self) -> None:
        """Messages are acknowledged by :attr:`progress`: whoever hands them over waits for room, none is dropped."""

    def start(self) -> None:
        """Recognise from now on."""

    def receive_many(self, messages: Sequence[Message]) -> None:
        """Take messages, at least one, which have arrived by the monotonic clock; safe on the network thread."""

    def arrivals(self) -> Mapping[str, float]:
        """When each phone was last heard of, on the monotonic clock [s]."""

    def stop(self) -> dict[str, Any]:
        """Recognise what has been received, and give the summary."""

    def finish(self, summary: dict[str, Any]) -> None:
        """Finish the outputs, once it has stopped."""
