"""What each stage of the listener costs alone, on one core: CPU microseconds per message and per window.

Every stage gets what it gets in the listener, made beforehand by the stages before it. Those that work on many phones
at once are given :data:`TOGETHER` of them. The cheapest of several rounds counts, for what a machine does besides only
ever adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Literal

import numpy as np

from benchmarks.console import Fleet
from benchmarks.console import measure as measure_console
from benchmarks.load.payloads import FIRST_SEQ, encode_bodies
from benchmarks.throughput.network import receiving_s, sending_s
from model.classifier import Classifier
from model.signals import SAMPLING_RATE, SignalChain, Start, push_together
from model.smoothing import FilterSettings
from model.windows import HOP, WindowSlicer
from streamer.console.view import Page
from streamer.formats import detect
from streamer.inbox import Message
from streamer.intake.intake import Intake
from streamer.listener import Listener, ListenerOptions
from streamer.mount.book import MountBook
from streamer.mount.minder import MountMinder
from streamer.outputs import PlainLines
from streamer.phone_stream import ReadyWindow, Taken
from streamer.publishing.outbox import Outgoing
from streamer.publishing.publisher import Publisher, PublisherOptions
from streamer.publishing.topics import PREFIX, Topics
from streamer.recognition.prediction import Prediction
from streamer.recognition.window_engine import WindowEngine
from streamer.runtime import tune
from streamer.tally import Tally
from streamer.wire import ROOT, Encoding

TOGETHER = 64
"""Phones whose messages or windows are worked off together."""

MESSAGES = 52
"""Of each of them, so that every one completes twenty windows."""

BATCH = 25
ROUNDS = 5
EPOCH_S = 1_732_428_000.0
DRAWN_PHONES = 1000

Unit = Literal["message", "window", "frame"]


@dataclass(frozen=True, slots=True)
class Stage:
    """What one of a unit costs, CPU seconds."""

    name: str
    unit: Unit
    seconds: float
    is_part: bool = True
    """False for several stages together, and for what does not go by messages."""

    @property
    def per_phone_s(self) -> float:
        """CPU seconds for a phone's every second."""
        per_s = {"message": SAMPLING_RATE / BATCH, "window": SAMPLING_RATE / HOP, "frame": 0.0}
        return self.seconds * per_s[self.unit]


def cheapest_s(prepare: Callable[[], Callable[[], object]], count: int) -> float:
    """CPU seconds of each of ``count``, in the cheapest round; each round works on what ``prepare`` makes anew."""
    found = []
    for _ in range(ROUNDS):
        work = prepare()
        before_s = time.process_time()
        work()
        found.append(time.process_time() - before_s)
    return min(found) / count


def messages_of(encoding: Encoding) -> list[Message]:
    """Some phones' messages in order of time, as they arrive."""
    bodies = encode_bodies(encoding, batch=BATCH, recordings=TOGETHER)
    return [
        Message(f"{ROOT}/p{phone:05d}/imu", bodies.head(FIRST_SEQ + k, EPOCH_S + k * 0.5) + tails[k], EPOCH_S + k * 0.5)
        for k in range(MESSAGES)
        for phone, tails in enumerate((bodies.tails * 2)[:TOGETHER])
    ]


class _Kept:
    """An output that keeps the predictions."""

    def __init__(self) -> None:
        self.predictions: list[Prediction] = []

    def prediction(self, prediction: Prediction) -> None:
        self.predictions.append(prediction)

    def change(self, *_: object) -> None: ...

    def transition(self, *_: object) -> None: ...

    def warning(self, *_: object) -> None: ...

    def finish(self, *_: object) -> None: ...


def recognised(engine: WindowEngine, messages: Sequence[Message]) -> list[Prediction]:
    """What the listener, without network and outputs, makes of messages."""
    kept = _Kept()
    Listener(ListenerOptions(max_phones=10_000), engine, [kept]).recognise(messages)
    return kept.predictions


def stages(encoding: Encoding) -> Iterator[Stage]:
    """Every stage in the order in which a message passes them, and all between network and outputs together."""
    messages = messages_of(encoding)
    n = len(messages)
    classifier = Classifier.load()
    tune()  # as the listener's process does
    predictions = recognised(WindowEngine(classifier, FilterSettings()), messages)
    windows = [prediction.window for prediction in predictions]
    yield Stage("receive: cut, queue", "message", receiving_s(messages))
    yield Stage(
        "decode", "message", cheapest_s(lambda: lambda: [detect.decode(m.topic, m.payload) for m in messages], n)
    )
    yield Stage("resample: order, clock, grid", "message", _intake_s(messages))
    yield from _signal_stages()
    yield from _window_stages(classifier, windows)
    yield from _prediction_stages(classifier, predictions)
    yield Stage("all together but receiving and publishing", "message", _all_s(classifier, messages), is_part=False)
    frame = measure_console(Fleet(DRAWN_PHONES, is_worst=False), Page.OVERVIEW, (80, 24), 10)
    yield Stage(f"draw a frame of {DRAWN_PHONES} phones", "frame", min(frame.frame_ms) / 1000, is_part=False)


