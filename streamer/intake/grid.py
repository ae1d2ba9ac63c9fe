"""Messages whose samples are on the 50 Hz grid already: through they go, bit for bit and without delay. Pure.

Both sensors share their times, which are 20 ms apart. Numbered messages come here in order; where they have no numbers,
time alone must show that one is missing, and one that comes early waits for it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.signals import SAMPLING_RATE, FloatArray, Stage, Start
from streamer.intake import limits
from streamer.intake.chunks import JUMPED, Chunk, Piece
from streamer.intake.limits import GRID_TOLERANCE_S, MAX_HELD_MESSAGES, MAX_HELD_READINGS
from streamer.intake.ordering import Turn, wait_s
from streamer.readings import GridSamples, PhoneMessage, Sensor

STEP_S = 1 / SAMPLING_RATE

RATE_TOLERANCE = 0.005
"""Share by which the rate inside a message may differ from 50 Hz: a crystal's error many times over."""

MAX_JITTER_S = 0.5
"""The times of whole numbered messages may be off by this much: phones stamp them when they get to it."""

MAX_UNNUMBERED_JITTER_S = 1.5 * STEP_S
"""The same without numbers, where time alone must show a missing sample."""

DRIFT, DRIFT_SPAN_S = 0.05, 10.0
"""Messages that jitter one way by this share of so many seconds are not of 50 Hz, whatever is inside them."""

FILLED, FILLED_SPAN = 0.25, 500
"""If this share of so many samples must be filled in, the source is a slower one."""

STRAYS = 2
"""Messages in a row from before all that is waited for: the clock has jumped back."""


def on_grid(message: PhoneMessage) -> GridSamples | None:
    """The samples of a message that is on the 50 Hz grid, else None."""
    if message.grid:
        return message.grid
    if len(message.readings) != 2:
        return None
    acceleration, turning = message.readings
    if acceleration.sensor is not Sensor.TOTAL_ACCELERATION or turning.sensor is not Sensor.ANGULAR_VELOCITY:
        return None
    times = acceleration.times
    if times is not turning.times and not np.array_equal(times, turning.times):
        return None
    first_s, last_s, steps = float(times[0]), float(times[-1]), len(times) - 1
    if abs(last_s - first_s - steps * STEP_S) > max(GRID_TOLERANCE_S, RATE_TOLERANCE * steps * STEP_S):
        return None
    if steps > 1 and np.abs(np.diff(times) - STEP_S).max() > GRID_TOLERANCE_S:
        return None
    return GridSamples(np.concatenate([acceleration.values, turning.values], axis=1), first_s, last_s)


