"""One run of the listener: broker, connection, recognition and outputs put together, from start to summary.

What only some runs need is imported by those: a start costs mostly imports.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from model.errors import HarError
from model.text import MOST, printable
from streamer.capture.recorder import recording
from streamer.cluster.partitioning import Partition
from streamer.cluster.sessions import Connections, connections
from streamer.formats import detect
from streamer.formats.names import AUTO
from streamer.listener import Listener, ListenerOptions
from streamer.mount.book import MountOptions
from streamer.operation.address import HttpAddress
from streamer.operation.facts import Look, look_at
from streamer.operation.health import is_alive
from streamer.operation.logs import CALM, logging_to, stderr_handler
from streamer.operation.options import OperationOptions
from streamer.operation.systemd import supervised
from streamer.outputs import JsonLines, Output, PlainLines, Recent, WindowsFile, summary_lines
from streamer.parts import Parts
from streamer.publishing.ledger import Ledger
from streamer.publishing.publisher import Publisher, PublisherOptions
from streamer.publishing.topics import Topics
from streamer.recognising import Recognising
from streamer.recognition.loading import EngineOptions, load_engine
from streamer.recognition.prediction import Engine
from streamer.state.once import Once
from streamer.subscription import SubscriberOptions

if TYPE_CHECKING:
    from streamer.state.keeper import Keeper

EXIT_TIMEOUT = 27
"""Exit status when ``-W`` ends the run, as mosquitto_sub's."""

POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What to do. ``output`` is dashboard, plain or jsonl; ``format`` is one of
    :data:`streamer.formats.names.CHOICES`; ``record`` is a capture to make; ``timeout_s`` ends it; ``workers`` are the
    processes that recognise.

    ``topics`` are the listener's own, which it does not take for phones'; ``publisher`` None: nothing is published.
    ``partitions`` of a cluster are heard instead of the topics of ``subscriber``.
    """

    subscriber: SubscriberOptions
    listener: ListenerOptions
    topics: Topics
    publisher: PublisherOptions | None
    output: str
    format: str = AUTO
    engine: EngineOptions = field(default_factory=EngineOptions)
    save_windows: Path | None = None
    record: Path | None = None
    timeout_s: float | None = None
    ascii_only: bool = False
    mount: MountOptions = field(default_factory=MountOptions)
    workers: int = 1
    partitions: tuple[Partition, ...] = ()
    operation: OperationOptions = field(default_factory=OperationOptions)


class LogLines(logging.Handler):
    """Log records as lines among the dashboard's events, so that they never cross the screen."""

    def __init__(self, recent: Recent) -> None:
        super().__init__(logging.WARNING)
        self._recent = recent

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self._recent.lines.append(printable(f"{record.levelname.lower()}: {record.getMessage()}", MOST))


def run(options: SessionOptions, is_over: Callable[[Recognising], bool] = lambda _recognising: False) -> int:
    """Listen until Ctrl-C, SIGTERM, a limit of the options, or until ``is_over``; give the exit status.

    Raises
    ------
    HarError : the model, the broker, an output or the file to record to cannot be used.
    """
    recent = Recent()
    engine = load_engine(options.engine)
    if options.save_windows and engine.kind != "window":
        raise HarError("A stream model takes no windows that could be saved; leave out --save-windows.")
    publishing = options.publisher and replace(options.publisher, transitions=engine.kind == "stream")
    keeper = _keeper(options, engine)
    publisher = Publisher(publishing, ledger=Ledger(keeper.published) if keeper else None) if publishing else None
    once = Once(_outputs(options, recent))
    listener = _recognising(options, engine, [once, *([publisher] if publisher else [])], keeper)
    with _interrupts() as interrupted, _logging(options, recent), recording(options.record) as recorder:
        goes_on = keeper is not None and _go_on(keeper, listener, once, publisher)
        on_messages = recorder.before(listener.receive_many) if recorder else listener.receive_many
        on_messages = keeper.before(on_messages) if keeper else on_messages
        if keeper or ((options.partitions or options.subscriber.keep_session) and listener.progress):
            listener.keep_all()
        subscriber = connections(
            options.subscriber,
            options.partitions,
            options.topics,
            on_messages,
            publisher,
            None if keeper else listener.progress,  # what comes is kept before it is handed over
        )
        parts = Parts(subscriber, listener, publisher, recorder, keeper)
        look = look_at(listener, subscriber, recorder, keeper)
        with contextlib.ExitStack() as supervision, _serving(options.operation.metrics, look) as metrics:
            supervision.enter_context(supervised(lambda: is_alive(look())))
            parts.start()
            _greet(options, recent, metrics, goes_on=goes_on, is_there=subscriber.state.value == "connected")
            end = _End(
                options.timeout_s,
                lambda: interrupted.is_set() or listener.done.is_set() or bool(subscriber.failure) or is_over(listener),
            )
            try:
                _watch(options, listener, subscriber, recent, end)
                supervision.close()
                summary = parts.stop()
            except BaseException:
                # What has been received is kept even now; a run in which nothing came has nothing to tell.
                parts.stop(if_any=True)
                raise
    if failure := listener.failure or subscriber.failure:
        _raise(failure)
    if options.output == "dashboard":
        sys.stdout.write("\n".join(summary_lines(summary)) + "\n")
    return EXIT_TIMEOUT if end.is_late else 0


