"""What a phone, and all phones together, may cost the listener at most; in words in docs/limits.md.

What a message may hold is said where it is decoded (:mod:`streamer.wire`), what the intake waits for and keeps of a
phone in :mod:`streamer.intake.limits`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_PHONES = 10_000
"""Phones that are followed at most, unless told otherwise."""

MESSAGES_PER_S = 5_000
"""Messages of a phone: SensorSpot sends one a reading, of four sensors at Android's 500 Hz at most, and then some."""

MESSAGES_AT_ONCE = 60 * MESSAGES_PER_S
"""Of a phone that has been silent, so many more may come at once: what it, or a broker, kept for it meanwhile."""

SAMPLES_PER_S = 10_000
"""Samples of a phone: ten times the highest rate that any sensor has (:data:`streamer.intake.limits.MAX_RATE_HZ`)."""

SAMPLES_AT_ONCE = 180 * SAMPLES_PER_S
"""The same at once: ten hours at 50 Hz, half an hour at the highest rate. A minute's work, in fair turns."""

EVICT_S = 60.0
"""A phone silent for so long makes room for another when there is no more: any app sends every few seconds."""

FORGET_S = 3600.0
"""A phone silent for so long is forgotten, unless told otherwise: its stream has ended, whatever comes next."""

MAX_STRANGERS = 100
"""Phones that are listed though nothing that they sent could be used: names cost their inventor nothing."""

INBOX_BYTES = 256 << 20
"""Payload bytes that may wait to be recognised; beyond it the busiest phone's oldest messages go."""

INBOX_MESSAGES = 1_000_000
"""The same in messages, each of which takes some 300 bytes beside its payload."""

MAX_WAIT_S = 120.0
"""A message that has waited for longer is not recognised any more: so long after an overload at most, all is live."""

BATCH = 512
"""Messages that are taken at once at most, before the windows that they complete are classified."""

BATCH_BYTES = 2 << 20
"""The same in payload bytes; when more waits, phones take turns."""

TURN_BYTES = 8 << 10
"""What a phone may have handled in its turn, every message counted as :data:`MESSAGE_BYTES` more than its payload."""

MESSAGE_BYTES = 1 << 10
"""Handling a message takes as long as decoding so many bytes, whatever is in it."""

MAX_LATEST = 100_000
"""Topics of which the latest message waits to be published: five each of twice as many phones as are followed."""

NOTICES_PER_S, NOTICES_AT_ONCE = 1.0, 1000.0
"""Lines about one phone: warnings of messages that cannot be used, gaps, and what is wrong with how it sends."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Those that are different in tests, by a flag, or for what was recorded."""

    messages_per_s: float = MESSAGES_PER_S
    messages_at_once: float = MESSAGES_AT_ONCE
    samples_per_s: float = SAMPLES_PER_S
    samples_at_once: float = SAMPLES_AT_ONCE
    evict_s: float = EVICT_S
    forget_s: float = FORGET_S
    max_wait_s: float = MAX_WAIT_S
    inbox_bytes: int = INBOX_BYTES
    inbox_messages: int = INBOX_MESSAGES
    notices_at_once: float = NOTICES_AT_ONCE


LIMITS = Limits()
"""Of what comes from a network."""

UNLIMITED = Limits(*(math.inf,) * 7, INBOX_BYTES, INBOX_MESSAGES, math.inf)
"""Of what was recorded, which is taken as it is however fast that goes."""


def leaked(level: float, per_s: float, elapsed_s: float) -> float:
    """What is left in a bucket that leaks ``per_s`` a second; time that went back changes nothing."""
    return max(0.0, level - per_s * elapsed_s) if elapsed_s > 0 else level
