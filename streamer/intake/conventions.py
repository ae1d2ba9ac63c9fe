"""Units and signs: readings as a phone sends them, in g and rad/s with Android's sign. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.signals import STANDARD_GRAVITY
from streamer.readings import PhoneMessage, Readings, Sensor, Sign, Unit

_FACTORS = {
    Unit.G: 1.0,
    Unit.METRES_PER_SECOND_SQUARED: 1 / STANDARD_GRAVITY,
    Unit.RADIANS_PER_SECOND: 1.0,
    Unit.DEGREES_PER_SECOND: float(np.deg2rad(1.0)),
}


class Conventions:
    """One phone's units and signs. What is right already passes through as the very same object."""

    def apply(self, message: PhoneMessage) -> PhoneMessage:
        """The message with its readings in g and rad/s and with Android's sign."""
        readings = tuple(_convert(each) for each in message.readings)
        if all(new is old for new, old in zip(readings, message.readings, strict=True)):
            return message
        return replace(message, readings=readings)


def _convert(readings: Readings) -> Readings:
    is_acceleration = readings.sensor is not Sensor.ANGULAR_VELOCITY
    factor = 1.0 if readings.unit is None else _FACTORS[readings.unit]
    if is_acceleration and readings.sign is Sign.IOS:
        factor = -factor
    if factor == 1.0:
        return readings
    unit = Unit.G if is_acceleration else Unit.RADIANS_PER_SECOND
    return replace(readings, values=readings.values * factor, unit=unit, sign=Sign.ANDROID)
