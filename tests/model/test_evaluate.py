"""Evaluation: which windows are scored, and what comes out for answers that are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from model.activities import ACTIVITIES, TEST_SUBJECTS
from model.artefact import default_artefact_path, read_artefact
from model.bundled import load_recording, load_recordings
from model.classifier import Classifier
from model.evaluate import evaluate, evaluate_official, evaluate_streaming, scored_windows
from model.recordings import Recording, Segment
from model.tables import percent
from model.windows import cut

# Test windows of each activity, counted in UCI HAR v1.0's y_test.txt, and of each subject in subject_test.txt.
OFFICIAL_COUNTS = [496, 471, 420, 491, 532, 537]
OFFICIAL_SUBJECTS = {2: 302, 4: 317, 9: 288, 10: 294, 12: 320, 13: 327, 18: 364, 20: 354, 24: 381}


class Constant(Classifier):
    """Always the same answer."""

    def __init__(self, activity: str) -> None:
        self.row = np.eye(6, dtype=np.float32)[ACTIVITIES.index(activity)]

    def probabilities(self, windows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        return np.tile(self.row, (len(np.asarray(windows)), 1))


def sitting_recording(n_samples: int, *segments: Segment) -> Recording:
    return Recording(1, 7, np.random.default_rng(0).normal(size=(n_samples, 6)), segments)


def test_official_scores_of_a_constant_answer() -> None:
    scores = evaluate_official(Constant("LAYING"))
    assert scores.n_windows == 2947
    assert [sum(row) for row in scores.confusion_matrix] == OFFICIAL_COUNTS
    assert scores.accuracy == 537 / 2947
    assert scores.macro_f1 == pytest.approx(2 * 537 / (2947 + 537) / 6)
    assert scores.recall == {activity: float(activity == "LAYING") for activity in ACTIVITIES}
    assert set(scores.subjects) == set(map(str, TEST_SUBJECTS))
    laying = sum(scores.subjects[str(s)] * n for s, n in OFFICIAL_SUBJECTS.items())
    assert laying == pytest.approx(537)


def test_streaming_scores_every_window_inside_one_activity() -> None:
    inside = np.zeros(6, int)
    for recording in load_recordings(TEST_SUBJECTS):
        label_of = np.full(len(recording.samples), -1)
        segment_of = np.full(len(recording.samples), -1)
        for number, segment in enumerate(recording.segments):
            if segment.activity in ACTIVITIES:
                label_of[segment.start : segment.stop] = ACTIVITIES.index(segment.activity)
                segment_of[segment.start : segment.stop] = number
        for start in range(0, len(label_of) - 127, 64):
            if label_of[start] >= 0 and np.ptp(segment_of[start : start + 128]) == 0:
                inside[label_of[start]] += 1
    scores = evaluate_streaming(Constant("WALKING"))
    assert [sum(row) for row in scores.confusion_matrix] == inside.tolist()
    assert scores.n_windows == inside.sum()
    assert scores.accuracy == inside[0] / inside.sum()


def test_scored_windows_are_the_batch_chain_s() -> None:
    recording = load_recording(3)
    signals = cut(recording.signals())
    data = scored_windows(recording)
    starts = [
        start
        for start in range(0, len(recording.samples) - 127, 64)
        for s in recording.segments
        if s.activity in ACTIVITIES and s.start <= start and start + 128 <= s.stop
    ]
    np.testing.assert_array_equal(data.windows, signals[np.array(starts) // 64])
    assert set(data.subjects) == {2}


@pytest.mark.parametrize(
    ("segments", "labels"),
    [
        ([Segment("SITTING", 0, 128)], [3]),
        ([Segment("SITTING", 0, 127)], []),
        ([Segment("SITTING", 1, 256)], [3, 3]),
        ([Segment("SIT_TO_STAND", 0, 256)], []),
        ([Segment("SITTING", 0, 130), Segment("STANDING", 130, 256)], [3]),
        ([], []),
    ],
)
def test_a_window_counts_only_inside_one_segment(segments: list[Segment], labels: list[int]) -> None:
    data = scored_windows(sitting_recording(256, *segments))
    assert data.labels.tolist() == labels
    assert data.windows.shape == (len(labels), 128, 9)
    assert data.subjects.tolist() == [7] * len(labels)


def test_progress_reaches_its_total() -> None:
    reports: list[tuple[str, int, int]] = []
    evaluate(Constant("WALKING"), lambda *report: reports.append(report))
    for name in ("official", "streaming"):
        done = [(d, total) for n, d, total in reports if n == name]
        assert done == sorted(done)
        assert done[-1][0] == done[-1][1]


def test_the_prose_card_gives_the_figures_of_the_model_in_the_box() -> None:
    path = default_artefact_path()
    prose = (path.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    metrics = read_artefact(path).card.metrics
    official, streaming = metrics["official"], metrics["streaming"]
    rows = [
        f"| windows | {official.n_windows} | {streaming.n_windows} |",
        f"| accuracy | {percent(official.accuracy)} | {percent(streaming.accuracy)} |",
        f"| macro F1 | {percent(official.macro_f1)} | {percent(streaming.macro_f1)} |",
        *(f"| recall {a} | {percent(official.recall[a])} | {percent(streaming.recall[a])} |" for a in ACTIVITIES),
    ]
    assert [row for row in rows if row not in prose] == []


def test_the_model_in_the_box_scores_what_its_card_says_and_what_is_promised() -> None:
    classifier = Classifier.load()
    metrics = evaluate(classifier)
    for name, scores in metrics.items():
        assert scores.accuracy >= 0.95
        # Another processor may round a borderline window otherwise.
        assert scores.accuracy == pytest.approx(classifier.card.metrics[name].accuracy, abs=0.002)
