"""A phone's turn in its stream, what is told when gravity points strangely, and the steps of a calibration."""

from __future__ import annotations

import numpy as np
import pytest

from model.bundled import load_recording
from model.classifier import Classifier
from model.orientation import Basis, turn_deg, turned
from model.signals import FloatArray, Start, process
from model.windows import cut
from streamer.mount.guide import STANDING_S, WALKING_S, Guide, Step, Stretch
from streamer.mount.notation import parse_rotation
from streamer.mount.watch import PATIENCE, MountWatch, are_strange
from streamer.phone_stream import PhoneStream
from streamer.recognition.recognizer import Recognizer
from streamer.recognition.window_engine import WindowEngine
from tests.streamer.turned_phones import messages, pose, segments_of, windows, worn

RECORDING = load_recording(13)
"""Of a training subject."""

STANDS = segments_of(RECORDING, "STANDING")[0]
WALKS = segments_of(RECORDING, "WALKING")[0]
LIES = segments_of(RECORDING, "LAYING")[0]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def test_a_turned_stream_is_the_chains_of_the_turned_samples() -> None:
    samples, turn = RECORDING.samples[:1000], pose(1)
    expected = cut(process(turned(samples, turn), start=Start.STEADY).astype(np.float32))
    assert np.array_equal(np.stack([w.values for w in windows(samples, turn)]), expected)


def test_no_turn_and_the_turn_by_nothing_change_nothing() -> None:
    samples = RECORDING.samples[:500]
    plain = np.stack([w.values for w in windows(samples)])
    assert np.array_equal(plain, cut(process(samples, start=Start.STEADY).astype(np.float32)))
    assert np.array_equal(np.stack([w.values for w in windows(samples, np.eye(3))]), plain)


def test_a_new_turn_begins_a_new_piece_and_no_window_straddles_it() -> None:
    samples, turn = RECORDING.samples[:1000], pose(2)
    stream = PhoneStream("p")
    before = [w for m in messages("p", samples[:500]) for w in stream.push(m, 0.0).windows]
    before += stream.remount(turn)
    after = [w for m in messages("p", samples[500:], first=500, seq=20) for w in stream.push(m, 0.0).windows]
    after += stream.finish()
    assert np.array_equal(
        np.stack([w.values for w in before]), cut(process(samples[:500], start=Start.STEADY).astype(np.float32))
    )
    expected = cut(process(turned(samples[500:], turn), start=Start.STEADY).astype(np.float32))
    assert np.array_equal(np.stack([w.values for w in after]), expected)
    assert {w.piece for w in before}.isdisjoint({w.piece for w in after})
    assert after[0].start_sample == 500


def test_the_same_turn_again_changes_nothing() -> None:
    stream, turn = PhoneStream("p"), pose(3)
    assert stream.remount(None) == []
    for message in messages("p", RECORDING.samples[:100]):
        stream.push(message, 0.0)
    stream.remount(turn)
    for message in messages("p", RECORDING.samples[100:150], first=100, seq=4):
        stream.push(message, 0.0)
    assert stream.remount(turn.copy()) == []
    rest = [w for m in messages("p", RECORDING.samples[150:300], first=150, seq=6) for w in stream.push(m, 0.0).windows]
    assert rest[0].start_sample == 100


def test_the_recognizer_turns_phones_each_by_its_own_and_asks_again(classifier: Classifier) -> None:
    """A phone worn anyhow is recognised by its turn, and wrongly without."""
    turns: dict[str, FloatArray | None] = {"a": pose(4).T}
    recognizer = Recognizer(WindowEngine(classifier), max_phones=9, rotation_of=turns.get)
    samples = worn(RECORDING, pose(4))[slice(*WALKS)]
    for name in ("a", "b"):
        for message in messages(name, samples):
            recognizer.push(message, 0.0)
    answers = recognizer.classify(lambda: 0.0)
    assert [p.activity for p in answers if p.phone == "a"].count("WALKING") >= 0.9 * len(answers) / 2
    assert [p.activity for p in answers if p.phone == "b"].count("WALKING") < 0.5 * len(answers) / 2
    turns["b"] = pose(4).T
    recognizer.remount()
    for message in messages("b", samples, first=len(samples), seq=10_000):
        recognizer.push(message, 0.0)
    answers = recognizer.classify(lambda: 0.0)
    assert [p.activity for p in answers].count("WALKING") >= 0.9 * len(answers)


def told(samples: FloatArray, classifier: Classifier, rotation: FloatArray | None = None) -> list[str]:
    watch = MountWatch()
    assert classifier.novelty
    values = np.stack([window.values for window in windows(samples, rotation)])
    strange = are_strange(values, np.ones(len(values), bool), classifier.novelty).tolist()
    found = [watch.push("s07", each, is_strange, rotation) for each, is_strange in zip(values, strange, strict=True)]
    return [words for words in found if words]


