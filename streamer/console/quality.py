"""What is wrong with a phone: a word for its row, words for its owner. Pure."""

from __future__ import annotations

from enum import Enum

from model.signals import SAMPLING_RATE
from model.text import counted
from streamer.console.theme import duration
from streamer.intake.limits import SILENT_S
from streamer.intake.report import Finding
from streamer.tally import PhoneTally

LOW_RATE_HZ = 45.0
"""Less than this arriving a second is warned of; more is a replay at speed, as the samples' own times are checked."""


class Quality(Enum):
    """What can be wrong, the gravest first: as a word, and as one of at most ten characters."""

    SILENT = ("silent", "silent")
    NO_GRAVITY = ("gravity missing", "no gravity")
    UNLIKE = ("unlike training", "unlike")
    NO_SENSOR = ("sensor missing", "no sensor")
    SENT_OTHERWISE = ("units or signs", "units")
    TIMES = ("times irregular", "times")
    LOW_RATE = ("rate too low", "low rate")
    CLOCK_OFF = ("clock off", "clock off")
    MALFORMED = ("malformed", "malformed")
    GAPS = ("gaps", "gaps")
    BOOT_CLOCK = ("boot clock", "boot clock")

    @property
    def word(self) -> str:
        """For a wide screen."""
        return self.value[0]

    @property
    def short(self) -> str:
        """For a narrow one."""
        return self.value[1]


OF_FINDING: dict[str, Quality | None] = {
    "no-gravity": Quality.NO_GRAVITY,
    "no-gyroscope": Quality.NO_SENSOR,
    "no-accelerometer": Quality.NO_SENSOR,
    "low-rate": Quality.LOW_RATE,
    "high-rate": Quality.TIMES,
    "standing-times": Quality.TIMES,
    "irregular": Quality.TIMES,
    "sensor-clocks": Quality.TIMES,
    "clock-jumps": Quality.TIMES,
    "clock-off": Quality.CLOCK_OFF,
    "boot-clock": Quality.BOOT_CLOCK,
    "lossy": None,
}
"""What a finding of the intake is shown as, by its code; the others are of units and signs. None: shown by counts."""


def qualities(tally: PhoneTally, rate_hz: float, age_s: float | None) -> tuple[Quality, ...]:
    """All that is wrong with a phone, the gravest first.

    Parameters
    ----------
    rate_hz, age_s : samples a second that have come of late, and seconds since the last came.
    """
    # Of thousands of phones, four times a second: one question after the other, and nothing built for a sound phone.
    found = []
    counts = tally.counts
    if age_s is not None and age_s > SILENT_S:
        found.append(Quality.SILENT)
    if tally.reasons or tally.findings:
        found += _of_the_signals(tally)
    if 0 < rate_hz < LOW_RATE_HZ and Quality.LOW_RATE not in found:
        found.append(Quality.LOW_RATE)
    if counts.malformed_messages:
        found.append(Quality.MALFORMED)
    if counts.gaps:
        found.append(Quality.GAPS)
    return tuple(found) if len(found) < 2 else tuple(quality for quality in Quality if quality in found)


def _of_the_signals(tally: PhoneTally) -> list[Quality]:
    found = {*map(_of_reason, tally.reasons), *map(_of, tally.findings)}
    return [quality for quality in found if quality is not None]


def _of(finding: Finding) -> Quality | None:
    return OF_FINDING.get(finding.code, Quality.SENT_OTHERWISE)


def in_words(quality: Quality, tally: PhoneTally, rate_hz: float, age_s: float | None) -> tuple[str, ...]:
    """The same in sentences; what comes from the network is not made harmless yet."""
    counts = tally.counts
    if quality is Quality.SILENT:
        return (f"silent: nothing has come for {duration(age_s or 0.0)}",)
    found = [reason for reason in tally.reasons if _of_reason(reason) is quality]
    found += [finding.words for finding in tally.findings if _of(finding) is quality]
    if found:
        return tuple(f"{quality.word}: {words}" for words in found)
    if quality is Quality.LOW_RATE:
        return (f"rate too low: {rate_hz:.1f} samples a second arrive of the {SAMPLING_RATE:g} that are needed",)
    if quality is Quality.MALFORMED:
        malformed = counted(counts.malformed_messages, "message")
        return (f"malformed: {malformed} could not be used; the last: {tally.last_fault}",)
    lost = counted(counts.lost_messages, "message")
    return (f"gaps: {counts.gaps} in the stream, each costs some windows; {lost} lost",)


def _of_reason(reason: str) -> Quality:
    """Of the reasons of :mod:`model.novelty_words`."""
    return Quality.NO_GRAVITY if "without gravity" in reason else Quality.UNLIKE
