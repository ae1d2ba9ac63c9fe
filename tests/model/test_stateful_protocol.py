"""The protocol's streams are what they are called, and its figures what their definitions say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from model.activities import ACTIVITIES, POSTURAL_TRANSITIONS
from model.dataset import Floats
from model.stateful.protocol import (
    ARRANGEMENTS,
    COLD_S,
    COLD_STARTS,
    MONOTONE_S,
    Gapped,
    Trial,
    cold_starts,
    gapped,
    monotone,
)
from model.stateful.scoring import run_protocol, score_trials, told_at
from model.stateful.sequences import Source, posture_of, training_sources
from model.stateful.shape import STEP
from model.stream_metrics import Answers


@pytest.fixture(scope="module")
def source() -> Source:
    return training_sources((1,))[0]


def arrange(name: str, source: Source, seed: int = 0) -> Trial:
    return ARRANGEMENTS[name](source, np.random.default_rng(seed))


def activities(trial: Trial) -> list[str]:
    return [s.activity for s in trial.segments if s.activity in ACTIVITIES]


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_every_arrangement_has_every_segment_once_with_its_own_signals(name: str, source: Source) -> None:
    trial = arrange(name, source)
    assert Counter(activities(trial)) == Counter(s.activity for s in source.activities())
    originals = {source.signals[s.start : s.stop].tobytes() for s in source.activities()}
    found = {trial.signals[s.start : s.stop].tobytes() for s in trial.segments if s.activity in ACTIVITIES}
    assert found == originals
    assert all(a.stop <= b.start for a, b in pairwise(trial.segments))


def test_natural_is_the_recording(source: Source) -> None:
    trial = arrange("natural", source)
    assert trial.segments == source.segments
    assert trial.signals is source.signals


def test_cut_has_nothing_between_the_segments(source: Source) -> None:
    trial = arrange("cut", source)
    assert all(a.stop == b.start for a, b in pairwise(trial.segments))
    assert sum(s.stop - s.start for s in trial.segments) == len(trial.signals)
    assert activities(trial) != activities(arrange("cut", source, seed=1)) != activities(arrange("natural", source))


@pytest.mark.parametrize("name", ["kept", "reversed"])
def test_postures_change_by_fitting_transitions_only(name: str, source: Source) -> None:
    trial, posture, told = arrange(name, source), None, 0
    for segment in trial.segments:
        if segment.activity in POSTURAL_TRANSITIONS:
            before, _, after = segment.activity.split("_")
            assert before == posture
            posture, told = after, told + 1
        else:
            assert posture in (None, posture_of(segment.activity))
            posture = posture_of(segment.activity)
    assert told >= 4


def test_reversed_is_reversed(source: Source) -> None:
    assert activities(arrange("reversed", source)) == activities(arrange("natural", source))[::-1]


def test_monotone_is_ten_minutes_of_each_activity(source: Source) -> None:
    trials = list(monotone(source, np.random.default_rng(0)))
    assert [t.segments[0].activity for t in trials] == list(ACTIVITIES)
    for trial in trials:
        (segment,) = trial.segments
        assert segment.stop == len(trial.signals) >= 50 * MONOTONE_S


def test_cold_starts_begin_anew_inside_one_activity(source: Source) -> None:
    trials = list(cold_starts(source, np.random.default_rng(0)))
    long_enough = [s for s in source.activities() if s.stop - s.start > COLD_S * 50]
    assert len(trials) == COLD_STARTS * len(long_enough)
    for trial in trials:
        assert trial.signals.shape == (COLD_S * 50, 9)
        np.testing.assert_allclose(trial.signals[0, :6], 0, atol=1e-5)  # the filters' steady state


def test_gaps_are_as_long_as_they_should_be(source: Source) -> None:
    streams = gapped(source, 5.0, 60.0, np.random.default_rng(0))
    assert len(streams.pieces) >= len(source) / 50 / 80
    for (start, piece), following in pairwise(zip(streams.starts, streams.pieces, strict=True)):
        assert following[0] - start - len(piece) == 250
    first = streams.pieces[0][:-1]  # the last sample's median knows no next one
    np.testing.assert_array_equal(first, source.signals[: len(first)])


class Oracle:
    """Knows each stream that a source can be made into by its samples, and answers as its labels are, or as told."""

    def __init__(self, source: Source, answer: int | None = None) -> None:
        self._answer = answer
        self._labels = {row.tobytes(): label for row, label in zip(source.signals, source.labels, strict=True)}

    def follow(self, trials: Sequence[Trial]) -> list[Answers]:
        return [self._told(trial.signals) for trial in trials]

    def follow_pieces(self, stream: Gapped, *, keep: bool) -> list[Answers]:
        return [self._told(piece) for piece in stream.pieces]

    def _told(self, stream: Floats) -> Answers:
        ends = np.arange(STEP, len(stream) + 1, STEP)
        told = [self._labels.get(stream[end - 1].tobytes(), -1) for end in ends]
        if self._answer is not None:
            told = [self._answer] * len(ends)
        return Answers(ends - STEP, ends, ends, np.array(told, np.int64))


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_who_knows_the_truth_has_every_point(name: str, source: Source) -> None:
    scores = score_trials(Oracle(source), [arrange(name, source)])
    assert scores.at_windows == scores.scores.accuracy == 1
    assert scores.scores.false_switches_per_hour == scores.scores.missed_changes == 0


def test_who_always_says_the_same_is_right_where_it_is(source: Source) -> None:
    sitting = ACTIVITIES.index("SITTING")
    protocol = run_protocol(Oracle(source, sitting), [source])
    share = np.mean(source.labels[(source.labels >= 0) & (source.labels < 6)] == sitting)
    assert protocol.arrangements["cut"].scores.accuracy == pytest.approx(share, abs=0.02)
    assert {name: scores.scores.accuracy for name, scores in protocol.monotone.items()} == {
        name: float(name == "SITTING") for name in ACTIVITIES
    }
    assert protocol.cold.by_activity == {name: float(name == "SITTING") for name in ACTIVITIES}
    assert protocol.cold.prompt == pytest.approx(1 / 6, abs=0.12)
    assert all(0 < figure < 0.5 for figure in protocol.contexts.values())
    assert all(gap.anew == gap.kept < 0.5 for gap in protocol.gaps)


def test_a_stream_s_own_seed_decides(source: Source) -> None:
    first, again, other = (run_protocol(Oracle(source, 4), [source], seed=seed) for seed in (0, 0, 1))
    assert first == again != other


def test_what_is_told_at_a_moment_is_the_last_answer_before_it() -> None:
    answers = Answers(np.array([0, 8]), np.array([8, 16]), np.array([8, 16]), np.array([3, 5]))
    np.testing.assert_array_equal(told_at(answers, np.array([7, 8, 15, 16, 99])), [-1, 3, 3, 5, 5])
    nothing = replace(answers, given=np.empty(0, np.int64), activities=np.empty(0, np.int64))
    np.testing.assert_array_equal(told_at(nothing, np.array([8])), [-1])
