"""Hostile messages of every kind, the same each time: what each is to be counted as, its topic, its payload."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from streamer.wire import MAX_PAYLOAD_BYTES, MAX_SAMPLES
from tests.streamer.format_messages import golden

ESCAPE = "\x1b]0;owned\x07\x1b[2J[bold red]<script>alert(1)</script>%s%n{0.__class__}"
"""What a terminal, a page, a format or Rich would heed."""


class Hostile(NamedTuple):
    """``kind`` is the field of :class:`streamer.counts.Counts` that counts it; ``topic`` has a place for a phone."""

    kind: str
    topic: str
    payload: bytes


def imu(**changes: object) -> bytes:
    message = {"t": 1.7e9, "rate": 50.0, "acc": [[1.0, 0.0, 0.0]], "gyro": [[0.0, 0.0, 0.0]]}
    return msgspec.msgpack.encode(message | changes)


def text(**changes: object) -> bytes:
    message = {"t": 1.7e9, "rate": 50.0, "acc": [[1.0, 0.0, 0.0]], "gyro": [[0.0, 0.0, 0.0]]}
    return json.dumps(message | changes).encode()


def filled(start: bytes, piece: bytes, end: bytes = b"") -> bytes:
    return start + piece * ((20_000 - len(start) - len(end)) // len(piece)) + end


IMU, LABEL = "har/{}/imu", "har/{}/label"
NAN, INF = float("nan"), float("inf")

KINDS = [
    Hostile("too_long_messages", IMU, b" " * (MAX_PAYLOAD_BYTES + 1)),
    Hostile("too_long_messages", LABEL, b"{" * (MAX_PAYLOAD_BYTES + 200_000)),
    Hostile("undecodable_messages", IMU, b""),
    Hostile("undecodable_messages", IMU, b"{"),
    Hostile("undecodable_messages", IMU, b"\xc1" * 50),
    Hostile("undecodable_messages", IMU, text(unit={"acc": "g"}).replace(b'"g"', b'"\xc3\x28"')),
    Hostile("undecodable_messages", IMU, b'{"t": 1, "acc": [[1, 2, NaN]], "gyro": [[1, 2, 3]]}'),
    Hostile("undecodable_messages", IMU, filled(b'{"a":', b"[")),
    Hostile("undecodable_messages", IMU, filled(b'{"a":', b'{"a":')),
    Hostile("undecodable_messages", IMU, filled(b"\x81\xa1a", b"\x91")),
    Hostile("undecodable_messages", "sensor-logger", filled(b'{"payload":', b"[")),
    Hostile("mistyped_messages", IMU, b"{}"),
    Hostile("mistyped_messages", IMU, text(seq=1 << 70)),
    Hostile("mistyped_messages", IMU, text(seq=-1)),
    Hostile("mistyped_messages", IMU, text(t=10**400)),
    Hostile("mistyped_messages", IMU, text(stage=ESCAPE)),
    Hostile("mistyped_messages", IMU, text(stage="x" * 5000)),
    Hostile("mistyped_messages", IMU, text(acc=[[1, 2, 3]] * 3)),
    Hostile("mistyped_messages", IMU, imu(acc=[[0, 0, 0]] * (MAX_SAMPLES + 1), gyro=[[0, 0, 0]] * (MAX_SAMPLES + 1))),
    Hostile("mistyped_messages", IMU, b"\x82\xa1t\x01\xa3acc\xdd\xff\xff\xff\xff"),
    Hostile("mistyped_messages", IMU, filled(b'{"t":0,"acc":[', b"[0,0,0],", b"[0,0,0]]}")),
    Hostile("mistyped_messages", LABEL, text(activity=ESCAPE, start=0)),
    Hostile("bad_value_messages", IMU, imu(acc=[[NAN, 0.0, 0.0]])),
    Hostile("bad_value_messages", IMU, imu(gyro=[[0.0, -INF, 0.0]])),
    Hostile("bad_value_messages", IMU, text(acc=[[1e300, 0, 0]])),
    Hostile("bad_time_messages", IMU, imu(t=NAN)),
    Hostile("bad_time_messages", IMU, imu(t=[-INF])),
    Hostile("bad_time_messages", IMU, text(t=13_569_465_600)),  # the year 2400
    Hostile("bad_time_messages", IMU, text(t=1.7e12)),  # milliseconds
    Hostile("bad_time_messages", IMU, text(t=[1.7e9, -1.7e12], acc=[[1, 0, 0]] * 2, gyro=[[0, 0, 0]] * 2)),
    Hostile("bad_time_messages", LABEL, text(activity=None, start=1e300, end=0)),
    Hostile("unusable_messages", IMU, text(stage="denoised", rate=10.0, acc=[[1, 0, 0]] * 9, gyro=[[0, 0, 0]] * 9)),
]

MISNAMED = [
    Hostile("bad_topic_messages", topic, text())
    for topic in (
        "har/" + "x" * 65 + "/imu",
        "har/a b/imu",
        f"har/{ESCAPE.replace('/', '')}/imu",
        "har//imu",
        "har/é/imu",
    )
]

PASSED_ON = [hostile for hostile in MISNAMED if hostile.topic.isprintable()]
"""Those that a Mosquitto passes on: who sends controls in a topic is disconnected."""

PER_PHONE = [hostile for hostile in KINDS if "{}" in hostile.topic]
"""Those that are some phone's, and do not change what else it sends."""


def hostile(count: int, phones: list[str], seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """So many of all kinds, half of them on topics of these phones, the rest of phones of their own: topic, payload.

    Golden messages and their like are among them, with bytes changed so that they are no JSON.
    """
    rng = random.Random(seed)
    fields = [message.payload for message in golden()]
    for number in range(count):
        phone = rng.choice(phones) if number % 2 else f"hostile-{number % 97}"
        which = number % (len(PER_PHONE) + len(MISNAMED) + 9)
        if which < len(PER_PHONE):
            _, topic, payload = PER_PHONE[which]
            if len(payload) < MAX_PAYLOAD_BYTES or number < 1000:
                yield topic.format(phone), payload
                continue
        if which < len(PER_PHONE) + len(MISNAMED):
            yield PASSED_ON[which % len(PASSED_ON)][1:]
            continue
        damaged = bytearray(rng.choice(fields))
        for _ in range(rng.randint(1, 8)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        damaged[rng.randrange(1, len(damaged) - 1)] = 0x01  # a control, which JSON has nowhere
        yield (
            rng.choice((IMU.format(phone), "sensor-logger", "phyphox", "android/sensor/x", "android/sensor")),
            bytes(payload),
        )