def _keeper(options: SessionOptions, engine: Engine) -> Keeper | None:
    """What keeps everything for a later run, if a folder is given for it; several processes are not kept."""
    if options.mount.folder is None or options.workers > 1:
        return None
    from streamer.state.keeper import Keeper

    return Keeper(options.mount.folder, engine.identity)


def _go_on(keeper: Keeper, listener: Recognising, once: Once, publisher: Publisher | None) -> bool:
    """Go on from what an earlier run kept; whether there was one."""
    from streamer.state.going_on import go_on

    return isinstance(listener, Listener) and go_on(keeper, listener, once, publisher)


def _serving(address: HttpAddress | None, look: Look) -> contextlib.AbstractContextManager[HttpAddress | None]:
    """Answer who asks for metrics and health, if that is wanted."""
    if address is None:
        return contextlib.nullcontext()
    from importlib.metadata import version

    from streamer.operation.server import serving

    return serving(address, look, version("har-stream"))


def _recognising(options: SessionOptions, engine: Engine, outputs: list[Output], keeper: Keeper | None) -> Recognising:
    """One process with the engine, or several with one of their own each."""
    if options.workers == 1:
        decode = partial(detect.decode, format_name=options.format)
        return Listener(options.listener, engine, outputs, decode, options.mount.book(), keeper)
    from streamer.workers.pool import Pool
    from streamer.workers.process import WorkerOptions

    limits = options.listener
    workers = WorkerOptions(options.engine, options.format, options.mount, limits.max_phones, limits.limits)
    return Pool(options.listener, workers, options.workers, engine.kind, outputs)


class _End:
    """Whether the run is over: by ``is_over``, or as ``timeout_s`` seconds have passed (then ``is_late``)."""

    def __init__(self, timeout_s: float | None, is_over: Callable[[], bool]) -> None:
        self.is_late = False
        self._is_over = is_over
        self._deadline_s = None if timeout_s is None else time.monotonic() + timeout_s

    def __call__(self) -> bool:
        if self._is_over():
            return True
        self.is_late = self._deadline_s is not None and time.monotonic() > self._deadline_s
        return self.is_late


def _greet(
    options: SessionOptions, recent: Recent, metrics: HttpAddress | None, *, goes_on: bool, is_there: bool
) -> None:
    """Say on stderr that it hears, or will, for people and scripts that wait for it."""
    more = [f"recording to {options.record}"] if options.record else []
    more += [f"metrics at http://{metrics}/metrics"] if metrics else []
    more += [f"going on from {options.mount.folder}"] if goes_on else []
    if options.output == "dashboard":
        recent.lines.extend(printable(line) for line in more)
        return
    topics = ", ".join(options.subscriber.all_topics)
    does = "Listening to" if is_there else "Going to listen to"
    CALM.info("%s", ", ".join([f"{does} {topics} at {options.subscriber.address}", *more]))


def _outputs(options: SessionOptions, recent: Recent) -> list[Output]:
    outputs: list[Output] = []
    if options.output == "dashboard":
        outputs.append(recent)
    else:
        outputs.append(JsonLines(sys.stdout) if options.output == "jsonl" else PlainLines(sys.stdout))
    if options.save_windows:
        outputs.append(WindowsFile(options.save_windows))
    return outputs


def _watch(
    options: SessionOptions, listener: Recognising, subscriber: Connections, recent: Recent, ended: Callable[[], bool]
) -> None:
    if options.output != "dashboard":
        while not ended():
            time.sleep(POLL_S)
        return
    from streamer.console.app import ConsoleApp
    from streamer.console.source import ListenerSource

    broker = str(options.subscriber.address)
    source = ListenerSource(
        listener, recent, broker, lambda: _connection(subscriber), unpublished=lambda: subscriber.unpublished
    )
    ConsoleApp(source, ended, ascii_only=options.ascii_only).run()


def _connection(subscriber: Connections) -> str:
    if subscriber.retry_at_s is None:
        return subscriber.state.value
    return f"{subscriber.state.value} in {max(0.0, subscriber.retry_at_s - time.monotonic()):.0f} s"


def _raise(failure: Exception) -> None:
    if isinstance(failure, BrokenPipeError):
        raise HarError("Whoever read the output has stopped reading it; the listener stops too.") from failure
    if isinstance(failure, OSError):
        raise HarError(f"The output cannot be written ({failure.strerror}); make room or give another.") from failure
    raise failure


@contextlib.contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set while the block runs."""
    interrupted = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        interrupted.set()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _logging(options: SessionOptions, recent: Recent) -> contextlib.AbstractContextManager[None]:
    """Log records to the dashboard's events, else to stderr."""
    if options.output == "dashboard":
        return logging_to(LogLines(recent))
    return logging_to(stderr_handler(options.operation.log_format))
