"""A plain paho client that sends what it is told, for the tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

SETTLE_S = 60


class Sender:
    """Connected until the end of :func:`sender`'s block."""

    def __init__(self, client: mqtt.Client) -> None:
        self._client = client

    def send(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Publish (topic, payload), and wait until the broker has them all."""
        for info in [self._client.publish(topic, payload, qos=1) for topic, payload in messages]:
            info.wait_for_publish(SETTLE_S)
            assert info.is_published()


@contextmanager
def sender(port: int) -> Iterator[Sender]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield Sender(client)
    finally:
        client.disconnect()
        client.loop_stop()
