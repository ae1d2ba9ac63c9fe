"""What holds of whatever bytes a decoder is given; for hypothesis and for the coverage-guided fuzzer."""

from __future__ import annotations

import re

import numpy as np

from streamer.formats.detect import decode
from streamer.formats.names import AUTO
from streamer.wire import MAX_SAMPLES, MAX_TIME_S, MAX_VALUE, WireError

TOPICS = (
    "har/anna/imu",
    "har/anna/label",
    "sensor-logger",
    "android/sensor",
    "android/sensor/anna/gyroscope",
    "phyphox",
    "x",
)

BYTES_PER_BYTE = 16
"""Array bytes that one byte of a message may become: MessagePack's smallest number, 1 byte, becomes 8; times follow."""


def check(topic: str, payload: bytes, format_name: str = AUTO) -> None:
    """Decode, and assert that it gives sound messages of bounded size, or a WireError of one line."""
    try:
        messages = decode(topic, payload, format_name)
    except WireError as error:
        assert str(error)
        return
    size = 0
    for message in messages:
        assert re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", message.phone)
        for readings in message.readings:
            size += readings.times.nbytes + readings.values.nbytes
            assert readings.values.shape == (len(readings.times), 3)
            assert 0 < len(readings.times) <= MAX_SAMPLES
            assert np.isfinite(readings.times).all()
            assert np.abs(readings.times).max() <= MAX_TIME_S
            assert np.isfinite(readings.values).all()
            assert np.abs(readings.values).max() <= MAX_VALUE
    assert size <= BYTES_PER_BYTE * len(payload) + 64
