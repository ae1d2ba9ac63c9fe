"""phyphox (iOS, Android): the messages of the experiment that this package ships, over ``mqtt/json``.

From https://phyphox.org/wiki/index.php/Network_Connections and phyphox-docs (docs/file-format/network-connections.md,
spec/network.yml): one JSON object with an array for each buffer that the experiment sends, under the names that its
author gave. Ours are ``accT accX accY accZ`` and ``gyrT gyrX gyrY gyrZ``, or one ``t`` for both. phyphox gives m/s² and
rad/s, on iOS in Android's sign, too (phyphox-ios, ExperimentSensorInput.swift: ``kG = -9.81``), and seconds since the
experiment's start. ``time`` (its ``type="time"``) tells at which Unix time that was, with every pause
(MqttHelper.java, NetworkService.swift); ``id`` (``uniqueID``) tells phones with the same experiment apart.
A number that is not finite is null (MqttHelper.java).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from streamer.formats.checked import decoded, readings
from streamer.formats.names import Format, phone_name
from streamer.readings import ClockKind, PhoneMessage, Readings, Sensor, Unit
from streamer.wire import MAX_SAMPLES, WireError

TOPIC = "phyphox"
"""What our experiment publishes to, ``/<phone>`` behind it if a name is given."""

FACT = "phyphox sends m/s² with gravity and rad/s, in Android's sign"

TORN = 2
"""Readings by which the arrays of one sensor may differ, as they are sent while the sensor goes on."""

_Numbers = Annotated[list[float | None], msgspec.Meta(max_length=MAX_SAMPLES)]
_Column = _Numbers | float | None


class _Event(msgspec.Struct):
    event: str
    experimentTime: float  # noqa: N815 - the app's name
    systemTime: float  # noqa: N815


class _Time(msgspec.Struct):
    events: Annotated[list[_Event], msgspec.Meta(max_length=10_000)] = []


class _Message(msgspec.Struct):
    t: _Column = None
    accT: _Column = None  # noqa: N815 - names of buffers
    accX: _Column = None  # noqa: N815
    accY: _Column = None  # noqa: N815
    accZ: _Column = None  # noqa: N815
    gyrT: _Column = None  # noqa: N815
    gyrX: _Column = None  # noqa: N815
    gyrY: _Column = None  # noqa: N815
    gyrZ: _Column = None  # noqa: N815
    time: _Time | None = None


_MESSAGE = msgspec.json.Decoder(_Message)


def phone_of(topic: str, unique_id: str | None) -> str:
    """The phone's name: the levels of the topic after ``phyphox/``, joined by dashes; without any, ``phyphox-`` and
    the first eight digits of its id."""
    own = topic.removeprefix(f"{TOPIC}/")
    if own != TOPIC:
        return phone_name(own.replace("/", "-"))
    return phone_name(f"{TOPIC}-{unique_id[:8]}" if unique_id else TOPIC)


def decode(phone: str, payload: bytes) -> PhoneMessage:
    """The readings that have come since the last message; on the phone's own clock if ``time`` is missing.

    Raises
    ------
    WireError : missing or mistyped fields, arrays of unequal lengths, too many readings, or senseless numbers.
    """
    message = decoded(_MESSAGE, payload)
    shift_s = _unix_shift(message.time)
    acc = _readings(
        Sensor.TOTAL_ACCELERATION,
        Unit.METRES_PER_SECOND_SQUARED,
        (_first(message.accT, message.t), message.accX, message.accY, message.accZ),
        shift_s or 0.0,
    )
    gyr = _readings(
        Sensor.ANGULAR_VELOCITY,
        Unit.RADIANS_PER_SECOND,
        (_first(message.gyrT, message.t), message.gyrX, message.gyrY, message.gyrZ),
        shift_s or 0.0,
    )
    clock = ClockKind.BOOT if shift_s is None else ClockKind.UNIX
    return PhoneMessage(phone, Format.PHYPHOX, (*acc, *gyr), clock=clock, facts=(FACT,))


def _first(own: _Column, shared: _Column) -> _Column:
    return shared if own is None else own


def _unix_shift(time: _Time | None) -> float | None:
    """What makes Unix seconds of seconds of the experiment, by its last start; None if that is not told."""
    starts = [event for event in time.events if event.event.upper() == "START"] if time else []
    return starts[-1].systemTime - starts[-1].experimentTime if starts else None


def _readings(sensor: Sensor, unit: Unit, columns: tuple[_Column, ...], shift_s: float) -> tuple[Readings, ...]:
    """None if the sensor's buffers are not sent or are empty."""
    times, *axes = columns
    if all(axis is None for axis in axes):
        return ()
    if times is None or any(axis is None for axis in axes):
        raise WireError(f"of {sensor}, one of the times and the three axes is missing")
    lists = [_listed(column) for column in columns]
    length = min(map(len, lists))
    if max(map(len, lists)) - length > TORN:
        raise WireError(f"the times and axes of {sensor} have unequal lengths: {', '.join(str(len(c)) for c in lists)}")
    rows = np.array([column[:length] for column in lists], np.float64).T
    rows = rows[~np.isnan(rows).any(axis=1)]
    return (readings(sensor, rows[:, 0] + shift_s, rows[:, 1:], unit),) if len(rows) else ()


def _listed(column: _Column) -> list[float | None]:
    return column if isinstance(column, list) else [column]
