"""The parent's side: messages are dealt out by phone, and what comes of them is put together."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.process import BaseProcess
from typing import Any
from zlib import crc32

from model.errors import HarError
from streamer.account import Account
from streamer.acknowledging import Progress
from streamer.admission.fair_inbox import FairInbox, losses_of
from streamer.formats.detect import phone_of
from streamer.inbox import Message
from streamer.limits import BATCH
from streamer.listener import IDLE_S, ListenerOptions
from streamer.outputs import Output
from streamer.runtime import tune
from streamer.workers.letters import FINISHED, STOP, pack_messages, read_to
from streamer.workers.process import READY, WorkerOptions, run_worker

DEAL_S = 0.005
"""Seconds between two letters to a worker: many messages in one cost less than one by one."""

START_S = 60.0
"""A worker that has not loaded its model by then never will."""


def worker_of(phone: str, n: int) -> int:
    """Which of ``n`` workers a phone is with, always: by its name's CRC-32, which spreads names evenly."""
    return crc32(phone.encode()) % n


class _Worker:
    """One process with its inbox and the two threads that talk to it."""

    def __init__(self, options: WorkerOptions, pool: Pool) -> None:
        context = multiprocessing.get_context("spawn")
        self.inbox = FairInbox(replace(options.limits, inbox_bytes=options.limits.inbox_bytes // options.of))
        self.name = f"worker {options.number + 1} of {options.of}"
        theirs_in, self._out = context.Pipe(duplex=False)
        self._in, theirs_out = context.Pipe(duplex=False)
        arguments = (options, theirs_in, theirs_out)
        self.process = context.Process(target=run_worker, args=arguments, name=self.name, daemon=True)
        self.process.start()
        theirs_in.close()
        theirs_out.close()
        self._pool = pool
        self._threads = [
            threading.Thread(target=target, name=self.name, daemon=True) for target in (self._deal, self._read)
        ]

    def wait_until_ready(self) -> None:
        """Until its model is loaded.

        Raises
        ------
        HarError : it cannot be.
        """
        try:
            letter = self._in.recv_bytes() if self._in.poll(START_S) else b""
        except EOFError:
            letter = b""
        if letter != READY:
            raise HarError(_error_in(letter) or f"The {self.name} did not start; give fewer --workers.")

    def start(self) -> None:
        """Talk to it from now on."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Let it work off what it has, and end."""
        self.inbox.close()
        for thread in self._threads:
            thread.join()
        self.process.join()

    def _deal(self) -> None:
        try:
            while not (self.inbox.is_closed and not len(self.inbox)):
                if messages := self.inbox.take(BATCH, IDLE_S):
                    self._out.send_bytes(pack_messages(messages))
                    time.sleep(0.0 if self.inbox.is_closed else DEAL_S)
            self._out.send_bytes(STOP)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the reading thread tells

    def _read(self) -> None:
        letter = None
        try:
            while (letter := self._in.recv_bytes()) != FINISHED and not _error_in(letter):
                self._pool.heed(letter)
        except (EOFError, ConnectionResetError):
            letter = None
        except Exception as error:  # an output's file or pipe: told by the main thread
            self._pool.fail(error)
            return
        if letter != FINISHED:
            self.process.join(IDLE_S)
            told = _error_in(letter) if letter else None
            self._pool.fail(
                HarError(told or f"The {self.name} has ended (status {self.process.exitcode}); start again.")
            )


class Pool:
    """Does what a :class:`streamer.listener.Listener` does, in several processes.

    Each phone is always the same worker's; the account of all is kept here. A worker that ends ends the whole: what it
    knew of its phones is gone, and whoever supervises begins anew.

    Parameters
    ----------
    n : workers.
    kind : of the model, as its engine says.
    """

    def __init__(
        self, options: ListenerOptions, workers: WorkerOptions, n: int, kind: str, outputs: Sequence[Output]
    ) -> None:
        self.kind = kind
        self._account = Account(
            outputs, options.max_phones, options.max_predictions, options.limits, has_traces=options.has_traces
        )
        self.tally, self.lock, self.done = self._account.tally, self._account.lock, self._account.done
        self.arrivals = self._account.arrivals
        self.failure: Exception | None = None
        self.last_message_s = time.monotonic()
        self._outputs = outputs
        self._telling = threading.Lock()
        self._workers = [_Worker(workers.numbered(number, n), self) for number in range(n)]

    @property
    def progress(self) -> Progress | None:
        """Unknown: what was dealt out is with the workers."""
        return None

    @property
    def turned_s(self) -> float:
        """Now: a worker that has ended is its :attr:`failure`."""
        return time.monotonic()

    @property
    def processes(self) -> tuple[BaseProcess, ...]:
        """The workers' processes."""
        return tuple(worker.process for worker in self._workers)

    @property
    def n_queued(self) -> int:
        """Messages that wait to be dealt out."""
        return sum(len(worker.inbox) for worker in self._workers)

    def keep_all(self) -> None:
        """Nothing to do: there is no :attr:`progress` by which messages could be kept elsewhere."""

    @property
    def losses(self) -> dict[str, int]:
        """Messages that are not recognised, as too many came: by why."""
        return losses_of([worker.inbox for worker in self._workers])

    def start(self) -> None:
        """Recognise from now on.

        Raises
        ------
        HarError : a worker does not start.
        """
        tune()
        for worker in self._workers:
            worker.wait_until_ready()
        for worker in self._workers:
            worker.start()

    def receive_many(self, messages: Sequence[Message]) -> None:
        """Take messages, at least one, which have arrived by the monotonic clock; safe on the network thread."""
        self.last_message_s = messages[-1].arrived_s
        workers = self._workers
        each: list[list[Message]] = [[] for _ in workers]
        for message in messages:
            each[worker_of(phone_of(message.topic, message.payload), len(workers))].append(message)
        for worker, its_own in zip(workers, each, strict=True):
            if its_own:
                worker.inbox.put(*its_own)

    def heed(self, letter: bytes) -> None:
        """What came of a worker's messages, from its thread."""
        with self._telling:
            with self.lock:
                recognised = read_to(self._account, letter)
            self._account.tell()
            for each in recognised:
                each()

    def fail(self, error: Exception) -> None:
        """End the whole, for this reason."""
        self.failure = self.failure or error
        self.done.set()

    def stop(self) -> dict[str, Any]:
        """Recognise what has been received, and give the summary."""
        for worker in self._workers:
            worker.inbox.close()
        for worker in self._workers:
            worker.finish()
        return self.tally.summary() | self.losses

    def finish(self, summary: dict[str, Any]) -> None:
        """Finish the outputs; the workers have ended."""
        for output in self._outputs:
            output.finish(summary)


def _error_in(letter: bytes | None) -> str | None:
    return letter.removeprefix(b"error:").decode() if letter and letter.startswith(b"error:") else None
