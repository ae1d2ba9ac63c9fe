"""The parts of a running session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streamer.capture.recorder import Recorder
from streamer.cluster.sessions import Connections
from streamer.publishing.publisher import Publisher
from streamer.recognising import Recognising

if TYPE_CHECKING:
    from streamer.state.keeper import Keeper


@dataclass(frozen=True, slots=True)
class Parts:
    """All that runs on threads of its own: started and stopped in the right order."""

    subscriber: Connections
    listener: Recognising
    publisher: Publisher | None
    recorder: Recorder | None
    keeper: Keeper | None

    def start(self) -> None:
        """Connect, and recognise and publish from now on.

        Raises
        ------
        HarError : the broker cannot be reached or refuses, or a worker does not start.
        """
        self.subscriber.start()
        self.listener.start()
        if self.publisher:
            self.publisher.start(self.listener.arrivals)

    def stop(self, *, if_any: bool = False) -> dict[str, Any]:
        """Hear no more, recognise and publish what was heard, finish the outputs (``if_any``: if anything was)."""
        self.subscriber.hear_no_more()
        if self.publisher:
            self.publisher.end()
        summary = self.listener.stop()
        if self.publisher:
            self.publisher.close(dismiss=not self.subscriber.failure)
        self.subscriber.stop()
        summary |= {
            "published_messages": self.subscriber.published,
            "unpublished_messages": self.subscriber.unpublished,
        }
        summary |= {"recording": self.recorder.close()} if self.recorder else {}
        summary |= {"state": self.keeper.close(is_whole=not self.listener.failure)} if self.keeper else {}
        if self.listener.tally.totals.messages or not if_any:
            self.listener.finish(summary)
        return summary
