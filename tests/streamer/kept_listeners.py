"""Listeners that keep their state, without a broker: what comes is given to them, and what they tell is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamer.inbox import Message
from streamer.limits import UNLIMITED
from streamer.listener import Listener, ListenerOptions
from streamer.outputs import Notice
from streamer.publishing.ledger import Ledger
from streamer.publishing.outbox import Outgoing
from streamer.publishing.publisher import Publisher, PublisherOptions
from streamer.publishing.topics import Topics
from streamer.recognition.prediction import Engine, Prediction
from streamer.state.going_on import go_on
from streamer.state.keeper import Keeper
from streamer.state.once import Once


@dataclass
class Told:
    """An output that keeps what it is given."""

    predictions: list[Prediction] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)

    def prediction(self, prediction: Prediction) -> None:
        self.predictions.append(prediction)

    def change(self, phone: str, change: Any) -> None: ...

    def transition(self, phone: str, transition: Any) -> None: ...

    def warning(self, warning: Notice) -> None:
        self.warnings.append(warning)

    def finish(self, summary: dict[str, Any]) -> None: ...


class KeptListener:
    """One run, in a folder; arrivals are in Unix time, but for ``unix_offset_s``."""

    def __init__(
        self, folder: Path, engine: Engine, told: Told, published: list[Outgoing], unix_offset_s: float = 0.0
    ) -> None:
        self.folder = folder
        self.keeper = Keeper(folder, engine.identity)
        options = PublisherOptions(Topics(), offline_after_s=1e9, max_phones=100)
        self.ledger = Ledger(self.keeper.published)
        self.publisher = Publisher(options, ledger=self.ledger)
        once = Once([told])
        options_of = ListenerOptions(max_phones=100, limits=UNLIMITED)
        self.listener = Listener(options_of, engine, [once, self.publisher], keeper=self.keeper)
        self.listener.keep_all()
        self.listener.recognizer.unix_offset_s = unix_offset_s
        self._published = published
        self.goes_on = go_on(self.keeper, self.listener, once, self.publisher)
        self.receive = self.keeper.before(self.listener.receive_many)

    def give(self, messages: Sequence[Message]) -> None:
        """Receive and work off."""
        if messages:
            self.receive(messages)
        while batch := self.listener.inbox.take(64, 0):
            self.listener.work(batch)
        self.listener.work_off()
        self.keeper.tick()

    def acknowledge(self, most: int = 1_000_000) -> None:
        """The broker takes what is to be published, up to so many messages, and says so."""
        for message in self.publisher.outbox.take(most):
            if message.number:
                self._published.append(message)
                self.ledger.acknowledged({message.phone: message.number})

    def stop(self) -> dict[str, Any]:
        """As at a clean stop."""
        return self.keeper.close(is_whole=True)

    def crash(self) -> None:
        """As though it were killed: what was not kept by now never is."""
        self.keeper.close(is_whole=False)


@contextmanager
def kept_listener(
    folder: Path,
    engine: Engine,
    told: Told | None = None,
    published: list[Outgoing] | None = None,
    unix_offset_s: float = 0.0,
) -> Iterator[KeptListener]:
    listener = KeptListener(folder, engine, told or Told(), [] if published is None else published, unix_offset_s)
    try:
        yield listener
    finally:
        listener.keeper.close(is_whole=False)