class GridPath:
    """One phone's samples on the grid: short gaps bridged, longer ones the end of a piece.

    ``bridged`` counts samples that were filled in, ``late`` messages that came too late, ``back`` the times that the
    clock jumped back. ``is_off`` once the times show that the samples are not at 50 Hz after all.
    """

    def __init__(self) -> None:
        self.bridged = self.late = self.back = 0
        self.is_off = False
        self._last: FloatArray | None = None
        self._stage = Stage.RAW
        self._held: list[tuple[Turn, GridSamples]] = []
        self._strays = 0
        self.reset()

    def reset(self) -> None:
        """The next message begins a piece."""
        self.next_s: float | None = None
        self.is_off = False
        self._drift_s = self._drift_span_s = 0.0
        self._of, self._filled = 0, 0

    def push(self, turn: Turn, samples: GridSamples) -> list[Chunk]:
        """Take the message whose turn it is."""
        if turn.message.seq is not None or self.next_s is None or turn.message.start:
            return [*self._release(lambda: True), self._take(turn, samples)]
        ahead_s = samples.first_s - self.next_s
        if ahead_s > MAX_UNNUMBERED_JITTER_S:
            self._hold(turn, samples)
            return self._release(self._is_over)
        if ahead_s < -_jitter_s(turn, samples):
            return self._take_behind(turn, samples, ahead_s)
        self._strays = 0
        return [self._take(turn, samples), *self._release(self._is_over)]

    def straight_on(self, message: PhoneMessage, samples: GridSamples) -> Chunk | None:
        """The samples of a numbered message whose turn it is, if they simply go on with the piece; else None, and
        nothing has happened. As :meth:`push`, in one step.
        """
        count, next_s = len(samples.values), self.next_s
        if next_s is None or self._held or message.start or count < 2 or message.stage is not self._stage:
            return None
        ahead_s = samples.first_s - next_s
        if abs(ahead_s) > min(MAX_JITTER_S, count * STEP_S):
            return None
        drift_s, span_s = self._drift_s + ahead_s, self._drift_span_s + (samples.last_s - samples.first_s + STEP_S)
        of, filled = self._of + count, self._filled
        if span_s > DRIFT_SPAN_S:
            if abs(drift_s) > DRIFT * span_s:
                return None
            drift_s = span_s = 0.0
        if of > FILLED_SPAN:
            if filled > FILLED * of:
                return None
            of, filled = of // 2, filled // 2
        self._drift_s, self._drift_span_s, self._of, self._filled = drift_s, span_s, of, filled
        self._last, self.next_s = samples.values[-1].copy(), samples.last_s + STEP_S
        return Chunk(samples.values, samples.first_s)

    @property
    def n_readings(self) -> int:
        """Samples that are held."""
        return sum(len(samples.values) for _, samples in self._held)

    def take_back(self) -> int:
        """How often the clock has jumped back since this was asked last."""
        back, self.back = self.back, 0
        return back

    def wait_on(self, by_s: float) -> None:
        """What is held has waited for so much less than it seems."""
        for turn, _ in self._held:
            turn.arrived_s += by_s

    def finish(self) -> list[Chunk]:
        """Wait no longer for what is missing."""
        return self._release(lambda: True)

    def release(self, now_s: float) -> list[Chunk]:
        """The same for what came too long ago."""
        return self._release(lambda: now_s - min(turn.arrived_s for turn, _ in self._held) > limits.MAX_HOLD_S)

    def _take_behind(self, turn: Turn, samples: GridSamples, ahead_s: float) -> list[Chunk]:
        """A message without a number from before: too late or a repeat, unless the clock has jumped back."""
        self.is_off |= len(samples.values) == 1 and ahead_s > -STEP_S  # a sample between two of the grid
        self._strays = self._strays + 1 if ahead_s < -wait_s(turn) else 0
        if self._strays < STRAYS:
            self.late += 1
            return []
        before = self.finish()
        return [*before, self._begin(turn, samples, self._jumped_back(ahead_s))]

    def _jumped_back(self, ahead_s: float) -> str:
        self.back += 1
        return f"the phone's clock jumped back by {-ahead_s:.1f} s"

    def _hold(self, turn: Turn, samples: GridSamples) -> None:
        if all(other.first_s != samples.first_s for _, other in self._held):
            self._held.append((turn, samples))
            self._held.sort(key=lambda pair: pair[1].first_s)

    def _release(self, is_over: Callable[[], bool]) -> list[Chunk]:
        """What is held and follows now; with that which is waited for no longer."""
        chunks: list[Chunk] = []
        while self._held:
            turn, samples = self._held[0]
            assert self.next_s is not None
            if samples.first_s - self.next_s > MAX_UNNUMBERED_JITTER_S and not is_over():
                break
            self._held.pop(0)
            chunks.append(self._take(turn, samples))
        return chunks

    def _is_over(self) -> bool:
        assert self.next_s is not None
        if len(self._held) > MAX_HELD_MESSAGES or self.n_readings > MAX_HELD_READINGS:
            return True
        return self._held[-1][1].last_s - self.next_s >= max(wait_s(turn) for turn, _ in self._held)

    def _take(self, turn: Turn, samples: GridSamples) -> Chunk:
        """The message goes on with the piece, or begins one."""
        message = turn.message
        if self.next_s is None or message.start:
            return self._begin(turn, samples, None)
        if message.stage is not self._stage:
            return self._begin(turn, samples, "the stage of processing changed")
        ahead_s, jitter_s = samples.first_s - self.next_s, _jitter_s(turn, samples)
        if -STEP_S < ahead_s < -jitter_s:
            self.is_off = True  # a sample between two of the grid
            return self._go_on(samples, 0)
        if ahead_s < -jitter_s:
            return self._begin(turn, samples, self._jumped_back(ahead_s))
        if abs(ahead_s) <= jitter_s and not turn.lost:
            self._follow_drift(ahead_s, samples)
            return self._go_on(samples, 0)
        if ahead_s > limits.BRIDGE_S + STEP_S / 2:
            return self._begin(turn, samples, JUMPED)
        missing = max(0, round(ahead_s * SAMPLING_RATE))
        if len(samples.values) == 1:  # nothing inside it shows its rate
            is_between = abs(ahead_s - missing * STEP_S) > GRID_TOLERANCE_S
            self.is_off |= is_between or (message.seq is not None and not turn.lost)
        return self._go_on(samples, missing)

    def _begin(self, turn: Turn, samples: GridSamples, cause: str | None) -> Chunk:
        self.reset()
        self._strays = 0
        self._stage = turn.message.stage
        self._note(samples, 0)
        start = Start.ZERO if turn.message.start else Start.STEADY
        piece = Piece(start, self._stage, anew=cause is None, cause=cause)
        return Chunk(samples.values, samples.first_s, piece)

    def _go_on(self, samples: GridSamples, missing: int) -> Chunk:
        """The samples, after ``missing`` ones that are interpolated from the last."""
        before = self._last
        self._note(samples, missing)
        if not missing or before is None:
            return Chunk(samples.values, samples.first_s)
        self.bridged += missing
        bridge = np.linspace(before, samples.values[0], missing + 1, endpoint=False)[1:]
        return Chunk(np.concatenate([bridge, samples.values]), samples.first_s - missing * STEP_S)

    def _note(self, samples: GridSamples, missing: int) -> None:
        self._last, self.next_s = samples.values[-1].copy(), samples.last_s + STEP_S  # a view would keep the message
        self._of += len(samples.values) + missing
        self._filled += missing
        if self._of > FILLED_SPAN:
            self.is_off |= self._filled > FILLED * self._of
            self._of, self._filled = self._of // 2, self._filled // 2

    def _follow_drift(self, ahead_s: float, samples: GridSamples) -> None:
        self._drift_s += ahead_s
        self._drift_span_s += samples.last_s - samples.first_s + STEP_S
        if self._drift_span_s > DRIFT_SPAN_S:
            self.is_off |= abs(self._drift_s) > DRIFT * self._drift_span_s
            self._drift_s = self._drift_span_s = 0.0


def _jitter_s(turn: Turn, samples: GridSamples) -> float:
    """By how much the time of this message may be off and still go on."""
    if len(samples.values) == 1:
        return GRID_TOLERANCE_S
    bound = MAX_UNNUMBERED_JITTER_S if turn.message.seq is None else MAX_JITTER_S
    return min(bound, len(samples.values) * STEP_S)
