"""From predictions to messages, and from silence to availability; no network."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.activities import ACTIVITIES
from model.changes import ActivityChange
from model.stateful.transitions import PosturalTransition
from streamer.publishing.outbox import Outgoing
from streamer.publishing.presence import Presence
from streamer.publishing.publisher import Publisher, PublisherOptions
from streamer.publishing.topics import Topics
from tests.predictions import EPOCH, prediction


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Bench:
    """A publisher, its clock, and what came out of it since it was last looked at."""

    def __init__(self, **changes: Any) -> None:
        self.clock = Clock()
        options = PublisherOptions(Topics(), offline_after_s=30, max_phones=3, version="1.2", **changes)
        self.publisher = Publisher(options, clock=self.clock)

    def out(self) -> list[Outgoing]:
        return self.publisher.outbox.take(len(self.publisher.outbox))

    def texts(self) -> list[tuple[str, str]]:
        return [(m.topic, m.payload.decode()) for m in self.out() if not m.payload.startswith(b"{")]


def test_a_prediction_is_the_phone_s_retained_state_in_whole_and_in_parts() -> None:
    bench = Bench()
    bench.publisher.prediction(prediction(k=2, confidence=0.704))
    online, state, name, confidence = bench.out()
    assert (online.topic, online.payload) == ("har/s02-e03/availability", b"online")
    assert (name.topic, name.payload) == ("har/s02-e03/activity/state", b"SITTING")
    assert (confidence.topic, confidence.payload) == ("har/s02-e03/activity/confidence", b"70")
    assert state.topic == "har/s02-e03/activity"
    told = json.loads(state.payload)
    assert told.pop("probabilities") == pytest.approx(
        {activity: 0.704 if activity == "SITTING" else 0.0592 for activity in ACTIVITIES}
    )
    assert told == {
        "phone": "s02-e03",
        "time": EPOCH + 2 * 1.28 + 2.56,
        "answer": "SITTING",
        "activity": "SITTING",
        "confidence": 0.704,
        "since": EPOCH + 2 * 1.28,
        "novelty": 0.0,
        "reasons": [],
    }
    assert all(message.retain and message.phone == "s02-e03" for message in (online, state, name, confidence))


def test_parts_are_told_when_they_change_and_anew_on_a_new_connection() -> None:
    bench = Bench()
    for k, answer in enumerate(["SITTING", "SITTING", "UNKNOWN"]):
        bench.publisher.prediction(prediction(k=k, answer=answer))
    assert bench.texts() == [
        ("har/s02-e03/availability", "online"),
        ("har/s02-e03/activity/confidence", "70"),
        ("har/s02-e03/activity/state", "UNKNOWN"),
    ]
    bench.publisher.connected()
    assert bench.texts() == [("har/s02-e03/availability", "online")]
    bench.publisher.prediction(prediction(k=3, answer="UNKNOWN"))
    assert bench.texts() == [("har/s02-e03/activity/state", "UNKNOWN"), ("har/s02-e03/activity/confidence", "70")]


def test_since_is_when_the_answer_began_and_better_known_once_the_change_is_certain() -> None:
    bench = Bench()
    change = ActivityChange("SITTING", "WALKING", EPOCH + 2.0, 2.0)
    for k, answer in enumerate(["SITTING", "SITTING", "WALKING", "WALKING", "WALKING"]):
        bench.publisher.prediction(prediction(k=k, answer=answer, change=change if k == 3 else None))
    since = [json.loads(m.payload)["since"] - EPOCH for m in bench.out() if m.topic == "har/s02-e03/activity"]
    assert since == pytest.approx([0, 0, 2.56, 2.0, 2.0], abs=1e-5)


def test_a_change_is_an_event_that_no_broker_keeps() -> None:
    bench = Bench()
    bench.publisher.change("a.b", ActivityChange("SITTING", "WALKING_UPSTAIRS", EPOCH + 5.12, 12.8))
    (event,) = bench.out()
    assert (event.topic, event.retain, event.is_latest) == ("har/a.b/event", False, False)
    assert json.loads(event.payload) == {
        "event_type": "walking_upstairs",
        "phone": "a.b",
        "from": "SITTING",
        "to": "WALKING_UPSTAIRS",
        "time": EPOCH + 5.12,
        "duration": 12.8,
    }


def test_a_postural_transition_is_one_too() -> None:
    bench = Bench()
    bench.publisher.transition("a.b", PosturalTransition("SIT_TO_STAND", EPOCH + 5.12, 1.92, 0.75))
    (event,) = bench.out()
    assert (event.topic, event.retain, event.is_latest) == ("har/a.b/transition", False, False)
    assert json.loads(event.payload) == {
        "event_type": "sit_to_stand",
        "phone": "a.b",
        "transition": "SIT_TO_STAND",
        "time": EPOCH + 5.12,
        "duration": 1.92,
        "confidence": 0.75,
    }


@pytest.mark.parametrize("transitions", [False, True])
def test_home_assistant_is_told_of_transitions_if_the_model_tells_them(transitions: bool) -> None:
    bench = Bench(home_assistant=True, transitions=transitions)
    bench.publisher.prediction(prediction("a"))
    assert ("posture" in json.loads(bench.out()[0].payload)["components"]) is transitions


def test_a_phone_is_online_from_its_first_message_until_it_is_silent_for_too_long() -> None:
    bench = Bench()
    bench.publisher.update({"a": -100.0, "b": 0.0})
    assert bench.texts() == [("har/b/availability", "online")]
    bench.clock.now_s = 29.9
    bench.publisher.update({"b": 0.0})
    assert bench.texts() == []
    bench.clock.now_s = 30.0
    bench.publisher.update({"b": 0.0})
    assert bench.texts() == [("har/b/availability", "offline")]
    bench.publisher.update({"b": 0.0})
    assert bench.texts() == []
    bench.publisher.update({"b": 29.0})
    assert bench.texts() == [("har/b/availability", "online")]


def test_what_an_earlier_run_left_online_goes_offline_unless_it_sends() -> None:
    bench = Bench()
    for phone in ("a", "b", "c", "d", "e"):  # three are followed at most
        bench.publisher.hear(f"har/{phone}/availability", b"online", retained=True)
    bench.publisher.hear("har/f/availability", b"online", retained=False)
    bench.publisher.hear("har/g/availability", b"offline", retained=True)
    bench.publisher.hear("har/x y/availability", b"online", retained=True)
    bench.publisher.hear("har/bridge/status", b"online", retained=True)
    assert bench.out() == []
    bench.publisher.prediction(prediction("b"))
    assert bench.texts()[0] == ("har/b/availability", "online")
    bench.clock.now_s = 30.0
    bench.publisher.update({"b": 20.0})
    assert bench.texts() == [("har/a/availability", "offline"), ("har/c/availability", "offline")]


def test_a_phone_whose_predictions_come_late_stays_online() -> None:
    bench = Bench()
    bench.clock.now_s = 100.0
    bench.publisher.prediction(prediction("a", arrived_s=10.0))
    assert bench.texts()[0] == ("har/a/availability", "online")
    bench.publisher.update({"a": 10.0})
    assert bench.texts() == []


def test_the_last_of_a_stream_does_not_bring_a_silent_phone_back() -> None:
    bench = Bench()
    bench.clock.now_s = 100.0
    bench.publisher.end()
    bench.publisher.prediction(prediction("a", arrived_s=70.0))
    assert bench.out() == []
    bench.publisher.prediction(prediction("a", arrived_s=70.1))
    assert bench.texts()[0] == ("har/a/availability", "online")


def test_at_the_end_all_phones_go_offline_and_then_the_listener() -> None:
    bench = Bench()
    bench.publisher.start(dict)
    bench.publisher.prediction(prediction("a"))
    bench.publisher.prediction(prediction("b"))
    bench.publisher.close()
    texts = bench.texts()
    assert texts[-3:] == [
        ("har/a/availability", "offline"),
        ("har/b/availability", "offline"),
        ("har/bridge/status", "offline"),
    ]
    assert ("har/a/availability", "online") not in texts  # nobody has heard that yet


def test_one_of_several_listeners_leaves_the_phones_of_others_alone_and_stays_online() -> None:
    bench = Bench(shared=True)
    status = bench.publisher.topics.status
    assert bench.publisher.subscriptions == (status,)
    bench.publisher.hear(status, b"offline", retained=False)
    assert bench.texts() == [(status, "online")]
    bench.publisher.prediction(prediction())
    bench.out()
    bench.publisher.close(dismiss=False)
    bench.publisher.hear(status, b"offline", retained=False)
    assert bench.out() == []


def test_home_assistant_is_told_of_each_phone_before_its_first_state_and_when_it_starts() -> None:
    bench = Bench(home_assistant=True)
    assert bench.publisher.subscriptions == ("har/+/availability", "homeassistant/status")
    bench.publisher.prediction(prediction("a"))
    first = [m.topic for m in bench.out()]
    assert first[:3] == ["homeassistant/device/har_a/config", "har/a/availability", "har/a/activity"]
    bench.publisher.hear("homeassistant/status", b"offline", retained=False)
    assert bench.out() == []
    bench.publisher.hear("homeassistant/status", b"online", retained=False)
    discovery, online = bench.out()
    assert (discovery.topic, online.topic) == ("homeassistant/device/har_a/config", "har/a/availability")
    assert discovery.retain
    assert json.loads(discovery.payload)["origin"] == {"name": "har-stream", "sw_version": "1.2"}


def test_without_home_assistant_nothing_is_said_to_it() -> None:
    bench = Bench()
    bench.publisher.prediction(prediction("a"))
    bench.publisher.hear("homeassistant/status", b"online", retained=False)
    assert not [m for m in bench.out() if m.topic.startswith("homeassistant")]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 20)), max_size=30))
def test_presence_says_online_and_offline_in_turns(arrivals: list[tuple[str, float]]) -> None:
    presence, now_s = Presence(10.0, most=5), 0.0
    heard: dict[str, float] = {}
    online: set[str] = set()
    for phone, wait_s in arrivals:
        now_s += wait_s
        heard[phone] = now_s
        came, went = presence.update(heard, now_s)
        assert not online & set(came)
        online = (online | set(came)) - set(went)
        assert online == {name for name, at_s in heard.items() if at_s > now_s - 10.0} == set(presence.online())
    assert set(presence.clear()) == online
