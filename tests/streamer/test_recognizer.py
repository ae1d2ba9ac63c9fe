"""Many phones in one batch: each window gets its own prediction, in order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from model.activities import ACTIVITIES
from model.bundled import load_recording, load_recordings
from model.classifier import Classifier
from model.smoothing import FilterSettings
from streamer.formats.har import as_message
from streamer.intake.limits import MAX_HOLD_S
from streamer.readings import PhoneMessage
from streamer.recognition.recognizer import Recognizer
from streamer.recognition.window_engine import WindowEngine
from streamer.wire import Samples, WireError

EPOCH = 1_700_000_000.0


class MeanClassifier:
    """Tells windows apart by the mean of their total acceleration along x; keeps the size of its batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.classes = ACTIVITIES
        self.novelty = None

    def class_probabilities(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.batches.append(len(windows))
        probabilities = np.full((len(windows), 6), 0.1, np.float32)
        probabilities[np.arange(len(windows)), (windows[:, :, 6].mean(axis=1) > 0.5).astype(int) * 5] = 0.5
        assert np.allclose(probabilities.sum(axis=1), 1)
        return probabilities


def message(phone: str, values: npt.NDArray[np.float64], seq: int) -> PhoneMessage:
    times = EPOCH + (seq * len(values) + np.arange(len(values))) / 50
    return as_message(phone, Samples(values, times, seq, start=seq == 0))


def test_the_windows_of_all_phones_are_one_batch_and_keep_their_phone() -> None:
    classifier = MeanClassifier()
    recognizer = Recognizer(WindowEngine(classifier), max_phones=10)
    upright, down = np.tile([1.0, 0, 0, 0, 0, 0], (200, 1)), np.tile([0.0, 0, 1, 0, 0, 0], (200, 1))
    recognizer.push(message("a", upright, 0), 5.0)
    recognizer.push(message("b", down, 0), 6.0)
    predictions = recognizer.classify(lambda: 7.0)
    assert classifier.batches == [4]
    assert sorted((p.phone, p.activity) for p in predictions) == [
        ("a", "LAYING"),
        ("a", "LAYING"),
        ("b", "WALKING"),
        ("b", "WALKING"),
    ]
    assert {p.phone: p.latency_ms for p in predictions} == {"a": 2000.0, "b": 1000.0}
    assert all(p.confidence == pytest.approx(0.5) and p.is_right is None for p in predictions)
    assert recognizer.classify(lambda: 8.0) == []
    assert classifier.batches == [4]


def test_finish_gives_the_window_that_waits_for_the_median() -> None:
    recognizer = Recognizer(WindowEngine(MeanClassifier()), max_phones=1)
    recognizer.push(message("a", load_recording(1).samples[:128], 0), 0.0)
    assert recognizer.classify(lambda: 0.0) == []
    assert [p.window.start_sample for p in recognizer.finish(lambda: 0.0)] == [0]


def overtaken(numbered: bool, rate: float) -> list[PhoneMessage]:
    """Ten seconds of a phone, two messages a second; the last but two is missing."""
    parts = [EPOCH + k / 2 + np.arange(rate // 2) / rate for k in range(20)]
    upright = np.tile([1.0, 0, 0, 0, 0, 0], (len(parts[0]), 1))
    sent = [Samples(upright, times, k if numbered else None) for k, times in enumerate(parts)]
    return [as_message("a", samples) for k, samples in enumerate(sent) if k != 17]


@pytest.mark.parametrize("rate", [50.0, 100.0])
@pytest.mark.parametrize("numbered", [True, False])
def test_what_waits_for_an_earlier_message_is_released_though_the_phone_falls_silent(
    numbered: bool, rate: float
) -> None:
    recognizer = Recognizer(WindowEngine(MeanClassifier()), max_phones=2)
    recognizer.push(message("b", np.zeros((128, 6)), 0), 0.0)
    for k, each in enumerate(overtaken(numbered, rate)):
        recognizer.push(each, k / 2)
    before = [p for p in recognizer.classify(lambda: 9.0) if p.phone == "a"]
    assert recognizer.tick(8.5 + MAX_HOLD_S - 0.1)["a"].windows == []
    released = recognizer.tick(9.0 + MAX_HOLD_S + 0.1)
    assert set(released) == {"a"}
    assert released["a"].lost_messages == numbered
    after = recognizer.classify(lambda: 14.0)
    assert len(before) == 5
    assert [p.window.end_s for p in after] == pytest.approx([before[-1].window.end_s + 1.28], abs=0.03)
    assert recognizer.tick(100.0) == {}
    assert recognizer.finish(lambda: 100.0)[0].phone == "b"


def test_one_phone_too_many_is_refused_and_the_others_go_on() -> None:
    recognizer = Recognizer(WindowEngine(MeanClassifier()), max_phones=1)
    recognizer.push(message("a", np.zeros((128, 6)), 0), 0.0)
    with pytest.raises(WireError, match="max-phones"):
        recognizer.push(message("b", np.zeros((128, 6)), 0), 0.0)
    recognizer.push(message("a", np.zeros((128, 6)), 1), 0.0)
    assert {p.phone for p in recognizer.classify(lambda: 0.0)} == {"a"}


def test_activities_are_in_the_data_set_s_order() -> None:
    assert ACTIVITIES == ("WALKING", "WALKING_UPSTAIRS", "WALKING_DOWNSTAIRS", "SITTING", "STANDING", "LAYING")


@pytest.mark.parametrize("lag", [0, 2])
def test_however_the_windows_are_batched_a_phone_s_predictions_are_the_same(lag: int) -> None:
    """All at once, or message by message among other phones: the real model, recordings and filter."""
    classifier = Classifier.load()
    recordings = {r.name: r.samples[:4000] for r in load_recordings((20,))}
    together = Recognizer(WindowEngine(classifier, FilterSettings(lag=lag)), max_phones=5)
    apart = Recognizer(WindowEngine(classifier, FilterSettings(lag=lag)), max_phones=5)
    one_by_one = []
    for seq in range(40):
        for name, samples in recordings.items():
            chunk = message(name, samples[100 * seq : 100 * seq + 100], seq)
            together.push(chunk, 0.0)
            apart.push(chunk, 0.0)
            one_by_one += apart.classify(lambda: 0.0)
    at_once = together.finish(lambda: 0.0)
    one_by_one += apart.finish(lambda: 0.0)
    for name in recordings:
        mine, others = ([p for p in run if p.phone == name] for run in (at_once, one_by_one))
        assert [p.window.start_sample for p in mine] == [p.window.start_sample for p in others]
        assert [p.answer for p in mine] == [p.answer for p in others]
        np.testing.assert_allclose([p.probabilities for p in mine], [p.probabilities for p in others], atol=1e-4)


def test_a_phone_upside_down_is_not_recognised_but_told() -> None:
    recording = load_recording(3)
    upside_down = recording.samples[:3000] * [-1, -1, 1, -1, -1, 1]
    recognizer = Recognizer(WindowEngine(Classifier.load(), FilterSettings()), max_phones=1)
    recognizer.push(message("a", upside_down, 0), 0.0)
    predictions = recognizer.finish(lambda: 0.0)
    assert sum(p.answer == "UNKNOWN" for p in predictions) > 0.9 * len(predictions)
    assert any("gravity" in reason for p in predictions for reason in p.reasons)
