"""A phone's numbered messages in the order of their numbers: early ones wait, repeats go, losses are counted. Pure."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from dataclasses import dataclass, replace

from streamer.intake.limits import MAX_HELD_MESSAGES, MAX_HELD_READINGS, MAX_HOLD_S, MAX_LOST, REORDER_S, REORDER_SPANS
from streamer.readings import PhoneMessage

MISSING = 1000
"""Numbers of missing messages that are remembered per phone, so that those that come late are no longer lost."""

CAME = 128
"""Numbers of messages that came, so that repeats are told from a phone that counts anew."""

SAME_S = 1e-3
"""A message with a known number whose first reading is not of the same time is another message."""

STRAYS = 3
"""Messages in a row with old numbers that nobody waits for: the phone counts anew."""

REPEATS = 64
"""The same of messages that came before: more in a row than a connection that was made again delivers again."""

OLD_START_S = 60.0
"""A start with a number that has passed, but of so much earlier, is that of a recording played again."""


@dataclass(slots=True)
class Turn:
    """A message, and its readings' first and last times. ``lost`` messages right before it never came."""

    message: PhoneMessage
    arrived_s: float
    oldest_s: float
    newest_s: float
    lost: int = 0


def turn_of(message: PhoneMessage, arrived_s: float, lost: int = 0) -> Turn:
    """A message with readings, and the times of its oldest and newest."""
    if message.grid:
        return Turn(message, arrived_s, message.grid.first_s, message.grid.last_s, lost)
    ends = [float(end) for readings in message.readings for end in (readings.times[0], readings.times[-1])]
    oldest_s, newest_s = min(ends), max(ends)
    return Turn(message, arrived_s, oldest_s, newest_s, lost)


def wait_s(turn: Turn) -> float:
    """How far the stream may go on while a message like this one waits for an earlier one."""
    return max(REORDER_S, REORDER_SPANS * (turn.newest_s - turn.oldest_s))


class Ordering:
    """Follows one phone's message numbers.

    ``lost``, ``late``, ``repeated`` and ``reordered`` count messages; one that comes too late is no longer lost.
    """

    def __init__(self) -> None:
        self.lost = self.late = self.repeated = self.reordered = 0
        self._next: int | None = None
        self._end_s = 0.0
        self._held: dict[int, Turn] = {}
        self._missing: OrderedDict[int, None] = OrderedDict()
        self._came = _Came()
        self._strays_in_row = 0
        self._repeats_in_row = 0

    def push(self, turn: Turn) -> list[Turn]:
        """Take a numbered message; give those whose turn it now is."""
        seq = turn.message.seq
        assert seq is not None
        if self._next is not None and (seq < self._next or seq in self._held):
            return self._push_passed(seq, turn)
        if self._held and seq < max(self._held):
            self.reordered += 1
        if not self._held and (self._next is None or seq == self._next):
            return [self._let(seq, turn)]
        self._held[seq] = turn
        return self.release(turn.arrived_s)

    def _push_passed(self, seq: int, turn: Turn) -> list[Turn]:
        """A number that came, or whose turn has passed: a repeat, too late, or the phone counts anew."""
        if seq in self._held or abs(self._came.oldest_s(seq) - turn.oldest_s) < SAME_S:
            self._repeats_in_row += 1
            if self._repeats_in_row <= REPEATS and not self._is_old_start(turn):
                self.repeated += 1
                return []
        elif not self._counts_anew(seq, turn):
            self.late += 1
            if seq in self._missing:
                del self._missing[seq]
                self.lost -= 1
            return []
        before = self.finish()
        self._missing.clear()
        self._next = None
        return [*before, self._let(seq, turn)]

    @property
    def n_readings(self) -> int:
        """Readings that are held."""
        return sum(_readings(turn) for turn in self._held.values())

    def wait_on(self, by_s: float) -> None:
        """What is held has waited for so much less than it seems."""
        for turn in self._held.values():
            turn.arrived_s += by_s

    def finish(self) -> list[Turn]:
        """Wait no longer: all that is held, in order."""
        turns = []
        while self._held:
            turns.append(self._next_held())
        return turns

    def _counts_anew(self, seq: int, turn: Turn) -> bool:
        """Numbers went back but time did not, or one message after the other has a number from long ago."""
        if turn.oldest_s > self._end_s - SAME_S or self._is_old_start(turn):
            return True
        self._strays_in_row = 0 if seq in self._missing else self._strays_in_row + 1
        return self._strays_in_row >= STRAYS

    def _is_old_start(self, turn: Turn) -> bool:
        return turn.message.start and turn.oldest_s < self._end_s - OLD_START_S

    def release(self, now_s: float) -> list[Turn]:
        """Those whose turn it is, as what they waited for came or has been waited for long enough."""
        turns = []
        while self._held and (self._next in self._held or self._is_over(now_s)):
            turns.append(self._next_held())
        return turns

    def _is_over(self, now_s: float) -> bool:
        """Whether what is missing has been waited for long enough."""
        held = self._held.values()
        if len(held) > MAX_HELD_MESSAGES or self.n_readings > MAX_HELD_READINGS:
            return True
        ahead_s = max(turn.newest_s for turn in held) - self._end_s
        return ahead_s >= max(map(wait_s, held)) or now_s - min(turn.arrived_s for turn in held) > MAX_HOLD_S

    def _next_held(self) -> Turn:
        seq = min(self._held)
        return self._let(seq, self._held.pop(seq))

    def _let(self, seq: int, turn: Turn) -> Turn:
        """Count on from this message, whose turn it is."""
        lost = 0 if self._next is None else seq - self._next
        if lost > MAX_LOST:
            lost = 0
        if lost:
            self._miss(seq - lost, seq)
        self.count_on(seq, turn.oldest_s, turn.newest_s)
        return replace(turn, lost=lost) if lost else turn

    def is_next(self, seq: int | None) -> bool:
        """Whether a message with this number follows on the last one, and nothing waits."""
        return seq is not None and seq == self._next and not self._held

    def count_on(self, seq: int, oldest_s: float, newest_s: float) -> None:
        """The message with this number, whose readings were taken in this time, is the last one now."""
        self._came.note(seq, oldest_s)
        self._next, self._end_s = seq + 1, newest_s
        self._strays_in_row = self._repeats_in_row = 0

    def _miss(self, first: int, stop: int) -> None:
        self.lost += stop - first
        for seq in range(max(first, stop - MISSING), stop):
            self._missing[seq] = None
        while len(self._missing) > MISSING:
            self._missing.popitem(last=False)


class _Came:
    """When the first readings of the last :data:`CAME` messages were taken, by number; small: every phone has one."""

    __slots__ = ("_numbers", "_oldest_s")

    def __init__(self) -> None:
        self._numbers = array("q", [-1]) * CAME
        self._oldest_s = array("d", [0.0]) * CAME

    def note(self, seq: int, oldest_s: float) -> None:
        self._numbers[seq % CAME] = seq
        self._oldest_s[seq % CAME] = oldest_s

    def oldest_s(self, seq: int) -> float:
        """Minus infinity for a number that did not come."""
        return self._oldest_s[seq % CAME] if self._numbers[seq % CAME] == seq else float("-inf")


def _readings(turn: Turn) -> int:
    return sum(len(readings.times) for readings in turn.message.readings)
