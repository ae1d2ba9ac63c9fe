"""SensorSpot (Android): one reading a message, from https://github.com/UmerCodez/SensorSpot (README.md,
SensorPublisher.kt, SensorEventProviderImp.kt).

All sensors go to one topic, with the sensor's Android name in ``type``; or, by the option *Dedicated Topics*, each to
``<topic>/<last part of that name>``, without ``type``. There is no device id, so each phone needs a topic of its own.
Values are Android's (https://developer.android.com/develop/sensors-and-location/sensors/sensors_motion): m/s² with
gravity, rad/s; ``timestamp`` is in nanoseconds on the phone's clock since its start. GPS messages have no ``values``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import msgspec

from streamer.formats.checked import NANOSECONDS, decoded, readings
from streamer.formats.names import SENSORSPOT_TOPIC, Format, phone_name
from streamer.readings import ClockKind, PhoneMessage, Sensor, Unit
from streamer.wire import WireError

FACT = "SensorSpot sends m/s² with gravity and rad/s, in Android's sign"

_SENSORS = {
    "accelerometer": (Sensor.TOTAL_ACCELERATION, Unit.METRES_PER_SECOND_SQUARED),
    "linear_acceleration": (Sensor.BODY_ACCELERATION, Unit.METRES_PER_SECOND_SQUARED),
    "gravity": (Sensor.GRAVITY, Unit.METRES_PER_SECOND_SQUARED),
    "gyroscope": (Sensor.ANGULAR_VELOCITY, Unit.RADIANS_PER_SECOND),
}
"""By the last part of Android's name, ``android.sensor.…``."""


class _Event(msgspec.Struct):
    values: Annotated[list[float], msgspec.Meta(max_length=64)]
    timestamp: float
    type: str | None = None


_EVENT = msgspec.json.Decoder(_Event)


@lru_cache(4096)
def phone_of(topic: str, is_dedicated: bool) -> str:
    """The phone's name: the levels of the topic set in the app, joined by dashes, without ``android/sensor/``.

    With dedicated topics, the last level is the sensor's and does not count. ``android/sensor`` itself gives
    ``android-sensor``, ``android/sensor/anna`` gives ``anna``, ``home/anna`` gives ``home-anna``.
    """
    levels = topic.split("/")
    own = "/".join(levels[:-1] if is_dedicated and len(levels) > 1 else levels)
    return phone_name(own.removeprefix(f"{SENSORSPOT_TOPIC}/").replace("/", "-"))


def decode(phone: str, topic: str, payload: bytes) -> PhoneMessage | None:
    """One reading; None of a sensor that is not used.

    Raises
    ------
    WireError : missing or mistyped fields, fewer than three values, or senseless numbers.
    """
    event = decoded(_EVENT, payload)
    name = event.type or topic
    known = _SENSORS.get(name[max(name.rfind("."), name.rfind("/")) + 1 :])
    if known is None:
        return None
    sensor, unit = known
    reading = readings(sensor, [event.timestamp], [_vector(event.values)], unit, seconds=NANOSECONDS)
    return PhoneMessage(phone, Format.SENSORSPOT, (reading,), clock=ClockKind.BOOT, facts=(FACT,))


def _vector(values: list[float]) -> list[float]:
    if len(values) < 3:
        raise WireError(f"values has {len(values)} numbers where x, y and z are expected")
    return values[:3]
