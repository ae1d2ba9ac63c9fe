"""Our own format, :mod:`streamer.wire`, as messages of a phone. Pure."""

from __future__ import annotations

from streamer.readings import PhoneMessage, Readings, Sensor, Unit
from streamer.wire import IMU, LABEL, Samples, WireError, decode_imu, decode_label, parse_topic

NAME = "har"
"""As ``--format`` has it."""


def decode(topic: str, payload: bytes) -> list[PhoneMessage]:
    """The message in the payload of an ``imu`` or ``label`` topic; none of another kind of topic.

    Raises
    ------
    WireError : the topic has no valid phone name, or the payload is not of the format.
    """
    phone, kind = parse_topic(topic)
    try:
        if kind == IMU:
            return [as_message(phone, decode_imu(payload))]
        if kind == LABEL:
            return [PhoneMessage(phone, NAME, labels=(decode_label(payload),))]
    except WireError as error:
        raise WireError(str(error), phone=phone) from error
    return []


def as_message(phone: str, samples: Samples) -> PhoneMessage:
    """Samples in g and rad/s as the readings of two sensors that share their times."""
    return PhoneMessage(
        phone,
        NAME,
        (
            Readings(Sensor.TOTAL_ACCELERATION, samples.times, samples.values[:, :3], Unit.G),
            Readings(Sensor.ANGULAR_VELOCITY, samples.times, samples.values[:, 3:], Unit.RADIANS_PER_SECOND),
        ),
        seq=samples.seq,
        start=samples.start,
        stage=samples.stage,
    )
