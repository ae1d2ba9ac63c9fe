"""Counters, rates, latencies and changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.activities import ACTIVITIES
from streamer.phone_memory.rate import RateMeter
from streamer.phone_stream import ReadyWindow, Taken
from streamer.recognition.prediction import Prediction
from streamer.tally import LOG, Tally


def prediction(
    phone: str, activity: str, start_s: float, label: str | None = None, latency_ms: float = 1.0
) -> Prediction:
    probabilities = np.full(6, 0.02, np.float32)
    probabilities[ACTIVITIES.index(activity)] = 0.9
    window = ReadyWindow(phone, 0, start_s, start_s + 2.56, np.zeros((128, 9), np.float32), 0.0, label, 1)
    return Prediction(window, activity, activity, 0.9, probabilities, activity, latency_ms)


def test_a_phone_s_activity_lasts_since_it_began() -> None:
    tally = Tally(max_phones=2)
    for k, activity in enumerate(["WALKING", "WALKING", "SITTING", "SITTING"]):
        tally.prediction(prediction("a", activity, 1.28 * k), 0.0)
    phone = tally.phones["a"]
    assert phone.answer == "SITTING"
    assert phone.until_s - phone.since_s == pytest.approx(1.28 + 2.56)
    assert phone.time_line.codes == "WWSS"


def test_the_last_answers_are_remembered_each_for_as_long_as_it_lasted() -> None:
    tally = Tally(max_phones=1)
    for k in range(2 * LOG + 20):
        tally.prediction(prediction("a", ("WALKING", "SITTING")[k // 2 % 2], 1.28 * k), 0.0)
    log = tally.phones["a"].log
    assert len(log) == LOG
    assert log[0].start_s == pytest.approx(1.28 * 20)
    assert log[-1].end_s == pytest.approx(1.28 * (2 * LOG + 19) + 2.56)


@pytest.mark.parametrize("has_traces", [True, False])
def test_signals_are_kept_where_somebody_draws_them(has_traces: bool) -> None:
    tally = Tally(max_phones=1, has_traces=has_traces)
    tally.prediction(prediction("a", "WALKING", 0.0), 0.0)
    assert tally.phones["a"].traces.copy().end == (128 if has_traces else 0)


@pytest.mark.parametrize("hop", [8, 24, 64, 128])
def test_a_prediction_counts_for_as_long_as_it_stands_for(hop: int) -> None:
    tally, span_s = Tally(max_phones=1), hop / 50
    for k in range(32):
        each = prediction("a", "WALKING", span_s * k)
        tally.prediction(replace(each, window=replace(each.window, start_sample=hop * k, hop=hop)), 0.0)
    assert tally.phones["a"].seconds == pytest.approx({"WALKING": 32 * span_s})
    assert set(tally.phones["a"].time_line.codes) == {"W"}


def test_accuracy_counts_labelled_windows_alone() -> None:
    tally = Tally(max_phones=2)
    for activity, label in (("WALKING", "WALKING"), ("SITTING", "STANDING"), ("SITTING", None), ("LAYING", "LAYING")):
        tally.prediction(prediction("a", activity, 0.0, label), 0.0)
    summary = tally.summary()
    assert (summary["windows"], summary["labelled_windows"]) == (4, 3)
    assert summary["accuracy"] == pytest.approx(2 / 3)
    assert np.array(summary["confusion_matrix"])[4, 3] == 1
    assert np.trace(summary["confusion_matrix"]) == 2


def test_losses_faults_and_gaps_are_counted_per_phone_and_in_all() -> None:
    tally = Tally(max_phones=1)
    tally.message("a", 25, Taken(), 1.0)
    tally.message("a", 25, Taken(gaps=1, lost_messages=3), 2.0)
    tally.message("a", 25, Taken(late_messages=1, lost_messages=-1), 2.0)
    tally.message("b", 25, Taken(repeated_messages=1), 2.0)
    news = [tally.fault("a", reason) for reason in ("x", "x", "y")] + [tally.fault(None, "x"), tally.fault("c", "x")]
    assert news == [True, False, True, True, False]
    assert tally.phones.keys() == {"a"}
    counts, totals = tally.phones["a"].counts, tally.totals
    assert (counts.messages, counts.samples, counts.lost_messages, counts.gaps, counts.late_messages) == (
        3,
        75,
        2,
        1,
        1,
    )
    assert (totals.messages, totals.repeated_messages, totals.malformed_messages) == (4, 1, 5)
    assert counts.malformed_messages == 3


def test_latency_percentiles_are_numpy_s() -> None:
    tally = Tally(max_phones=1)
    assert tally.latency_ms() == {"p50": None, "p90": None, "p99": None}
    values = np.random.default_rng(0).exponential(10, 500)
    for value in values:
        tally.prediction(prediction("a", "WALKING", 0.0, latency_ms=value), 0.0)
    expected = np.percentile(values, [50, 90, 99])
    assert list(tally.latency_ms().values()) == pytest.approx(expected, abs=1e-3)


def test_the_rate_is_of_the_last_seconds() -> None:
    meter = RateMeter()
    assert meter.per_second(0.0) == 0
    for k in range(200):
        meter.add(25, 0.5 * k)
    assert meter.per_second(99.5) == pytest.approx(50)
    for k in range(100):
        meter.add(50, 100 + 0.5 * k)
    assert meter.per_second(149.5) == pytest.approx(100)
    assert meter.per_second(1000.0) == 0


def test_a_kind_of_reason_is_news_once_per_phone() -> None:
    tally = Tally(max_phones=2)

    def told(phone: str, *reasons: str) -> bool:
        return tally.prediction(replace(prediction(phone, "LAYING", 0.0), novelty=1.5, reasons=reasons), 0.0)

    news = [told("a"), told("a", "gravity points 32° away"), told("a", "gravity points 33° away")]
    news += [told("a", "gravity measures 0.71 g"), told("b", "gravity points 32° away")]
    assert news == [False, True, False, True, True]
    assert tally.phones["a"].reasons == ("gravity measures 0.71 g",)
    tally.prediction(prediction("a", "LAYING", 0.0), 0.0)
    assert not tally.phones["a"].reasons
