"""Whether a listener is alive, and whether it is ready: two questions with two answers. Pure.

As probes of containers are told apart: who is not alive is to be started anew; who is not ready waits for others, here
for the broker, and a new start would change nothing.
"""

from __future__ import annotations

from typing import Any

from streamer.operation.facts import Facts

STALLED_S = 30.0
"""The recognising thread turns at least every 0.2 s; one that has not for so long hangs."""


def is_alive(facts: Facts) -> bool:
    """Whether it works, or would if something came."""
    return not facts.has_failed and facts.stalled_s <= STALLED_S


def is_ready(facts: Facts) -> bool:
    """Whether it is alive and hears its broker."""
    return is_alive(facts) and facts.is_connected


def health_fields(facts: Facts) -> dict[str, Any]:
    """Health for people and programs, ready for JSON."""
    return {
        "alive": is_alive(facts),
        "ready": is_ready(facts),
        "connected": facts.is_connected,
        "phones": facts.active_phones,
        "last_message_age_s": round(facts.last_message_age_s, 3),
        "queued_messages": facts.queued,
        "dropped_messages": facts.losses["dropped_messages"],
        "latency_ms": facts.latency_ms["p99"],
    }
