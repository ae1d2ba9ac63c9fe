"""Units and signs: readings as a phone sends them, in g and rad/s with Android's sign. Pure.

What the format states is believed, and contradicted by the data only in words: now and then it is looked at
(:data:`CHECK_S`). What the format leaves open is found out from the data (:mod:`streamer.intake.evidence`), once per
stream. Either is told, with the reason.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.signals import STANDARD_GRAVITY, FloatArray
from streamer.formats.names import Format
from streamer.intake import evidence
from streamer.intake.report import Finding
from streamer.readings import PhoneMessage, Readings, Sensor, Sign, Unit

SILENCE_S = 1.5
"""How long acceleration is left out where its sign turns out to be another: a gap, so that the filters start anew."""

LONG_S = 60.0
"""A silence that is not over for so long never will be: the clock has jumped."""

CHECK_S = 10.0
"""How long a unit and sign that the format states are believed without a look at the data, after the first look."""

MOST_CHECK_S = 40.0
"""The same at most: twice as long after each look that contradicts nothing."""

MIN_SPAN = 40
"""Readings that are judged together, at least."""

MAX_SPAN = 2000
"""Readings that are kept to be judged, at most."""

SIGN_HINT = "turn on 'Standardise Units & Frames' in Sensor Logger to be sure"

_FACTORS = {
    Unit.G: 1.0,
    Unit.METRES_PER_SECOND_SQUARED: 1 / STANDARD_GRAVITY,
    Unit.RADIANS_PER_SECOND: 1.0,
    Unit.DEGREES_PER_SECOND: float(np.deg2rad(1.0)),
}

_WHOLE = {Sensor.TOTAL_ACCELERATION: Unit.G, Sensor.ANGULAR_VELOCITY: Unit.RADIANS_PER_SECOND}
"""What passes as it is: the sensors that the model needs, in its units."""

_WITH_GRAVITY = (Sensor.TOTAL_ACCELERATION, Sensor.GRAVITY)
"""The sensors that gravity, and so unit and sign, can be seen in; the first of them that comes is."""


class _Span:
    """Readings of one sensor, collected until there are enough to be judged together."""

    def __init__(self) -> None:
        self._parts: list[FloatArray] = []
        self._count = 0
        self._first_s = 0.0

    def add(self, readings: Readings) -> FloatArray | None:
        """Take more; give all of them, ``(n, 3)``, when they span :data:`streamer.intake.evidence.SPAN_S`."""
        if not len(readings.times):
            return None
        if not self._parts:
            self._first_s = float(readings.times[0])
        self._parts.append(readings.values[:MAX_SPAN])
        self._count += len(readings.times)
        is_long = abs(float(readings.times[-1]) - self._first_s) >= evidence.SPAN_S and self._count >= MIN_SPAN
        if not is_long and self._count < MAX_SPAN:
            return None
        values = np.concatenate(self._parts)
        self._parts, self._count = [], 0
        return values


class Conventions:
    """One phone's units and signs. What is right already passes through as the very same object.

    Until an open unit is known, which takes :data:`streamer.intake.evidence.SPAN_S`, its readings are left out; so are
    readings of an open sign, but only for that long: then they pass as they are, and if the sign turns out to be the
    other one later, :data:`SILENCE_S` are left out. ``is_turned`` says that the phone's axes are turned later, so that
    the direction of gravity tells no sign here.
    """

    def __init__(self) -> None:
        self.is_turned = False
        self._format_facts: dict[str, None] = {}
        self._facts: dict[str, str] = {}
        self._findings: dict[str, str] = {}
        self._sensors: set[Sensor] = set()
        self._sign: Sign | None = None
        self._acceleration_unit: Unit | None = None
        self._angular_unit: Unit | None = None
        self._spans: dict[Sensor, _Span] = {}
        self._looked: dict[Sensor, tuple[float, float]] = {}
        self._n_judged = 0
        self._is_moving = False
        self._silent_until_s: float | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with units and signs, for the phone's report."""
        return tuple(Finding(code, words) for code, words in self._findings.items())

    def apply(self, message: PhoneMessage) -> PhoneMessage:
        """The message with its readings in g and rad/s and with Android's sign, and with all facts known so far.

        Readings that cannot be used yet are left out, and so are the two parts of the acceleration of a phone that
        sends the whole.
        """
        if self._is_right(message):
            return message
        self._sensors.update(readings.sensor for readings in message.readings)
        chosen = [readings for readings in message.readings if self._is_chosen(readings.sensor)]
        for readings in chosen:
            self._learn(message, readings)
        converted = tuple(new for each in chosen if (new := self._convert(each)) is not None)
        if message.facts:
            self._format_facts.update(dict.fromkeys(message.facts))
        facts = (*self._format_facts, *self._facts.values())
        same = len(converted) == len(message.readings) and len(facts) == len(message.facts)
        if same and all(new is old for new, old in zip(converted, message.readings, strict=True)):
            return message
        return replace(message, given=converted, facts=facts, grid=None)

    def passes(self, until_s: float) -> bool:
        """Whether readings up to this time that are stated to be in g and rad/s, with Android's sign, pass as they are
        (:meth:`apply` would give the very message).
        """
        if self._format_facts or self._facts or self._silent_until_s is not None:
            return False
        return self._is_believed(Sensor.TOTAL_ACCELERATION, until_s) and self._is_believed(
            Sensor.ANGULAR_VELOCITY, until_s
        )

    def _is_right(self, message: PhoneMessage) -> bool:
        """Whether all is as it is to be, by what the format states, and nothing is to be looked at: the usual case."""
        if message.facts or self._format_facts or self._facts or self._silent_until_s is not None:
            return False
        return all(
            readings.sensor in _WHOLE
            and readings.unit is _WHOLE[readings.sensor]
            and readings.sign is Sign.ANDROID
            and self._is_believed(readings.sensor, float(readings.times[-1]))
            for readings in message.readings
        )

    def _is_believed(self, sensor: Sensor, until_s: float) -> bool:
        """Whether what the format states of readings up to this time was looked at not long ago."""
        looked_s, for_s = self._looked.get(sensor, (until_s, 0.0))
        return 0 <= until_s - looked_s < for_s

    def _believe(self, readings: Readings) -> None:
        """They have been looked at: twice as long as the last time nobody needs to, if nothing is wrong."""
        _, for_s = self._looked.get(readings.sensor, (0.0, 0.0))
        for_s = CHECK_S if self._findings else min(max(2 * for_s, CHECK_S), MOST_CHECK_S)
        self._looked[readings.sensor] = float(readings.times[-1]), for_s

    def _is_chosen(self, sensor: Sensor) -> bool:
        is_part = sensor in (Sensor.BODY_ACCELERATION, Sensor.GRAVITY)
        return not (is_part and Sensor.TOTAL_ACCELERATION in self._sensors)

    def _learn(self, message: PhoneMessage, readings: Readings) -> None:
        if readings.sensor in _WITH_GRAVITY:
            if readings.sign is not None and self._sign is None and message.format == Format.SENSOR_LOGGER:
                self._decide_sign(readings.sign, None, readings)
            if (values := self._span(readings)) is not None:
                self._judge_acceleration(message, readings, values)
                self._believe(readings)
        elif readings.sensor is Sensor.ANGULAR_VELOCITY and (values := self._span(readings)) is not None:
            self._judge_angular_velocity(readings, values)
            self._believe(readings)

    def _span(self, readings: Readings) -> FloatArray | None:
        """The readings to be judged, ``(n, 3)``, once there are enough; None while nothing is to be judged."""
        if (
            readings.unit is not None
            and readings.sign is not None
            and self._is_believed(readings.sensor, float(readings.times[-1]))
        ):
            return None
        span = self._spans.get(readings.sensor)
        if span is None:
            span = self._spans[readings.sensor] = _Span()
        return span.add(readings)

    def _judge_acceleration(self, message: PhoneMessage, readings: Readings, values: FloatArray) -> None:
        median = evidence.length(values)
        looks_like = evidence.acceleration_unit(median)
        if readings.unit is None and looks_like not in (None, self._acceleration_unit):
            if self._acceleration_unit is not None:
                self._sign = None
                self._be_silent(readings)
            self._acceleration_unit = looks_like
            self._facts["unit"] = f"acceleration in {looks_like}: its median length is {median:.3g}"
        unit = readings.unit or self._acceleration_unit
        self._check_acceleration(unit, looks_like, median)
        if unit is not None:
            self._is_moving = evidence.is_moving(values * _FACTORS[unit])
        if readings.sign is None and self._sign is None:
            self._judge_sign(message, readings, values)
        self._n_judged += 1

    def _judge_sign(self, message: PhoneMessage, readings: Readings, values: FloatArray) -> None:
        if message.format == Format.SENSOR_LOGGER and readings.unit is None and self._acceleration_unit is not None:
            if self._acceleration_unit is Unit.G:
                self._decide_sign(Sign.IOS, "as iOS alone sends g, with units that are not standardised", readings)
            else:
                self._decide_sign(Sign.ANDROID, "as iOS sends m/s² with standardised units alone", readings)
        elif not self.is_turned and (sign := evidence.worn_sign(values)) is not None:
            way = "down" if sign is Sign.IOS else "up"
            reason = f"as a phone worn as told has its x axis up, and it points {way}; {SIGN_HINT}"
            self._decide_sign(sign, reason, readings)
        else:
            self._findings["sign-unknown"] = f"the acceleration's sign, Android's or iOS's, is not known: {SIGN_HINT}"

    def _decide_sign(self, sign: Sign, reason: str | None, readings: Readings) -> None:
        self._sign = sign
        self._findings.pop("sign-unknown", None)
        if reason is not None:
            name = "iOS's" if sign is Sign.IOS else "Android's"
            self._facts["sign"] = f"acceleration in {name} sign, {reason}"
        if sign is Sign.IOS and self._n_judged:
            self._be_silent(readings)

    def _be_silent(self, readings: Readings) -> None:
        self._silent_until_s = float(readings.times[-1]) + SILENCE_S

    def _check_acceleration(self, unit: Unit | None, looks_like: Unit | None, median: float) -> None:
        """Say what contradicts the unit, or that gravity is not in it."""
        for code in ("unit-unknown", "unit-wrong", "no-gravity"):
            self._findings.pop(code, None)
        low, _ = evidence.GRAVITY_RANGE_G
        if unit is None:
            words = f"the acceleration's median length is {median:.3g}, neither 1 g nor 9.8 m/s²: its unit is not known"
            self._findings["unit-unknown" if median >= low else "no-gravity"] = words
        elif looks_like not in (None, unit):
            self._findings["unit-wrong"] = (
                f"the acceleration is said to be in {unit}, but its median length is {median:.3g}, as in {looks_like}: "
                f"set the right unit{', or send it with gravity' if looks_like is Unit.G else ''}"
            )
        elif median * _FACTORS[unit] < low:
            words = (
                f"the median acceleration is {median * _FACTORS[unit]:.2g} g: gravity is missing; send it with gravity"
            )
            self._findings["no-gravity"] = words

    def _judge_angular_velocity(self, readings: Readings, values: FloatArray) -> None:
        median = evidence.length(values)
        looks_like = evidence.angular_unit(median, is_moving=self._is_moving)
        if looks_like is None:
            return
        if readings.unit is None and self._angular_unit is None:
            self._angular_unit = looks_like
            self._facts["angular-unit"] = f"angular velocity in {looks_like}: its median length is {median:.3g}"
        unit = readings.unit or self._angular_unit
        self._findings.pop("angular-unit-wrong", None)
        if unit is not looks_like:
            self._findings["angular-unit-wrong"] = (
                f"the angular velocity is said to be in {unit}, but its median length is {median:.3g}: set {looks_like}"
            )

    def _convert(self, readings: Readings) -> Readings | None:
        if readings.sensor is Sensor.ANGULAR_VELOCITY:
            unit = readings.unit or self._angular_unit
            return None if unit is None else _scaled(readings, _FACTORS[unit], Unit.RADIANS_PER_SECOND)
        unit = readings.unit or self._acceleration_unit
        if unit is None or self._is_silent(readings):
            return None
        sign = readings.sign or self._sign
        is_judged = self._n_judged or not self._sensors.intersection(_WITH_GRAVITY)
        if sign is None and not is_judged:
            return None
        return _scaled(readings, -_FACTORS[unit] if sign is Sign.IOS else _FACTORS[unit], Unit.G)

    def _is_silent(self, readings: Readings) -> bool:
        """Whether the readings are of the time that is left out as the sign has changed."""
        if self._silent_until_s is None:
            return False
        if 0 < self._silent_until_s - float(readings.times[-1]) < LONG_S:
            return True
        self._silent_until_s = None
        return False


def _scaled(readings: Readings, factor: float, unit: Unit) -> Readings:
    if factor == 1.0 and readings.unit is unit and readings.sign is Sign.ANDROID:
        return readings
    return Readings(readings.sensor, readings.times, readings.values * factor, unit, Sign.ANDROID)
