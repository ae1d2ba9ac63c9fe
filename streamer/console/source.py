"""The console's view of a running listener."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from streamer.console.snapshot import PhoneRow, Snapshot, take_detail, take_health, take_rows
from streamer.outputs import Recent
from streamer.recognising import Recognising

ROWS_AT_ONCE = 100
"""Phones whose rows are taken in one go: the listener waits for some, never for thousands."""


class ListenerSource:
    """Takes snapshots of a listener at work, and counts it from zero again.

    Parameters
    ----------
    recent : the output that keeps its last events.
    broker : as it is shown.
    connection : gives how the connection stands, in words.
    unpublished : gives how many messages wait to be published, or were not.
    """

    def __init__(
        self,
        listener: Recognising,
        recent: Recent,
        broker: str,
        connection: Callable[[], str],
        unpublished: Callable[[], int] = lambda: 0,
    ) -> None:
        self._listener = listener
        self._recent = recent
        self._broker = broker
        self._connection = connection
        self._unpublished = unpublished
        self._process = psutil.Process()

    def snapshot(self, detail_of: str | None) -> Snapshot:
        """The state now, with one phone in full if it is named."""
        now_s, tally = time.monotonic(), self._listener.tally
        memory_mb = self._process.memory_info().rss / 1e6
        with self._listener.lock:
            health = take_health(
                tally,
                broker=self._broker,
                connection=self._connection(),
                queued=self._listener.n_queued,
                losses=self._listener.losses,
                memory_mb=memory_mb,
                now_s=now_s,
                unpublished_messages=self._unpublished(),
                model=self._listener.kind,
            )
            detail = take_detail(tally, detail_of, now_s) if detail_of is not None else None
            phones = list(tally.phones.values())
        rows: list[PhoneRow] = []
        for start in range(0, len(phones), ROWS_AT_ONCE):
            with self._listener.lock:
                rows += take_rows(phones[start : start + ROWS_AT_ONCE], now_s)
        return Snapshot(health, tuple(rows), tuple(self._recent.lines), detail)

    def reset(self) -> None:
        """Count from zero again."""
        with self._listener.lock:
            self._listener.tally.reset()
