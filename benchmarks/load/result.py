"""What a run of the load generator has shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.load.generator import Generator
from benchmarks.load.predictions import match
from benchmarks.load.schedule import Cut

LATE_MS = 20.0
"""A generator whose messages are later than this, at the 99th percentile, was the limit itself."""

BUSY = 0.8
"""So was one that took more than this share of a core."""

PIECE_S = 2.0
"""Latency is told of such pieces of the run, too: a queue that grows shows there."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Times in milliseconds; latency is from the sending of the message that completes a window to its prediction.

    Latencies, lateness and ``messages_per_s`` are those of the steady part, ``from_s`` to ``until_s`` on the monotonic
    clock, when all phones send and all have had a window; losses are those of the whole run.
    """

    phones: int
    messages: int
    payload_bytes: float
    messages_per_s: float
    expected: int
    missing: int
    repeated: int
    strange: int
    latency_ms: dict[str, float]
    latency_p99_ms_by_piece: list[float]
    lateness_ms: dict[str, float]
    cpu_share: float
    from_s: float
    until_s: float

    @property
    def is_limit(self) -> bool:
        """Whether the generator itself could not keep up."""
        return self.lateness_ms["p99"] > LATE_MS or self.cpu_share > BUSY


def percentiles(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Median, 99th percentile and maximum; infinity where nothing came."""
    if not len(values):
        return dict.fromkeys(("p50", "p99", "max"), float("inf"))
    p50, p99 = np.percentile(values, (50, 99), method="nearest")
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "max": round(float(values.max()), 3)}


def result_of(generator: Generator, cut: Cut, cpu_share: float) -> LoadResult:
    """Of a run that is over."""
    schedule, sent = generator.schedule, generator.sent
    expected = schedule.expected(cut)
    matched = match(generator.heard, expected, cut, generator.begins_s())
    first_windows = schedule.ramp + cut.first_slots(schedule.batch)
    from_s = generator.start_s + first_windows * schedule.slot_s
    until_s = generator.start_s + schedule.slots * schedule.slot_s
    left_s = sent.times(expected.position)
    is_steady = left_s >= from_s
    latency_ms = 1000 * np.where(np.isnan(matched.at_s), np.inf, matched.at_s - left_s)[is_steady]
    pieces = ((left_s[is_steady] - from_s) / PIECE_S).astype(np.int64)
    by_piece = [percentiles(latency_ms[pieces == piece])["p99"] for piece in range(int(pieces.max(initial=-1)) + 1)]
    begun = np.array([0, *sent.until[:-1]], np.int64)
    lateness_ms = 1000 * (np.array(sent.at_s) - generator.start_s - schedule.due_s(begun))
    return LoadResult(
        phones=schedule.phones,
        messages=sent.messages,
        payload_bytes=round(sent.payload_bytes / max(sent.messages, 1), 1),
        messages_per_s=round(schedule.phones / schedule.slot_s, 1),
        expected=len(expected.phone),
        missing=matched.missing,
        repeated=matched.repeated,
        strange=matched.strange + generator.heard.unreadable,
        latency_ms=percentiles(latency_ms),
        latency_p99_ms_by_piece=by_piece,
        lateness_ms=percentiles(lateness_ms[np.array(sent.at_s) >= from_s]),
        cpu_share=round(cpu_share, 4),
        from_s=from_s,
        until_s=until_s,
    )
