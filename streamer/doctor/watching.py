"""Watches a broker for some seconds: the listener's own pipeline, and a second ear for topics that it does not hear."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from model.changes import ActivityChange
from model.novelty import Novelty
from model.signals import FloatArray
from model.stateful.transitions import PosturalTransition
from streamer.address import BrokerError
from streamer.doctor.seen import PhoneSeen, Seen, TopicSeen
from streamer.formats import detect
from streamer.formats.names import Format
from streamer.inbox import one_by_one
from streamer.listener import Listener, ListenerOptions
from streamer.mount.book import MountOptions
from streamer.mount.watch import are_strange, gravity_of, strange_words
from streamer.outputs import Notice
from streamer.publishing.topics import Topics
from streamer.readings import PhoneMessage
from streamer.recognition.prediction import Prediction
from streamer.recognition.window_engine import WindowEngine
from streamer.subscriber import Subscriber
from streamer.subscription import SubscriberOptions
from streamer.wire import IMU, WireError, decode_imu

MAX_TOPICS = 1000
"""Topics that are counted; more bring nothing new to a diagnosis."""

MAX_PHONES = 1000


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """``subscriber`` is what a listener would hear, ``topics`` are what it would publish."""

    subscriber: SubscriberOptions
    mount: MountOptions
    seconds: float
    topics: Topics


class _Ear:
    """Decodes for the listener, and counts by topic what came of the messages."""

    def __init__(self) -> None:
        self.heard: set[str] = set()
        self._unused: dict[str, int] = {}
        self._useful: set[str] = set()

    def decode(self, topic: str, payload: bytes) -> Sequence[PhoneMessage]:
        """As :func:`streamer.formats.detect.decode`."""
        if topic in self.heard or len(self.heard) < MAX_TOPICS:
            self.heard.add(topic)
            self._unused.setdefault(topic, 0)
        messages = detect.decode(topic, payload)
        if topic in self._unused:
            self._unused[topic] += not messages
        if messages:
            self._useful.add(topic)
        return messages

    @property
    def unused(self) -> dict[str, int]:
        """Messages on topics that brought nothing at all."""
        return {topic: count for topic, count in self._unused.items() if count and topic not in self._useful}


class _Gravity:
    """An output that keeps where each phone's gravity has pointed, window by window."""

    def __init__(self, novelty: Novelty | None) -> None:
        self._novelty = novelty
        self._strange: dict[str, list[bool]] = {}
        self._last: dict[str, FloatArray] = {}

    def prediction(self, prediction: Prediction) -> None:
        """Look at its window."""
        window = prediction.window
        if self._novelty is not None:
            strange = are_strange(window.values[np.newaxis], np.array([True]), self._novelty)
            self._strange.setdefault(window.phone, []).append(bool(strange[0]))
            self._last[window.phone] = gravity_of(window.values)

    def change(self, phone: str, change: ActivityChange) -> None:
        """Nothing: the diagnosis is of the phones alone."""

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        """Nothing, as with a change."""

    def warning(self, warning: Notice) -> None:
        """Nothing: the reports say it."""

    def finish(self, summary: dict[str, Any]) -> None:
        """Nothing to finish."""

    def strange(self, phone: str, rotation: FloatArray | None) -> str | None:
        """What is strange about it, if it was so in every window."""
        strange = self._strange.get(phone)
        if not strange or not all(strange):
            return None
        return strange_words(self._last[phone], rotation)


class _Others:
    """Counts messages of topics that nobody listens to."""

    def __init__(self, topics: Topics) -> None:
        self.counts: dict[str, int] = {}
        self.formats: dict[str, str] = {}
        self._topics = topics

    def receive(self, topic: str, payload: bytes) -> None:
        """Take a message; on the network thread."""
        if self._topics.is_own(topic) or (topic not in self.counts and len(self.counts) >= MAX_TOPICS):
            return
        self.counts[topic] = self.counts.get(topic, 0) + 1
        if topic not in self.formats and (name := format_of(topic, payload)):
            self.formats[topic] = name


def format_of(topic: str, payload: bytes) -> str | None:
    """The format of samples on any topic, None if they are none."""
    try:
        messages = detect.decode(topic, payload)
        if any(message.has_readings for message in messages):
            return messages[0].format
    except WireError:
        pass
    try:
        decode_imu(payload)
    except WireError:
        return None
    return Format.HAR if not topic.endswith(f"/{IMU}") else None


def watch(options: WatchOptions, on_ready: Callable[[], None]) -> Seen:
    """Everything that comes within the time; ``on_ready`` is called as it begins.

    Raises
    ------
    HarError : the broker is not there or refuses, or the model cannot be read.
    """
    from model.classifier import Classifier

    classifier = Classifier.load()
    ear, gravity, book = _Ear(), _Gravity(classifier.novelty), options.mount.book()
    limits = ListenerOptions(max_phones=MAX_PHONES)
    listener = Listener(limits, WindowEngine(classifier), [gravity], ear.decode, book)
    subscriber = Subscriber(options.subscriber, listener.receive_many)
    subscriber.start()
    listener.start()
    others, second = _listen_to_all(options)
    try:
        on_ready()
        time.sleep(options.seconds)
    finally:
        if second:
            second.stop()
        subscriber.stop()
        listener.stop()
    if listener.failure:
        raise listener.failure
    now_s = time.monotonic()
    return Seen(
        broker=str(options.subscriber.address),
        topics=options.subscriber.all_topics,
        seconds=options.seconds,
        phones=tuple(
            _phone(listener, name, gravity.strange(name, book.rotation(name)), now_s) for name in listener.tally.phones
        ),
        unused=_topics(ear.unused),
        others=_topics({topic: n for topic, n in others.counts.items() if topic not in ear.heard}, others.formats),
    )


def _listen_to_all(options: WatchOptions) -> tuple[_Others, Subscriber | None]:
    """A second connection that hears everything, if the broker lets it."""
    others = _Others(options.topics)
    everything = replace(
        options.subscriber, topics=("#",), app_topics=(), qos=0, client_id=f"{options.subscriber.client_id}-all"
    )
    second = Subscriber(everything, one_by_one(others.receive))
    try:
        second.start()
    except BrokerError:  # it may be allowed to hear its own topics alone
        return others, None
    return others, second


def _phone(listener: Listener, name: str, worn: str | None, now_s: float) -> PhoneSeen:
    tally = listener.tally.phones[name]
    stream = listener.recognizer.stream(name)
    return PhoneSeen(
        phone=name,
        messages=tally.counts.messages,
        malformed=tally.counts.malformed_messages,
        last_fault=tally.last_fault,
        lost=tally.counts.lost_messages,
        windows=tally.counts.windows,
        silent_s=0.0 if tally.last_arrival_s is None else now_s - tally.last_arrival_s,
        worn=worn,
        report=stream.report() if stream else None,
    )


def _topics(counts: dict[str, int], formats: Mapping[str, str] = MappingProxyType({})) -> tuple[TopicSeen, ...]:
    """The busiest first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return tuple(TopicSeen(topic, count, formats.get(topic)) for topic, count in ordered)
