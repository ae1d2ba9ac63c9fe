"""A table's numbers in seconds, g and rad/s: by its columns' names, the command's flags, or the data. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from model.errors import DataError
from model.signals import STANDARD_GRAVITY
from streamer.backfill.columns import Columns
from streamer.backfill.names import AUTO, TIME_UNITS
from streamer.intake import evidence
from streamer.intake.limits import MAX_RATE_HZ, MIN_RATE_HZ
from streamer.readings import Unit
from streamer.wire import MAX_TIME_S

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TableOptions:
    """The units of tables, one of :mod:`streamer.backfill.names` each; auto: as the column's name says in brackets, or
    else found out from the data.
    """

    time: str = AUTO
    acceleration: str = AUTO
    angular_velocity: str = AUTO


def in_seconds(column: pd.Series, codes: npt.NDArray[np.intp], unit: str, source: str) -> FloatArray:
    """Times ``(n,)``, Unix or from any moment on; NaN where there is none.

    Numbers are in the unit in which the usual interval is one of a sampling rate from 15 to 1000 Hz: there is only one.

    Parameters
    ----------
    codes : whose row each is: intervals are between rows of one phone.

    Raises
    ------
    DataError : they are no times, or in no unit.
    """
    import pandas as pd

    numbers = np.asarray(pd.to_numeric(column, errors="coerce"), np.float64)
    if pd.api.types.is_datetime64_any_dtype(column) or not np.isfinite(numbers).any():
        dates = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
        nanoseconds = dates.dt.as_unit("ns").astype("int64").to_numpy()
        times = np.where(dates.isna(), np.nan, nanoseconds * 1e-9)
    else:
        times = numbers * (_time_unit(numbers, codes, source) if unit == AUTO else TIME_UNITS[unit])
    times[~(np.abs(times) <= MAX_TIME_S)] = np.nan
    if not np.isfinite(times).any():
        raise DataError(f"{source}: these are no times; give Unix time in s, ms, us or ns, or ISO 8601.")
    return np.asarray(times, np.float64)


def _time_unit(numbers: FloatArray, codes: npt.NDArray[np.intp], source: str) -> float:
    """Seconds in the unit."""
    ordered = numbers[np.argsort(codes, kind="stable")]
    intervals = np.diff(ordered)
    intervals = intervals[intervals > 0]
    usual = float(np.median(intervals)) if len(intervals) else 0.0
    for seconds in TIME_UNITS.values():
        if 1 / MAX_RATE_HZ <= usual * seconds <= 1 / MIN_RATE_HZ:
            return seconds
    raise DataError(
        f"{source}: the times are {usual:g} apart, which is {MIN_RATE_HZ:.0f} to {MAX_RATE_HZ:.0f} samples a second in "
        "none of s, ms, us and ns; give --time-unit, or a table of samples."
    )


def in_g_and_rad_s(values: FloatArray, times: FloatArray, columns: Columns, options: TableOptions) -> FloatArray:
    """One phone's values ``(n, 6)`` in order of time, in g and rad/s, by the very arithmetic of the wire's."""
    converted = values.copy()
    if _acceleration_unit(values[:, :3], columns, options) is Unit.METRES_PER_SECOND_SQUARED:
        converted[:, :3] /= STANDARD_GRAVITY
    if _angular_unit(converted, times, columns, options) is Unit.DEGREES_PER_SECOND:
        converted[:, 3:] *= np.deg2rad(1.0)
    return converted


def _acceleration_unit(vectors: FloatArray, columns: Columns, options: TableOptions) -> Unit:
    if options.acceleration != AUTO:
        return Unit(options.acceleration)
    if columns.acceleration_unit is not None:
        return columns.acceleration_unit
    there = _there(vectors)
    looks_like = evidence.acceleration_unit(evidence.length(there)) if len(there) else None
    return looks_like or Unit.G  # what contradicts it, the intake tells


def _angular_unit(values: FloatArray, times: FloatArray, columns: Columns, options: TableOptions) -> Unit:
    """Found out from the spans in which somebody moves; ``values`` with the acceleration in g."""
    if options.angular_velocity != AUTO:
        return Unit(options.angular_velocity)
    if columns.angular_unit is not None:
        return columns.angular_unit
    bounds = np.flatnonzero(np.diff(times // evidence.SPAN_S)) + 1
    spans = [(_there(span[:, :3]), _there(span[:, 3:])) for span in np.split(values, bounds)]
    moving = [
        evidence.length(turning) for acc, turning in spans if len(turning) and len(acc) and evidence.is_moving(acc)
    ]
    median = float(np.median(moving)) if moving else 0.0
    return evidence.angular_unit(median, is_moving=True) or Unit.RADIANS_PER_SECOND


def _there(vectors: FloatArray) -> FloatArray:
    """Those without a missing axis."""
    whole: FloatArray = vectors[np.isfinite(vectors).all(axis=1)]
    return whole
