"""The listener with the stream model as a process, through real brokers, on the real recordings."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.activities import ACTIVITIES, POSTURAL_TRANSITIONS
from model.bundled import load_recordings
from model.decision import ANSWERS
from model.novelty import STRANGE
from model.recordings import Recording, label_at
from model.stateful.classifier import StreamClassifier
from model.stateful.settling import NOTHING_TOLD, first_settled, hold, settle
from model.stateful.shape import STEP, STEP_S
from model.stateful.transitions import transitions_of
from streamer.recognition.comparing import Comparing
from streamer.recognition.stream_states import StreamStates
from tests.brokers import Mosquitto
from tests.processes import assert_one_sentence, listening, run
from tests.subscribers import subscriber

SUBJECTS = (20,)


def replay(where: str, *arguments: object) -> None:
    done = run("replay", "test", "--broker", where, "--speed", "max", "--json", "--subjects", "20", *arguments)
    assert done.returncode == 0, done.stderr


@cache
def expected(steps: int) -> dict[str, dict[str, Any]]:
    """What the batch chain says of each recording at the ends of spans of so many steps: the settled probabilities,
    and what the network alone tells of transitions."""
    classifier = StreamClassifier.load()
    found = {}
    for recording in load_recordings(SUBJECTS):
        signals = recording.signals().astype(np.float32)
        n = len(signals) // (steps * STEP)
        network = classifier.answers(signals)[: n * steps]
        scores = novelty(classifier, signals, n, steps)
        strange = np.repeat(scores > STRANGE, steps)
        heard = np.where(strange[:, np.newaxis], [1 / 6] * 6 + [0.0] * 6, network)
        settled, _ = settle(heard[np.newaxis], first_settled(1))
        told = hold(settled, np.full(1, NOTHING_TOLD))
        ends = np.arange(steps - 1, n * steps, steps)
        found[recording.name] = {
            "probabilities": settled[0, ends],
            "activities": [ACTIVITIES[k] for k in told[0, ends]],
            "transitions": transitions_of(heard),
            "novelty": scores,
        }
    return found


def novelty(classifier: StreamClassifier, signals: np.ndarray, n: int, steps: int) -> np.ndarray:
    comparing = Comparing(classifier.novelty, steps * STEP)
    (scores,) = comparing.compare(signals[np.newaxis, : n * steps * STEP], StreamStates.first(1, 0)).scores
    return np.asarray(scores)


def recordings() -> dict[str, Recording]:
    return {recording.name: recording for recording in load_recordings(SUBJECTS)}


def starts_s(predictions: list[dict[str, Any]]) -> dict[str, float]:
    return {line["phone"]: line["start_s"] for line in reversed(predictions)}


@pytest.mark.parametrize(("every", "steps"), [(None, 3), (0.16, 1), (1.2, 8), (2.56, 16)])
def test_what_comes_through_mosquitto_is_what_the_batch_chain_says(
    mosquitto: Mosquitto, every: float | None, steps: int
) -> None:
    wanted = expected(steps)
    with listening(
        "--model", "stream", "--broker", mosquitto.where, *(["--every", every] if every else [])
    ) as listener:
        replay(mosquitto.where)
        listener.wait_for(sum(len(each["activities"]) for each in wanted.values()))
        listener.wait_until_quiet()
        summary = listener.stop()
    predictions = listener.of_type("prediction")
    assert summary["lost_messages"] == summary["gaps"] == summary["malformed_messages"] == 0
    assert len(predictions) == summary["windows"]
    begin_s = starts_s(predictions)
    for phone, each in wanted.items():
        mine = [line for line in predictions if line["phone"] == phone]
        assert [line["start_sample"] for line in mine] == [steps * STEP * k for k in range(len(each["activities"]))]
        told = [[line["probabilities"][activity] for activity in ACTIVITIES] for line in mine]
        np.testing.assert_allclose(told, each["probabilities"], atol=1e-5)
        assert [line["activity"] for line in mine] == each["activities"]
        np.testing.assert_allclose([line["novelty"] for line in mine], each["novelty"], atol=1e-3)
        assert all(line["confidence"] == line["probabilities"][line["activity"]] for line in mine)
        assert all(line["span_s"] == pytest.approx(steps * STEP_S) for line in mine)
        transitions = [line for line in listener.of_type("transition") if line["phone"] == phone]
        assert [line["transition"] for line in transitions] == [t.name for t in each["transitions"]]
        moments = [line["time_s"] - begin_s[phone] for line in transitions]
        np.testing.assert_allclose(moments, [t.time_s for t in each["transitions"]], atol=1e-3)
        np.testing.assert_allclose(
            [line["duration_s"] for line in transitions], [t.duration_s for t in each["transitions"]], atol=1e-5
        )
        assert all(line["transition"] in POSTURAL_TRANSITIONS and 0 < line["confidence"] <= 1 for line in transitions)
    check_labels(predictions, summary, steps)


def check_labels(predictions: list[dict[str, Any]], summary: dict[str, Any], steps: int) -> None:
    """Labels are the segments' own, and the accuracy told is that of the lines."""
    segments = {name: recording.segments for name, recording in recordings().items()}
    for line in predictions:
        start = line["start_sample"]
        label = label_at(segments[line["phone"]], start, start + steps * STEP)
        assert line["label"] == (label if label in ACTIVITIES else None)
        assert line["answer"] in ANSWERS
    labelled = [line for line in predictions if line["label"] is not None]
    assert summary["labelled_windows"] == len(labelled)
    assert summary["accuracy"] == pytest.approx(np.mean([line["activity"] == line["label"] for line in labelled]))


