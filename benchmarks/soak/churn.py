"""What troubles a listener beside the load: phones that send once and vanish, messages of no use."""

from __future__ import annotations

import json

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 30.0

HOSTILE = (
    b"",
    b"{",
    b'{"acc": [[1e308, 0, 0]], "gyro": [[0, 0, 0]], "t": 1}',
    b"\x00" * 100,
    b"\x93" * 1000,
    json.dumps({"acc": [], "gyro": [], "t": 0}).encode(),
)


def churn(port: int, first: int, count: int) -> None:
    """So many phones, numbered from ``first``, send one message each; with them come some messages of no use."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    rows = [[0.0, 0.0, 1.0]] * 25
    payload = json.dumps({"t": 1_700_000_000.0, "acc": rows, "gyro": rows})
    sent = [client.publish(f"har/passing-{first + number}/imu", payload, qos=1) for number in range(count)]
    sent += [client.publish(f"har/hostile-{number % 3}/imu", each, qos=1) for number, each in enumerate(HOSTILE)]
    for each in sent:
        each.wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()
