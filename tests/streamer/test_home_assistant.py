"""The discovery message against Home Assistant's rules for one.

The rules are written down here after Home Assistant 2026.2's own schemas (``homeassistant/components/mqtt/schemas.py``:
DEVICE_DISCOVERY_SCHEMA, MQTT_ENTITY_DEVICE_INFO_SCHEMA, MQTT_ORIGIN_INFO_SCHEMA; ``sensor.py`` and ``event.py``:
DISCOVERY_SCHEMA) and its documentation (https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload).
What they do not name is refused. Home Assistant itself is the judge in test_home_assistant_itself.py.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.activities import POSTURAL_TRANSITIONS
from model.changes import ActivityChange
from model.decision import ANSWERS
from model.stateful.transitions import PosturalTransition
from streamer.publishing.home_assistant import discovery_payload
from streamer.publishing.payloads import event_payload, state_payload, transition_payload
from streamer.publishing.topics import Topics
from streamer.wire import WireError
from tests.predictions import prediction

Text = Annotated[str, msgspec.Meta(min_length=1)]
Topic = Annotated[str, msgspec.Meta(pattern=r"^[^+#\x00]{1,65535}$")]
Slug = r"[a-z0-9]+(_[a-z0-9]+)*"


class Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    pass


class Device(Strict):
    identifiers: Annotated[list[Text], msgspec.Meta(min_length=1)]
    name: Text
    manufacturer: Text
    model: Text


class Origin(Strict):
    name: Text
    sw_version: Text


class Availability(Strict):
    topic: Topic
    payload_available: str = "online"
    payload_not_available: str = "offline"


class Entity(Strict):
    unique_id: Text
    default_entity_id: Text
    name: Text
    icon: Annotated[str, msgspec.Meta(pattern=r"^mdi:[a-z-]+$")]


class Sensor(Entity, tag="sensor", tag_field="platform"):
    value_template: Text
    expire_after: Annotated[int, msgspec.Meta(gt=0)]
    device_class: Literal["enum"] | None = None
    options: Annotated[list[Text], msgspec.Meta(min_length=1)] | None = None
    state_class: Literal["measurement"] | None = None
    unit_of_measurement: Text | None = None
    entity_category: Literal["diagnostic"] | None = None

    def __post_init__(self) -> None:
        """``validate_sensor_state_and_device_class_config``."""
        assert (self.options is not None) == (self.device_class == "enum")
        assert self.options is None or not (self.state_class or self.unit_of_measurement)


class Event(Entity, tag="event", tag_field="platform"):
    state_topic: Topic
    event_types: Annotated[list[Text], msgspec.Meta(min_length=1)]


class Discovery(Strict):
    device: Device
    origin: Origin
    availability: list[Availability]
    availability_mode: Literal["all", "any", "latest"]
    state_topic: Topic
    qos: Literal[0, 1, 2]
    components: dict[str, Sensor | Event]


def described(topics: Topics, phone: str, *, transitions: bool = False) -> Discovery:
    payload = discovery_payload(topics, phone, expire_after_s=60, version="1.2", transitions=transitions)
    return msgspec.json.decode(payload, type=Discovery)


phones = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True)


@given(st.sampled_from(["har", "home/har", "_", "a.b"]), phones, st.booleans())
@example("_", ".", True)
def test_every_phone_s_description_follows_the_rules(root: str, phone: str, transitions: bool) -> None:
    topics = Topics(root)
    told = described(topics, phone, transitions=transitions)
    assert told.state_topic == topics.activity(phone)
    assert [a.topic for a in told.availability] == [topics.status, topics.availability(phone)]
    assert told.availability_mode == "all"
    for key, component in told.components.items():
        assert component.unique_id == f"{topics.object_id(phone)}_{key}"
        platform, _, name = component.default_entity_id.partition(".")
        assert platform == ("event" if isinstance(component, Event) else "sensor")
        assert re.fullmatch(Slug, name)
    topic = topics.discovery(phone)
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)  # discovery.py: TOPIC_MATCHER


def test_the_entities_are_activity_confidence_and_transition() -> None:
    told = described(Topics(), "s02-e03")
    assert told.device == Device(identifiers=["har_s02-e03"], name="s02-e03", manufacturer="har-stream", model="phone")
    assert told.origin == Origin(name="har-stream", sw_version="1.2")
    activity, confidence, transition = (told.components[k] for k in ("activity", "confidence", "transition"))
    assert isinstance(activity, Sensor)
    assert isinstance(confidence, Sensor)
    assert isinstance(transition, Event)
    assert (activity.device_class, activity.expire_after) == ("enum", 60)
    assert (confidence.unit_of_measurement, confidence.state_class) == ("%", "measurement")
    assert confidence.entity_category == "diagnostic"
    assert transition.state_topic == "har/s02-e03/event"
    assert [c.default_entity_id for c in told.components.values()] == [
        "sensor.har_s02_e03_activity",
        "sensor.har_s02_e03_confidence",
        "event.har_s02_e03_transition",
    ]


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_answer_is_an_option(answer: str) -> None:
    """An enum sensor ignores a value that is none of its options (sensor.py: ``_update_state``)."""
    activity = described(Topics(), "a").components["activity"]
    assert isinstance(activity, Sensor)
    assert activity.value_template == "{{ value_json.answer | lower }}"
    state: dict[str, Any] = json.loads(state_payload(prediction(answer=answer), 0.0))
    assert state["answer"].lower() in (activity.options or [])
    assert "unknown" in (activity.options or [])


@pytest.mark.parametrize("answer", ANSWERS[:6])
def test_every_change_is_an_event_type(answer: str) -> None:
    transition = described(Topics(), "a").components["transition"]
    assert isinstance(transition, Event)
    event = json.loads(event_payload("a", ActivityChange("SITTING", answer, 0.0, 1.0)))
    assert event["event_type"] in transition.event_types


@pytest.mark.parametrize("name", POSTURAL_TRANSITIONS)
def test_every_postural_transition_is_an_event_type_of_another_entity(name: str) -> None:
    assert "posture" not in described(Topics(), "a").components
    posture = described(Topics(), "a", transitions=True).components["posture"]
    assert isinstance(posture, Event)
    assert posture.state_topic == "har/a/transition"
    event = json.loads(transition_payload("a", PosturalTransition(name, 0.0, 1.6, 0.9)))
    assert event["event_type"] in posture.event_types
    assert len(posture.event_types) == len(POSTURAL_TRANSITIONS)


def test_a_name_that_is_no_phone_s_is_not_described() -> None:
    with pytest.raises(WireError):
        discovery_payload(Topics(), "a/b", expire_after_s=60, version="1.2")
