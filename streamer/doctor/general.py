"""Advice that is no one phone's: nothing is heard, or samples come where nobody listens. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from model.text import counted
from streamer.doctor.advice import Advice
from streamer.doctor.seen import Seen, TopicSeen
from streamer.formats.names import Format, app_topics

NAMES: dict[str, str] = {
    Format.HAR: "our own",
    Format.SENSOR_LOGGER: "Sensor Logger's",
    Format.SENSORSPOT: "SensorSpot's",
    Format.PHYPHOX: "phyphox's",
}
"""Whose a format is."""

MOST_TOPICS = 5
"""Topics that are named at most."""

_TOPICS = {
    Format.SENSOR_LOGGER: "set the topic sensor-logger in Sensor Logger",
    Format.SENSORSPOT: "set the topic android/sensor in SensorSpot",
    Format.PHYPHOX: "use the topic of the experiment file",
    Format.HAR: "publish on har/<phone>/imu",
}

_CHECKS = (
    "see that the app measures, and that it sends to this broker, {broker}: phones reach a computer by its address in "
    "the network, not by localhost",
    "Sensor Logger speaks MQTT through WebSockets alone: give the broker a port for them, and the app that port",
    "compare the topic in the app with those above; look in the broker's log whether user and password are right",
)


def general_advice(seen: Seen) -> Iterator[Advice]:
    """Everything that is no one phone's."""
    for other in seen.others:
        if other.format is not None:
            yield _wrong_topic(other)
    if seen.phones:
        return
    if seen.unused:
        yield _no_samples(seen.unused)
    elif not any(other.format for other in seen.others):
        yield _nothing(seen)


def _wrong_topic(other: TopicSeen) -> Advice:
    came = counted(other.messages, "message")
    words = f"{came} in {NAMES[str(other.format)]} format came on {other.topic}, where nobody listens"
    listen = f"listen with --topic {shlex.quote(other.topic)}"
    change = listen if _is_usual(other) else f"{_TOPICS[Format(str(other.format))]}, or {listen}"
    return Advice("wrong-topic", words, (change,))


def _is_usual(other: TopicSeen) -> bool:
    """Whether it is where its format's samples are to come, but the doctor was told to listen elsewhere."""
    name = Format(str(other.format))
    usual = [topic.removesuffix("/#") for topic in app_topics(name)]
    return other.topic.endswith("/imu") if name is Format.HAR else f"{other.topic}/".startswith(f"{usual[0]}/")


def _no_samples(unused: tuple[TopicSeen, ...]) -> Advice:
    words = f"messages came on {_listed(unused)}, but no samples: test messages, or other sensors"
    return Advice("no-samples", words, ("the connection works: start the measurement in the app",))


def _nothing(seen: Seen) -> Advice:
    topics = ", ".join(seen.topics)
    words = f"nothing came on {topics}"
    if seen.others:
        words += f"; what came on {_listed(seen.others)} is no phone's"
    return Advice("nothing-heard", words, tuple(check.format(broker=seen.broker) for check in _CHECKS))


def _listed(topics: tuple[TopicSeen, ...]) -> str:
    named = ", ".join(f"{each.topic} ({each.messages})" for each in topics[:MOST_TOPICS])
    return named if len(topics) <= MOST_TOPICS else f"{named} and {len(topics) - MOST_TOPICS} more topics"
