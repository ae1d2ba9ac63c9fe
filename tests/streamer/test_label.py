"""``har-stream label``: what a person says reaches the broker, and the listener scores by it."""

from __future__ import annotations

import math
import re
import signal
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from model.activities import ACTIVITIES, ALL_LABELS, POSTURAL_TRANSITIONS
from streamer.labelling.choices import Choice, Prompt, press
from streamer.wire import Label, decode_label
from tests.brokers import USER, Mosquitto, free_port, start_mosquitto
from tests.processes import Listening, assert_one_sentence, command, environment, run
from tests.subscribers import Heard, subscriber

TOPIC = "har/ann/label"


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


def chosen(keys: str) -> list[str | None]:
    prompt, labels = Prompt(), []
    for key in keys:
        prompt, choice = press(prompt, key)
        labels += [choice.activity] if choice else []
    return labels


def test_each_activity_and_transition_has_its_key() -> None:
    assert chosen("123456") == list(ACTIVITIES)
    assert chosen("t1t2t3t4t5t6") == list(POSTURAL_TRANSITIONS)
    assert chosen("404") == ["SITTING", None, "SITTING"]
    assert all(name in Prompt().help for name in ACTIVITIES)
    assert all(name in Prompt(is_transition=True).help for name in POSTURAL_TRANSITIONS)


@pytest.mark.parametrize("key", ["x", "7", "\x1b[A", "\n", ""])
def test_other_keys_choose_nothing(key: str) -> None:
    assert press(Prompt(), key) == (Prompt(), None)
    assert press(Prompt(is_transition=True), key) == (Prompt(), None)


@pytest.mark.parametrize("key", ["q", "Q", "\x03", "\x04"])
def test_quitting_chooses_nothing(key: str) -> None:
    prompt, choice = press(Prompt(), key)
    assert prompt.is_over
    assert choice is None
    assert press(Prompt(), "4")[1] == Choice("SITTING")


def labels_of(heard: Heard, count: int) -> list[Label]:
    assert {topic for topic, _ in heard.wait_for(count)} == {TOPIC}
    return [decode_label(payload) for payload in heard.of(TOPIC)]


def test_a_label_is_published_from_now_without_an_end(mosquitto: Mosquitto) -> None:
    before_s = time.time()
    with subscriber(mosquitto.port) as heard:
        for arguments in (["lying"], ["stand to sit"], ["--clear"]):
            done = run("streamer", "label", "--broker", mosquitto.where, "--phone", "ann", *arguments)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        labels = labels_of(heard, 3)
    assert [label.activity for label in labels] == ["LAYING", "STAND_TO_SIT", None]
    assert {label.end_s for label in labels} == {math.inf}
    times = [before_s, *(label.start_s for label in labels), time.time()]
    assert times == sorted(times)
    with subscriber(mosquitto.port) as later:
        run("streamer", "label", "--broker", mosquitto.where, "--phone", "ann", "--root", "x", "LAYING")
        assert later.wait_for(1)[0][0] == "x/ann/label"  # and nothing that was kept


