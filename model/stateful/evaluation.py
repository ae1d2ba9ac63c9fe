"""A stateful model on the nine test subjects: scores as a window model has them, the protocol, and transitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from model.activities import TEST_SUBJECTS
from model.bundled import load_recordings, official_windows
from model.card import Card
from model.metrics import Scores, score
from model.stateful.classifier import StreamClassifier
from model.stateful.hearers import StreamHearer, network_answers, settled_answers
from model.stateful.scoring import ProtocolScores, run_protocol
from model.stateful.sequences import Source, source_of
from model.stateful.shape import STEP
from model.stateful.transition_scores import TransitionScores, score_transitions
from model.stateful.transitions import transitions_of
from model.stream_metrics import owners, window_answers
from model.windows import HOP, WINDOW_LENGTH

FloatArray = npt.NDArray[np.float64]
OnProgress = Callable[[str, int, int], None]


class StreamEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. ``official`` and ``streaming`` are :func:`evaluate_stream`'s; ``protocol`` is of what is told."""

    name: str
    official: Scores
    streaming: Scores
    protocol: ProtocolScores
    transitions: TransitionScores
    card: Card


def evaluate_stream(classifier: StreamClassifier, on_progress: OnProgress | None = None) -> dict[str, Scores]:
    """``{"official": ..., "streaming": ...}``, of the settled probabilities.

    *Official*: each of UCI HAR v1.0's test windows as a stream of its own, 2.56 s from a cold start; the last answer.
    *Streaming*: whole test recordings; the answers at the ends of the windows that a window model is scored on.
    """
    return {"official": _official(classifier, on_progress), "streaming": _streaming(classifier, test_sources())}


def evaluate_stream_fully(
    classifier: StreamClassifier, *, seed: int = 0, on_progress: OnProgress | None = None
) -> StreamEvaluation:
    """Evaluate a model on the test subjects; ``seed`` is of the protocol's orders and beginnings."""
    sources = test_sources()
    return StreamEvaluation(
        name=classifier.card.name,
        official=_official(classifier, on_progress),
        streaming=_streaming(classifier, sources),
        protocol=run_protocol(StreamHearer(classifier), sources, seed=seed, on_progress=on_progress),
        transitions=score_model_transitions(classifier, sources),
        card=classifier.card,
    )


def test_sources() -> list[Source]:
    """The test subjects' recordings."""
    return [source_of(recording) for recording in load_recordings(TEST_SUBJECTS)]


def score_model_transitions(classifier: StreamClassifier, sources: Sequence[Source]) -> TransitionScores:
    """The postural transitions that a listener would tell of in these recordings."""
    heard = network_answers(classifier, [source.signals for source in sources])
    return score_transitions(
        (source.segments, [(each.time_s, each.name) for each in transitions_of(answers)])
        for source, answers in zip(sources, heard, strict=True)
    )


def _official(classifier: StreamClassifier, on_progress: OnProgress | None) -> Scores:
    data = official_windows("test")
    heard, _ = classifier.advance(data.windows, classifier.first_states(len(data.windows)))
    last = np.stack([settled[-1] for settled in settled_answers(list(heard.astype(np.float64)))])
    if on_progress:
        on_progress("official", len(data.labels), len(data.labels))
    return score(data.labels, last.astype(np.float32), data.subjects)


def _streaming(classifier: StreamClassifier, sources: Sequence[Source]) -> Scores:
    rows, labels, subjects = [], [], []
    settled = settled_answers(network_answers(classifier, [source.signals for source in sources]))
    for source, answers in zip(sources, settled, strict=True):
        windows = window_answers(np.zeros((len(source) - WINDOW_LENGTH) // HOP + 1))
        inside = owners(source.segments, windows) >= 0
        last = windows.stops[inside] - 1
        rows.append(answers[windows.stops[inside] // STEP - 1])
        labels.append(source.labels[last])
        subjects.append(np.full(len(last), source.subject, np.int64))
    return score(np.concatenate(labels), np.concatenate(rows).astype(np.float32), np.concatenate(subjects))
