"""Sensor Logger (iOS, Android): batches of readings of all sensors, as JSON.

From https://github.com/tszheichoi/awesome-sensor-logger: PUSHING.md (the messages), UNITS.md, CROSSPLATFORM.md and
COORDINATES.md (the signs). All phones share a topic and are told apart by ``deviceId``; ``messageId`` counts messages;
times are Unix nanoseconds.

``accelerometer`` is without gravity, ``gravity`` beside it, ``totalacceleration`` with gravity (Android alone): all in
m/s². ``accelerometeruncalibrated`` is with gravity, in m/s² on Android, on iOS in g unless *Standardise Units &
Frames* is on. Without that, iOS negates all axes of acceleration and gravity. So the sign is left open here unless
a reading has an ``accuracy`` or there is a ``totalacceleration``, which only Android sends. ``gyroscope`` is in rad/s
and turns the same way on both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated

import msgspec
import numpy as np

from streamer.activity_names import activity_of
from streamer.formats.checked import NANOSECONDS, check_times, decoded, readings
from streamer.formats.names import Format
from streamer.readings import PhoneMessage, Readings, Sensor, Sign, Unit
from streamer.wire import Label

ANDROID_FACT = "acceleration in Android's sign: the readings say how accurate they are, as Android's alone do"
TOTAL_FACT = "acceleration in Android's sign: there is a total acceleration, as on Android alone"

TOTAL, UNCALIBRATED = "totalacceleration", "accelerometeruncalibrated"
LINEAR, GRAVITY = "accelerometer", "gravity"
GYROSCOPE, GYROSCOPE_UNCALIBRATED = "gyroscope", "gyroscopeuncalibrated"
ANNOTATION = "annotation"

_VECTORS = {TOTAL, UNCALIBRATED, LINEAR, GRAVITY, GYROSCOPE, GYROSCOPE_UNCALIBRATED}


class _Reading(msgspec.Struct):
    name: str
    time: float
    values: msgspec.Raw = msgspec.Raw(b"{}")
    accuracy: msgspec.Raw = msgspec.Raw(b"null")


class _Message(msgspec.Struct):
    payload: list[_Reading]
    messageId: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)] | None = None  # noqa: N815 - the app's name


class _Vector(msgspec.Struct):
    x: float
    y: float
    z: float


class _Text(msgspec.Struct):
    text: str = ""


_MESSAGE = msgspec.json.Decoder(_Message)
_VECTOR = msgspec.json.Decoder(_Vector)
_TEXT = msgspec.json.Decoder(_Text)


def decode(phone: str, payload: bytes) -> PhoneMessage:
    """One batch: the accelerations that there are, angular velocity, and labels from annotations.

    Raises
    ------
    WireError : missing or mistyped fields of a sensor that is used, too many readings, or senseless numbers.
    """
    message = decoded(_MESSAGE, payload)
    by_name: dict[str, list[_Reading]] = {}
    for reading in message.payload:
        by_name.setdefault(reading.name, []).append(reading)
    sign, facts = _sign(by_name)
    found = (*_accelerations(by_name, sign), *_angular_velocity(by_name))
    labels = tuple(_label(reading) for reading in by_name.get(ANNOTATION, ()))
    return PhoneMessage(phone, Format.SENSOR_LOGGER, found, seq=message.messageId, labels=labels, facts=facts)


def _sign(by_name: dict[str, list[_Reading]]) -> tuple[Sign | None, tuple[str, ...]]:
    if TOTAL in by_name:
        return Sign.ANDROID, (TOTAL_FACT,)
    vectors = (reading for name in by_name.keys() & _VECTORS for reading in by_name[name])
    if any(bytes(reading.accuracy) != b"null" for reading in vectors):
        return Sign.ANDROID, (ANDROID_FACT,)
    return None, ()


def _accelerations(by_name: dict[str, list[_Reading]], sign: Sign | None) -> Iterable[Readings]:
    """The total acceleration if there is one, calibrated rather than not; and what else makes one."""
    metres = Unit.METRES_PER_SECOND_SQUARED
    if TOTAL in by_name:
        yield _vectors(Sensor.TOTAL_ACCELERATION, by_name[TOTAL], metres, sign)
        return
    if UNCALIBRATED in by_name:
        unit = metres if sign is Sign.ANDROID else None
        yield _vectors(Sensor.TOTAL_ACCELERATION, by_name[UNCALIBRATED], unit, sign)
    if LINEAR in by_name:
        yield _vectors(Sensor.BODY_ACCELERATION, by_name[LINEAR], metres, sign)
    if GRAVITY in by_name:
        yield _vectors(Sensor.GRAVITY, by_name[GRAVITY], metres, sign)


def _angular_velocity(by_name: dict[str, list[_Reading]]) -> Iterable[Readings]:
    for name in (GYROSCOPE, GYROSCOPE_UNCALIBRATED):
        if name in by_name:
            yield _vectors(Sensor.ANGULAR_VELOCITY, by_name[name], Unit.RADIANS_PER_SECOND, Sign.ANDROID)
            return


def _vectors(sensor: Sensor, found: list[_Reading], unit: Unit | None, sign: Sign | None) -> Readings:
    vectors = [decoded(_VECTOR, reading.values) for reading in found]
    times = [reading.time for reading in found]
    return readings(sensor, times, [(v.x, v.y, v.z) for v in vectors], unit, sign, seconds=NANOSECONDS)


def _label(reading: _Reading) -> Label:
    """What the owner does from an annotation on; a text that names no activity ends the label before."""
    start_s = reading.time * NANOSECONDS
    check_times(np.array([start_s]))
    return Label(activity_of(decoded(_TEXT, reading.values).text), start_s, math.inf)