def test_the_listener_scores_by_it(mosquitto: Mosquitto) -> None:
    listener = Listening("--broker", mosquitto.where)
    phone = subprocess.Popen(
        command("replay", "test", "--broker", mosquitto.where, "--subjects", "20", "--phones", 1, "--no-labels"),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        listener.wait_for(1)
        name = listener.of_type("prediction")[0]["phone"]
        assert run("streamer", "label", "--broker", mosquitto.where, "--phone", name, "STANDING").returncode == 0
        said_s = time.time()
        deadline = time.monotonic() + 60
        while not [line for line in listener.of_type("prediction") if line["label"]]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        summary = listener.stop()
    finally:
        phone.kill()
        phone.wait()
        listener.kill()
    for line in listener.of_type("prediction"):
        assert line["label"] in (None, "STANDING")
        assert line["label"] is None or line["start_s"] > said_s - 10
        assert line["label"] == "STANDING" or line["start_s"] < said_s
    assert summary["labelled_windows"] >= 1


class Asked:
    """The prompt in a terminal."""

    def __init__(self, where: str, folder: Path) -> None:
        program, *rest = command("streamer", "label", "--broker", where, "--phone", "ann")
        self.process = pexpect.spawn(program, rest, dimensions=(24, 80), env=environment(), timeout=60, encoding="utf8")
        self.settings = termios.tcgetattr(self.process.child_fd)
        self.process.expect("q quit")

    def press(self, keys: str, shown: str) -> None:
        self.process.send(keys)
        self.process.expect(re.escape(shown))

    def end(self) -> Any:
        self.process.expect(pexpect.EOF)
        assert termios.tcgetattr(self.process.child_fd) == self.settings
        self.process.close()
        return self.process.exitstatus


def test_the_prompt_publishes_a_label_a_key_and_ends_the_last_one(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with subscriber(mosquitto.port, TOPIC) as heard:
        asked = Asked(mosquitto.where, tmp_path)
        asked.press("4", "  SITTING")
        asked.press("t", "1 STAND_TO_SIT")
        asked.press("2", "  SIT_TO_STAND")
        asked.press("0", "  nothing")
        asked.press("5", "  STANDING")
        asked.press("q", "  nothing")
        assert asked.end() == 0
        labels = labels_of(heard, 5)
    assert [label.activity for label in labels] == ["SITTING", "SIT_TO_STAND", None, "STANDING", None]
    starts = [label.start_s for label in labels]
    assert starts == sorted(starts)


@pytest.mark.parametrize("ending", ["\x03", signal.SIGTERM])
def test_an_interrupted_prompt_ends_the_last_label_too(mosquitto: Mosquitto, tmp_path: Path, ending: Any) -> None:
    with subscriber(mosquitto.port, TOPIC) as heard:
        asked = Asked(mosquitto.where, tmp_path)
        asked.press("1", "  WALKING")
        if isinstance(ending, str):
            asked.process.send(ending)
        else:
            asked.process.kill(ending)
        assert asked.end() == 130
        labels = labels_of(heard, 2)
    assert [label.activity for label in labels] == ["WALKING", None]


def test_a_label_that_waits_for_the_broker_keeps_its_time(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as broker:
        asked = Asked(broker.where, tmp_path)
        broker.stop()
        asked.process.expect("lost")
        asked.press("3", "sent later")
        pressed_s = time.time()
        broker.start()
        with subscriber(broker.port, TOPIC) as heard:
            asked.process.expect("again")
            asked.press("q", "  nothing")
            assert asked.end() == 0
            assert heard.wait_for(1)
        labels = [decode_label(payload) for payload in heard.of(TOPIC)]
    downstairs = [label for label in labels if label.activity]
    assert all(label.start_s <= pressed_s for label in downstairs)
    assert labels[-1].activity is None


def test_what_is_wrong_is_one_sentence(mosquitto: Mosquitto, tmp_path: Path) -> None:
    label = ("streamer", "label", "--broker", mosquitto.where, "--phone")
    assert_one_sentence(run(*label, "an n", "SITTING"), "--phone")
    assert_one_sentence(run(*label, "ann", "SITTING", "--clear"), "give one")
    done = subprocess.run(
        command(*label, "ann"), stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(), check=False
    )
    assert_one_sentence(done, "no terminal", *ALL_LABELS)
    nobody = f"127.0.0.1:{free_port()}"
    assert_one_sentence(run("streamer", "label", "--broker", nobody, "--phone", "ann", "SITTING"), "no broker")
    done = run(*label, "ann", "DANCING")
    assert done.returncode == 2
    assert "'DANCING' is not one of" in done.stderr
    with start_mosquitto(tmp_path, password="right") as broker:
        arguments = ("streamer", "label", "--broker", broker.where, "--phone", "ann", "SITTING", "-u", USER)
        assert_one_sentence(run(*arguments, HAR_PASSWORD="wrong"), "HAR_PASSWORD", status=5)
        assert run(*arguments, HAR_PASSWORD="right").returncode == 0
