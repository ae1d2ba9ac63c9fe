"""Files shared out among processes, and what came of them in the files' own order."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized

from model.errors import HarError
from streamer.backfill.items import Item, Kind
from streamer.backfill.outcome import BackfillOptions, Outcome
from streamer.backfill.recognise import Backfill

TOGETHER = 64
"""Items that are recognised together at most: engines work best on many phones at once."""

TOGETHER_BYTES = 128 << 20
"""The same in bytes of files, as their samples are in memory together."""

BYTES_EACH = 16 << 20
"""A process is worth starting for so many bytes of files: about three hours of signals as text."""

AHEAD = 2
"""Groups for each process that are begun before the first one's predictions are written."""

POLL_S = 0.2

OnProgress = Callable[[float], None]
"""Told now and then how many seconds of signals have been recognised in all."""


def sensible_workers(items: Sequence[Item]) -> int:
    """As many processes as there are cores, but none for so little that its start would take longer than the work."""
    size = sum(item.size for item in items)
    return max(1, min(os.cpu_count() or 1, size // BYTES_EACH))


def groups(items: Sequence[Item], workers: int) -> list[list[Item]]:
    """Items that are recognised together, in order; a capture alone, and enough groups for all processes."""
    most = min(TOGETHER, max(1, -(-len(items) // (2 * workers)))) if workers > 1 else TOGETHER
    shared: list[list[Item]] = []
    size = 0
    for item in items:
        is_full = not shared or len(shared[-1]) >= most or size + item.size > TOGETHER_BYTES
        if is_full or Kind.CAPTURE in (item.kind, shared[-1][-1].kind):
            shared.append([])
            size = 0
        shared[-1].append(item)
        size += item.size
    return shared


def recognise_all(
    items: Sequence[Item], options: BackfillOptions, workers: int, on_progress: OnProgress
) -> Generator[Outcome, None, None]:
    """What comes of the items, in their order; close it if it is not taken to its end.

    Raises
    ------
    HarError : the model cannot be read, or a process was killed.
    """
    shared = groups(items, workers)
    if workers == 1 or len(shared) < 2:
        return recognise_here(items, options, on_progress)
    return _recognise_shared(shared, options, min(workers, len(shared)), on_progress)


def recognise_here(
    items: Sequence[Item], options: BackfillOptions, on_progress: OnProgress
) -> Generator[Outcome, None, None]:
    """The same in this process."""
    done_s = 0.0

    def on_seconds(seconds: float) -> None:
        nonlocal done_s
        done_s += seconds
        on_progress(done_s)

    backfill = Backfill(options, on_seconds)
    for group in groups(items, 1):
        yield from backfill.recognise(group)


def _recognise_shared(
    shared: Sequence[Sequence[Item]], options: BackfillOptions, workers: int, on_progress: OnProgress
) -> Generator[Outcome, None, None]:
    context = multiprocessing.get_context("spawn")  # ONNX Runtime's threads do not survive a fork
    done_s = context.Value("d", 0.0)
    waiting = deque(shared)
    begun: deque[Future[list[Outcome]]] = deque()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(options, done_s))
    try:
        while waiting or begun:
            with _undisturbed():  # the first submission starts the processes
                while waiting and len(begun) < AHEAD * workers:
                    begun.append(pool.submit(_recognise, waiting.popleft()))
            wait(begun, timeout=POLL_S, return_when=FIRST_COMPLETED)
            on_progress(done_s.value)
            while begun and begun[0].done():
                yield from begun.popleft().result()
        on_progress(done_s.value)
    except BrokenProcessPool as error:
        raise HarError("A process was killed, perhaps for want of memory; give fewer --workers.") from error
    finally:
        if waiting or begun:
            for process in multiprocessing.active_children():
                process.terminate()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """While processes are started, which a signal would leave half started: it is heeded right after.

    The processes themselves never hear Ctrl-C, which a terminal sends to all: they inherit that it is blocked.
    """
    noted: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _frame: noted.append(number)) for number in numbers}
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for number, handler in before.items():
            signal.signal(number, handler)
    for each in noted:
        signal.raise_signal(each)


class _Worker:
    """What a process of the pool has: the options, and the model once there is something to recognise."""

    def __init__(self, options: BackfillOptions, done_s: Synchronized[float]) -> None:
        self._options, self._done_s = options, done_s
        self._backfill: Backfill | None = None

    def recognise(self, items: Sequence[Item]) -> list[Outcome]:
        """See :meth:`Backfill.recognise`; an unreadable model is told by the first call."""
        if self._backfill is None:
            self._backfill = Backfill(self._options, self._count)
        return self._backfill.recognise(items)

    def _count(self, seconds: float) -> None:
        with self._done_s.get_lock():
            self._done_s.value += seconds


_worker: _Worker | None = None


def _begin(options: BackfillOptions, done_s: Synchronized[float]) -> None:
    """First thing in a process."""
    global _worker
    _worker = _Worker(options, done_s)


def _recognise(items: Sequence[Item]) -> list[Outcome]:
    assert _worker is not None
    return _worker.recognise(items)
