"""The benchmark: its undisturbed windows are the official ones, and a known model loses what it must."""

from __future__ import annotations

import numpy as np
import pytest

from model.bundled import load_recordings, official_windows, runs_by_experiment
from model.classifier import Classifier
from model.distortions import DISTORTIONS
from model.metrics import macro_f1
from model.robustness import Robustness, benchmark, official_windows_of
from tests.model.tiny_artefact import tiny_artefact

CHOSEN = [
    d
    for d in DISTORTIONS
    if (d.group, d.name)
    in (("turned", "10°"), ("wrong unit", "m/s² as g"), ("missing", "gyroscope"), ("sampled at", "25 Hz"))
]


@pytest.fixture(scope="module")
def result() -> Robustness:
    return benchmark(Classifier.load(), "test", subjects=[2], distortions=CHOSEN)


@pytest.mark.parametrize(("split", "subject"), [("train", 1), ("test", 2)])
def test_undisturbed_windows_are_the_official_ones(split: str, subject: int) -> None:
    runs, official = runs_by_experiment(split), official_windows(split)
    parts = [official_windows_of(r, runs[r.experiment]) for r in load_recordings((subject,)) if r.experiment in runs]
    windows = np.concatenate([part[0] for part in parts])
    labels = np.concatenate([part[1] for part in parts])
    theirs = official.windows[official.subjects == subject]
    order, their_order = (np.lexsort(w[:, :6, 0].T) for w in (windows, theirs))
    np.testing.assert_array_equal(windows[order], theirs[their_order])
    np.testing.assert_array_equal(labels[order], official.labels[official.subjects == subject][their_order])


def test_the_first_case_is_what_the_classifier_scores_on_the_official_windows(result: Robustness) -> None:
    official = official_windows("test")
    mine = official.subjects == 2
    likeliest = Classifier.load().probabilities(official.windows[mine]).argmax(axis=1)
    matrix = np.histogram2d(official.labels[mine], likeliest, bins=range(7))[0]
    first = result.cases[0]
    assert (result.n_windows, result.subjects, first.group, first.drop) == (302, [2], "undisturbed", 0.0)
    assert first.accuracy == np.mean(likeliest == official.labels[mine])
    assert first.macro_f1 == pytest.approx(macro_f1(matrix))


def test_small_disturbances_cost_little_and_wrong_units_are_flagged_rather_than_answered(result: Robustness) -> None:
    cases = {(case.group, case.name): case for case in result.cases}
    for case in result.cases[1:]:
        assert case.drop == pytest.approx(result.cases[0].accuracy - case.accuracy)
        assert 0 <= case.misled <= 1 - case.accuracy
    for mild in (("turned", "10°"), ("sampled at", "25 Hz")):
        assert cases[mild].drop < 0.05
        assert (cases[mild].novel or 0) < 0.1
    for strange in (("wrong unit", "m/s² as g"), ("missing", "gyroscope")):
        assert cases[strange].drop > 0.1
        assert (cases[strange].novel or 0) > 0.9
        assert cases[strange].misled < 0.1


def test_the_same_seed_gives_the_same_and_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    turns = [d for d in DISTORTIONS if d.group == "turned"][3:5]
    tiny = Classifier(tiny_artefact())
    first = benchmark(tiny, subjects=[1], distortions=turns, on_progress=lambda *report: told.append(report))
    assert first == benchmark(tiny, subjects=[1], distortions=turns)
    assert first != benchmark(tiny, subjects=[1], distortions=turns, seed=1)
    assert told == [("robustness", done, 3) for done in range(4)]


def test_a_model_without_novelty_flags_nothing() -> None:
    result = benchmark(Classifier(tiny_artefact()), subjects=[1], distortions=CHOSEN[:1])
    assert [case.novel for case in result.cases] == [None, None]


def test_it_is_about_training_subjects_unless_told_otherwise() -> None:
    tiny = Classifier(tiny_artefact())
    assert benchmark(tiny, subjects=[1, 2], distortions=[]).subjects == [1]
    with pytest.raises(ValueError, match="no subject"):
        benchmark(tiny, "test", subjects=[1], distortions=[])
    with pytest.raises(ValueError, match="not one of"):
        benchmark(tiny, "tests")


def test_what_the_issue_names_is_tried() -> None:
    tried = {group: [d.name for d in DISTORTIONS if d.group == group] for group in {d.group for d in DISTORTIONS}}
    assert tried["turned"] == [f"{angle}°" for angle in (10, 20, 30, 45, 60, 90, 120, 150, 180)]
    assert tried["sampled at"] == [f"{rate} Hz" for rate in (25, 31, 40, 77, 100)]
    assert tried["samples lost"] == ["5%", "10%", "20%"]
    assert {"noise", "wrong unit", "sign flipped", "missing", "upside down", "acceleration's gain"} <= tried.keys()
    assert len({(d.group, d.name) for d in DISTORTIONS}) == len(DISTORTIONS)