def test_a_phone_worn_upside_down_is_told_once_with_what_to_do(classifier: Classifier) -> None:
    words = told(worn(RECORDING, parse_rotation("-x,-y,+z"))[slice(*STANDS)], classifier)
    assert len(words) == 1
    assert "the phone's -x axis points up" in words[0]
    assert "har-stream calibrate s07" in words[0]
    assert "--mount up=-x" in words[0]


def test_a_phone_in_portrait_is_told_when_its_wearer_walks(classifier: Classifier) -> None:
    """Standing, it passes for the phone of somebody who lies."""
    portrait = worn(RECORDING, parse_rotation("up=+y,forward=-x+z").T)
    assert told(portrait[slice(*STANDS)], classifier) == []
    words = told(portrait[slice(*WALKS)], classifier)
    assert len(words) == 1
    assert "the phone's +y axis points up" in words[0]


def test_a_wrong_mount_names_the_phones_own_axis_and_asks_to_calibrate_again(classifier: Classifier) -> None:
    wrong = parse_rotation("up=-x,forward=+z")
    words = told(RECORDING.samples[slice(*STANDS)], classifier, wrong)
    assert len(words) == 1
    assert "the phone's +x axis points up" in words[0]
    assert "--mount or calibration" in words[0]
    assert "har-stream calibrate s07" in words[0]


@pytest.mark.parametrize("stretch", [STANDS, WALKS, LIES])
def test_nothing_is_told_of_a_phone_that_is_worn_as_the_data_sets(
    stretch: tuple[int, int], classifier: Classifier
) -> None:
    assert told(RECORDING.samples[slice(*stretch)], classifier) == []


def test_bending_down_for_a_moment_is_not_told(classifier: Classifier) -> None:
    upside_down = worn(RECORDING, parse_rotation("-x,-y,+z"))
    start = STANDS[0]
    samples = np.concatenate([RECORDING.samples[start : start + 300], upside_down[start : start + 64 * (PATIENCE - 4)]])
    assert told(samples, classifier) == []


def test_a_stretch_is_the_stream_laid_end_to_end() -> None:
    samples = RECORDING.samples[:1000]
    stretch = Stretch(6.0)
    for window in windows(samples):
        stretch.push(window)
    signals = process(samples, start=Start.STEADY)
    end = 1000 - (1000 - 128) % 64
    last = stretch.last(6.0)
    assert last is not None
    assert np.array_equal(last, signals[end - 300 : end, 6:].astype(np.float32))
    assert stretch.last(6.1) is None


def test_a_stretch_begins_anew_after_a_gap() -> None:
    stretch, stream = Stretch(6.0), PhoneStream("p")
    for first in (0, 5000):
        for message in messages("p", RECORDING.samples[first : first + 300], first=first, seq=first):
            for window in stream.push(message, 0.0).windows:
                stretch.push(window)
    assert stretch.last(300 / 50) is None


@pytest.mark.parametrize("seed", range(3))
def test_standing_then_walking_calibrates_a_phone_worn_anyhow(seed: int) -> None:
    samples, guide = worn(RECORDING, pose(seed)), Guide(walk=True)
    steps = [guide.push(w) for w in windows(samples[slice(*STANDS)])]
    assert steps[0] is Step.STAND and steps[-1] is Step.WALK
    assert steps.count(Step.STAND) <= STANDING_S / 1.28 + 3
    for window in windows(samples[slice(*WALKS)]):
        if guide.push(window) is Step.DONE:
            break
    assert guide.calibration and guide.complaint is None
    assert guide.calibration.basis is Basis.WALKING
    assert turn_deg(guide.calibration.rotation @ pose(seed)) < 45


def test_standing_alone_is_enough_without_the_heading() -> None:
    guide = Guide(walk=False)
    assert [guide.push(w) for w in windows(RECORDING.samples[slice(*STANDS)])][-1] is Step.DONE
    assert guide.calibration and guide.calibration.basis is Basis.GRAVITY


def test_who_does_not_stand_still_or_does_not_walk_is_told_why() -> None:
    guide = Guide(walk=True)
    for window in windows(RECORDING.samples[slice(*WALKS)]):
        assert guide.push(window) is Step.STAND
    assert guide.complaint and "stand still" in guide.complaint
    guide.restart()
    for window in windows(RECORDING.samples[slice(*STANDS)])[: round((STANDING_S + 2 * WALKING_S) / 1.28)]:
        step = guide.push(window)
    assert step is Step.WALK
    assert guide.complaint and "walk straight on" in guide.complaint
