"""The wire format: topics and payloads, bytes to samples and back. The one place that knows them.

Topics are ``<root>/<phone>/<kind>``; payloads are JSON, or MessagePack with the same fields, told apart by
the first byte (a JSON object starts with ``{`` or white space, a MessagePack map never does). Pure: no network.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from model.activities import ALL_LABELS
from model.signals import SAMPLING_RATE, STANDARD_GRAVITY, Stage
from streamer.faults import Fault, TooLong
from streamer.faults import WireError as WireError  # what is raised here
from streamer.packed import vectors

ROOT = "har"
"""Default first topic level."""

IMU, LABEL = "imu", "label"
"""Kinds of topic that a phone publishes."""

ACTIVITY, EVENT, TRANSITION, AVAILABILITY = "activity", "event", "transition", "availability"
"""Kinds of topic that the listener publishes."""

MAX_PAYLOAD_BYTES = 1 << 20
"""A longer payload is refused before it is decoded."""

MAX_SAMPLES = 1000
"""Samples in one message, at most."""

MAX_VALUE = 1e6
"""No sensor of a phone gives more, in whatever unit; beyond it, filters would overflow."""

MAX_TIME_S = 8e9
"""Seconds since 1970 or since a phone's start: the year 2223. No clock that is merely wrong shows more, neither one
that has run over (2038, 2106) nor one that was never set."""

MAX_TOPICS = 20_000
"""Topics that are remembered, so that they are taken apart once."""

Encoding = Literal["json", "msgpack"]

_PHONE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_JSON_STARTS = b"{ \t\r\n"


@dataclass(slots=True)
class Samples:
    """The samples of one message.

    ``values`` has shape ``(n_samples, 6)``: acceleration with gravity [g], angular velocity [rad/s]; or
    ``(n_samples, 3)``, acceleration alone, from a phone without gyroscope where that is allowed.
    ``times`` has shape ``(n_samples,)``, Unix seconds. ``seq`` counts a phone's messages, None if it does not.
    ``start`` is true on the first message of a recording. ``rate`` [Hz] is what the times were made with that were
    sent as a first one and a rate; None where each was sent.
    """

    values: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64]
    seq: int | None = None
    stage: Stage = Stage.RAW
    start: bool = False
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What the phone's owner does from ``start_s`` to ``end_s`` (Unix seconds); None: unlabelled.

    An ``end_s`` of infinity: until the phone's next label.
    """

    activity: str | None
    start_s: float
    end_s: float


class _Unit(msgspec.Struct):
    acc: Literal["g", "m/s2"] = "g"
    gyro: Literal["rad/s", "deg/s"] = "rad/s"


_Vectors = Annotated[list[tuple[float, float, float]], msgspec.Meta(min_length=1, max_length=MAX_SAMPLES)]
_Times = Annotated[list[float], msgspec.Meta(min_length=1, max_length=MAX_SAMPLES)]
_Seq = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
_Rate = Annotated[float, msgspec.Meta(gt=0.0, le=10_000.0)]


class _Imu(msgspec.Struct, kw_only=True):
    t: float | _Times
    seq: _Seq | None = None
    rate: _Rate | None = None
    unit: _Unit | None = None
    stage: Literal["raw", "denoised"] = "raw"
    start: bool = False


class _ReadImu(_Imu, kw_only=True):
    acc: _Vectors
    gyro: _Vectors | None = None


class _PackedImu(_Imu, kw_only=True):
    acc: msgspec.Raw
    gyro: msgspec.Raw


class _Label(msgspec.Struct):
    activity: str | None
    start: float
    end: float | None = None


_STAGES = {stage.value: stage for stage in Stage}
_DECODERS = {
    (kind, encoding): module.Decoder(struct)
    for kind, struct in ((IMU, _ReadImu), (LABEL, _Label))
    for encoding, module in (("json", msgspec.json), ("msgpack", msgspec.msgpack))
}
_PACKED = msgspec.msgpack.Decoder(_PackedImu)
_ENCODERS: dict[Encoding, msgspec.json.Encoder | msgspec.msgpack.Encoder] = {
    "json": msgspec.json.Encoder(),
    "msgpack": msgspec.msgpack.Encoder(),
}


