"""What a phone's message holds, whatever its format: readings of sensors, each with its own times. Pure.

Every format (:mod:`streamer.formats`) decodes to :class:`PhoneMessage`; the intake (:mod:`streamer.intake`) makes
50 Hz samples of the six raw channels from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from model.signals import SAMPLING_RATE, Stage
from streamer.wire import Label, after_first_s

FloatArray = npt.NDArray[np.float64]


class Sensor(StrEnum):
    """What was measured, along the phone's three axes."""

    TOTAL_ACCELERATION = "total acceleration"
    """With gravity: an accelerometer as it is."""

    BODY_ACCELERATION = "body acceleration"
    """Without gravity, which the phone took away itself."""

    GRAVITY = "gravity"
    ANGULAR_VELOCITY = "angular velocity"


class Unit(StrEnum):
    """Of the values."""

    G = "g"
    METRES_PER_SECOND_SQUARED = "m/s2"
    RADIANS_PER_SECOND = "rad/s"
    DEGREES_PER_SECOND = "deg/s"


class Sign(StrEnum):
    """What the accelerometer shows along an axis that points up while the phone lies still."""

    ANDROID = "android"
    """+1 g: the force that holds the phone up, as in the data set."""

    IOS = "ios"
    """-1 g: gravity itself."""


class ClockKind(StrEnum):
    """What the times count from."""

    UNIX = "unix"
    BOOT = "boot"
    """An unknown moment, as the phone's start; goes as fast as any clock."""


# One of each of these is made for every message: frozen, each would take three times as long to make.


@dataclass(slots=True)
class Readings:
    """Readings of one sensor in one message.

    ``times`` has shape ``(n,)`` in seconds on the message's clock, ``values`` ``(n, 3)`` in ``unit`` and with
    ``sign``; a unit or sign of None is left open by the format, and is found out from the data or reported.
    Angular velocity has no sign to find out: it turns the same way round on all phones.
    """

    sensor: Sensor
    times: FloatArray
    values: FloatArray
    unit: Unit | None
    sign: Sign | None = Sign.ANDROID


@dataclass(slots=True)
class GridSamples:
    """Samples of both sensors at 50 Hz, 20 ms apart: ``values`` ``(n, 6)`` [:data:`model.signals.RAW_CHANNELS`], first
    and last taken at these times.
    """

    values: FloatArray
    first_s: float
    last_s: float

    def readings(self) -> tuple[Readings, ...]:
        """The same as readings of the two sensors."""
        return readings_of(self.first_s + after_first_s(len(self.values), SAMPLING_RATE), self.values)


def readings_of(times: FloatArray, values: FloatArray) -> tuple[Readings, ...]:
    """Values ``(n, 6)`` in g and rad/s as readings of two sensors that share their times ``(n,)``; ``(n, 3)`` as those
    of the acceleration alone.
    """
    acceleration = Readings(Sensor.TOTAL_ACCELERATION, times, values[:, :3], Unit.G)
    if values.shape[1] == 3:
        return (acceleration,)
    return acceleration, Readings(Sensor.ANGULAR_VELOCITY, times, values[:, 3:], Unit.RADIANS_PER_SECOND)


@dataclass(slots=True)
class PhoneMessage:
    """One message of one phone.

    ``seq`` counts the phone's messages (None: it does not), ``start`` marks the first of a recording (the filters
    start from zero state), ``stage`` is where the signal chain takes over. ``labels`` say what the owner does.
    ``facts`` are words for the user about what the format says, such as why a sign was taken for iOS's.
    ``format`` is the format's name as ``--format`` has it. Where the message itself says that its readings are samples
    at 50 Hz, in g and rad/s, they are in ``grid``; else they are ``given``.
    """

    phone: str
    format: str
    given: tuple[Readings, ...] = ()
    seq: int | None = None
    start: bool = False
    stage: Stage = Stage.RAW
    clock: ClockKind = ClockKind.UNIX
    labels: tuple[Label, ...] = ()
    facts: tuple[str, ...] = ()
    grid: GridSamples | None = None

    @property
    def readings(self) -> tuple[Readings, ...]:
        """Of all sensors; of samples at 50 Hz they are made when they are asked for, which is seldom."""
        if self.grid is not None and not self.given:
            self.given = self.grid.readings()
        return self.given

    @property
    def has_readings(self) -> bool:
        """Whether there are any."""
        return self.grid is not None or bool(self.given)

    @property
    def n_samples(self) -> int:
        """Readings of the acceleration, with gravity or without: what is counted as the message's samples."""
        if self.grid:
            return len(self.grid.values)
        counts = {readings.sensor: len(readings.times) for readings in self.readings}
        return counts.get(Sensor.TOTAL_ACCELERATION, counts.get(Sensor.BODY_ACCELERATION, 0))

    @property
    def n_readings(self) -> int:
        """Readings of the sensor that has most of them: what is bounded."""
        return len(self.grid.values) if self.grid else max((len(each.times) for each in self.readings), default=0)
