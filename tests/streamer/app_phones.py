"""Recordings as the phones' apps would send them, for the tests: topics and payloads."""

from __future__ import annotations

import json
from typing import Any

from model.signals import SAMPLING_RATE, STANDARD_GRAVITY, FloatArray

EPOCH_NS = 1_700_000_000_000_000_000
BOOT_NS = 3_925_657_519_043_709


def sensorspot(samples: FloatArray, every: int = 1, topic: str = "android/sensor/mine") -> list[tuple[str, bytes]]:
    """SensorSpot: one reading a message, m/s² and rad/s, nanoseconds since boot; each ``every``-th sample."""
    sent = []
    for index in range(0, len(samples), every):
        time_ns = BOOT_NS + round(index * 1e9 / SAMPLING_RATE)
        for kind, values in (
            ("accelerometer", samples[index, :3] * STANDARD_GRAVITY),
            ("gyroscope", samples[index, 3:]),
        ):
            message = {"type": f"android.sensor.{kind}", "timestamp": time_ns, "values": values.tolist()}
            sent.append((topic, json.dumps(message).encode()))
    return sent


def sensor_logger(
    samples: FloatArray, every: int = 1, *, batch: int = 50, without: tuple[str, ...] = (), topic: str = "sensor-logger"
) -> list[tuple[str, bytes]]:
    """Sensor Logger on Android: a second a message; ``totalacceleration`` [m/s²] and ``gyroscope``."""
    sent = []
    for number, start in enumerate(range(0, len(samples), batch)):
        payload = [
            reading
            for index in range(start, min(start + batch, len(samples)), every)
            for reading in _readings(samples[index], index, without)
        ]
        message = {"messageId": number, "sessionId": "c5241337", "deviceId": "7d1c0bff", "payload": payload}
        sent.append((topic, json.dumps(message).encode()))
    return sent


def _readings(sample: FloatArray, index: int, without: tuple[str, ...]) -> list[dict[str, Any]]:
    values = {"totalacceleration": sample[:3] * STANDARD_GRAVITY, "gyroscope": sample[3:]}
    return [
        {
            "name": name,
            "time": EPOCH_NS + round(index * 1e9 / SAMPLING_RATE),
            "values": dict(zip("xyz", vector.tolist(), strict=True)),
            "accuracy": 3,
        }
        for name, vector in values.items()
        if name not in without
    ]
