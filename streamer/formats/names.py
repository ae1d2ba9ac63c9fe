"""The formats by name, the topics that each is published on unless its user chooses others, and phones' names."""

from __future__ import annotations

import re
import zlib
from enum import StrEnum
from functools import lru_cache


class Format(StrEnum):
    """A format, as ``--format`` has it."""

    HAR = "har"
    """Our own JSON or MessagePack."""

    SENSOR_LOGGER = "sensor-logger"
    SENSORSPOT = "sensorspot"
    PHYPHOX = "phyphox"


AUTO = "auto"
"""Each message is recognised for itself."""

CHOICES: tuple[str, ...] = (AUTO, *(each.value for each in Format))
"""What ``--format`` takes."""

SENSORSPOT_TOPIC = "android/sensor"
"""The topic that SensorSpot comes with (its README)."""

# A filter that ends in /# takes the level above it, too (MQTT 3.1.1, 4.7.1.2): one subscription, and no message twice.
_APP_TOPICS = {
    Format.SENSOR_LOGGER: ("sensor-logger/#",),
    Format.SENSORSPOT: (f"{SENSORSPOT_TOPIC}/#",),
    Format.PHYPHOX: ("phyphox/#",),
}

_OUTSIDE = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_NAME = 64
_DIGEST = 9


def default_topics(format_name: str, root: str) -> tuple[str, ...]:
    """Topic filters of what phones publish in our own format, if that is asked for."""
    from streamer.wire import phone_topics  # brings numpy: --help does without

    return phone_topics(root) if format_name in (AUTO, Format.HAR) else ()


def app_topics(format_name: str) -> tuple[str, ...]:
    """Topic filters of what the apps publish in a format, or in any (:data:`AUTO`), as they come.

    Sensor Logger's topic is ``sensor-logger`` (awesome-sensor-logger, PUSHING.md), SensorSpot's
    :data:`SENSORSPOT_TOPIC`, phyphox's that of the experiment file in this package.
    """
    if format_name == AUTO:
        return tuple(topic for topics in _APP_TOPICS.values() for topic in topics)
    return _APP_TOPICS.get(Format(format_name), ())


@lru_cache(4096)
def phone_name(text: str) -> str:
    """A valid phone's name made of any text; texts that differ keep names that differ.

    A valid name stays as it is. In any other, what a name cannot have becomes a dash, and a checksum of the text
    follows.
    """
    name = _OUTSIDE.sub("-", text)
    if name == text and 0 < len(text) <= _LONGEST_NAME:
        return text
    checksum = zlib.crc32(text.encode("utf-8", "surrogatepass"))
    return f"{name.strip('-')[: _LONGEST_NAME - _DIGEST] or 'phone'}-{checksum:08x}"
