"""Sensors at any rate, each with its own times, to six channels on one 50 Hz grid. It waits for the slower one. Pure.

A piece begins where all sensors that it needs have readings for a second, without a gap, and ends at the first gap of
one of them. Its grid starts at the first instant that all of them know.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from model.resampling import measured_rate
from model.signals import SAMPLING_RATE, Start
from streamer.intake.buffer import SensorBuffer
from streamer.intake.chunks import JUMPED, Chunk, Piece
from streamer.intake.limits import BRIDGE_S, MAX_HOLD_S, MAX_RATE_HZ, MIN_RATE_HZ, REORDER_SPANS, START_S, WAIT_S
from streamer.intake.track import Track
from streamer.readings import Readings, Sensor

WITH_GRAVITY = (Sensor.TOTAL_ACCELERATION, Sensor.ANGULAR_VELOCITY)
GRAVITY_APART = (Sensor.BODY_ACCELERATION, Sensor.GRAVITY, Sensor.ANGULAR_VELOCITY)
"""What a piece is made of: total acceleration, or the sum of its two parts; and angular velocity, the last."""

PUMP_S = 0.1
"""Readings are worked off in steps of this length at least: one by one they cost far more."""


class Fusion:
    """One phone's sensors, resampled and put together.

    ``unusable`` has the sensors whose rate is too low or too high to be used, with their rates; ``apart_s`` is how far
    the sensors' clocks were apart where they had to be aligned by arrival.
    """

    def __init__(self) -> None:
        self.unusable: dict[Sensor, float] = {}
        self.apart_s = 0.0
        self.buffers: dict[Sensor, SensorBuffer] = {}
        self._filled: Counter[Sensor] = Counter()
        self._delays: dict[Sensor, float] = {}
        self._tracks: dict[Sensor, Track] = {}
        self._start_s = 0.0
        self._given = 0
        self._pumped_s = (float("-inf"), float("-inf"))
        self._arrived_s = float("-inf")
        self._counted = (0, 0, 0)
        self._next: Piece | None = Piece(Start.STEADY, anew=True)

    def begin(self, piece: Piece) -> list[Chunk]:
        """End the piece; what comes now is the next one."""
        ended = self.finish()
        self._counted = self.counts()
        self.buffers.clear()
        self._delays.clear()
        self._next = piece
        return ended

    def is_behind(self, readings: Readings, in_order: bool) -> bool:
        """Whether these readings show that the clock was set back."""
        buffer = self.buffers.get(readings.sensor)
        return buffer is not None and buffer.is_behind(readings.times, in_order)

    def add(self, readings: Readings, arrived_s: float, in_order: bool) -> None:
        """Take readings in g or rad/s; those of a sensor that the piece does without are not kept."""
        if self._tracks and readings.sensor not in self._tracks:
            return
        buffer = self.buffers.setdefault(readings.sensor, SensorBuffer())
        buffer.add(readings.times, readings.values, in_order)
        self._arrived_s = arrived_s
        delay_s = arrived_s - float(readings.times[-1])
        self._delays[readings.sensor] = min(delay_s, self._delays.get(readings.sensor, delay_s))

    @property
    def n_readings(self) -> int:
        """Readings that are held."""
        return sum(len(buffer.times) for buffer in self.buffers.values())

    def counts(self) -> tuple[int, int, int]:
        """Readings that came too late, that came again, and that were put in their place."""
        late, repeated, reordered = self._counted
        for buffer in self.buffers.values():
            late, repeated, reordered = late + buffer.late, repeated + buffer.repeated, reordered + buffer.reordered
        return late, repeated, reordered

    def pump(self) -> list[Chunk]:
        """The samples that are now known."""
        newest = self._newest(self._tracks or self.buffers)
        if not newest:
            return []
        # The slower sensor's readings make samples; the faster one's show that the slower one has stopped.
        steps = min(newest) - self._pumped_s[0], max(newest) - self._pumped_s[1]
        if 0 <= steps[0] < PUMP_S and 0 <= steps[1] < WAIT_S / 5:
            return []
        self._pumped_s = min(newest), max(newest)
        return list(self._work())

    def _newest(self, sensors: Iterable[Sensor]) -> list[float]:
        return [newest_s for sensor in sensors if (newest_s := self.buffers[sensor].newest_s) is not None]

    @property
    def is_waiting(self) -> bool:
        """Whether readings are held back as others that are missing may still come."""
        return any(buffer.is_waiting for buffer in self.buffers.values())

    def release(self, now_s: float) -> list[Chunk]:
        """The samples of what is held back, if nothing at all has come for too long."""
        if not self.is_waiting or now_s - self._arrived_s <= MAX_HOLD_S:
            return []
        for buffer in self.buffers.values():
            buffer.no_more()
        return list(self._work())

    def wait_on(self, by_s: float) -> None:
        """What is held has waited for so much less than it seems."""
        self._arrived_s += by_s

    def finish(self) -> list[Chunk]:
        """End the piece: the samples up to the last readings."""
        for buffer in self.buffers.values():
            buffer.no_more()
        chunks = list(self._work())
        for track in self._tracks.values():
            track.feed(float("inf"))
            track.end()
        chunks += self._give()
        self._close(JUMPED)
        return chunks

    def _work(self) -> Iterator[Chunk]:
        while self._tracks or self._open():
            self._feed()
            yield from self._give()
            over = [track for track in self._tracks.values() if track.is_over and not track.n_made]
            if not over:
                return
            self._close(over[0].cause)

    def _open(self) -> bool:
        """Begin a piece if all its sensors are there; else forget what is older than any wait."""
        sensors = self._needed()
        if sensors is None:
            self._drop_old()
            return False
        self._align(sensors)
        start_s = self._common_start(sensors)
        rates = {sensor: self._rate(sensor, start_s) for sensor in sensors}
        if any(rate is None for rate in rates.values()):
            self._drop_old()
            return False
        for sensor, rate in rates.items():
            assert rate is not None
            self._tracks[sensor] = Track(self.buffers[sensor], rate, start_s)
        self._start_s, self._given = start_s, 0
        return True

    def _needed(self) -> tuple[Sensor, ...] | None:
        """The sensors of the next piece; None while one is missing."""
        have = {sensor for sensor, buffer in self.buffers.items() if len(buffer.times)}
        return next((each for each in (WITH_GRAVITY, GRAVITY_APART) if have.issuperset(each)), None)

    def _align(self, sensors: tuple[Sensor, ...]) -> None:
        """Move sensors whose clocks count from elsewhere to the first one's, by the quickest arrivals of both."""
        reference_s = self._delays[sensors[0]]
        for sensor in sensors[1:]:
            apart_s = self._delays[sensor] - reference_s
            spans_s = REORDER_SPANS * max(self.buffers[s].span_s for s in sensors)
            if abs(apart_s - self.buffers[sensor].shift_s) > max(WAIT_S, spans_s):
                self.buffers[sensor].shift(apart_s - self.buffers[sensor].shift_s)
                self.apart_s = apart_s

    def _common_start(self, sensors: tuple[Sensor, ...]) -> float:
        """The first instant from which on all sensors have readings for a while without a gap."""
        start_s = max(float(self.buffers[sensor].times[0]) for sensor in sensors)
        moved = True
        while moved:
            moved = False
            for sensor in sensors:
                times = self.buffers[sensor].peek(start_s + START_S)
                gaps = np.flatnonzero(np.diff(times) > BRIDGE_S)
                behind = [float(times[gap + 1]) for gap in gaps if times[gap + 1] > start_s]
                if behind:
                    start_s, moved = behind[-1], True
        for sensor in sensors:
            self._drop_until(self.buffers[sensor], start_s)
        return start_s

    @staticmethod
    def _drop_until(buffer: SensorBuffer, start_s: float) -> None:
        """Forget what is before a piece's start, but for a second that leads into it without a gap."""
        times = buffer.peek(start_s)
        gaps = np.flatnonzero(np.diff(times) > BRIDGE_S)
        lead_s = float(times[gaps[-1] + 1]) if len(gaps) else start_s - START_S
        buffer.drop_before(max(lead_s, start_s - START_S))

    def _rate(self, sensor: Sensor, start_s: float) -> float | None:
        """The sensor's rate, once its readings from the start on tell it and if it is high enough."""
        buffer = self.buffers[sensor]
        if not len(buffer.times) or buffer.times[-1] < start_s + START_S or buffer.times[0] > start_s + BRIDGE_S:
            return None
        rate_hz = measured_rate(buffer.peek(start_s + START_S))
        if rate_hz is None or not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            self.unusable[sensor] = rate_hz or 0.0
            return None
        self.unusable.pop(sensor, None)
        return rate_hz

    def _drop_old(self) -> None:
        for buffer in self.buffers.values():
            if buffer.newest_s is not None:
                buffer.drop_before(buffer.newest_s - max(WAIT_S, REORDER_SPANS * buffer.span_s))

    def _feed(self) -> None:
        """Work off what all sensors have come to; behind one's gap the others' readings are the next piece's."""
        newest = self._newest(self._tracks)
        gap_ends = [end_s for sensor in self._tracks if (end_s := self.buffers[sensor].gap_end_s()) is not None]
        until_s = min([min(newest), *(math.nextafter(end_s, -math.inf) for end_s in gap_ends)])
        for track in self._tracks.values():
            track.feed(until_s)
        span_s = max(self.buffers[sensor].span_s for sensor in self._tracks)
        if max(newest) - min(newest) > max(WAIT_S, REORDER_SPANS * span_s):
            slowest = min(self._tracks, key=lambda sensor: self.buffers[sensor].newest_s or 0.0)
            self._tracks[slowest].end()
            self._tracks[slowest].cause = f"no {slowest} any more"

    def _give(self) -> Iterator[Chunk]:
        """The samples that all sensors have."""
        count = min((track.n_made for track in self._tracks.values()), default=0)
        if not count:
            return
        made = [self._tracks[sensor].give(count) for sensor in self._tracks]
        acceleration = made[0] if len(made) == len(WITH_GRAVITY) else made[0] + made[1]
        time_s = self._start_s + self._given / SAMPLING_RATE
        self._given += count
        piece, self._next = self._next, None
        yield Chunk(np.concatenate([acceleration, made[-1]], axis=1), time_s, piece)

    def _close(self, cause: str) -> None:
        for sensor, track in self._tracks.items():
            self._filled[sensor] += track.resampler.filled
        self._tracks.clear()
        self._next = self._next or Piece(Start.STEADY, cause=cause)

    def filled(self, sensor: Sensor) -> int:
        """Readings of a sensor that were interpolated."""
        track = self._tracks.get(sensor)
        return self._filled[sensor] + (track.resampler.filled if track else 0)
