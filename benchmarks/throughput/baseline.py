"""What a user would write: paho's callback, ``json.loads``, a list a phone, and Keras ``predict`` on every window.

``python -m benchmarks.throughput.baseline PORT`` listens until it is told to end. After the 2019 notebook: an LSTM of
128 units over windows of 128 samples of nine channels, half overlapping. Predictions are published as the listener's
are, as far as the load generator needs. The weights are random, as their cost is the same.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

ACTIVITIES = ["WALKING", "WALKING_UPSTAIRS", "WALKING_DOWNSTAIRS", "SITTING", "STANDING", "LAYING"]


def make_model() -> Any:
    """The notebook's network of one layer."""
    return keras.Sequential(
        [
            keras.layers.Input((128, 9)),
            keras.layers.LSTM(128),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(6, activation="softmax"),
        ]
    )


def main() -> None:
    """Subscribe and predict."""
    model = make_model()
    buffers: dict[str, list[list[float]]] = defaultdict(list)
    model.predict(np.zeros((1, 128, 9)), verbose=0)

    def on_message(client: mqtt.Client, _user: Any, message: mqtt.MQTTMessage) -> None:
        phone = message.topic.split("/")[1]
        data = json.loads(message.payload)
        buffer = buffers[phone]
        for n, (acc, gyro) in enumerate(zip(data["acc"], data["gyro"], strict=True)):
            buffer.append([*acc, *gyro, *acc])
            if len(buffer) == 128:
                probabilities = model.predict(np.array(buffer)[np.newaxis], verbose=0)[0]
                end_s = data["t"] + (n + 1) / data["rate"]
                activity = ACTIVITIES[int(probabilities.argmax())]
                answer = {"phone": phone, "time": end_s, "activity": activity, "confidence": float(probabilities.max())}
                client.publish(f"har/{phone}/activity", json.dumps(answer, separators=(",", ":")))
                del buffer[:64]

    def on_connect(client: mqtt.Client, *_: Any) -> None:
        client.subscribe("har/+/imu")

    def on_subscribe(*_: Any) -> None:
        print("Listening to har/+/imu", file=sys.stderr, flush=True)  # noqa: T201

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    client.connect("127.0.0.1", int(sys.argv[1]))
    client.loop_forever()


if __name__ == "__main__":
    main()
