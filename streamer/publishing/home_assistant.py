"""Phones as devices of Home Assistant: one discovery message each. Pure.

Sources: the documentation of Home Assistant's MQTT integration (https://www.home-assistant.io/integrations/mqtt/,
"Device discovery payload"), of its sensor (…/integrations/sensor.mqtt/) and event (…/integrations/event.mqtt/).
Device discovery came with Home Assistant 2024.11; an empty retained payload removes the device.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from model.activities import ACTIVITIES, POSTURAL_TRANSITIONS
from model.decision import ANSWERS
from streamer.publishing.topics import Topics

NAME = "har-stream"

_NOT_SLUG = re.compile(r"[^a-z0-9]+")


def discovery_payload(
    topics: Topics, phone: str, *, expire_after_s: int, version: str, transitions: bool = False
) -> bytes:
    """What Home Assistant needs to know of a phone; ``expire_after_s`` after the last prediction it knows nothing.

    ``transitions``: its postural transitions are told, too.

    Raises
    ------
    WireError : the phone's name is none.
    """
    object_id = topics.object_id(phone)
    components = {
        "activity": _activity(expire_after_s),
        "confidence": _confidence(expire_after_s),
        "transition": _transition(topics.event(phone)),
    }
    if transitions:
        components["posture"] = _posture(topics.transition(phone))
    for key, component in components.items():
        component["unique_id"] = f"{object_id}_{key}"
        slug = _NOT_SLUG.sub("_", f"{topics.root}_{phone}_{key}".lower()).strip("_")
        component["default_entity_id"] = f"{component['platform']}.{slug}"
    return msgspec.json.encode(
        {
            "device": {"identifiers": [object_id], "name": phone, "manufacturer": NAME, "model": "phone"},
            "origin": {"name": NAME, "sw_version": version},
            "availability": [{"topic": topics.status}, {"topic": topics.availability(phone)}],
            "availability_mode": "all",
            "state_topic": topics.activity(phone),
            "qos": 1,
            "components": components,
        }
    )


def _activity(expire_after_s: int) -> dict[str, Any]:
    """Values in lower case, as Home Assistant's own; ``unknown`` is also its word for a state that is not known."""
    return {
        "platform": "sensor",
        "name": "Activity",
        "device_class": "enum",
        "options": [answer.lower() for answer in ANSWERS],
        "value_template": "{{ value_json.answer | lower }}",
        "icon": "mdi:walk",
        "expire_after": expire_after_s,
    }


def _confidence(expire_after_s: int) -> dict[str, Any]:
    return {
        "platform": "sensor",
        "name": "Confidence",
        "unit_of_measurement": "%",
        "state_class": "measurement",
        "entity_category": "diagnostic",
        "value_template": "{{ (100 * value_json.confidence) | round | int }}",
        "icon": "mdi:gauge",
        "expire_after": expire_after_s,
    }


def _transition(event_topic: str) -> dict[str, Any]:
    """``event_type`` in the payload is the activity that begins; the payload's other fields become attributes."""
    return {
        "platform": "event",
        "name": "Transition",
        "event_types": [activity.lower() for activity in ACTIVITIES],
        "state_topic": event_topic,
        "icon": "mdi:swap-horizontal",
    }


def _posture(transition_topic: str) -> dict[str, Any]:
    """``event_type`` in the payload is the postural transition; an event entity hears one topic, so it is another."""
    return {
        "platform": "event",
        "name": "Postural transition",
        "event_types": [transition.lower() for transition in POSTURAL_TRANSITIONS],
        "state_topic": transition_topic,
        "icon": "mdi:seat",
    }
