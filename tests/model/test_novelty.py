"""The novelty checks, on recordings of a few training subjects: normal people pass, faults are found and named."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.novelty import FAULTS, labelled
from model.activities import TEST_SUBJECTS
from model.bundled import load_recording
from model.errors import ArtefactError, HarError
from model.novelty import CHECKS, THRESHOLD, Novelty
from model.novelty_training import fit_novelty, normal_windows
from model.novelty_words import explain
from model.signals import SignalChain, Start
from model.windows import cut

Floats = npt.NDArray[np.float64]

FITTED_ON = (1, 3, 5, 6, 7, 8, 11)
HELD_OUT_EXPERIMENT = 38  # subject 19


@pytest.fixture(scope="module")
def novelty() -> Novelty:
    return fit_novelty(FITTED_ON)


def faulty(fault: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """The windows of the held-out recording with a fault, and which of them are not lying."""
    recording = load_recording(HELD_OUT_EXPERIMENT)
    assert recording.subject not in FITTED_ON
    windows, labels = labelled(replace(recording, samples=FAULTS[fault](recording.samples)))
    return windows, np.array(labels) != "LAYING"


def test_a_person_never_seen_is_normal(novelty: Novelty) -> None:
    windows, _ = faulty("none")
    assert (novelty.score(windows) > THRESHOLD).mean() <= 0.01
    normal = windows[novelty.score(windows) <= THRESHOLD]
    assert [novelty.reasons(window) for window in normal[::20]] == [()] * len(normal[::20])


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("upside down (half turn about z)", "upside down"),
        ("sign of acceleration x", "signs"),
        ("sign of the acceleration", "signs"),
    ],
)
def test_gravity_from_the_wrong_side_is_found_unless_one_lies(novelty: Novelty, fault: str, words: str) -> None:
    windows, upright = faulty(fault)
    found = novelty.score(windows) > THRESHOLD
    assert found[upright].mean() > 0.95
    (reason,) = novelty.reasons(windows[upright & found][0])
    assert words in reason and "°" in reason


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("m/s2 taken for g", "in m/s²"),
        ("deg/s taken for rad/s", "in deg/s"),
        ("gyroscope gives zeros", "the gyroscope gives nothing"),
        ("accelerometer gives zeros", "the accelerometer gives nothing"),
        ("no gravity", "without gravity"),
        ("shaken, 1 g and 4 rad/s", "shaken harder"),
        ("shaken, 2 g and 8 rad/s", "turns faster"),
    ],
)
def test_faults_are_found_in_every_window_and_named(novelty: Novelty, fault: str, words: str) -> None:
    windows, _ = faulty(fault)
    assert (novelty.score(windows) > THRESHOLD).all()
    for window in windows[::25]:
        assert any(words in reason for reason in novelty.reasons(window))


def test_a_unit_is_one_reason_not_its_effects(novelty: Novelty) -> None:
    for fault in ("m/s2 taken for g", "deg/s taken for rad/s", "gyroscope gives zeros", "no gravity"):
        windows, _ = faulty(fault)
        assert {len(novelty.reasons(window)) for window in windows[::10]} == {1}


def test_an_accelerometer_a_few_percent_off_is_normal(novelty: Novelty) -> None:
    windows, _ = faulty("none")
    is_normal = novelty.score(windows) <= THRESHOLD
    for gain in (0.93, 1.1):
        scaled = windows[is_normal] * np.array([gain] * 3 + [1] * 3 + [gain] * 3, np.float32)
        assert (novelty.score(scaled) <= THRESHOLD).mean() > 0.98


def test_a_stream_that_begins_anywhere_is_normal_at_once(novelty: Novelty) -> None:
    recording = load_recording(HELD_OUT_EXPERIMENT)
    chain = SignalChain(start=Start.STEADY)
    standing = next(segment for segment in recording.segments if segment.activity == "STANDING")
    windows = cut(chain.push(recording.samples[standing.start : standing.stop]))
    assert (novelty.score(windows) <= THRESHOLD).all()


def test_each_window_is_judged_by_itself(novelty: Novelty) -> None:
    windows, _ = faulty("none")
    batch = novelty.score(windows[:9])
    alone = [float(novelty.score(window[np.newaxis])[0]) for window in windows[:9]]
    np.testing.assert_allclose(batch, alone, rtol=1e-5)
    np.testing.assert_allclose(novelty.check_scores(windows[:9]).max(axis=1), batch)
    assert novelty.score(np.empty((0, 128, 9))).shape == (0,)
    assert novelty.check_scores(windows[:2]).shape == (2, len(CHECKS))


def test_json_keeps_it_in_a_few_kilobytes(novelty: Novelty) -> None:
    text = json.dumps(novelty.to_json())
    assert len(text) < 4000
    read, (windows, _) = Novelty.from_json(json.loads(text)), faulty("upside down (half turn about z)")
    np.testing.assert_allclose(read.score(windows), novelty.score(windows), rtol=1e-2)
    assert json.dumps(read.to_json()) == text


@pytest.mark.parametrize("damage", ["normal", "limits"])
def test_damaged_json_is_refused(novelty: Novelty, damage: str) -> None:
    content = novelty.to_json()
    damaged: list[object] = [{}, {"directions": []}, None]
    for broken in damaged:
        with pytest.raises(ArtefactError, match="train it again"):
            Novelty.from_json({**content, damage: broken})


def test_no_test_subject_gets_in() -> None:
    with pytest.raises(HarError, match="never used for training"):
        fit_novelty((1, TEST_SUBJECTS[0]))


def test_what_people_did_between_the_labels_is_not_normal() -> None:
    recording = load_recording(1)
    windows, subjects = normal_windows([recording])
    assert set(subjects) == {1}
    assert 0 < len(windows) < len(cut(recording.signals()))


def test_shapes_are_checked(novelty: Novelty) -> None:
    with pytest.raises(ValueError, match="shape"):
        novelty.score(np.zeros((128, 9)))
    with pytest.raises(ValueError, match="subjects"):
        Novelty.fit(np.ones((4, 128, 9)), [1, 1, 1, 1])


@pytest.mark.parametrize(
    ("found", "silent", "gravity", "expected"),
    [
        ({}, [], 1.0, ()),
        ({"rotation": -2.0, "proportion": -2.0}, ["rotation"], 1.0, ("the gyroscope gives nothing",)),
        (
            {"proportion": -0.7},
            [],
            1.0,
            ("the phone turns 0.2 times as fast as on people who move as much: does the gyroscope work?",),
        ),
        (
            {"acceleration": -1.5, "rotation": -1.5},
            [],
            1.0,
            ("the accelerometer is stiller than on any person", "the gyroscope is stiller than on any person"),
        ),
    ],
)
def test_words(found: dict[str, float], silent: list[str], gravity: float, expected: tuple[str, ...]) -> None:
    assert explain(found, silent=silent, gravity_g=gravity) == expected
