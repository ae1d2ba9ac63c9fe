"""Recordings as a real phone would send them: any rate, each sensor by its own clock, in batches, out of order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.activities import ACTIVITIES
from model.recordings import Recording
from model.signals import SAMPLING_RATE, STANDARD_GRAVITY, FloatArray
from streamer.readings import ClockKind, PhoneMessage, Readings, Sensor, Sign, Unit
from streamer.wire import Label

EPOCH_S = 1_700_000_000.0

OVERSAMPLED = 20
"""The recording is interpolated at so many times 50 Hz by a band-limited filter, and by a spline in between."""


@dataclass(frozen=True)
class Manner:
    """How a simulated phone samples and sends.

    ``rate_hz`` is nominal: each sensor's own differs by up to ``clock_error``, and its moments by up to ``jitter`` of
    an interval, both uniform; it starts at a moment of its own. ``reorder`` is the share of messages, but for the first
    and last, that are sent after the one behind them, ``drop`` and ``duplicate`` of those that are lost or come twice.
    ``boot_s`` is what a clock that counts from boot shows at the start.
    """

    rate_hz: float
    clock_error: float = 0.005
    jitter: float = 0.05
    batch_s: float = 1.0
    reorder: float = 0.05
    drop: float = 0.0
    duplicate: float = 0.0
    ios: bool = True
    numbered: bool = True
    boot_s: float | None = None


def messages(recording: Recording, manner: Manner, seed: int) -> Iterator[tuple[float, PhoneMessage]]:
    """The messages of a recording with their arrivals (Unix seconds), labels first."""
    rng = np.random.default_rng([seed, recording.experiment])
    yield EPOCH_S, PhoneMessage(recording.name, "simulated", labels=labels_of(recording))
    yield from _delivered(_batches(recording, manner, rng), manner, rng)


def labels_of(recording: Recording) -> tuple[Label, ...]:
    """What the subject does, in Unix time."""
    return tuple(
        Label(
            segment.activity if segment.activity in ACTIVITIES else None,
            EPOCH_S + segment.start / SAMPLING_RATE,
            EPOCH_S + segment.stop / SAMPLING_RATE,
        )
        for segment in recording.segments
    )


def _delivered(
    batches: list[tuple[float, PhoneMessage]], manner: Manner, rng: np.random.Generator
) -> Iterator[tuple[float, PhoneMessage]]:
    held: PhoneMessage | None = None
    for number, (arrived_s, message) in enumerate(batches):
        if rng.random() < manner.drop:
            continue
        is_overtaken = 0 < number < len(batches) - 1 and rng.random() < manner.reorder
        if held is None and is_overtaken:
            held = message
            continue
        for _ in range(1 + (rng.random() < manner.duplicate)):
            yield arrived_s, message
        if held is not None:
            yield arrived_s, held
            held = None


def _batches(recording: Recording, manner: Manner, rng: np.random.Generator) -> list[tuple[float, PhoneMessage]]:
    duration_s = (len(recording.samples) - 1) / SAMPLING_RATE
    sensors = [
        _sensor(recording.samples[:, columns], duration_s, manner, rng) for columns in (slice(0, 3), slice(3, 6))
    ]
    first_s = EPOCH_S if manner.boot_s is None else manner.boot_s
    batches = []
    for seq in range(int(duration_s / manner.batch_s) + 1):
        begin_s, end_s = seq * manner.batch_s, (seq + 1) * manner.batch_s
        readings = []
        for (times, values), sensor in zip(sensors, (Sensor.TOTAL_ACCELERATION, Sensor.ANGULAR_VELOCITY), strict=True):
            mine = slice(*np.searchsorted(times, (begin_s, end_s)))
            if len(times[mine]):
                readings.append(_readings(sensor, first_s + times[mine], values[mine], manner))
        clock = ClockKind.UNIX if manner.boot_s is None else ClockKind.BOOT
        message = PhoneMessage(
            recording.name, "simulated", tuple(readings), seq=seq if manner.numbered else None, clock=clock
        )
        arrived_s = EPOCH_S + end_s + rng.uniform(0.01, 0.05)
        if readings:
            batches.append((arrived_s, message))
    return batches


def _readings(sensor: Sensor, times: FloatArray, values: FloatArray, manner: Manner) -> Readings:
    if sensor is Sensor.ANGULAR_VELOCITY:
        return Readings(sensor, times, values, Unit.RADIANS_PER_SECOND)
    sign = Sign.IOS if manner.ios else Sign.ANDROID
    factor = STANDARD_GRAVITY * (-1 if manner.ios else 1)
    return Readings(sensor, times, values * factor, Unit.METRES_PER_SECOND_SQUARED, sign)


def _sensor(
    samples: FloatArray, duration_s: float, manner: Manner, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Times from the recording's start and values of what one sensor measures."""
    from scipy.interpolate import CubicSpline
    from scipy.signal import resample_poly

    fine = resample_poly(samples, OVERSAMPLED, 1, axis=0, window=("kaiser", 12.0), padtype="line")
    signal = CubicSpline(np.arange(len(fine)) / (OVERSAMPLED * SAMPLING_RATE), fine)
    interval_s = 1 / (manner.rate_hz * (1 + rng.uniform(-1, 1) * manner.clock_error))
    times = np.arange(rng.uniform() * interval_s, duration_s, interval_s)
    times = np.sort(times + rng.uniform(-1, 1, len(times)) * manner.jitter * interval_s)
    times = times[(times >= 0) & (times <= duration_s)]
    return times, signal(times)
