"""Does a message continue its phone's stream? Losses, gaps, repeats and restarts, from numbers and times."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

import numpy as np

from model.signals import SAMPLING_RATE
from streamer.wire import Samples

MAX_JITTER_S = 0.5
"""A numbered message whose time is off by more than this lies beyond a gap."""

MAX_UNNUMBERED_JITTER_S = 1.5 / SAMPLING_RATE
"""The same for messages without numbers, where time alone must show a missing sample."""

RATE_TOLERANCE = 0.05
"""Share by which a message's sampling rate may differ from 50 Hz."""

REMEMBERED = 1000
"""Missing message numbers that are remembered per phone, so that late messages are told from repeats."""


class Verdict(Enum):
    """What a message is to the stream before it."""

    START = "start"
    """The first message of a recording, or the first that is seen of a phone."""

    CONTINUES = "continues"
    GAP = "gap"
    REPEATED = "repeated"
    """Seen before; to be ignored."""

    LATE = "late"
    """Its place in the stream has passed; to be ignored."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and the messages that are now known to be missing (negative: one of them came late)."""

    verdict: Verdict
    lost_messages: int = 0


def measured_rate(samples: Samples) -> float | None:
    """Sampling rate in Hz by the samples' times; None for a single sample or for times that do not advance."""
    span_s = float(samples.times[-1] - samples.times[0])
    return (len(samples.times) - 1) / span_s if span_s > 0 else None


def rate_fault(samples: Samples) -> str | None:
    """Why the samples are not regular samples at 50 Hz, or None if they are."""
    if len(samples.times) < 2:
        return None
    rate = measured_rate(samples)
    if rate is None:
        return "the times of the samples do not advance"
    if abs(rate / SAMPLING_RATE - 1) > RATE_TOLERANCE:
        return f"the samples come at {rate:.4g} Hz, and only {SAMPLING_RATE:g} Hz is understood"
    if np.abs(np.diff(samples.times) * SAMPLING_RATE - 1).max() > 1:
        return "the times of the samples are irregular"
    return None


class Continuity:
    """Follows one phone's message numbers and times."""

    def __init__(self) -> None:
        self._next_seq: int | None = None
        self._next_time: float | None = None
        self._missing: OrderedDict[int, None] = OrderedDict()

    def judge(self, samples: Samples) -> Judgement:
        """Say what ``samples`` is to what came before, and count on from it unless it is to be ignored."""
        judgement = self._judge(samples)
        if judgement.verdict in (Verdict.START, Verdict.CONTINUES, Verdict.GAP):
            self._next_seq = None if samples.seq is None else samples.seq + 1
            self._next_time = float(samples.times[-1]) + 1 / SAMPLING_RATE
        return judgement

    def _judge(self, samples: Samples) -> Judgement:
        if self._next_time is None:
            return Judgement(Verdict.START)
        if samples.start and not self._is_repeated_start(samples):
            self._missing.clear()
            return Judgement(Verdict.START)
        ahead_s = float(samples.times[0]) - self._next_time
        if samples.seq is None or self._next_seq is None:
            return self._judge_by_time(ahead_s)
        return self._judge_by_number(samples.seq, self._next_seq, ahead_s)

    def _is_repeated_start(self, samples: Samples) -> bool:
        """A start that QoS 1 delivered twice: numbered as one already passed, and not ahead in time."""
        assert self._next_time is not None
        numbered = samples.seq is not None and self._next_seq is not None and samples.seq < self._next_seq
        return numbered and self._next_time - MAX_JITTER_S > float(samples.times[0]) > self._next_time - 60

    @staticmethod
    def _judge_by_time(ahead_s: float) -> Judgement:
        if abs(ahead_s) <= MAX_UNNUMBERED_JITTER_S:
            return Judgement(Verdict.CONTINUES)
        return Judgement(Verdict.GAP if ahead_s > 0 else Verdict.LATE)

    def _judge_by_number(self, seq: int, expected: int, ahead_s: float) -> Judgement:
        if seq == expected:
            return Judgement(Verdict.CONTINUES if abs(ahead_s) <= MAX_JITTER_S else Verdict.GAP)
        if seq > expected:
            self._remember(expected, seq)
            return Judgement(Verdict.GAP, seq - expected)
        if ahead_s >= -MAX_JITTER_S / 2:  # numbers went back but time did not: the phone counts anew
            self._missing.clear()
            return Judgement(Verdict.GAP)
        if seq in self._missing:
            del self._missing[seq]
            return Judgement(Verdict.LATE, -1)
        return Judgement(Verdict.REPEATED)

    def _remember(self, first: int, stop: int) -> None:
        for seq in range(max(first, stop - REMEMBERED), stop):
            self._missing[seq] = None
        while len(self._missing) > REMEMBERED:
            self._missing.popitem(last=False)
