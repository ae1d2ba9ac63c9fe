"""Our own format, :mod:`streamer.wire`, as messages of a phone. Pure."""

from __future__ import annotations

from model.signals import SAMPLING_RATE
from streamer.formats.names import Format
from streamer.readings import GridSamples, PhoneMessage, readings_of
from streamer.wire import IMU, LABEL, Samples, WireError, decode_imu, decode_label, parse_topic

KINDS = (IMU, LABEL)
"""Last levels of the topics that carry it."""


def decode(topic: str, payload: bytes) -> list[PhoneMessage]:
    """The message in the payload of an ``imu`` or ``label`` topic; none of another kind of topic.

    Raises
    ------
    WireError : the topic has no valid phone name, or the payload is not of the format, or its numbers are senseless.
    """
    phone, kind = parse_topic(topic)
    try:
        if kind == IMU:
            return [as_message(phone, decode_imu(payload, gyro_optional=True))]
        if kind == LABEL:
            return [PhoneMessage(phone, Format.HAR, labels=(decode_label(payload),))]
    except WireError as error:
        raise error.of(phone) from error
    return []


def as_message(phone: str, samples: Samples) -> PhoneMessage:
    """Samples in g and rad/s as the readings of two sensors that share their times, or of the acceleration alone."""
    values, times = samples.values, samples.times
    if samples.rate == SAMPLING_RATE and values.shape[1] > 3:
        grid = GridSamples(values, float(times[0]), float(times[-1]))
        return PhoneMessage(phone, Format.HAR, seq=samples.seq, start=samples.start, stage=samples.stage, grid=grid)
    readings = readings_of(times, values)
    return PhoneMessage(phone, Format.HAR, readings, seq=samples.seq, start=samples.start, stage=samples.stage)
