"""The listener's own topics: none is a phone's, and no two phones share one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from model.errors import HarError
from streamer.publishing.topics import Topics
from streamer.wire import WireError, phone_topics

phones = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True)
roots = st.from_regex(r"[a-c0_.-]{1,3}(/[a-c0_.-]{1,3})?", fullmatch=True).filter(lambda root: root != "homeassistant")


def all_of(topics: Topics, phone: str) -> set[str]:
    return {
        *topics.retained(phone),
        topics.event(phone),
        topics.transition(phone),
        topics.status,
        topics.echo,
        topics.home_assistant_status,
    }


@given(roots, phones)
def test_the_listener_hears_nothing_that_it_publishes(root: str, phone: str) -> None:
    topics = Topics(root)
    for name in all_of(topics, phone):
        assert not any(topic_matches_sub(pattern, name) for pattern in phone_topics(root))
        assert topics.is_own(name)


@given(roots, phones)
def test_no_topic_of_a_phone_is_taken_for_the_listener_s(root: str, phone: str) -> None:
    assert not any(Topics(root).is_own(pattern.replace("+", phone)) for pattern in phone_topics(root))
    assert not Topics(root).is_own("sensor-logger")
    assert not Topics(root).is_own("android/sensor/accelerometer")


@given(st.lists(st.tuples(roots, phones), min_size=2, max_size=5, unique=True))
def test_no_two_phones_share_a_topic_or_a_device(pairs: list[tuple[str, str]]) -> None:
    ids = [Topics(root).object_id(phone) for root, phone in pairs]
    assert len(set(ids)) == len(pairs)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", object_id) for object_id in ids)
    per_phone = [set(Topics(root).retained(phone)) for root, phone in pairs]
    assert len(set().union(*per_phone)) == sum(map(len, per_phone))


def test_ids_of_usual_names_are_readable() -> None:
    assert Topics("har").object_id("s02-e03") == "har_s02-e03"
    assert Topics("har").object_id("a.b") == "_har_1a_-b"
    assert Topics("home/har").discovery("x") == "homeassistant/device/_home_1har_1x/config"


@pytest.mark.parametrize("phone", ["", "a b", "a/b", "+", "x" * 65, "é"])
def test_a_name_that_is_none_has_no_topics(phone: str) -> None:
    for name in (Topics().activity, Topics().event, Topics().transition, Topics().availability, Topics().discovery):
        with pytest.raises(WireError):
            name(phone)


@pytest.mark.parametrize(
    ("root", "prefix"), [("", "p"), ("a/", "p"), ("a+", "p"), ("#", "p"), ("har", "$x"), ("har", "har")]
)
def test_a_level_that_is_none_is_one_sentence(root: str, prefix: str) -> None:
    with pytest.raises(HarError):
        Topics(root, prefix)
