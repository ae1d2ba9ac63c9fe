"""Phones worn anyhow, for the tests: real recordings in other axes, as messages."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial.transform import Rotation

from model.bundled import load_recording
from model.orientation import turned
from model.recordings import Recording
from model.signals import SAMPLING_RATE, FloatArray
from streamer.formats.har import as_message
from streamer.phone_stream import PhoneStream, ReadyWindow
from streamer.readings import PhoneMessage
from streamer.wire import Samples, encode_imu

RECORDING = load_recording(13)
"""Of a training subject."""

EPOCH = 1_700_000_000.0

BATCH = 25


def pose(seed: int) -> FloatArray:
    """A random turn of a phone, ``(3, 3)``."""
    return np.asarray(Rotation.random(rng=np.random.default_rng(seed)).as_matrix())


def worn(recording: Recording, turn: FloatArray) -> FloatArray:
    """Its samples ``(n, 6)`` in a phone turned by this."""
    return turned(recording.samples, turn)


def segments_of(recording: Recording, activity: str) -> list[tuple[int, int]]:
    """First sample, and the sample after the last, of its segments of an activity."""
    return [(s.start, s.stop) for s in recording.segments if s.activity == activity]


def messages(phone: str, samples: FloatArray, *, first: int = 0, seq: int = 0) -> Iterator[PhoneMessage]:
    """Samples as messages of :data:`BATCH`, the first of them sample number ``first`` since :data:`EPOCH`."""
    for index, start in enumerate(range(0, len(samples), BATCH)):
        chunk = samples[start : start + BATCH]
        times = EPOCH + (first + start + np.arange(len(chunk))) / SAMPLING_RATE
        yield as_message(phone, Samples(chunk, times, seq + index))


def payloads(phone: str, samples: FloatArray, *, first: int = 0) -> list[tuple[str, bytes]]:
    """The same as topics and payloads of our own format, numbered by where they begin."""
    return [
        (
            f"har/{phone}/imu",
            encode_imu(
                samples[start : start + BATCH],
                time_s=EPOCH + (first + start) / SAMPLING_RATE,
                seq=(first + start) // BATCH,
            ),
        )
        for start in range(0, len(samples), BATCH)
    ]


def windows(samples: FloatArray, rotation: FloatArray | None = None) -> list[ReadyWindow]:
    """The windows of a phone's stream of these samples."""
    stream = PhoneStream("p")
    stream.rotation = rotation
    ready = [window for message in messages("p", samples) for window in stream.push(message, 0.0).windows]
    return ready + stream.finish()
