"""The phones' payloads, encoded beforehand from the recordings in the box by the product's own encoder.

All messages of a kind share their first fields, ``seq`` and ``t``, in a fixed number of bytes: those alone are written
when a message is sent. What follows is one of a minute's worth of messages of each recording, over and over.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model.bundled import index, load_recording
from model.signals import SAMPLING_RATE
from streamer.wire import Encoding, encode_imu

FIRST_SEQ = 1_000_000
"""Numbers of messages begin here, so that all have seven digits, or five bytes of MessagePack."""

LOOP_S = 60
"""Of each recording so much is sent, over and over."""

BEGIN_S = 20
"""From here on: the recordings begin with the phone being put in place."""

_JSON = b'{"seq":%d,"t":%.6f'
_MSGPACK = struct.Struct(">6sI3sd")
_TEMPLATE_S = 1_700_000_000.5

Head = Callable[[int, float], bytes]
"""The bytes with a message's number and its first sample's Unix time; always as many."""


def json_head(seq: int, time_s: float) -> bytes:
    """The beginning of a JSON payload."""
    return _JSON % (seq, time_s)


def msgpack_head(seq: int, time_s: float) -> bytes:
    """The beginning of a MessagePack payload: a map of five, ``seq`` of 32 bits, ``t`` of 64."""
    return _MSGPACK.pack(b"\x85\xa3seq\xce", seq, b"\xa1t\xcb", time_s)


HEADS: dict[Encoding, tuple[Head, bytes]] = {
    "json": (json_head, b',"rate"'),
    "msgpack": (msgpack_head, b"\xa4rate"),
}
"""Of each encoding: what writes the beginning, and the bytes that follow it."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """What follows the beginning of each message: ``tails[recording][number]``."""

    head: Head
    head_size: int
    tails: tuple[tuple[bytes, ...], ...]
    batch: int

    @property
    def size(self) -> float:
        """Bytes of a payload on average."""
        sizes = [len(tail) for tails in self.tails for tail in tails]
        return self.head_size + sum(sizes) / len(sizes)


def encode_bodies(encoding: Encoding, *, batch: int, recordings: int) -> Bodies:
    """Messages of ``batch`` samples of the first so many recordings in the box."""
    head, follows = HEADS[encoding]
    head_size = len(head(FIRST_SEQ, _TEMPLATE_S))
    tails = []
    for experiment, _ in index()[:recordings]:
        begin = round(BEGIN_S * SAMPLING_RATE)
        samples = load_recording(experiment).samples[begin : begin + round(LOOP_S * SAMPLING_RATE)]
        chunks = samples[: len(samples) // batch * batch].reshape(-1, batch, samples.shape[1])
        tails.append(tuple(_tail(chunk, encoding, follows) for chunk in chunks))
    return Bodies(head, head_size, tuple(tails), batch)


def _tail(chunk: np.ndarray, encoding: Encoding, follows: bytes) -> bytes:
    whole = encode_imu(chunk, time_s=_TEMPLATE_S, seq=FIRST_SEQ, encoding=encoding)
    return whole[whole.index(follows) :]
