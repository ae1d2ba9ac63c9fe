"""Which format a message has, and what it says.

What is recognised is told by topic and content, never by the topic alone. What is not (another sensor, the test
message of an app, text) is not a fault on an app's topic and gives nothing; on one of our own it is.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import msgspec

from streamer.faults import Fault
from streamer.formats import har, phyphox, sensor_logger, sensorspot
from streamer.formats.names import AUTO, Format, phone_name
from streamer.readings import PhoneMessage
from streamer.wire import WireError, check_size

_ABSENT = msgspec.Raw()


class _Fields(msgspec.Struct):
    """The fields that tell formats apart, as they come."""

    payload: msgspec.Raw = _ABSENT
    messageId: msgspec.Raw = _ABSENT  # noqa: N815 - the app's names
    deviceId: msgspec.Raw = _ABSENT  # noqa: N815
    values: msgspec.Raw = _ABSENT
    timestamp: msgspec.Raw = _ABSENT
    type: msgspec.Raw = _ABSENT
    accX: msgspec.Raw = _ABSENT  # noqa: N815
    gyrX: msgspec.Raw = _ABSENT  # noqa: N815
    id: msgspec.Raw = _ABSENT


class _Recognised(NamedTuple):
    format: Format
    phone: str


_FIELDS = msgspec.json.Decoder(_Fields)
_STRING = msgspec.json.Decoder(str)


def decode(topic: str, payload: bytes, format_name: str = AUTO) -> list[PhoneMessage]:
    """What a message says; nothing if it is not for us.

    Parameters
    ----------
    topic : as it was published to; it names the phone in all formats but Sensor Logger's.
    format_name : one of :data:`streamer.formats.names.CHOICES`; other formats than this are not for us.

    Raises
    ------
    WireError : it is of a format, or on a topic of ours, but cannot be used; with the phone, as far as known.
    """
    kind = topic[topic.rfind("/") + 1 :]
    if format_name in (AUTO, Format.HAR) and kind in har.KINDS:
        return _ours(topic, payload, format_name)
    recognised = None if format_name == Format.HAR else _recognise(topic, payload)
    if recognised is None or format_name not in (AUTO, recognised.format):
        return []
    return _theirs(recognised, topic, payload)


def phone_of(topic: str, payload: bytes) -> str:
    """Whose message it is, without a look at its samples; the topic if nobody's: what has the same answer belongs
    together.
    """
    levels = topic.rsplit("/", 2)
    if levels[-1] in har.KINDS and len(levels) > 1:
        return levels[-2]
    with contextlib.suppress(WireError):
        if recognised := _recognise(topic, payload):
            return recognised.phone
    return topic


def _ours(topic: str, payload: bytes, format_name: str) -> list[PhoneMessage]:
    try:
        return har.decode(topic, payload)
    except WireError as error:
        fault = error
    recognised = None
    if format_name == AUTO:
        with contextlib.suppress(WireError):
            recognised = _recognise(topic, payload)
    if recognised is None:
        raise fault
    return _theirs(recognised, topic, payload)


def _theirs(recognised: _Recognised, topic: str, payload: bytes) -> list[PhoneMessage]:
    format_, phone = recognised
    try:
        if format_ is Format.SENSOR_LOGGER:
            return [sensor_logger.decode(phone, payload)]
        if format_ is Format.PHYPHOX:
            return [phyphox.decode(phone, payload)]
        message = sensorspot.decode(phone, topic, payload)
        return [message] if message else []
    except WireError as error:
        raise error.of(phone) from error


def _recognise(topic: str, payload: bytes) -> _Recognised | None:
    """The app that sent a message, and its phone; None if it is none's.

    Raises
    ------
    WireError : it is too long, begins as JSON but is none, or is not even text.
    """
    check_size(payload)
    fields = _fields(payload)
    if fields is None:
        return None
    if fields.payload and (fields.deviceId or fields.messageId):
        device = _string(fields.deviceId)
        if device is None:
            raise WireError("deviceId, which tells phones apart, is missing")
        return _Recognised(Format.SENSOR_LOGGER, phone_name(device))
    if fields.accX or fields.gyrX:
        return _Recognised(Format.PHYPHOX, phyphox.phone_of(topic, _string(fields.id)))
    if fields.values and fields.timestamp:
        return _Recognised(Format.SENSORSPOT, sensorspot.phone_of(topic, not fields.type))
    return None


def _fields(payload: bytes) -> _Fields | None:
    """The fields of a JSON object; None for any other JSON and for text."""
    try:
        return _FIELDS.decode(payload)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if payload[:1] in (b"{", b"["):
            raise WireError(f"it begins as JSON but is none ({error})", Fault.UNDECODABLE) from error
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise WireError("it is neither JSON nor text", Fault.UNDECODABLE) from error
    return None


def _string(raw: msgspec.Raw) -> str | None:
    try:
        return _STRING.decode(raw) if raw else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
