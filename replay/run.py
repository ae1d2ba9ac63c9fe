"""A whole replay: find the recordings, connect, send in time, report."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from model.signals import SAMPLING_RATE
from model.text import printable
from replay.capture import messages as capture_messages
from replay.capture import survey
from replay.faults import Faults, disturb
from replay.pacing import MonotonicClock, Stop, merge, pace, wait_until
from replay.phone import Manner, Outgoing, Phone, make_phones
from replay.publisher import Publisher
from replay.source import Piece, find_sessions, prepare
from replay.tally import CaptureTally, Sent, Tally
from streamer.address import BrokerAddress, BrokerError
from streamer.tls import TlsOptions

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class SendOptions:
    """Where to send, and how fast. Defaults, here and below, are the command line's."""

    address: BrokerAddress
    qos: int
    speed: float
    start_delay_s: float = 0.0
    tls: TlsOptions = field(default_factory=TlsOptions)


@dataclass(frozen=True, kw_only=True)
class PlayOptions(SendOptions):
    """Play a capture; ``root`` replaces its topics' first levels, None keeps them."""

    capture: Path
    root: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReplayOptions(SendOptions):
    """Replay recordings as simulated phones."""

    source: str
    rate: float = SAMPLING_RATE
    subjects: tuple[int, ...] | None = None
    data_dir: Path | None = None
    n_phones: int | None = None
    seed: int = 0
    manner: Manner = field(default_factory=Manner)
    faults: Faults = field(default_factory=Faults)


@dataclass(frozen=True)
class Outcome:
    """How a replay ended: ``signal`` that stopped it, or ``failure`` of the broker; neither: all was sent."""

    tally: Sent
    signal: int | None = None
    failure: BrokerError | None = None


def replay(options: ReplayOptions, console: Console) -> Outcome:
    """Publish as asked, until everything is sent, SIGINT or SIGTERM comes, or the broker stays away.

    Raises
    ------
    HarError : nothing could be sent: unknown source or subject, unreadable data, no broker, refused.
    """
    recordings = _load(options)
    tally = Tally()

    def streams() -> list[Iterator[Outgoing]]:
        phones = make_phones(
            recordings,
            n_phones=options.n_phones,
            start_time_s=time.time() + options.start_delay_s,
            batch=options.manner.batch,
        )
        return [_stream(phone, options, tally) for phone in phones]

    tally.phones = len(recordings) if options.n_phones is None else options.n_phones
    return _connect_and_send(options, streams, tally, _n_samples(options, recordings), console)


def play(options: PlayOptions, console: Console) -> Outcome:
    """Publish a capture's messages as they came, until the end, SIGINT or SIGTERM, or the broker stays away.

    Raises
    ------
    HarError : nothing could be sent: no capture, an empty one, no broker, refused.
    """
    found = survey(options.capture)
    if found.damage:
        note = f"{printable(options.capture.name)}: {found.damage}"
        console.print(note, soft_wrap=True, highlight=False, markup=False)
    tally = CaptureTally(topics=found.topics)
    return _connect_and_send(
        options, lambda: [capture_messages(options.capture, options.root)], tally, found.messages, console
    )


def _n_samples(options: ReplayOptions, recordings: Sequence[tuple[str, tuple[Piece, ...]]]) -> int | None:
    """Samples that will be sent; None: no end."""
    if options.manner.loop:
        return None
    count = len(recordings) if options.n_phones is None else options.n_phones
    return sum(len(piece.samples) for number in range(count) for piece in recordings[number % len(recordings)][1])


def _connect_and_send(
    options: SendOptions,
    streams: Callable[[], list[Iterator[Outgoing]]],
    tally: Sent,
    total: int | None,
    console: Console,
) -> Outcome:
    stop = Stop()
    publisher = Publisher(options.address, qos=options.qos, stop=stop, tls=options.tls)
    publisher.connect()
    with _stopped_by_signals(stop):
        return _send(options, streams(), tally, total, publisher, stop, console)


def _load(options: ReplayOptions) -> list[tuple[str, tuple[Piece, ...]]]:
    sessions = find_sessions(options.source, options.subjects, options.data_dir)
    if options.n_phones is not None:
        sessions = sessions[: options.n_phones]
    unit = options.manner.acc_unit
    return [(s.name, tuple(prepare(r, rate=options.rate, acc_unit=unit) for r in s.recordings)) for s in sessions]


def _send(
    options: SendOptions,
    streams: list[Iterator[Outgoing]],
    tally: Sent,
    total: int | None,
    publisher: Publisher,
    stop: Stop,
    console: Console,
) -> Outcome:
    from replay.display import progress

    clock = MonotonicClock()
    start = clock.now() + options.start_delay_s
    wait_until(start, clock, stop)
    with progress(console, tally, where=str(options.address), total=total, started=start):
        paced = pace(merge(streams), start=start, speed=options.speed, clock=clock, lateness=tally.lateness, stop=stop)
        failure = _publish(paced, publisher, tally)
    tally.duration_s = max(0.0, clock.now() - start)
    return Outcome(tally, stop.signal, failure)


def _stream(phone: Phone, options: ReplayOptions, tally: Tally) -> Iterator[Outgoing]:
    return disturb(phone.messages(options.manner), options.faults, f"{options.seed}:{phone.name}", tally)


def _publish(messages: Iterator[Outgoing], publisher: Publisher, tally: Sent) -> BrokerError | None:
    failure = None
    try:
        for message in messages:
            if not publisher.publish(message.topic, message.payload):
                break
            tally.count(message)
            tally.reconnects = publisher.reconnects
        publisher.drain()
    except BrokerError as error:
        failure = error
    finally:
        publisher.close()
    tally.reconnects, tally.lost = publisher.reconnects, publisher.lost
    return failure


@contextmanager
def _stopped_by_signals(stop: Stop) -> Iterator[None]:
    """SIGINT and SIGTERM end the replay in order; a second one ends the process."""
    before: dict[int, object] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def handle(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        restore()

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