def _all_s(classifier: Classifier, messages: Sequence[Message]) -> float:
    return cheapest_s(lambda: lambda: recognised(WindowEngine(classifier, FilterSettings()), messages), len(messages))


def _intake_s(messages: Sequence[Message]) -> float:
    decoded = [(message.arrived_s, detect.decode(message.topic, message.payload)[0]) for message in messages]

    def prepare() -> Callable[[], object]:
        intakes = {phone.phone: Intake(phone.phone) for _, phone in decoded}
        return lambda: [intakes[message.phone].push(message, arrived_s) for arrived_s, message in decoded]

    return cheapest_s(prepare, len(decoded))


def _signal_stages() -> Iterator[Stage]:
    samples = np.random.default_rng(0).normal(size=(MESSAGES, TOGETHER, BATCH, 6))
    chunks = [list(each) for each in samples]

    def filtering() -> Callable[[], object]:
        chains = [SignalChain(start=Start.STEADY) for _ in range(TOGETHER)]
        return lambda: [push_together(chains, each) for each in chunks]

    signals = np.random.default_rng(0).normal(size=(MESSAGES, TOGETHER, BATCH, 9))

    def windowing() -> Callable[[], object]:
        slicers = [WindowSlicer() for _ in range(TOGETHER)]
        return lambda: [s.push(own) for each in signals for s, own in zip(slicers, each, strict=True)]

    yield Stage("filter", "message", cheapest_s(filtering, MESSAGES * TOGETHER))
    yield Stage("window", "message", cheapest_s(windowing, MESSAGES * TOGETHER))


class _Known:
    """A classifier without a network: all windows look alike."""

    novelty = None

    def __init__(self, classifier: Classifier) -> None:
        self.classes = classifier.classes

    def class_probabilities(self, windows: np.ndarray) -> np.ndarray:
        return np.full((len(windows), len(self.classes)), 1 / len(self.classes), np.float32)


def _window_stages(classifier: Classifier, windows: Sequence[ReadyWindow]) -> Iterator[Stage]:
    values = np.stack([window.values for window in windows])
    parts = [values[at : at + TOGETHER] for at in range(0, len(values), TOGETHER)]
    novelty, n = classifier.novelty, len(windows)

    def smoothing() -> Callable[[], object]:
        engine = WindowEngine(_Known(classifier), FilterSettings())
        return lambda: [engine.recognise(windows[at : at + TOGETHER], time.monotonic) for at in range(0, n, TOGETHER)]

    yield Stage(
        "infer: network", "window", cheapest_s(lambda: lambda: [*map(classifier.class_probabilities, parts)], n)
    )
    if novelty:
        yield Stage("infer: novelty", "window", cheapest_s(lambda: lambda: [*map(novelty.score, parts)], n))
    yield Stage("smooth: filter, answer, change", "window", cheapest_s(smoothing, n))


def _prediction_stages(classifier: Classifier, predictions: Sequence[Prediction]) -> Iterator[Stage]:
    n = len(predictions)

    def counting() -> Callable[[], object]:
        tally = Tally(max_phones=10_000)
        return lambda: [tally.prediction(prediction, 1.0) for prediction in predictions]

    def counting_messages() -> Callable[[], object]:
        tally, taken = Tally(max_phones=10_000), Taken()
        return lambda: _each(lambda p: tally.message(p.phone, BATCH, taken, 1.0, "har"), predictions)

    def minding() -> Callable[[], object]:
        minder = MountMinder(MountBook(), classifier.novelty)
        return lambda: [minder.news(predictions[at : at + TOGETHER]) for at in range(0, n, TOGETHER)]

    def printing() -> Callable[[], object]:
        lines = PlainLines(StringIO())
        return lambda: _each(lines.prediction, predictions)

    yield Stage("count messages", "message", cheapest_s(counting_messages, n))
    yield Stage("count predictions", "window", cheapest_s(counting, n))
    yield Stage("watch the mount", "window", cheapest_s(minding, n))
    yield Stage("print a line", "window", cheapest_s(printing, n))
    yield Stage("publish: payloads, outbox", "window", cheapest_s(lambda: lambda: _published(predictions), n))
    outgoing = _published(predictions)
    yield Stage("publish: packets, acknowledgements", "window", sending_s(outgoing) * len(outgoing) / n)


def _each(take: Callable[[Prediction], None], predictions: Sequence[Prediction]) -> None:
    for prediction in predictions:
        take(prediction)


def _published(predictions: Sequence[Prediction]) -> list[Outgoing]:
    """What the publisher puts out of them, each taken before the next comes."""
    publisher = Publisher(PublisherOptions(Topics(ROOT, PREFIX), offline_after_s=30.0, max_phones=10_000))
    put: list[Outgoing] = []
    for prediction in predictions:
        publisher.prediction(prediction)
        put += publisher.outbox.take(len(publisher.outbox))
    return put
