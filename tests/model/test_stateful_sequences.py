"""What the stateful network learns from: pieces of real recordings, put together as the kind of sequence says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from model.activities import ACTIVITIES, ALL_LABELS, TEST_SUBJECTS
from model.errors import HarError
from model.stateful.sequences import (
    MARGIN,
    UNLABELLED,
    Pieces,
    SequenceMix,
    Source,
    monotone,
    natural,
    posture_of,
    reordered,
    sequences,
    spliced,
    training_sources,
)

MIX = SequenceMix()
NEEDED = 2400


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return training_sources((1, 3))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def labels_of(pieces: Pieces) -> list[list[str]]:
    """The labels that each piece has, in order, unlabelled samples as an empty name."""
    return [
        [ALL_LABELS[n] if n != UNLABELLED else "" for n in np.unique(source.labels[start:stop])]
        for source, start, stop in pieces
    ]


@pytest.mark.parametrize("subject", TEST_SUBJECTS)
def test_test_subjects_are_refused(subject: int) -> None:
    with pytest.raises(HarError, match="test subjects"):
        training_sources((1, subject))


@pytest.mark.parametrize("kind", [natural, spliced, reordered, monotone])
def test_each_kind_has_as_many_samples_as_are_needed(kind, sources, rng) -> None:  # type: ignore[no-untyped-def]
    for _ in range(20):
        pieces = kind(sources[0], MIX, NEEDED, rng)
        assert sum(stop - start for _, start, stop in pieces) >= NEEDED
        assert all(0 <= start < stop <= len(source) for source, start, stop in pieces)


def test_spliced_pieces_are_of_one_activity_each_and_change_it(sources: list[Source], rng: np.random.Generator) -> None:
    seen = set()
    for _ in range(20):
        labels = labels_of(spliced(sources[0], MIX, NEEDED, rng))
        assert all(len(each) == 1 and each[0] in ACTIVITIES for each in labels)
        assert all(before != after for before, after in pairwise(labels))
        seen |= {each[0] for each in labels}
    assert seen == set(ACTIVITIES)


def test_a_monotone_sequence_has_one_activity(sources: list[Source], rng: np.random.Generator) -> None:
    for _ in range(20):
        assert len({tuple(each) for each in labels_of(monotone(sources[0], MIX, NEEDED, rng))}) == 1


def test_reordered_pieces_change_the_posture_by_a_fitting_transition(
    sources: list[Source], rng: np.random.Generator
) -> None:
    transitions = 0
    for _ in range(20):
        posture = None
        for source, start, stop in reordered(sources[0], MIX, NEEDED, rng):
            middle = ALL_LABELS[source.labels[(start + stop) // 2]]
            if middle in ACTIVITIES:
                assert posture in (None, posture_of(middle))
                posture = posture_of(middle)
            else:
                before, _, posture_after = middle.split("_")
                assert posture == before
                posture, transitions = posture_after, transitions + 1
                assert source.labels[start + MARGIN] == source.labels[(start + stop) // 2]
    assert transitions > 20


def test_sequences_are_decided_by_their_generator(sources: list[Source]) -> None:
    first, again, other = (sequences(sources, 3, MIX, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert np.abs(first[0] - other[0]).max() > 0.1


def test_signals_and_labels_stay_together(sources: list[Source]) -> None:
    """Undisturbed, a lying person's gravity is not along x, a walking one's is, whatever the sequence."""
    still = SequenceMix(warp=0.0, gain=0.0, rotation_deg=0.0, noise=0.0)
    signals, labels = sequences(sources, 40, still, np.random.default_rng(0))
    assert signals.shape == (40, still.length, 9) and signals.dtype == np.float32
    gravity = signals[..., 6] - signals[..., 0]
    assert np.median(gravity[labels == ACTIVITIES.index("LAYING")]) < 0.5
    assert np.median(gravity[labels == ACTIVITIES.index("WALKING")]) > 0.9
    assert set(np.unique(labels)) == {UNLABELLED, *range(len(ALL_LABELS))}
    total = np.linalg.norm(signals[..., 6:9], axis=-1)
    assert 0.95 < np.median(total) < 1.1


def test_disturbances_turn_and_scale(sources: list[Source]) -> None:
    still = SequenceMix(warp=0.0, gain=0.0, rotation_deg=0.0, noise=0.0)
    turned = SequenceMix(warp=0.0, gain=0.0, rotation_deg=20.0, noise=0.0)
    plain, _ = sequences(sources, 4, still, np.random.default_rng(0))
    other, _ = sequences(sources, 4, turned, np.random.default_rng(0))
    before, after = (np.linalg.norm(each[..., 6:], axis=-1) for each in (plain, other))
    np.testing.assert_allclose(before, after, atol=1e-4)
    assert np.abs(plain - other).max() > 0.1