def topic(root: str, phone: str, kind: str) -> str:
    """``<root>/<phone>/<kind>``.

    Raises
    ------
    WireError : the phone's name is not 1 to 64 of ``A-Z a-z 0-9 _ . -``.
    """
    if not _PHONE.fullmatch(phone):
        raise WireError(f"the phone name {phone!r} is not 1 to 64 letters, digits, '_', '.' or '-'")
    return f"{root}/{phone}/{kind}"


def phone_topics(root: str) -> tuple[str, ...]:
    """Topic filters of everything that phones publish below a root."""
    return tuple(f"{root}/+/{kind}" for kind in (IMU, LABEL))


@lru_cache(maxsize=MAX_TOPICS)
def parse_topic(name: str) -> tuple[str, str]:
    """Phone and kind of a topic that ends in ``<phone>/<kind>``.

    Raises
    ------
    WireError : there is no valid phone name in it.
    """
    levels = name.rsplit("/", 2)
    if len(levels) < 2:
        raise WireError("the topic does not end in <phone>/<kind>", Fault.BAD_TOPIC)
    if not _PHONE.fullmatch(levels[-2]):
        reason = "the phone's name in the topic is not 1 to 64 letters, digits, '_', '.' or '-'"
        raise WireError(reason, Fault.BAD_TOPIC)
    return levels[-2], levels[-1]


def check_size(payload: bytes) -> None:
    """Refuse what is too long to be decoded.

    Raises
    ------
    WireError : it is longer than :data:`MAX_PAYLOAD_BYTES`.
    """
    if not payload or len(payload) > MAX_PAYLOAD_BYTES:
        n_bytes = payload.n_bytes if isinstance(payload, TooLong) else len(payload)
        if n_bytes:
            raise WireError(f"the payload has {n_bytes} bytes, more than {MAX_PAYLOAD_BYTES}", Fault.TOO_LONG)


def _decode(kind: str, payload: bytes) -> object:
    check_size(payload)
    if not payload:
        raise WireError("the payload is empty", Fault.UNDECODABLE)
    encoding = "json" if payload[0] in _JSON_STARTS else "msgpack"
    try:
        return _DECODERS[kind, encoding].decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(_reason(encoding, error), kind_of(error)) from error


def kind_of(error: Exception) -> Fault:
    """What msgspec's error is: the message does not fit the schema, or is none at all."""
    return Fault.MISTYPED if isinstance(error, msgspec.ValidationError) else Fault.UNDECODABLE


def _reason(encoding: str, error: Exception) -> str:
    if encoding == "msgpack":
        return f"it does not begin as JSON does, and as MessagePack it is wrong ({error})"
    return str(error) if isinstance(error, msgspec.ValidationError) else f"it begins as JSON but is none ({error})"


def _times(message: _Imu, n_samples: int) -> npt.NDArray[np.float64]:
    if isinstance(message.t, list):
        if len(message.t) != n_samples:
            raise WireError(f"t has {len(message.t)} times for {n_samples} samples")
        times = np.array(message.t)
        is_sensible = np.abs(times).max() <= MAX_TIME_S
    else:
        if message.rate is None and n_samples > 1:
            raise WireError("rate is missing: it gives the times of the samples after the first")
        times = message.t + after_first_s(n_samples, message.rate or SAMPLING_RATE)
        is_sensible = message.t >= -MAX_TIME_S and times[-1] <= MAX_TIME_S
    if not is_sensible:
        raise WireError("a time is not a finite number of a sensible size", Fault.BAD_TIME)
    return times


@lru_cache(maxsize=64)
def after_first_s(n_samples: int, rate: float) -> npt.NDArray[np.float64]:
    """Seconds from the first of so many samples to each, ``(n_samples,)``, at a rate [Hz]."""
    after_s: npt.NDArray[np.float64] = np.arange(n_samples) / rate
    after_s.flags.writeable = False
    return after_s


