"""Several files at once through the listener's own streams and engine, in large batches.

Of every phone so many windows are taken at a time, and those of all phones are recognised in one call: the engine's
batches are large, and the smoothing steps for many phones together. What a phone's predictions are depends on neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from model.errors import HarError
from streamer.backfill.captures import recognise_capture
from streamer.backfill.items import Item, Kind
from streamer.backfill.outcome import BackfillOptions, OnSeconds, Outcome, PhoneLog, no_time
from streamer.backfill.sources import Messages, Source, open_source
from streamer.phone_stream import PhoneStream, ReadyWindow
from streamer.recognition.loading import load_engines
from streamer.wire import WireError

BLOCK = 64
"""Windows of each phone that are recognised in one call."""


@dataclass(frozen=True, slots=True)
class _Feed:
    """A phone's windows, which come as they are asked for."""

    windows: Iterator[ReadyWindow]
    outcome: Outcome
    log: PhoneLog


class Backfill:
    """Recognises items.

    Parameters
    ----------
    on_seconds : is told how many more seconds of signals have been recognised, now and then.

    Raises
    ------
    HarError : the model cannot be read, or does not go with the options.
    """

    def __init__(self, options: BackfillOptions, on_seconds: OnSeconds) -> None:
        self._options = options
        self._on_seconds = on_seconds
        self._new_engine = load_engines(options.engine)
        engine = self._new_engine()
        self._takes_windows, self._cut = engine.kind == "window", engine.cut
        self._book = options.mount.book()
        self._book.refresh(0.0)

    def recognise(self, items: Sequence[Item]) -> list[Outcome]:
        """What comes of each item. One that cannot be read is told in its outcome."""
        outcomes = [Outcome(item.name) for item in items]
        feeds: list[_Feed] = []
        for item, outcome in zip(items, outcomes, strict=True):
            try:
                if item.kind is Kind.CAPTURE:
                    recognise_capture(item, outcome, self._new_engine(), self._book, self._options, self._on_seconds)
                else:
                    feeds += self._open(item, outcome, len(feeds))
            except HarError as error:
                outcome.error = str(error)
        self._recognise_feeds(feeds)
        for feed in feeds:
            feed.outcome.contents.append(feed.log.content())
        return outcomes

    def _open(self, item: Item, outcome: Outcome, n_before: int) -> list[_Feed]:
        sources = open_source(item, self._options.tables, takes_windows=self._takes_windows)
        return [self._feed(source, outcome, str(key)) for key, source in enumerate(sources, start=n_before)]

    def _feed(self, source: Source, outcome: Outcome, key: str) -> _Feed:
        """Files may have phones of the same name: in here they are called by number."""
        log = PhoneLog(outcome, source.phone, self._options.is_table)
        if isinstance(source, Messages):
            stream = PhoneStream(key, cut=self._cut)
            stream.rotation = self._book.rotation(source.phone)
            return _Feed(_windows(source, stream, log), outcome, log)
        return _Feed(source.ready(key), outcome, log)

    def _recognise_feeds(self, feeds: Sequence[_Feed]) -> None:
        engine = self._new_engine()
        going = list(feeds)
        while going:
            blocks = [list(islice(feed.windows, BLOCK)) for feed in going]
            windows = [window for block in blocks for window in block]
            predictions = engine.recognise(windows, no_time) if windows else []
            for prediction in predictions:
                feeds[int(prediction.phone)].log.prediction(prediction)
            for feed, block in zip(going, blocks, strict=True):
                feed.outcome.count_seconds(block, self._on_seconds)
            going = [feed for feed, block in zip(going, blocks, strict=True) if len(block) == BLOCK]
        for prediction in engine.finish(no_time):
            feeds[int(prediction.phone)].log.prediction(prediction)


def _windows(source: Messages, stream: PhoneStream, log: PhoneLog) -> Iterator[ReadyWindow]:
    """What the messages complete, one after the other."""
    for message in source.messages:
        newest_s = max(float(readings.times[-1]) for readings in message.readings)
        try:
            taken = stream.push(message, newest_s)
        except WireError as error:
            log.fault(str(error))
            continue
        log.took(message.n_samples, taken, tells=source.is_dated)
        yield from taken.windows
    yield from stream.finish()
