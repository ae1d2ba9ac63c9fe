"""A plain paho client that keeps what it hears, for the tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

SETTLE_S = 60
"""How long to wait for what must come."""


@dataclass
class Heard:
    """Messages in the order of their arrival: (topic, payload)."""

    messages: list[tuple[str, bytes]] = field(default_factory=list)
    subscribed: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int) -> list[tuple[str, bytes]]:
        """Wait until at least ``count`` messages have come, and give all that have."""
        with self.changed:
            came = self.changed.wait_for(lambda: len(self.messages) >= count, timeout=SETTLE_S)
            assert came, f"{len(self.messages)} of {count} messages came"
            return list(self.messages)

    def wait_for_last(self, payload: bytes) -> None:
        """Wait until ``payload`` has come last."""
        with self.changed:
            came = self.changed.wait_for(lambda: bool(self.messages) and self.messages[-1][1] == payload, SETTLE_S)
            assert came, f"{payload!r} is not the last of {len(self.messages)} messages"

    def of(self, topic: str) -> list[bytes]:
        """The payloads of one topic."""
        return [payload for name, payload in self.messages if name == topic]


@contextmanager
def subscriber(port: int, pattern: str = "#", *, qos: int = 1) -> Iterator[Heard]:
    """Subscribed, also after every reconnection, until the end of the block."""
    heard = Heard()

    def on_connect(client: mqtt.Client, *_: Any) -> None:
        client.subscribe(pattern, qos)

    def on_subscribe(*_: Any) -> None:
        heard.subscribed.set()

    def on_message(client: Any, userdata: Any, message: mqtt.MQTTMessage) -> None:
        with heard.changed:
            heard.messages.append((message.topic, bytes(message.payload)))
            heard.changed.notify_all()

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert heard.subscribed.wait(SETTLE_S)
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()
