"""What is replayed: sources, subjects, and recordings made ready to be sent."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.activities import TEST_SUBJECTS
from model.bundled import load_recording
from model.errors import DataError
from model.recordings import Recording, Segment
from model.signals import Stage, Start
from replay.source import find_sessions, first_sample, prepare


@pytest.fixture(scope="module")
def recording() -> Recording:
    return load_recording(3)


def test_the_test_split_is_its_19_recordings() -> None:
    sessions = find_sessions("test", None, None)
    assert len(sessions) == 19
    assert {session.subject for session in sessions} == set(TEST_SUBJECTS)
    assert sessions[0].name == "s02-e03"


def test_unknown_sources_and_subjects_of_another_split_are_named() -> None:
    with pytest.raises(DataError, match="test, train, all"):
        find_sessions("tset", None, None)
    with pytest.raises(DataError, match="Subject 1, 31 is not in the split 'test'"):
        find_sessions("test", (2, 31, 1), None)


def test_at_50_hz_in_g_nothing_is_touched(recording: Recording) -> None:
    piece = prepare(recording)
    assert piece.samples is recording.samples  # clones share them
    assert (piece.rate, piece.stage, piece.start) == (50.0, Stage.RAW, True)


def test_v1_pieces_do_not_start_a_recording() -> None:
    piece = prepare(Recording(1, 2, np.zeros((128, 6)), (), Stage.DENOISED, Start.STEADY))
    assert (piece.stage, piece.start) == (Stage.DENOISED, False)


def test_metres_per_second_squared(recording: Recording) -> None:
    samples = prepare(recording, acc_unit="m/s2").samples
    np.testing.assert_array_equal(samples[:, :3], recording.samples[:, :3] * 9.80665)
    np.testing.assert_array_equal(samples[:, 3:], recording.samples[:, 3:])


@pytest.mark.parametrize("rate", [25.0, 77.0, 100.0, 208.0])
def test_resampling_keeps_slow_signals_and_the_duration(rate: float) -> None:
    seconds = np.arange(3000) / 50
    slow = np.sin(2 * np.pi * 1.5 * seconds)[:, None] * np.arange(1.0, 7.0)
    piece = prepare(Recording(1, 2, slow, ()), rate=rate)
    assert piece.rate == rate
    assert piece.duration_s == pytest.approx(60, abs=1 / rate)
    expected = np.sin(2 * np.pi * 1.5 * np.arange(len(piece.samples)) / rate)[:, None] * np.arange(1, 7)
    inside = slice(int(rate), -int(rate))  # the filter's ends apart
    np.testing.assert_allclose(piece.samples[inside], expected[inside], atol=0.02)


def test_downsampling_does_not_alias() -> None:
    tone = np.repeat(np.sin(2 * np.pi * 20 * np.arange(3000) / 50)[:, None], 6, axis=1)
    piece = prepare(Recording(1, 2, tone, ()), rate=25)  # 20 Hz lies above half of 25 Hz
    assert np.abs(piece.samples[50:-50]).max() < 0.01


def test_an_odd_rate_is_sent_as_the_one_that_it_really_is() -> None:
    piece = prepare(Recording(1, 2, np.zeros((5000, 6)), ()), rate=49.123456)
    assert piece.rate == pytest.approx(49.123456, abs=1e-3)
    assert piece.duration_s == pytest.approx(100, abs=1 / piece.rate)


@given(st.lists(st.integers(0, 500), max_size=12, unique=True), st.integers(1, 600))
def test_stretches_cover_everything_once(bounds: list[int], n_samples: int) -> None:
    bounds = sorted(min(bound, n_samples) for bound in bounds)
    segments = [Segment("SITTING", a, b) for a, b in pairwise(bounds) if a < b][::2]
    stretches = prepare(Recording(1, 2, np.zeros((n_samples, 6)), tuple(segments))).stretches
    assert stretches[0].start_s == 0
    assert stretches[-1].end_s == n_samples / 50
    assert all(a.end_s == b.start_s for a, b in pairwise(stretches))
    assert all(stretch.start_s < stretch.end_s for stretch in stretches)
    labelled = [(s.start_s, s.end_s) for s in stretches if s.activity is not None]
    assert labelled == [(segment.start / 50, segment.stop / 50) for segment in segments]


@given(st.integers(0, 20_000), st.sampled_from([20.0, 25.0, 50.0, 77.0, 471.0]))
def test_first_sample_is_not_before_the_stretch(start: int, rate: float) -> None:
    recording = Recording(1, 2, np.zeros((start + 10, 6)), (Segment("SITTING", start, start + 10),))
    stretch = prepare(recording).stretches[-1]
    index = first_sample(stretch, rate)
    assert index / rate >= stretch.start_s - 1e-6
    assert (index - 1) / rate < stretch.start_s
