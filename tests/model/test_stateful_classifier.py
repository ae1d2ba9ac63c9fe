"""The stateful model at work: whatever the pieces, the batch and the engine, the probabilities are the same."""

from __future__ import annotations

from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import bundled
from model.activities import ALL_LABELS
from model.artefact import default_artefact_path, make_artefact, read_artefact
from model.classifier import Classifier
from model.errors import ArtefactError
from model.stateful.classifier import StreamClassifier
from model.stateful.hearers import network_answers
from model.stateful.shape import STEP, Shape
from tests.model.tiny_artefact import tiny_artefact

SIGNALS = bundled.load_recording(32).signals()[4000 : 4000 + 150 * STEP].astype(np.float32)


@cache
def box() -> StreamClassifier:
    return StreamClassifier.load()


@pytest.fixture
def classifier() -> StreamClassifier:
    return box()


@pytest.fixture
def whole(classifier: StreamClassifier) -> np.ndarray:
    return classifier.answers(SIGNALS)


def test_the_model_in_the_box_is_small(classifier: StreamClassifier) -> None:
    assert classifier.card.n_parameters <= 500_000
    assert classifier.classes == ALL_LABELS
    buffers = 6 * 15 + 4 * classifier.shape.filters[0] + 4 * classifier.shape.filters[1]
    assert classifier.shape.state_bytes == 4 * (buffers + 2 * classifier.shape.units) <= 4096


def test_probabilities_are_probabilities_every_160_ms(classifier: StreamClassifier, whole: np.ndarray) -> None:
    assert whole.shape == (150, 12)
    np.testing.assert_allclose(whole.sum(axis=1), 1, atol=1e-5)
    assert whole.min() >= 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_any_pieces_give_what_one_piece_gives(lengths: list[int]) -> None:
    classifier, start, parts = box(), 0, []
    state = classifier.first_states(1)
    for length in [*lengths, 150]:
        piece = SIGNALS[start * STEP : (start + length) * STEP]
        if len(piece):
            probabilities, state = classifier.advance(piece[np.newaxis], state)
            parts.append(probabilities[0])
        start += length
    np.testing.assert_allclose(np.concatenate(parts), classifier.answers(SIGNALS), atol=1e-5)


def test_streams_side_by_side_do_not_hear_each_other(classifier: StreamClassifier) -> None:
    streams = [SIGNALS[first * STEP : last * STEP] for first, last in ((0, 90), (10, 60), (50, 150))]
    for together, stream in zip(network_answers(classifier, streams), streams, strict=True):
        np.testing.assert_allclose(together, classifier.answers(stream), atol=1e-5)


def test_more_streams_than_one_call_takes(classifier: StreamClassifier, whole: np.ndarray) -> None:
    batch = np.repeat(SIGNALS[np.newaxis, : 2 * STEP], 300, axis=0)
    probabilities, states = classifier.advance(batch, classifier.first_states(300))
    np.testing.assert_allclose(probabilities, np.broadcast_to(whole[:2], (300, 2, 12)), atol=1e-5)
    assert states.shape == (300, classifier.shape.state_size)


def test_no_answer_knows_what_comes_after_it(classifier: StreamClassifier, whole: np.ndarray) -> None:
    changed = SIGNALS.copy()
    changed[80 * STEP :] = 0
    answers = classifier.answers(changed)
    np.testing.assert_allclose(answers[:80], whole[:80], atol=1e-6)
    assert np.abs(answers[80:] - whole[80:]).max() > 1e-3


def test_the_past_counts(classifier: StreamClassifier, whole: np.ndarray) -> None:
    assert np.abs(classifier.answers(SIGNALS[8 * STEP :]) - whole[8:]).max() > 1e-3


@pytest.mark.parametrize("shape", [(1, 0, 9), (1, 7, 9), (1, 8, 8), (8, 9)])
def test_other_signals_are_refused(classifier: StreamClassifier, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="signals"):
        classifier.advance(np.zeros(shape), classifier.first_states(1))


def test_other_states_are_refused(classifier: StreamClassifier) -> None:
    with pytest.raises(ValueError, match="states"):
        classifier.advance(np.zeros((2, 8, 9)), classifier.first_states(1))


def test_a_stream_of_less_than_a_step_has_no_answer(classifier: StreamClassifier) -> None:
    assert classifier.answers(SIGNALS[: STEP - 1]).shape == (0, 12)


def test_each_kind_of_model_is_refused_in_the_other_s_place() -> None:
    with pytest.raises(ArtefactError, match="not for windows"):
        Classifier(read_artefact(default_artefact_path("stream")))
    with pytest.raises(ArtefactError, match="no model for streams"):
        StreamClassifier(tiny_artefact())


def test_a_card_that_does_not_fit_its_graph_is_refused() -> None:
    artefact = read_artefact(default_artefact_path("stream"))
    for changed, message in (({"units": 7}, "needs"), ({"kernels": [2, 2, 2]}, "names no network"), ({}, "names no")):
        hyperparameters = {**artefact.card.hyperparameters, **changed} if changed else {}
        card = msgspec.structs.replace(artefact.card, hyperparameters=hyperparameters)
        with pytest.raises(ArtefactError, match=message):
            StreamClassifier(make_artefact(card, artefact.onnx, artefact.weights()))


def test_shapes_without_three_convolutions_are_refused() -> None:
    with pytest.raises(ValueError, match="three"):
        Shape(filters=(8, 8), kernels=(5, 5))
    with pytest.raises(ValueError, match="three"):
        Shape(kernels=(7, 5, 2))
