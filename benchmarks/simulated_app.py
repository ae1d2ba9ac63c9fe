"""A simulated phone's messages as the app Sensor Logger writes them, so that they go through its decoder too.

As the app's documentation has it (see :mod:`streamer.formats.sensor_logger`): on Android the acceleration as a whole;
on iOS, with its sign, what the phone takes for gravity and the rest apart; in m/s² and rad/s, a time a reading.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from streamer.readings import PhoneMessage, Readings, Sensor, Sign

TOPIC = "sensor-logger"
"""The app's default, shared by all phones."""

_NAMES = {
    Sensor.TOTAL_ACCELERATION: "totalacceleration",
    Sensor.BODY_ACCELERATION: "accelerometer",
    Sensor.GRAVITY: "gravity",
    Sensor.ANGULAR_VELOCITY: "gyroscope",
}


def payload(message: PhoneMessage) -> bytes:
    """The app's message; readings in m/s² and rad/s."""
    entries = [entry for readings in message.readings for part in _parts(readings) for entry in _entries(part)]
    device = {"messageId": message.seq, "sessionId": "simulated", "deviceId": message.phone}
    return msgspec.json.encode(device | {"payload": entries})


def _parts(readings: Readings) -> Iterable[Readings]:
    """On iOS gravity, here the mean of the message, and the rest of the acceleration apart: their sum is the whole."""
    if readings.sensor is not Sensor.TOTAL_ACCELERATION or readings.sign is not Sign.IOS:
        return (readings,)
    gravity = np.repeat(readings.values.mean(axis=0, keepdims=True), len(readings.times), axis=0)
    return (
        Readings(Sensor.BODY_ACCELERATION, readings.times, readings.values - gravity, readings.unit, readings.sign),
        Readings(Sensor.GRAVITY, readings.times, gravity, readings.unit, readings.sign),
    )


def _entries(readings: Readings) -> Iterable[dict[str, object]]:
    name, nanoseconds = _NAMES[readings.sensor], np.rint(readings.times * 1e9).astype(np.int64).tolist()
    for time, (x, y, z) in zip(nanoseconds, readings.values.tolist(), strict=True):
        yield {"name": name, "time": time, "values": {"x": x, "y": y, "z": z}}
