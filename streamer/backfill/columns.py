"""Which column of a table is which, by its name, and its unit where the name says it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from model.errors import DataError
from streamer.readings import Unit

NEEDED = "t (or timestamp), acc_x, acc_y, acc_z, gyro_x, gyro_y and gyro_z"
"""The columns that a table must have, named as the fields of our own format."""

SHOWN = 20
"""Columns that an error names at most."""

_TIME = re.compile(r"(t|time|timestamp|datetime|unixtime|epoch)(s|sec|seconds|ms|us|ns)?")
_ACCELERATION = ("acc", "accel", "accelerometer", "acceleration", "totalacc", "totalacceleration", "a")
_ANGULAR_VELOCITY = ("gyro", "gyr", "gyroscope", "angularvelocity", "rotationrate", "w", "g")
_PHONE = ("phone", "device", "deviceid", "subject", "subjectid", "user", "userid", "participant")
_LABEL = ("label", "activity")
_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]")
_UNITS = {
    "g": Unit.G,
    "m/s2": Unit.METRES_PER_SECOND_SQUARED,
    "m/s^2": Unit.METRES_PER_SECOND_SQUARED,
    "m/s²": Unit.METRES_PER_SECOND_SQUARED,
    "rad/s": Unit.RADIANS_PER_SECOND,
    "deg/s": Unit.DEGREES_PER_SECOND,
    "°/s": Unit.DEGREES_PER_SECOND,
}


@dataclass(frozen=True, slots=True)
class Columns:
    """The table's own names of what is needed; ``phone`` and ``label`` None: there is no such column.

    A unit is None if no name says it in brackets, as in ``acc_x (m/s2)``.
    """

    time: str
    acceleration: tuple[str, str, str]
    angular_velocity: tuple[str, str, str]
    phone: str | None = None
    label: str | None = None
    acceleration_unit: Unit | None = None
    angular_unit: Unit | None = None


def find_columns(names: Sequence[str], source: str) -> Columns:
    """What the columns of a table are, whatever their case, blanks, dashes and underscores.

    Raises
    ------
    DataError : one that is needed is missing; tells what was found and what is needed.
    """
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(_plain(name), name)
    time = next((plain[name] for name in plain if _TIME.fullmatch(name)), None)
    acceleration, angular_velocity = _axes(plain, _ACCELERATION), _axes(plain, _ANGULAR_VELOCITY)
    if time is None or acceleration is None or angular_velocity is None:
        raise DataError(_missing(names, source, time, acceleration, angular_velocity))
    return Columns(
        time,
        acceleration,
        angular_velocity,
        phone=next((plain[name] for name in _PHONE if name in plain), None),
        label=next((plain[name] for name in _LABEL if name in plain), None),
        acceleration_unit=_unit(acceleration[0]),
        angular_unit=_unit(angular_velocity[0]),
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", _BRACKETS.sub("", name).lower())


def _axes(plain: dict[str, str], prefixes: tuple[str, ...]) -> tuple[str, str, str] | None:
    for prefix in prefixes:
        for x, y, z in ([f"{prefix}{axis}" for axis in "xyz"], [f"{axis}{prefix}" for axis in "xyz"]):
            if x in plain and y in plain and z in plain:
                return plain[x], plain[y], plain[z]
    return None


def _unit(name: str) -> Unit | None:
    brackets = _BRACKETS.search(name)
    return _UNITS.get(brackets[1].strip().lower()) if brackets else None


def _missing(names: Sequence[str], source: str, *found: object) -> str:
    what = ("the time", "the acceleration along x, y and z", "the angular velocity about x, y and z")
    missing = [words for words, column in zip(what, found, strict=True) if column is None]
    shown = ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
    return f"{source} has the columns {shown}, but lacks {' and '.join(missing)}; needed are {NEEDED}."
