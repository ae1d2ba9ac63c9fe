"""One phone's messages to samples at 50 Hz: conventions, order, clock, and the grid or the resampler. Pure."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import NamedTuple

import numpy as np

from model.signals import SAMPLING_RATE, Stage, Start
from model.text import counted
from streamer.faults import Fault
from streamer.intake.chunks import JUMPED, Chunk, Piece
from streamer.intake.clock import PhoneClock
from streamer.intake.conventions import Conventions
from streamer.intake.findings import find
from streamer.intake.fusion import Fusion
from streamer.intake.grid import GridPath, on_grid
from streamer.intake.ordering import Ordering, Turn, turn_of
from streamer.intake.report import IntakeReport, SensorReport
from streamer.intake.stats import SensorStats
from streamer.intake.telling import Telling
from streamer.readings import ClockKind, GridSamples, PhoneMessage, Sensor
from streamer.wire import MAX_TIME_S, WireError

EARLY = 100
"""Samples of a piece that are kept, fewer than a window, in case that its times show later that it is off the grid."""

BACK_TO_GRID = 500
"""Samples in a row on the grid (10 s) after which a phone that was resampled no longer is."""

LOSS_S = 2.0
"""A piece that begins so close to a message behind lost ones begins because of them."""


class _Path(Enum):
    GRID = "grid"
    RESAMPLED = "resampled"


class Counts(NamedTuple):
    """What has happened to one phone's messages and samples so far."""

    lost: int = 0
    late: int = 0
    repeated: int = 0
    reordered: int = 0
    bridged: int = 0
    gaps: int = 0
    clock_jumps: int = 0


