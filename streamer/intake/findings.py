"""What is wrong with what a phone sends, in words that its owner can do something with. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from model.text import counted
from streamer.intake.clock import PhoneClock
from streamer.intake.limits import LOW_RATE_HZ, MAX_RATE_HZ, MIN_RATE_HZ, WAIT_S
from streamer.intake.report import Finding, IntakeReport, SensorReport
from streamer.intake.stats import SensorStats
from streamer.readings import ClockKind, Sensor

PATIENCE_S = 3.0
"""A sensor that has not come while another sent for so long is missing."""

IRREGULAR = 0.3
"""Jitter, as a share of the interval between readings, from which a sensor's times are called irregular."""

LOSSY = 0.05
"""Share of the readings that are missing, from which that is told."""

LOSSY_S = 30.0
"""Readings of so many seconds show what share is missing."""

STANDING = 100
"""Readings after which a sensor's rate must be known."""

_ACCELERATIONS = (Sensor.TOTAL_ACCELERATION, Sensor.BODY_ACCELERATION, Sensor.GRAVITY)


def find(
    report: IntakeReport, stats: Mapping[Sensor, SensorStats], clock: PhoneClock, apart_s: float
) -> Iterator[Finding]:
    """Everything that is wrong with a phone, by its report so far; ``apart_s`` between its sensors' clocks."""
    yield from _missing(stats)
    for sensor in report.sensors:
        yield from _sensor(sensor)
    if clock.off_s is not None:
        way = "behind" if clock.off_s > 0 else "ahead of"
        words = (
            f"the phone's clock is {_time(abs(clock.off_s))} {way} this machine's: let both set theirs by the network"
        )
        yield Finding("clock-off", words)
    if clock.kind is ClockKind.BOOT and clock.stated is ClockKind.UNIX:
        yield Finding("boot-clock", "the times count from the phone's start, not from 1970: nothing is dated rightly")
    if clock.jumps:
        yield Finding("clock-jumps", f"the phone's clock jumped, {counted(clock.jumps, 'time')} so far")
    if apart_s:
        yield Finding(
            "sensor-clocks", f"the sensors' clocks are {abs(apart_s):.0f} s apart: aligned by when readings arrive"
        )


def _missing(stats: Mapping[Sensor, SensorStats]) -> Iterator[Finding]:
    last_s = {sensor: each.last_s for sensor, each in stats.items() if each.last_s is not None}
    first_s = [each.first_s for each in stats.values() if each.first_s is not None]
    if not last_s or max(last_s.values()) - min(first_s) < PATIENCE_S:
        return
    now_s = max(last_s.values())
    current = {sensor for sensor, each_s in last_s.items() if now_s - each_s < WAIT_S}
    if Sensor.ANGULAR_VELOCITY not in current:
        yield Finding("no-gyroscope", "no gyroscope: turn it on in the app; without it nothing is recognised")
    if not current.intersection(_ACCELERATIONS):
        yield Finding("no-accelerometer", "no accelerometer: turn it on in the app; without it nothing is recognised")
    elif Sensor.TOTAL_ACCELERATION not in current and Sensor.GRAVITY not in current:
        words = "acceleration without gravity: turn on gravity too, or total acceleration"
        yield Finding("no-gravity", words)
    elif Sensor.TOTAL_ACCELERATION not in current and Sensor.BODY_ACCELERATION not in current:
        yield Finding("no-accelerometer", "gravity without acceleration: turn the accelerometer on in the app")


def _sensor(sensor: SensorReport) -> Iterator[Finding]:
    name, rate_hz = sensor.sensor.value, sensor.rate_hz
    if rate_hz is None:
        if sensor.readings > STANDING:
            yield Finding("standing-times", f"the times of the {name} do not advance")
        return
    if rate_hz < LOW_RATE_HZ:
        to_do = "nothing is recognised" if rate_hz < MIN_RATE_HZ else "too slow"
        yield Finding("low-rate", f"{rate_hz:.3g} Hz of {name}: {to_do}, set 50 Hz (20 ms) or faster in the app")
    if rate_hz > MAX_RATE_HZ:
        yield Finding("high-rate", f"{rate_hz:.0f} Hz of {name} by its times: nothing is recognised, set 50 Hz")
    if sensor.jitter_ms is not None and sensor.jitter_ms > IRREGULAR * 1000 / rate_hz:
        words = f"the times of the {name} are irregular, by {sensor.jitter_ms:.0f} ms at {rate_hz:.0f} Hz"
        yield Finding("irregular", words)
    if sensor.missing_share > LOSSY and sensor.readings > LOSSY_S * rate_hz:
        yield Finding("lossy", f"{sensor.missing_share:.0%} of the {name} is missing and was interpolated")


def _time(seconds: float) -> str:
    for unit, length, most in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < most:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"