def test_a_transition_comes_right_after_its_prediction_and_near_the_labelled_ones(mosquitto: Mosquitto) -> None:
    with listening("--model", "stream", "--broker", mosquitto.where) as listener:
        replay(mosquitto.where)
        listener.wait_until_quiet()
        listener.stop()
    lines = [line for line in listener.lines if line["type"] in ("prediction", "transition", "event")]
    begin_s = starts_s(listener.of_type("prediction"))
    moments: dict[str, list[float]] = {phone: [] for phone in begin_s}
    for k, line in enumerate(lines):
        if line["type"] == "transition":
            before = next(each for each in reversed(lines[:k]) if each["type"] == "prediction")
            assert before["phone"] == line["phone"]
            assert line["time_s"] < before["end_s"]
            moments[line["phone"]].append(line["time_s"] - begin_s[line["phone"]])
    for name, recording in recordings().items():
        labelled = [s for s in recording.segments if s.activity in POSTURAL_TRANSITIONS]
        middles = [(segment.start + segment.stop) / 100 for segment in labelled]
        near = [middle for middle in middles if min(abs(middle - moment) for moment in moments[name]) < 3]
        assert len(near) > len(middles) / 2


def test_a_gap_begins_anew(mosquitto: Mosquitto) -> None:
    with listening("--model", "stream", "--broker", mosquitto.where) as listener:
        replay(mosquitto.where, "--drop", "0.2", "--seed", "1")
        listener.wait_until_quiet()
        summary = listener.stop()
    assert summary["gaps"] > 0
    assert {line["answer"] for line in listener.of_type("prediction")} <= set(ANSWERS)


def test_consumers_hear_predictions_transitions_and_home_assistant_of_them(mosquitto: Mosquitto) -> None:
    with (
        subscriber(mosquitto.port) as heard,
        listening("--model", "stream", "--broker", mosquitto.where, "--home-assistant") as listener,
    ):
        replay(mosquitto.where)
        listener.wait_until_quiet()
        listener.stop()
        heard.wait_for_last(b"offline")
    for phone in recordings():
        told = [json.loads(payload) for payload in heard.of(f"har/{phone}/transition")]
        lines = [line for line in listener.of_type("transition") if line["phone"] == phone]
        assert [(t["transition"], t["time"], t["duration"], t["confidence"]) for t in told] == [
            (line["transition"], line["time_s"], line["duration_s"], line["confidence"]) for line in lines
        ]
        assert [t["event_type"] for t in told] == [line["transition"].lower() for line in lines]
        states = [json.loads(payload) for payload in heard.of(f"har/{phone}/activity")]
        predictions = [line for line in listener.of_type("prediction") if line["phone"] == phone]
        assert [(s["time"], s["answer"]) for s in states] == [(p["end_s"], p["answer"]) for p in predictions]
        (discovery,) = {payload for payload in heard.of(f"homeassistant/device/har_{phone}/config") if payload}
        assert json.loads(discovery)["components"]["posture"]["state_topic"] == f"har/{phone}/transition"


def test_a_capture_is_recognised_anew_by_it(mosquitto: Mosquitto, tmp_path: Path) -> None:
    capture = tmp_path / "session.har"
    with listening("--model", "stream", "--broker", mosquitto.where, "--record", capture) as listener:
        replay(mosquitto.where)
        listener.wait_until_quiet()
        summary = listener.stop()
    done = run("streamer", "report", capture, "--model", "stream", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["n_windows"] == summary["windows"]
    assert report["confusion_matrix"] == summary["confusion_matrix"]
    assert sum(report["transitions"].values()) == len(listener.of_type("transition"))
    assert sum(report["seconds"].values()) == pytest.approx(0.48 * summary["windows"])


def test_flags_that_do_not_fit_the_model_are_one_sentence(tmp_path: Path) -> None:
    nowhere = ("--broker", "localhost:1", "--output", "jsonl")
    assert_one_sentence(run("streamer", "listen", *nowhere, "--model", "window", "--every", "0.5"), "--every")
    for flags, told in (
        (("--lag", "1"), "--lag"),
        (("--no-smoothing",), "--no-smoothing"),
        (("--save-windows", tmp_path / "windows.npz"), "--save-windows"),
    ):
        assert_one_sentence(run("streamer", "listen", *nowhere, "--model", "stream", *flags), told)
    assert_one_sentence(run("streamer", "listen", *nowhere, "--model", tmp_path / "none.har"), "none.har")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("every", ["0.1", "3", "often"])
def test_how_often_is_within_what_can_be(every: str) -> None:
    done = run("streamer", "listen", "--model", "stream", "--every", every)
    assert done.returncode == 2
    assert "--every" in done.stderr


def test_an_artefact_s_card_says_which_kind_it_is(mosquitto: Mosquitto) -> None:
    from model.artefact import default_artefact_path

    done = run(
        *("streamer", "demo", "--subjects", "20", "--speed", "max", "--output", "jsonl"),
        HAR_MODEL=str(default_artefact_path("stream")),
        HAR_EVERY="1.28",
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    spans = {line["span_s"] for line in lines if line["type"] == "prediction"}
    assert spans == {1.28}
    assert lines[-1]["labelled_windows"] > 100
