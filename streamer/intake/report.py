"""What the intake knows about a phone: for the dashboard, for warnings and for ``har-stream doctor``. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.readings import ClockKind, Sensor


@dataclass(frozen=True, slots=True)
class SensorReport:
    """One sensor of a phone. ``rate_hz`` and ``jitter_ms`` are by the readings' own times, None until known."""

    sensor: Sensor
    readings: int
    rate_hz: float | None = None
    jitter_ms: float | None = None
    missing_share: float = 0.0
    """Of the readings that its rate promises: what never came."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with what a phone sends. ``code`` is for programs, ``words`` for the phone's owner."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """One phone as the intake sees it.

    ``clock_offset_s`` is what is added to the phone's times for Unix time: 0 for a Unix clock. Counts are of
    messages (``reordered``, ``repeated``, ``late``), of samples at 50 Hz (``bridged``), and of the times that it
    happened. ``resampled`` tells whether the readings were not on the 50 Hz grid already.
    """

    phone: str
    format: str | None = None
    clock: ClockKind | None = None
    clock_offset_s: float | None = None
    sensors: tuple[SensorReport, ...] = ()
    resampled: bool = False
    reordered: int = 0
    repeated: int = 0
    late: int = 0
    bridged: int = 0
    gaps: int = 0
    clock_jumps: int = 0
    facts: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def missing(self) -> tuple[Sensor, ...]:
        """Sensors that the model needs and that have never come."""
        have = {sensor.sensor for sensor in self.sensors}
        needed = (Sensor.TOTAL_ACCELERATION, Sensor.ANGULAR_VELOCITY)
        gravity_apart = {Sensor.BODY_ACCELERATION, Sensor.GRAVITY} <= have
        return tuple(s for s in needed if s not in have and not (gravity_apart and s is Sensor.TOTAL_ACCELERATION))
