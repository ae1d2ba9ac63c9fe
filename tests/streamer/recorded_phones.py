"""A recording as the phone apps would send it: topics and payloads, each sensor with its own times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import resample_poly

from model.recordings import Recording
from model.signals import SAMPLING_RATE, STANDARD_GRAVITY, FloatArray

START_S = 1_700_000_000
"""Unix time at which the phones begin."""

BOOT_S = 3_925_657.5
"""What a clock that counts from the phone's start shows then."""

Sent = tuple[str, str]
"""Topic and payload, in the order of sending."""


@dataclass(frozen=True)
class Worn:
    """A part of a recording, continuous in time: acceleration in g and angular velocity in rad/s at any moment."""

    acceleration: CubicSpline
    turning: CubicSpline
    duration_s: float
    activities: tuple[tuple[float, str], ...]
    """What is done from when on, in seconds from the start."""

    def times(self, rate_hz: float, offset_s: float = 0.0) -> FloatArray:
        """When a sensor of that rate reads."""
        return np.arange(offset_s, self.duration_s - 0.02, 1 / rate_hz)

    def activity_at(self, time_s: float) -> str:
        return [activity for start_s, activity in self.activities if start_s <= time_s][-1]


def worn(recording: Recording, activities: tuple[str, ...]) -> Worn:
    """A quarter of a minute of each of these activities, one behind the other."""
    parts, starts, start = [], [], 0
    for activity in activities:
        mine = (segment for segment in recording.segments if segment.activity == activity)
        segment = max(mine, key=lambda segment: segment.stop - segment.start)
        parts.append(recording.samples[segment.start : segment.stop][:750])
        starts.append((start / SAMPLING_RATE, activity))
        start += len(parts[-1])
    fine = resample_poly(np.concatenate(parts), 8, 1, axis=0, window=("kaiser", 12.0), padtype="line")
    times = np.arange(len(fine)) / (8 * SAMPLING_RATE)
    return Worn(CubicSpline(times, fine[:, :3]), CubicSpline(times, fine[:, 3:]), start / SAMPLING_RATE, tuple(starts))


def har(phone: Worn, name: str) -> Iterator[Sent]:
    """Our own format, at 50 Hz."""
    times = phone.times(50)
    for seq, at in enumerate(range(0, len(times), 25)):
        mine = times[at : at + 25]
        message = {
            "seq": seq,
            "t": START_S + mine[0],
            "rate": 50.0,
            "acc": phone.acceleration(mine).tolist(),
            "gyro": phone.turning(mine).tolist(),
        }
        yield f"har/{name}/imu", json.dumps(message)


def sensor_logger(phone: Worn, name: str, *, ios: bool) -> Iterator[Sent]:
    """Sensor Logger with a batch a second: an iPhone at 100 Hz without standardised units, or an Android phone whose
    accelerometer is at 77 Hz and whose gyroscope at 208 Hz; annotated."""
    streams: list[tuple[str, FloatArray, FloatArray]]
    if ios:
        times = phone.times(100)
        total = -STANDARD_GRAVITY * phone.acceleration(times)
        gravity = np.stack([np.convolve(axis, np.ones(101) / 101, "same") for axis in total.T], axis=1)
        streams = [("accelerometer", times, total - gravity), ("gravity", times, gravity)]
        turning = phone.times(100, 0.0037)
    else:
        times = phone.times(77, 0.0021)
        streams = [("totalacceleration", times, STANDARD_GRAVITY * phone.acceleration(times))]
        turning = phone.times(208)
    streams.append(("gyroscope", turning, phone.turning(turning)))
    extra = {} if ios else {"accuracy": 3}
    for seq in range(int(phone.duration_s) + 1):
        payload: list[dict[str, object]] = [
            {"name": "annotation", "time": nanoseconds(START_S, at_s), "values": {"text": activity.lower()}}
            for at_s, activity in phone.activities
            if seq <= at_s < seq + 1
        ]
        for sensor, sensor_times, values in streams:
            first, last = np.searchsorted(sensor_times, (seq, seq + 1))
            payload += [
                {"name": sensor, "time": nanoseconds(START_S, t), "values": dict(zip("xyz", v, strict=True)), **extra}
                for t, v in zip(sensor_times[first:last], values[first:last].tolist(), strict=True)
            ]
        message = {"messageId": seq, "sessionId": "c5241337", "deviceId": name, "payload": payload}
        yield "sensor-logger", json.dumps(message)


def nanoseconds(start_s: float, time_s: float) -> int:
    return int(start_s) * 10**9 + round((start_s % 1 + float(time_s)) * 1e9)


def sensorspot(phone: Worn, name: str, *, dedicated: bool) -> Iterator[Sent]:
    """SensorSpot at a nominal 20000 µs, which Android gives as 52 Hz, a sample a message, from the phone's start on."""
    acceleration, turning = phone.times(52), phone.times(52, 0.005)
    events = [
        *(
            ("accelerometer", t, v)
            for t, v in zip(acceleration, STANDARD_GRAVITY * phone.acceleration(acceleration), strict=True)
        ),
        *(("gyroscope", t, v) for t, v in zip(turning, phone.turning(turning), strict=True)),
    ]
    for sensor, time_s, values in sorted(events, key=lambda event: event[1]):
        message: dict[str, object] = {"timestamp": nanoseconds(BOOT_S, time_s), "values": values.tolist()}
        if dedicated:
            yield f"android/sensor/{name}/{sensor}", json.dumps(message)
        else:
            yield f"android/sensor/{name}", json.dumps({"type": f"android.sensor.{sensor}"} | message)


def phyphox(phone: Worn, name: str) -> Iterator[Sent]:
    """Our experiment in phyphox, at 100 Hz, sent twice a second."""
    acceleration, turning = phone.times(100), phone.times(100, 0.0042)
    columns = {
        "accT": acceleration,
        **dict(zip(("accX", "accY", "accZ"), (STANDARD_GRAVITY * phone.acceleration(acceleration)).T, strict=True)),
        "gyrT": turning,
        **dict(zip(("gyrX", "gyrY", "gyrZ"), phone.turning(turning).T, strict=True)),
    }
    event = {"event": "START", "experimentTime": 0.0, "systemTime": float(START_S)}
    for half in range(int(2 * phone.duration_s) + 1):
        message: dict[str, object] = {"id": "9b2f1c5d", "time": {"now": START_S + half / 2 + 0.5, "events": [event]}}
        for names, times in (
            (("accT", "accX", "accY", "accZ"), acceleration),
            (("gyrT", "gyrX", "gyrY", "gyrZ"), turning),
        ):
            first, last = np.searchsorted(times, (half / 2, half / 2 + 0.5))
            message |= {column: columns[column][first:last].tolist() for column in names}
        yield f"phyphox/{name}", json.dumps(message)
