"""What a frame shows, taken from the listener's state at one instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streamer.tally import PhoneTally, Tally

STALE_S = 5.0
"""A phone that has sent nothing for so long is drawn dim."""

LOW_RATE_HZ = 45.0
"""Less than this arriving a second is warned of; more is a replay at speed, as the samples' own times are checked."""


@dataclass(frozen=True, slots=True)
class PhoneRow:
    """One phone as drawn; times in seconds, ``age_s`` since its last sample."""

    phone: str
    answer: str | None
    confidence: float
    lasted_s: float
    history: tuple[str, ...]
    label: str | None
    rate_hz: float
    age_s: float | None
    lost_messages: int
    malformed_messages: int
    warning: str
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class PhoneDetail:
    """One phone in full. ``window`` ``(128, 9)`` is the last one; ``log`` has answer, start and end, the last first."""

    row: PhoneRow
    probabilities: tuple[float, ...]
    window: npt.NDArray[np.float32] | None
    log: tuple[tuple[str, float, float], ...]
    seconds: dict[str, float]
    confusion: npt.NDArray[np.int64]
    counts: dict[str, int]
    reasons: tuple[str, ...]
    last_fault: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """The listener itself."""

    broker: str
    connection: str
    messages_per_s: float
    samples_per_s: float
    windows_per_s: float
    batch_size: int
    batch_ms: float
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    queued: int
    dropped_messages: int
    memory_mb: float
    windows: int
    lost_messages: int
    malformed_messages: int
    accuracy: float | None
    answered_accuracy: float | None
    labelled_windows: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a frame shows; ``detail`` of the phone that was asked for, if it is there."""

    health: Health
    rows: tuple[PhoneRow, ...]
    events: tuple[str, ...]
    detail: PhoneDetail | None = None


def take_rows(tally: Tally, now_s: float) -> tuple[PhoneRow, ...]:
    """A row of every phone."""
    return tuple(_row(phone, now_s) for phone in tally.phones.values())


def take_detail(tally: Tally, phone: str, now_s: float) -> PhoneDetail | None:
    """One phone in full, None if there is none of that name."""
    found = tally.phones.get(phone)
    if found is None:
        return None
    return PhoneDetail(
        row=_row(found, now_s),
        probabilities=found.probabilities,
        window=found.window,
        log=tuple((e.answer, e.start_s, e.end_s) for e in reversed(found.log)),
        seconds=dict(found.seconds),
        confusion=found.confusion.copy(),
        counts={name: getattr(found.counts, name) for name in ("messages", "samples", "windows", "gaps")}
        | {"lost": found.counts.lost_messages, "late": found.counts.late_messages}
        | {"repeated": found.counts.repeated_messages, "malformed": found.counts.malformed_messages},
        reasons=found.reasons,
        last_fault=found.last_fault,
    )


def take_health(
    tally: Tally,
    *,
    broker: str,
    connection: str,
    queued: int,
    dropped_messages: int,
    memory_mb: float,
    now_s: float,
) -> Health:
    """The figures of the whole listener."""
    latency = tally.latency_ms()
    return Health(
        broker=broker,
        connection=connection,
        messages_per_s=tally.message_rate.per_second(now_s),
        samples_per_s=tally.sample_rate.per_second(now_s),
        windows_per_s=tally.window_rate.per_second(now_s),
        batch_size=tally.batch_size,
        batch_ms=tally.batch_ms,
        latency_p50_ms=latency["p50"],
        latency_p99_ms=latency["p99"],
        queued=queued,
        dropped_messages=dropped_messages,
        memory_mb=memory_mb,
        windows=tally.totals.windows,
        lost_messages=tally.totals.lost_messages,
        malformed_messages=tally.totals.malformed_messages,
        accuracy=tally.totals.accuracy,
        answered_accuracy=tally.totals.answered_accuracy,
        labelled_windows=tally.totals.labelled_windows,
    )


def _row(tally: PhoneTally, now_s: float) -> PhoneRow:
    age_s = None if tally.last_arrival_s is None else now_s - tally.last_arrival_s
    rate_hz = tally.rate.per_second(now_s)
    return PhoneRow(
        phone=tally.phone,
        answer=tally.answer,
        confidence=tally.confidence,
        lasted_s=tally.until_s - tally.since_s,
        history=tuple(tally.history),
        label=tally.label,
        rate_hz=rate_hz,
        age_s=age_s,
        lost_messages=tally.counts.lost_messages,
        malformed_messages=tally.counts.malformed_messages,
        warning=_warning(tally, rate_hz, age_s),
        accuracy=tally.counts.accuracy,
    )


def _warning(tally: PhoneTally, rate_hz: float, age_s: float | None) -> str:
    """The most important thing that is wrong with a phone, in a word or two."""
    if age_s is not None and age_s > STALE_S:
        return "silent"
    if tally.reasons:
        return "unlike training"
    if 0 < rate_hz < LOW_RATE_HZ:
        return "rate too low"
    if tally.counts.malformed_messages:
        return "malformed"
    return "gaps" if tally.counts.gaps else ""
