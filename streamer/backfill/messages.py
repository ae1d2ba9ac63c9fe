"""What was recorded as the messages of a phone, as long as it pays: the listener's pipeline takes them. Pure.

How samples are cut into messages makes no difference to what is recognised (the filters, the windows and the resampler
are exact for any cut), but to how often it is gone through the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from model.recordings import Recording
from model.signals import SAMPLING_RATE, Start
from streamer.formats.har import as_message
from streamer.formats.names import Format
from streamer.readings import PhoneMessage, Readings, Sensor, Unit
from streamer.wire import MAX_SAMPLES, Label, Samples

FloatArray = npt.NDArray[np.float64]

LONG = 8192
"""Samples in a message of a recording that is at 50 Hz throughout."""

ON_GRID_S = 1e-5
"""How far the times of such a recording may be from it."""

GAP = 1.5
"""Where the time from one row to the next is so many times the usual, or more, another message begins."""

NEAR_GRID = 0.1
"""Share by which the usual interval of a table may be off 20 ms and still be meant for 50 Hz."""

PAUSE_S = 5.0
"""Silence between two pieces of a recording: plainly a gap."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone's rows in a table, in order of time.

    ``times`` ``(n,)`` in seconds, ``values`` ``(n, 6)`` in g and rad/s; all three of a sensor that lacks one are NaN.
    ``labels`` say what the owner did.
    """

    name: str
    times: FloatArray
    values: FloatArray
    labels: tuple[Label, ...] = ()


def of_recordings(name: str, recordings: Sequence[Recording]) -> Iterator[PhoneMessage]:
    """Recordings of one phone, one after the other, counted from 0 s."""
    begin_s = 0.0
    for recording in recordings:
        yield from _of_recording(name, recording, begin_s)
        begin_s += recording.duration_s + PAUSE_S


def _of_recording(name: str, recording: Recording, begin_s: float) -> Iterator[PhoneMessage]:
    labels = [
        Label(segment.activity, begin_s + segment.start / SAMPLING_RATE, begin_s + segment.stop / SAMPLING_RATE)
        for segment in recording.segments
    ]
    for first in range(0, len(recording.samples), LONG):
        values = recording.samples[first : first + LONG]
        times = begin_s + np.arange(first, first + len(values)) / SAMPLING_RATE
        start = recording.start is Start.ZERO and not first
        message = as_message(name, Samples(values, times, stage=recording.stage, start=start))
        yield _labelled(message, labels, float(times[0]), float(times[-1]))


def of_phone(phone: Phone) -> Iterator[PhoneMessage]:
    """A phone's rows, as a phone would have sent them."""
    has_both = np.isfinite(phone.values).all(axis=1)
    has_any = np.isfinite(phone.values).any(axis=1)
    if np.array_equal(has_both, has_any):
        times, values = phone.times[has_both], phone.values[has_both]
        for part in _parts(times):
            message = as_message(phone.name, Samples(values[part], times[part]))
            yield _labelled(message, phone.labels, float(times[part][0]), float(times[part][-1]))
        return
    for first in range(0, len(phone.times), MAX_SAMPLES):
        part = slice(first, first + MAX_SAMPLES)
        if readings := tuple(_apart(phone.times[part], phone.values[part])):
            ends = [end for each in readings for end in (each.times[0], each.times[-1])]
            message = PhoneMessage(phone.name, Format.HAR, readings)
            yield _labelled(message, phone.labels, float(min(ends)), float(max(ends)))


def _parts(times: FloatArray) -> Iterator[slice]:
    """Where messages of rows with both sensors begin and end."""
    grid = times[:1] + np.arange(len(times)) / SAMPLING_RATE
    if np.abs(times - grid).max(initial=0.0) <= ON_GRID_S:
        yield from (slice(first, first + LONG) for first in range(0, len(times), LONG))
        return
    intervals = np.diff(times)
    usual_s = float(np.median(intervals))
    gaps: list[int] = []
    if abs(usual_s * SAMPLING_RATE - 1) <= NEAR_GRID:  # off the grid the resampler takes any cut
        gaps = (np.flatnonzero(intervals >= GAP * usual_s) + 1).tolist()
    for begin, end in zip([0, *gaps], [*gaps, len(times)], strict=True):
        yield from (slice(first, min(first + MAX_SAMPLES, end)) for first in range(begin, end, MAX_SAMPLES))


def _apart(times: FloatArray, values: FloatArray) -> Iterator[Readings]:
    """Both sensors' readings where they have rows of their own."""
    sensors = (Sensor.TOTAL_ACCELERATION, Unit.G), (Sensor.ANGULAR_VELOCITY, Unit.RADIANS_PER_SECOND)
    for (sensor, unit), vectors in zip(sensors, (values[:, :3], values[:, 3:]), strict=True):
        there = np.isfinite(vectors).all(axis=1)
        if there.any():
            yield Readings(sensor, times[there], vectors[there], unit)


def _labelled(message: PhoneMessage, labels: Sequence[Label], first_s: float, last_s: float) -> PhoneMessage:
    """The message with the labels of its time; a label comes with each message that it reaches into."""
    of_message = tuple(label for label in labels if label.start_s <= last_s and label.end_s >= first_s)
    return replace(message, labels=of_message) if of_message else message
