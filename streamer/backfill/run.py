"""One run of ``har-stream classify``: files in, predictions out, from the first to the summary."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from model.errors import HarError
from streamer.backfill.items import Item, Unread, bundled_items, find_items
from streamer.backfill.outcome import BackfillOptions, Outcome
from streamer.backfill.pool import recognise_all, sensible_workers
from streamer.backfill.progress import Progress
from streamer.backfill.sinks import Sink, check_out, open_sink
from streamer.counts import Counts

EXIT_UNREAD = 1
"""Exit status if one of the files could not be read."""

EXIT_TERMINATED = 128 + signal.SIGTERM


@dataclass(frozen=True, slots=True)
class RunOptions:
    """``bundled`` names a split of the recordings in the box to classify, too; ``out`` None is stdout; ``workers``
    processes, None: as many as it pays.
    """

    files: tuple[Path, ...]
    bundled: str | None
    out: Path | None
    workers: int | None
    recognise: BackfillOptions


def run(options: RunOptions) -> int:
    """Classify everything; gives the exit status.

    Raises
    ------
    HarError : nothing was asked for, the model cannot be read, or the output not be written.
    """
    found: list[Item | Unread] = list(find_items(options.files))
    found += bundled_items(options.bundled) if options.bundled else []
    if not found:
        raise HarError("There is nothing to classify; name files, or give --bundled test.")
    check_out(options.out, list(options.files))
    totals = _Totals(Progress(len(found)))
    try:
        with _terminable(), open_sink(options.out, sys.stdout.buffer) as sink:
            _classify(found, options, sink, totals)
    except (KeyboardInterrupt, SystemExit):
        totals.finish()
        raise
    totals.finish()
    return EXIT_UNREAD if totals.unread else 0


def _classify(found: Sequence[Item | Unread], options: RunOptions, sink: Sink, totals: _Totals) -> None:
    """All of them, in order; what cannot be read is told where it stands."""
    items = [each for each in found if isinstance(each, Item)]
    workers = options.workers or sensible_workers(items)
    recognised = recognise_all(items, options.recognise, workers, totals.progressed)
    with closing(recognised), totals.progress.shown():
        for each in found:
            outcome = Outcome(each.name, error=each.reason) if isinstance(each, Unread) else next(recognised)
            for content in outcome.contents:
                sink.write(content)
            totals.add(outcome)
    sink.finish(totals.summary())


class _Totals:
    """All files together."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.unread = self._files = self._phones = 0
        self._counts = Counts()
        self._done_s = 0.0

    def progressed(self, done_s: float) -> None:
        """So many seconds of signals have been recognised."""
        self._done_s = done_s
        self.progress.seconds(done_s)

    def add(self, outcome: Outcome) -> None:
        """One more file."""
        self._files += 1
        self.unread += outcome.error is not None
        self._phones += len(outcome.contents)
        for name in Counts.__slots__:
            setattr(self._counts, name, getattr(self._counts, name) + getattr(outcome.counts, name))
        self.progress.file(outcome.name, outcome.error, outcome.damage)

    def finish(self) -> None:
        """No more is coming."""
        self.progress.finish(self._done_s, self._counts.windows)

    def summary(self) -> dict[str, Any]:
        """Ready for JSON."""
        counts = {name: getattr(self._counts, name) for name in Counts.__slots__}
        figures = {"accuracy": self._counts.accuracy, "answered_accuracy": self._counts.answered_accuracy}
        return {"files": self._files, "unread_files": self.unread, "phones": self._phones, **counts, **figures}


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does: no process is left behind, and no half of a table."""

    def end(_number: int, _frame: FrameType | None) -> None:
        sys.exit(EXIT_TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
