"""The health line: how the listener itself does, in two lines on a wide screen, three on a narrow one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from model.text import counted
from streamer.console.snapshot import Health
from streamer.console.theme import Symbols
from streamer.publishing.pump import WINDOW

WIDE = 150
"""From so many columns on, two lines hold everything."""

BROKER_WIDTH = 26
"""Characters of the broker's address at most."""

Part = tuple[str, str]
"""Text and style."""

BAD = "bold red"


def draw_health(health: Health, n_phones: int, width: int, symbols: Symbols) -> list[Text]:
    """What does not fit is left out whole, the least important first."""
    who = _connection(health, n_phones, symbols)
    flow, delay, result = _flow(health), _delay(health), _result(health)
    model = (f"{health.model} model", "")
    if width >= WIDE:
        return [_pack([*who, *flow, model], width), _pack([*delay, *result], width)]
    lost, malformed, windows, *right = result
    return [
        _pack([*who, *right, model], width),
        _pack([*flow, windows], width),
        _pack([*delay, lost, malformed], width),
    ]


def _connection(health: Health, n_phones: int, symbols: Symbols) -> list[Part]:
    is_connected = health.connection == "connected"
    broker = health.broker
    if len(broker) > BROKER_WIDTH:
        broker = broker[: BROKER_WIDTH - 1] + symbols.more
    return [
        ("har-stream", "bold"),
        (broker, ""),
        (health.connection, "green" if is_connected else BAD),
        (counted(n_phones, "phone"), ""),
    ]


def _flow(health: Health) -> list[Part]:
    unpublished = health.unpublished_messages
    # As many as may be on their way to the broker are nothing to tell of.
    is_behind = unpublished > (WINDOW if health.connection == "connected" else 0)
    return [
        (f"{health.messages_per_s:.0f} messages/s", ""),
        (f"{health.samples_per_s:.0f} samples/s", ""),
        (f"{health.windows_per_s:.1f} windows/s", ""),
        *([(f"unpublished {unpublished}", BAD)] if is_behind else []),
        (f"batch {health.batch_size} in {health.batch_ms:.1f} ms", ""),
    ]


def _delay(health: Health) -> list[Part]:
    p50, p99 = health.latency_p50_ms, health.latency_p99_ms
    latency = "latency -" if p50 is None or p99 is None else f"latency {p50:.1f} ms, p99 {p99:.0f} ms"
    return [
        (latency, ""),
        (f"queue {health.queued}", ""),
        (f"dropped {health.dropped_messages}", BAD if health.dropped_messages else ""),
        *([(f"refused {health.refused_messages}", BAD)] if health.refused_messages else []),
        *([(f"evicted {health.evicted_phones}", BAD)] if health.evicted_phones else []),
        (f"{health.memory_mb:.0f} MB", ""),
    ]


def _result(health: Health) -> list[Part]:
    """Losses first: on a narrow screen, they stand at the end of a line of their own."""
    lost, malformed = health.lost_messages, health.malformed_messages
    parts = [
        (f"lost {lost}", BAD if lost else ""),
        (f"malformed {malformed}", BAD if malformed else ""),
        (f"{health.windows} windows", ""),
    ]
    if health.accuracy is not None:
        parts.append((f"{health.accuracy:.1%} right of {health.labelled_windows}", ""))
    return parts


def _pack(parts: Sequence[Part], width: int) -> Text:
    line = Text(no_wrap=True)
    for text, style in parts:
        gap = "  " if line.plain else ""
        if len(line.plain) + len(gap + text) <= width:
            line.append(gap).append(text, style)
    return line
