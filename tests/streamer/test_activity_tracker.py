"""One phone's windows to predictions: smoothing, lag, changes, gaps."""

from __future__ import annotations

import numpy as np
import pytest

from model.activities import ACTIVITIES
from model.smoothing import FilterSettings, Smoothed, smooth
from streamer.phone_stream import ReadyWindow
from streamer.recognition.activity_tracker import ActivityTracker, ClassifiedWindow, predicted
from streamer.recognition.prediction import Prediction

ROWS = np.random.default_rng(0).dirichlet(np.full(7, 0.3), size=40)


def window(k: int, piece: int = 1) -> ReadyWindow:
    return ReadyWindow("p", 64 * k, 1.28 * k, 1.28 * k + 2.56, np.zeros((128, 9), np.float32), float(k), None, piece)


def follow(tracker: ActivityTracker, rows: np.ndarray, pieces: list[int]) -> list[Prediction]:
    predictions = []
    for k, row in enumerate(rows):
        predictions += tracker.expect(ClassifiedWindow(window(k, pieces[k]), row), k + 0.5)
        answer = tracker.filter.push(row) if tracker.filter else Smoothed(row[:6] / row[:6].sum(), 0)
        if answer:
            predictions += predicted([(tracker, tracker.awaited(), answer.probabilities)], k + 0.5)
    return predictions + tracker.finish(float(len(rows)))


@pytest.mark.parametrize("lag", [0, 1, 2, 3])
def test_predictions_are_the_filter_s_whatever_the_lag(lag: int) -> None:
    settings = FilterSettings(lag=lag)
    predictions = follow(ActivityTracker(settings), ROWS, [1] * len(ROWS))
    assert [p.window.start_sample for p in predictions] == [64 * k for k in range(len(ROWS))]
    expected = smooth(ROWS, settings)
    np.testing.assert_allclose([p.probabilities for p in predictions], expected)
    assert [p.activity for p in predictions] == [ACTIVITIES[k] for k in expected.argmax(axis=1)]
    assert [p.window_activity for p in predictions] == [ACTIVITIES[k] for k in ROWS[:, :6].argmax(axis=1)]
    assert predictions[0].latency_ms == pytest.approx(1000 * (lag + 0.5))


@pytest.mark.parametrize("lag", [0, 2])
def test_a_gap_starts_the_filter_anew_and_holds_nothing_back(lag: int) -> None:
    settings = FilterSettings(lag=lag)
    predictions = follow(ActivityTracker(settings), ROWS, [1] * 15 + [2] * 25)
    expected = np.concatenate([smooth(ROWS[:15], settings), smooth(ROWS[15:], settings)])
    np.testing.assert_allclose([p.probabilities for p in predictions], expected)


def test_without_smoothing_each_window_answers_for_itself() -> None:
    predictions = follow(ActivityTracker(None), ROWS, [1] * len(ROWS))
    expected = ROWS[:, :6] / ROWS[:, :6].sum(axis=1, keepdims=True)
    np.testing.assert_allclose([p.probabilities for p in predictions], expected)
    assert all(p.activity == p.window_activity for p in predictions)


def test_what_is_not_known_is_not_said_and_the_reasons_come_once_it_lasts() -> None:
    tracker = ActivityTracker(None)
    sure, unsure, moving = np.full(7, 0.005), np.full(7, 1 / 7), np.full(7, 0.05)
    sure[0], moving[6] = 0.97, 0.7

    def predict(row: np.ndarray, novelty: float = 0.0) -> Prediction:
        reasons = ("upside down",) if novelty > 1 else ()
        assert not tracker.expect(ClassifiedWindow(window(0), row, novelty, reasons), 0.0)
        return predicted([(tracker, tracker.awaited(), row[:6] / row[:6].sum())], 0.0)[0]

    assert [predict(row).answer for row in (sure, unsure, moving)] == ["WALKING", "UNKNOWN", "TRANSITION"]
    novel = [predict(sure, novelty=2.0) for _ in range(5)]
    assert {p.answer for p in novel} == {"UNKNOWN"}
    assert {p.activity for p in novel} == {"WALKING"}
    assert [bool(p.reasons) for p in novel] == [False, False, True, True, True]
    assert predict(sure).reasons == ()


def test_a_change_is_told_once_and_not_across_a_gap() -> None:
    sure = np.full((20, 7), 0.005)
    sure[:10, 0] = sure[10:, 3] = 0.97
    predictions = follow(ActivityTracker(FilterSettings()), sure, [1] * 20)
    (change,) = [p.change for p in predictions if p.change]
    assert (change.before, change.after) == ("WALKING", "SITTING")
    assert 1.28 * 8 <= change.time_s <= 1.28 * 12
    assert not [p for p in follow(ActivityTracker(FilterSettings()), sure, [1] * 10 + [2] * 10) if p.change]
