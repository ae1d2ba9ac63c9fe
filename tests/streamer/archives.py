"""Archives for the tests, and what a live listener says about the same samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.signal import resample_poly

from model.bundled import load_recording
from model.recordings import Recording
from model.signals import STANDARD_GRAVITY
from replay.phone import Manner, Phone
from replay.source import prepare
from streamer.backfill.items import Item, Unread, find_items
from streamer.backfill.outcome import BackfillOptions, Outcome
from streamer.backfill.recognise import Backfill
from streamer.formats.har import as_message
from streamer.inbox import Message
from streamer.listener import Listener, ListenerOptions
from streamer.outputs import Notice
from streamer.readings import PhoneMessage
from streamer.recognition.loading import EngineOptions, load_engine
from streamer.recognition.prediction import Prediction
from streamer.recognition.recognizer import Recognizer
from streamer.wire import Samples

EPOCH = 1_700_000_000.0

FloatArray = npt.NDArray[np.float64]


class Kept:
    """An output of the listener that keeps its predictions, and the names of their changes and transitions."""

    def __init__(self) -> None:
        self.predictions: list[Prediction] = []

    def prediction(self, prediction: Prediction) -> None:
        self.predictions.append(prediction)

    def change(self, phone: str, change: object) -> None:
        """In the prediction."""

    def transition(self, phone: str, transition: object) -> None:
        """In the prediction."""

    def warning(self, warning: Notice) -> None:
        """Not looked at."""

    def finish(self, summary: dict[str, Any]) -> None:
        """Not looked at."""


def heard(messages: Iterable[Message], options: EngineOptions) -> list[Prediction]:
    """What the listener says, each phone's in order."""
    kept = Kept()
    Listener(ListenerOptions(max_phones=100), load_engine(options), [kept]).recognise(messages)
    return sorted(kept.predictions, key=lambda prediction: prediction.phone)


def sent(recordings: Iterable[Recording]) -> Iterator[Message]:
    """Recordings as phones send them: JSON, 25 samples a message."""
    for recording in recordings:
        phone = Phone(recording.name, (prepare(recording),), 0.0)
        for message in phone.messages(Manner()):
            yield Message(message.topic, message.payload, message.due_s)


def recognised(messages: Iterable[PhoneMessage], options: EngineOptions) -> list[Prediction]:
    """What the recognizer says about messages, each recognised as it comes."""
    recognizer = Recognizer(load_engine(options), max_phones=100)
    predictions = []
    for message in messages:
        recognizer.push(message, float(message.readings[0].times[-1]))
        predictions += recognizer.classify(lambda: 0.0)
    return sorted(predictions + recognizer.finish(lambda: 0.0), key=lambda prediction: prediction.phone)


def short(phone: str, times: FloatArray, values: FloatArray) -> Iterator[PhoneMessage]:
    """Messages of 25 samples at most, as a phone sends them that sends what it has before a gap of half a second."""
    cuts = (np.flatnonzero(np.diff(times) > 0.5) + 1).tolist()
    for begin, end in zip([0, *cuts], [*cuts, len(times)], strict=True):
        for first in range(begin, end, 25):
            part = slice(first, min(first + 25, end))
            yield as_message(phone, Samples(values[part], times[part]))


def classified(*paths: Path, options: BackfillOptions | None = None, items: Iterable[Item] = ()) -> list[Outcome]:
    """What comes of files, and of items."""
    found = [*find_items(paths), *items]
    assert not any(isinstance(each, Unread) for each in found), found
    return Backfill(options or BackfillOptions(), lambda _s: None).recognise([i for i in found if isinstance(i, Item)])


def lines(outcome: Outcome, kind: str = "prediction") -> list[dict[str, Any]]:
    """The lines of one type, in all phones of an outcome."""
    assert outcome.error is None
    every = [msgspec.json.decode(line) for content in outcome.contents for line in bytes(content).splitlines()]  # type: ignore[arg-type]
    return [line for line in every if line["type"] == kind]


def assert_same(told: list[dict[str, Any]], expected: list[Prediction], *, within_s: float = 1e-5) -> None:
    """The lines say what the predictions do: every word, every number to its last digit but the probabilities."""
    assert len(told) == len(expected)
    for line, prediction in zip(told, expected, strict=True):
        window = prediction.window
        words = (prediction.phone, prediction.answer, prediction.activity, prediction.window_activity, window.label)
        assert tuple(line[name] for name in ("phone", "answer", "activity", "window_activity", "label")) == words
        assert line["start_sample"] == window.start_sample
        assert abs(line["start_s"] - window.start_s) < within_s
        assert np.abs(np.array([*line["probabilities"].values()]) - prediction.probabilities).max() < 2e-6
        assert line["latency_ms"] is None


def signals(experiment: int, rate: int, seconds: float, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Times in whole microseconds, with jitter but at 50 Hz, and samples, of a part of a recording at this rate."""
    samples = load_recording(experiment).samples[5000 : 5000 + round(50 * seconds)]
    if rate != 50:
        samples = resample_poly(samples, rate, 50, axis=0, padtype="line")
    jitter = np.random.default_rng(seed).normal(0, 0.1 / rate, len(samples)) if rate != 50 else 0.0
    return EPOCH + np.round(np.arange(len(samples)) / rate + jitter, 6), samples


def table(phones: dict[str, tuple[FloatArray, FloatArray]]) -> pd.DataFrame:
    """The rows of several phones in one table, in order of time, in m/s² and deg/s, times in whole microseconds."""
    frames = []
    for name, (times, samples) in phones.items():
        frame = pd.DataFrame(samples[:, :3] * STANDARD_GRAVITY, columns=["Acc X", "Acc Y", "Acc Z"])
        frame[["gyro_x", "gyro_y", "gyro_z"]] = np.rad2deg(samples[:, 3:])
        frame.insert(0, "timestamp", np.rint(times * 1e6).astype(np.int64))
        frames.append(frame.assign(phone=name))
    return pd.concat(frames).sort_values("timestamp", kind="stable")
