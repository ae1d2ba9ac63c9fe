"""What a frame shows, taken from the listener's state at one instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.windows import HOP_S
from streamer.console.quality import Quality, in_words, qualities
from streamer.intake.limits import SILENT_S
from streamer.phone_memory.traces import Trace
from streamer.tally import PhoneTally, Tally


class PhoneRow(NamedTuple):
    """One phone as drawn, as exact as it is drawn, so that a row changes only when something is seen to change.

    Times in seconds, ``age_s`` since its last sample. ``codes`` is its time line up to slot ``last_slot``
    (:class:`streamer.phone_memory.time_line.TimeLine`), and ``now_slot`` the slot that it is now. ``wrong`` is what is
    wrong with it, the gravest first.
    """

    phone: str
    answer: str | None
    confidence: float
    lasted_s: int
    codes: str
    last_slot: int
    now_slot: int
    label: str | None
    rate_hz: float
    age_s: int | None
    lost_messages: int
    malformed_messages: int
    wrong: tuple[Quality, ...]


@dataclass(frozen=True, slots=True)
class PhoneDetail:
    """One phone in full; ``log`` has answer, start and end, the last first; ``warnings`` say what is wrong."""

    row: PhoneRow
    probabilities: tuple[float, ...]
    trace: Trace
    log: tuple[tuple[str, float, float], ...]
    seconds: dict[str, float]
    confusion: npt.NDArray[np.int64]
    counts: dict[str, int]
    warnings: tuple[str, ...]
    format: str | None = None


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
    unpublished_messages: int = 0
    refused_messages: int = 0
    evicted_phones: int = 0
    model: str = "window"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a frame shows; ``detail`` of the phone that was asked for, if it is there."""

    health: Health
    rows: tuple[PhoneRow, ...]
    events: tuple[str, ...]
    detail: PhoneDetail | None = None


def take_rows(phones: Sequence[PhoneTally], now_s: float) -> list[PhoneRow]:
    """A row of each of these phones."""
    return [_row(phone, now_s) for phone in phones]


def take_detail(tally: Tally, phone: str, now_s: float) -> PhoneDetail | None:
    """One phone in full, None if there is none of that name."""
    found = tally.phones.get(phone)
    if found is None:
        return None
    rate_hz, age_s = found.rate.per_second(now_s), _age_s(found, now_s)
    row = _row(found, now_s)
    return PhoneDetail(
        row=row,
        probabilities=found.probabilities,
        trace=found.traces.copy(),
        log=tuple((e.answer, e.start_s, e.end_s) for e in reversed(found.log)),
        seconds=dict(found.seconds),
        confusion=found.confusion.copy(),
        counts={name: getattr(found.counts, name) for name in ("messages", "samples", "windows", "gaps")}
        | {"lost": found.counts.lost_messages, "late": found.counts.late_messages}
        | {"repeated": found.counts.repeated_messages, "malformed": found.counts.malformed_messages},
        warnings=tuple(words for wrong in row.wrong for words in in_words(wrong, found, rate_hz, age_s)),
        format=found.format,
    )


def take_health(
    tally: Tally,
    *,
    broker: str,
    connection: str,
    queued: int,
    losses: Mapping[str, int],
    memory_mb: float,
    now_s: float,
    unpublished_messages: int = 0,
    model: str = "window",
) -> Health:
    """The figures of the whole listener; ``model`` is the kind that recognises, ``losses`` are those of
    :class:`streamer.recognising.Recognising`.
    """
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
        dropped_messages=losses["dropped_messages"],
        refused_messages=losses["flood_messages"] + tally.totals.refused_messages,
        memory_mb=memory_mb,
        windows=tally.totals.windows,
        lost_messages=tally.totals.lost_messages,
        malformed_messages=tally.totals.malformed_messages,
        accuracy=tally.totals.accuracy,
        answered_accuracy=tally.totals.answered_accuracy,
        labelled_windows=tally.totals.labelled_windows,
        unpublished_messages=unpublished_messages,
        evicted_phones=tally.totals.evicted_phones,
        model=model,
    )


def _age_s(tally: PhoneTally, now_s: float) -> float | None:
    return None if tally.last_arrival_s is None else max(now_s - tally.last_arrival_s, 0.0)


def _row(tally: PhoneTally, now_s: float) -> PhoneRow:
    age_s = _age_s(tally, now_s)
    rate_hz = tally.rate.per_second(now_s)
    line = tally.time_line
    silent_slots = int(age_s / HOP_S) if line.codes and age_s is not None and age_s > SILENT_S else 0
    return PhoneRow(
        phone=tally.phone,
        answer=tally.answer,
        confidence=round(tally.confidence, 2),
        lasted_s=int(tally.until_s - tally.since_s),
        codes=line.codes,
        last_slot=line.last,
        now_slot=line.last + silent_slots,
        label=tally.label,
        rate_hz=round(rate_hz, 1),
        age_s=None if age_s is None else int(age_s),
        lost_messages=tally.counts.lost_messages,
        malformed_messages=tally.counts.malformed_messages,
        wrong=qualities(tally, rate_hz, age_s),
    )
