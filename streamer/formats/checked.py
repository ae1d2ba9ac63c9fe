"""What all decoders of apps' formats check: the schema, finite and sensible numbers. Pure."""

from __future__ import annotations

from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from streamer.faults import Fault
from streamer.readings import Readings, Sensor, Sign, Unit
from streamer.wire import MAX_SAMPLES, MAX_TIME_S, MAX_VALUE, WireError, kind_of

NANOSECONDS = 1e-9
"""Seconds in one."""

T = TypeVar("T")


def decoded(decoder: msgspec.json.Decoder[T], payload: bytes | msgspec.Raw) -> T:
    """What a schema makes of JSON.

    Raises
    ------
    WireError : it is not JSON, or has missing or mistyped fields.
    """
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(str(error), kind_of(error)) from error


def check_times(times: npt.NDArray[np.float64]) -> None:
    """Refuse times that no clock shows.

    Raises
    ------
    WireError : one is not finite, or beyond :data:`streamer.wire.MAX_TIME_S`.
    """
    if times.size and not np.abs(times).max() <= MAX_TIME_S:
        raise WireError("a time is not a finite number of a sensible size", Fault.BAD_TIME)


def check_values(values: npt.NDArray[np.float64]) -> None:
    """Refuse values that no sensor gives.

    Raises
    ------
    WireError : one is not finite, or beyond :data:`streamer.wire.MAX_VALUE`.
    """
    if values.size and not np.abs(values).max() <= MAX_VALUE:
        raise WireError("a value is not a finite number of a sensible size", Fault.BAD_VALUE)


def readings(
    sensor: Sensor,
    times: npt.ArrayLike,
    values: npt.ArrayLike,
    unit: Unit | None,
    sign: Sign | None = Sign.ANDROID,
    *,
    seconds: float = 1.0,
) -> Readings:
    """Checked readings of ``times`` ``(n,)``, in units of ``seconds``, and ``values`` ``(n, 3)``.

    Raises
    ------
    WireError : more than :data:`streamer.wire.MAX_SAMPLES` of them, or a number that is not finite or senseless.
    """
    times_s = np.asarray(times, np.float64) * seconds
    vectors = np.asarray(values, np.float64)
    if len(vectors) > MAX_SAMPLES:
        raise WireError(f"{len(vectors)} readings of {sensor} in one message, more than {MAX_SAMPLES}; send more often")
    check_times(times_s)
    check_values(vectors)
    return Readings(sensor, times_s, vectors, unit, sign)