class Intake:
    """One phone. ``telling`` is what its owner is to know, :meth:`report` is all that is known.

    ``went_straight_on`` after a message that changed nothing in the counts, with nothing held back.
    """

    def __init__(self, phone: str) -> None:
        self.conventions = Conventions()
        self.telling = Telling()
        self.went_straight_on = False
        self._phone = phone
        self._format: str | None = None
        self._facts: tuple[str, ...] = ()
        self._clock = PhoneClock()
        self._ordering = Ordering()
        self._grid = GridPath()
        self._fusion = Fusion()
        self._stats: dict[Sensor, SensorStats] = {}
        self._path: _Path | None = None
        self._early: list[Turn] = []
        self._early_piece = Piece(Start.STEADY, anew=True)
        self._n_early = 0
        self._n_on_grid, self._grid_next_s = 0, 0.0
        self._gaps = 0
        self._lost = 0, float("-inf")
        self._jump: str | None = None

    def push(self, message: PhoneMessage, arrived_s: float) -> list[Chunk]:
        """Take a message with readings, arrived at ``arrived_s`` (Unix time); give the samples that are now known.

        Raises
        ------
        WireError : its times or values are not finite, or it is a denoised stream off the grid; it is ignored.
        """
        usual = self._straight_on(message, arrived_s)
        self.went_straight_on = usual is not None
        if usual is not None:
            return [usual]
        turn = turn_of(message, arrived_s)
        _check(turn)
        converted = self.conventions.apply(message)
        turn = turn if converted is message else replace(turn, message=converted)
        self._format, self._facts, self._clock.stated = message.format, converted.facts, message.clock
        ahead_s = self._clock.note(turn.oldest_s, turn.newest_s, arrived_s)
        if ahead_s is not None:
            self._jump = f"the phone's clock jumped ahead by {ahead_s:.1f} s"
        turns = [turn] if message.seq is None else self._ordering.push(turn)
        chunks = [chunk for each in turns for chunk in self._take(each)]
        self._look(turn.newest_s)
        return self._told_of(chunks)

    def _straight_on(self, message: PhoneMessage, arrived_s: float) -> Chunk | None:
        """What comes of the usual message, at a fraction of the cost: one that says that its samples are at 50 Hz, and
        that follows on the one before it in every way. None of any other, which the long way is for.
        """
        samples, seq = message.grid, message.seq
        if samples is None or seq is None or self._path is not _Path.GRID or message.format is not self._format:
            return None
        clock = self._clock
        is_usual = self._n_early > EARLY and message.clock is clock.stated is ClockKind.UNIX and not message.facts
        if not is_usual or not self._ordering.is_next(seq) or not self.conventions.passes(samples.last_s):
            return None
        chunk = self._grid.straight_on(message, samples)
        if chunk is None:
            return None
        clock.note(samples.first_s, samples.last_s, arrived_s)
        self._ordering.count_on(seq, samples.first_s, samples.last_s)
        self._count_grid(samples)
        self._look(samples.last_s)
        return chunk

    @property
    def is_waiting(self) -> bool:
        """Whether something is held back as what is missing before it may still come."""
        if self.went_straight_on:
            return False
        return bool(self._ordering.n_readings or self._grid.n_readings or self._fusion.is_waiting)

    def release(self, now_s: float) -> list[Chunk]:
        """The samples of what has been held back for too long by now (Unix time), though nothing came after it."""
        chunks = [chunk for turn in self._ordering.release(now_s) for chunk in self._take(turn)]
        return self._told_of(chunks + self._grid.release(now_s) + self._fusion.release(now_s))

    def wait_on(self, by_s: float) -> None:
        """What is held back has waited for so much less: nobody listened meanwhile."""
        self._ordering.wait_on(by_s)
        self._grid.wait_on(by_s)
        self._fusion.wait_on(by_s)

    def finish(self) -> list[Chunk]:
        """Wait for nothing any more: the samples that are left."""
        chunks = [chunk for turn in self._ordering.finish() for chunk in self._take(turn)]
        return self._told_of(chunks + self._grid.finish() + self._fusion.finish())

    def _take(self, turn: Turn) -> list[Chunk]:
        if turn.lost:
            self._lost = turn.lost, turn.oldest_s
        if not turn.message.has_readings:
            return []
        samples = on_grid(turn.message)
        if samples is None or not self._is_for_grid(turn, samples):
            return self._resample(turn) if self._path is _Path.RESAMPLED else self._leave_grid(turn)
        chunks = self._fusion.finish() if self._path is _Path.RESAMPLED else []
        self._path = _Path.GRID
        self._count_grid(samples)
        made = self._grid.push(turn, samples)
        self._keep_early(turn, made)
        is_off = self._grid.is_off and turn.message.stage is not Stage.DENOISED
        return chunks + (self._leave_grid(None, made) if is_off else made)

    def _is_for_grid(self, turn: Turn, samples: GridSamples) -> bool:
        """A phone that was resampled goes back to the grid with a new recording, or after a while on it."""
        if self._path is not _Path.RESAMPLED or turn.message.stage is Stage.DENOISED:
            return True
        goes_on = abs(samples.first_s - self._grid_next_s) < 1 / SAMPLING_RATE and len(samples.values) > 1
        self._n_on_grid = self._n_on_grid + len(samples.values) if goes_on else 0
        self._grid_next_s = samples.last_s + 1 / SAMPLING_RATE
        return len(samples.values) > 1 and (turn.message.start or self._n_on_grid >= BACK_TO_GRID)

    def _keep_early(self, turn: Turn, made: list[Chunk]) -> None:
        """Remember a piece's first messages until they are about to fill a window."""
        begun = [chunk.piece for chunk in made if chunk.piece]
        if begun:
            self._early, self._n_early, self._early_piece = [], 0, begun[-1]
        if self._n_early <= EARLY:
            self._early.append(turn)
            self._n_early += turn.message.n_samples
            if self._n_early > EARLY:
                self._early = []

    def _leave_grid(self, turn: Turn | None, made: list[Chunk] | None = None) -> list[Chunk]:
        """From now on, or from the piece's start if no window has come of it yet, the phone's samples are resampled."""
        chunks = [*(made or []), *self._grid.finish()]
        piece = Piece(Start.STEADY, cause="the samples are not at 50 Hz any more")
        if self._early or self._path is None:
            start = turn.message.start if turn and self._path is None else self._early_piece.start is Start.ZERO
            piece, chunks = Piece(Start.ZERO if start else Start.STEADY, anew=self._early_piece.anew), []
        self._grid.reset()
        self._path = _Path.RESAMPLED
        self._n_on_grid = 0
        chunks += self._fusion.begin(piece)
        turns, self._early = [*self._early, *([turn] if turn else [])], []
        return chunks + [chunk for each in turns for chunk in self._resample(each, may_begin=False)]

    def _resample(self, turn: Turn, may_begin: bool = True) -> list[Chunk]:
        message, in_order = turn.message, turn.message.seq is not None
        chunks: list[Chunk] = []
        if message.start and may_begin:
            chunks = self._fusion.begin(Piece(Start.ZERO, anew=True))
        elif any(self._fusion.is_behind(readings, in_order) for readings in message.readings):
            chunks = self._fusion.begin(Piece(Start.STEADY, cause="the phone's clock jumped back"))
            self._jumped_back()
        for readings in message.readings:
            self._stats.setdefault(readings.sensor, SensorStats()).add(readings.times)
            self._fusion.add(readings, turn.arrived_s, in_order)
        return chunks + self._fusion.pump()

    def _count_grid(self, samples: GridSamples) -> None:
        stats = self._stats.get(Sensor.TOTAL_ACCELERATION)
        if stats is None:
            stats = SensorStats()
            self._stats[Sensor.TOTAL_ACCELERATION] = self._stats[Sensor.ANGULAR_VELOCITY] = stats
        stats.add_regular(len(samples.values), samples.first_s, samples.last_s)
        turning = self._stats.get(Sensor.ANGULAR_VELOCITY)
        if turning is None:
            turning = self._stats[Sensor.ANGULAR_VELOCITY] = SensorStats()
        if turning is not stats:  # a phone that was resampled before has its sensors' figures apart
            turning.add_regular(len(samples.values), samples.first_s, samples.last_s)

    def _jumped_back(self) -> None:
        self._clock.jumped_back()
        for stats in self._stats.values():
            stats.forget_last()

    def _told_of(self, chunks: list[Chunk]) -> list[Chunk]:
        """The chunks in Unix time, their gaps counted and told."""
        for _ in range(self._grid.take_back()):
            self._jumped_back()
        offset_s = self._clock.offset_s
        return [self._told_of_one(chunk, offset_s) for chunk in chunks] if chunks else chunks

    def _told_of_one(self, chunk: Chunk, offset_s: float) -> Chunk:
        if chunk.piece is not None and chunk.piece.cause is not None:
            self._gaps += 1
            lost, at_s = self._lost
            is_loss = chunk.piece.cause == JUMPED and abs(chunk.time_s - at_s) < LOSS_S
            cause = self._jump or (f"{counted(lost, 'message')} lost" if is_loss else chunk.piece.cause)
            self.telling.news.append(f"gap: {cause}")
            self._jump = None
        return replace(chunk, time_s=chunk.time_s + offset_s) if offset_s else chunk

    def _look(self, now_s: float) -> None:
        """Tell what is new, if it is time to."""
        if self.telling.is_due(now_s):
            self.telling.look(now_s, self.report().findings, self._facts)

    @property
    def n_waiting(self) -> int:
        """Readings that are held: for an earlier message, an earlier reading, another sensor's or the filter's sake."""
        return self._ordering.n_readings + self._grid.n_readings + self._fusion.n_readings

    def counts(self) -> Counts:
        """Everything that is counted."""
        order, (late, repeated, reordered) = self._ordering, self._fusion.counts()
        return Counts(
            order.lost,
            order.late + self._grid.late + late,
            order.repeated + repeated,
            order.reordered + reordered,
            self._grid.bridged,
            self._gaps,
            self._clock.jumps,
        )

    def report(self) -> IntakeReport:
        """What is known of how the phone sends."""
        counts = self.counts()
        report = IntakeReport(
            self._phone,
            format=self._format,
            clock=self._clock.kind if self._format else None,
            clock_offset_s=self._clock.offset_s if self._format else None,
            sensors=tuple(self._sensor(sensor, stats) for sensor, stats in self._stats.items()),
            resampled=self._path is _Path.RESAMPLED,
            reordered=counts.reordered,
            repeated=counts.repeated,
            late=counts.late,
            bridged=counts.bridged,
            gaps=counts.gaps,
            clock_jumps=counts.clock_jumps,
            facts=self._facts,
        )
        found = find(report, self._stats, self._clock, self._fusion.apart_s)
        return replace(report, findings=(*self.conventions.findings, *found))

    def _sensor(self, sensor: Sensor, stats: SensorStats) -> SensorReport:
        filled = self._grid.bridged + self._fusion.filled(sensor)
        missing = filled / (filled + stats.readings) if filled else 0.0
        return SensorReport(sensor, stats.readings, stats.rate_hz, stats.jitter_ms, missing)


def _check(turn: Turn) -> None:
    message = turn.message
    if not -MAX_TIME_S <= turn.oldest_s <= turn.newest_s <= MAX_TIME_S:
        raise WireError("the times of the samples are no times", Fault.BAD_TIME)
    if message.grid:
        return  # its decoder has looked at every number
    for readings in message.readings:
        if not (np.isfinite(readings.times).all() and np.isfinite(readings.values).all()):
            raise WireError("a value is not a finite number", Fault.BAD_VALUE)
    if message.stage is Stage.DENOISED and on_grid(message) is None:
        raise WireError("a denoised stream must come at exactly 50 Hz, both sensors together", Fault.UNUSABLE)
