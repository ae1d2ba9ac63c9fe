"""A worker: the process that recognises some of the phones."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection

from model.errors import HarError
from streamer.formats import detect
from streamer.limits import LIMITS, Limits
from streamer.listener import IDLE_S
from streamer.mount.book import MountOptions
from streamer.recognition.loading import EngineOptions, load_engine
from streamer.runtime import tune
from streamer.work import Work
from streamer.workers.letters import FINISHED, STOP, Letters, unpack_messages

READY = b"ready"
"""The first letter of a worker that has loaded its model."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What each worker does: ``engine`` recognises, ``format`` is read, phones are worn as ``mount`` says; ``number``
    of ``of`` follows at most ``max_phones`` phones.
    """

    engine: EngineOptions
    format: str
    mount: MountOptions
    max_phones: int
    limits: Limits = LIMITS
    number: int = 0
    of: int = 1

    def numbered(self, number: int, of: int) -> WorkerOptions:
        """The options of one of them, which share the phones evenly."""
        return replace(self, number=number, of=of, max_phones=-(-self.max_phones // of))


def run_worker(options: WorkerOptions, letters_in: Connection, letters_out: Connection) -> None:
    """Recognise what comes in, tell what came of it, and end with what is asked for, or as nobody writes any more.

    Ctrl-C and SIGTERM, which a terminal and a supervisor send to all processes at once, are the parent's to heed.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        engine = load_engine(options.engine)
        journal = Letters(letters_out.send_bytes)
        decode = partial(detect.decode, format_name=options.format)
        work = Work(engine, journal, options.max_phones, decode, options.mount.book(), options.limits)
        work.warm_up()
        tune()
        letters_out.send_bytes(READY)
        while _has_more(work, letters_in):
            journal.post()
        work.finish()
        journal.post()
        letters_out.send_bytes(FINISHED)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent is gone
    except HarError as error:
        letters_out.send_bytes(f"error:{error}".encode())


def _has_more(work: Work, letters_in: Connection) -> bool:
    """Wait for a batch of messages, or until it is time to recognise; false at the end."""
    patience_s = max(work.too_soon_s, 0.0) if work.is_waiting else IDLE_S
    if not letters_in.poll(patience_s):
        work.take([])
    else:
        letter = letters_in.recv_bytes()
        if letter == STOP:
            return False
        work.take(unpack_messages(letter))
    if work.too_soon_s <= 0:
        work.recognise()
    return True