def decode_imu(payload: bytes, *, gyro_optional: bool = False) -> Samples:
    """Samples from the payload of an ``imu`` topic, in g and rad/s; without ``gyro`` only if that is optional.

    Raises
    ------
    WireError : the payload is too long, not JSON or MessagePack, has missing or mistyped fields,
        lists of unequal lengths, or numbers that are not finite or that no sensor or clock gives.
    """
    message, values = _packed(payload) or _read(payload, gyro_optional)
    # None is too large if their squares together are not, which is seen at a fraction of the cost.
    if not (np.vdot(values, values) <= MAX_VALUE**2 or np.abs(values).max() <= MAX_VALUE):
        raise WireError("a value is not a finite number of a sensible size", Fault.BAD_VALUE)
    times = _times(message, len(values))
    if message.unit is not None:
        values[:, :3] /= STANDARD_GRAVITY if message.unit.acc == "m/s2" else 1.0
        values[:, 3:] *= np.deg2rad(1.0) if message.unit.gyro == "deg/s" else 1.0
    rate = None if isinstance(message.t, list) else message.rate or SAMPLING_RATE
    return Samples(values, times, message.seq, _STAGES[message.stage], message.start, rate)


def _packed(payload: bytes) -> tuple[_Imu, npt.NDArray[np.float64]] | None:
    """A message and its values ``(n_samples, 6)``, if it is MessagePack as it is usual; whatever may be wrong with any
    other is not found here.
    """
    if not payload or payload[0] in _JSON_STARTS or len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        message = _PACKED.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    acceleration, turning = vectors(bytes(message.acc)), vectors(bytes(message.gyro))
    if acceleration is None or turning is None or not len(acceleration) == len(turning) <= MAX_SAMPLES:
        return None
    return message, np.concatenate((acceleration, turning), axis=1, dtype=np.float64)


def _read(payload: bytes, gyro_optional: bool) -> tuple[_Imu, npt.NDArray[np.float64]]:
    """A message and its values, ``(n_samples, 6)``, or ``(n_samples, 3)`` without angular velocity."""
    message = _decode(IMU, payload)
    assert isinstance(message, _ReadImu)
    n_samples, sensors = len(message.acc), [message.acc]
    if message.gyro is not None:
        if n_samples != len(message.gyro):
            raise WireError(f"acc has {n_samples} samples and gyro {len(message.gyro)}")
        sensors.append(message.gyro)
    elif not gyro_optional:
        raise WireError("gyro is missing")
    # Twice as fast as an array of the tuples.
    numbers = chain.from_iterable(chain.from_iterable(sensors))
    flat = np.fromiter(numbers, np.float64, count=3 * n_samples * len(sensors))
    return message, flat.reshape(len(sensors), n_samples, 3).transpose(1, 0, 2).reshape(n_samples, -1)


def decode_label(payload: bytes) -> Label:
    """The label from the payload of a ``label`` topic.

    Raises
    ------
    WireError : as :func:`decode_imu`, or an activity that the data set does not have.
    """
    message = _decode(LABEL, payload)
    assert isinstance(message, _Label)
    if message.activity is not None and message.activity not in ALL_LABELS:
        raise WireError("the activity is not one of the data set's")
    if not (abs(message.start) <= MAX_TIME_S and abs(message.end or 0.0) <= MAX_TIME_S):
        raise WireError("a time is not a finite number of a sensible size", Fault.BAD_TIME)
    return Label(message.activity, message.start, math.inf if message.end is None else message.end)


def encode_imu(
    values: npt.NDArray[np.float64],
    *,
    time_s: float,
    seq: int | None = None,
    rate: float = SAMPLING_RATE,
    unit: tuple[str, str] = ("g", "rad/s"),
    stage: Stage = Stage.RAW,
    start: bool = False,
    encoding: Encoding = "json",
) -> bytes:
    """The payload of an ``imu`` topic; the inverse of :func:`decode_imu`, exact in g and rad/s.

    Parameters
    ----------
    values : ``(n_samples, 6)``, already in ``unit``.
    time_s : Unix time of the first sample.
    rate : sampling rate in Hz.
    """
    message: dict[str, object] = {} if seq is None else {"seq": seq}
    message |= {"t": time_s, "rate": rate, "acc": values[:, :3].tolist(), "gyro": values[:, 3:].tolist()}
    if unit != ("g", "rad/s"):
        message["unit"] = {"acc": unit[0], "gyro": unit[1]}
    if stage is not Stage.RAW:
        message["stage"] = stage.value
    if start:
        message["start"] = True
    return _ENCODERS[encoding].encode(message)


def encode_label(label: Label, encoding: Encoding = "json") -> bytes:
    """The payload of a ``label`` topic; the inverse of :func:`decode_label`."""
    end = None if label.end_s == math.inf else label.end_s
    return _ENCODERS[encoding].encode({"activity": label.activity, "start": label.start_s, "end": end})
