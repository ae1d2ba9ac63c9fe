"""The whole evaluation: its parts agree with each other, with the truth, and with what a listener says."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from rich.console import Console

from model.activities import ACTIVITIES
from model.bundled import load_recordings
from model.classifier import Classifier
from model.decision import ANSWERS
from model.evaluate import evaluate_official, scored_windows
from model.evaluation import LETTERS, Evaluation, evaluate_fully
from model.evaluation_tables import evaluation_view
from model.metrics import score
from model.novelty import STRANGE
from model.smoothing import NO_EVIDENCE, smooth
from model.streams import Stream, events_of, run
from tests.model.tiny_artefact import tiny_artefact

NAMES = ["official", "streaming", "smoothed"]


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate_fully(Classifier.load(), subjects=(2,), robustness=False)


@pytest.fixture(scope="module")
def streams() -> list[Stream]:
    return run(Classifier.load(), load_recordings((2,)))


def test_official_and_streaming_are_the_two_evaluations_that_there_were(evaluation: Evaluation) -> None:
    classifier = Classifier.load()
    assert evaluation.official.n_windows == 302
    assert evaluation.official.accuracy == evaluate_official(classifier).subjects["2"]
    parts = [scored_windows(recording) for recording in load_recordings((2,))]
    labels, windows, subjects = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "windows", "subjects")
    )
    expected = score(labels, classifier.probabilities(windows), subjects)
    assert evaluation.streaming.confusion_matrix == expected.confusion_matrix
    assert evaluation.streaming.calibration_error == expected.calibration_error


def test_its_parts_say_the_same(evaluation: Evaluation) -> None:
    smoothing = evaluation.smoothed
    assert smoothing.without.accuracy == evaluation.streaming.accuracy
    assert smoothing.with_filter.accuracy == smoothing.scores.accuracy
    assert list(smoothing.lags) == ["0", "1", "2", "3"]
    assert smoothing.scores.n_windows == smoothing.without.n_answers == evaluation.streaming.n_windows
    assert list(evaluation.subjects) == ["2"]
    assert evaluation.subjects["2"].official == evaluation.official.accuracy
    scores = dict(zip(NAMES, (evaluation.official, evaluation.streaming, smoothing.scores), strict=True))
    for name, each in scores.items():
        calibration, coverage = evaluation.calibration[name], evaluation.coverage[name]
        assert sum(b.n_windows for b in calibration.bins) == each.n_windows
        right = sum(b.n_windows * b.accuracy for b in calibration.bins)
        assert right / each.n_windows == pytest.approx(each.accuracy)
        assert calibration.error == each.calibration_error
        assert coverage.curve[-1].coverage == 1
        assert coverage.curve[-1].accuracy == each.accuracy
        assert coverage.told + coverage.transition + coverage.unknown == pytest.approx(1)
        assert coverage.accuracy_told is not None and coverage.accuracy_told >= each.accuracy - 0.01


def test_time_lines_hold_the_answers_that_were_scored(evaluation: Evaluation) -> None:
    answers = {letter: answer for answer, letter in LETTERS.items()}
    assert len(answers) == len(ANSWERS)
    right = {"windows": 0, "smoothed": 0}
    for timeline, recording in zip(evaluation.timelines, load_recordings((2,)), strict=True):
        assert timeline.name == recording.name
        count = (len(recording.samples) - 128) // 64 + 1
        assert len(timeline.windows) == len(timeline.smoothed) == len(timeline.told) == count
        for span in timeline.truth:
            if span.activity in ACTIVITIES:
                inside = [i for i in range(count) if span.start_s <= 1.28 * i + 1e-9 <= span.stop_s - 2.56 + 2e-9]
                for strip in right:
                    right[strip] += sum(answers[getattr(timeline, strip)[i]] == span.activity for i in inside)
    n_windows = evaluation.streaming.n_windows
    assert right["windows"] / n_windows == pytest.approx(evaluation.streaming.accuracy)
    assert right["smoothed"] / n_windows == pytest.approx(evaluation.smoothed.scores.accuracy)


def test_a_strange_window_is_no_evidence_to_the_filter(streams: list[Stream]) -> None:
    stream = streams[0]
    novelty = np.zeros(len(stream.rows))
    novelty[40:60] = STRANGE + 0.1
    strange = Stream("x", 2, 1.0, stream.segments, stream.rows, novelty, stream.labels)
    rows = stream.rows.copy()
    rows[40:60] = NO_EVIDENCE
    np.testing.assert_array_equal(strange.smoothed, smooth(rows))
    assert (strange.told_smoothed()[40:60] == ANSWERS.index("UNKNOWN")).all()


def test_events_tell_each_new_activity_once(streams: list[Stream]) -> None:
    for stream in streams:
        events = events_of(stream)
        assert len(events) >= 8
        assert all(a[1] != b[1] and a[0] < b[0] for a, b in pairwise(events))


def test_a_json_round_trip_gives_the_same(evaluation: Evaluation) -> None:
    assert msgspec.json.decode(msgspec.json.encode(evaluation), type=Evaluation) == evaluation


def test_a_model_without_novelty_and_the_robustness_benchmark() -> None:
    told: list[tuple[str, int, int]] = []
    evaluation = evaluate_fully(
        Classifier(tiny_artefact()), subjects=(4,), on_progress=lambda *report: told.append(report)
    )
    assert evaluation.robustness is not None
    assert evaluation.robustness.subjects == [4]
    assert evaluation.robustness.cases[0].accuracy == evaluation.official.accuracy
    assert {name for name, _, _ in told} == {"official", "streaming", "robustness"}
    for name in ("official", "streaming", "robustness"):
        done = [(d, total) for n, d, total in told if n == name]
        assert done == sorted(done) and done[-1][0] == done[-1][1]
    shown = rendered(evaluation)
    assert "m/s² as g" in shown and "false switches" in shown and "told UNKNOWN" in shown
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def rendered(evaluation: Evaluation) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(evaluation_view(evaluation))
    return capture.get()
