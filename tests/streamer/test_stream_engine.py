"""The stateful model on many streams: no chunking, batching or company changes what is said of a phone.

The model is a small one whose weights are random: what is tested is what becomes of its answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.activities import ACTIVITIES, ALL_LABELS
from model.bundled import load_recording
from model.card import STREAM
from model.changes import ActivityChange
from model.novelty import STRANGE, THRESHOLD
from model.signals import Start, process
from model.stateful.classifier import Probabilities, States, StreamClassifier
from model.stateful.shape import STEP, STEP_S, Shape
from model.stateful.transitions import TRANSITIONS, transitions_of
from streamer.formats.har import as_message
from streamer.mount.book import MountBook
from streamer.mount.minder import MountMinder
from streamer.readings import PhoneMessage
from streamer.recognition.prediction import LASTING, Prediction
from streamer.recognition.recognizer import Recognizer
from streamer.recognition.stream_engine import MOST_STEPS, StreamEngine, steps_for
from streamer.wire import Samples
from tests.model.stateful_models import small_classifier

EPOCH = 1_700_000_000.0
N = 1500


@cache
def classifier() -> StreamClassifier:
    """The small model, with the checks of the one in the box."""
    small = small_classifier()
    small.novelty = StreamClassifier.load().novelty
    return small


@cache
def samples(experiment: int) -> npt.NDArray[np.float64]:
    return load_recording(experiment).samples[500 : 500 + N]


def message(phone: str, values: npt.NDArray[np.float64], first: int, seq: int, *, at_s: float = EPOCH) -> PhoneMessage:
    times = at_s + (first + np.arange(len(values))) / 50
    return as_message(phone, Samples(values, times, seq, start=seq == 0))


def messages(phone: str, values: npt.NDArray[np.float64], sizes: Iterable[int]) -> list[PhoneMessage]:
    sent: list[PhoneMessage] = []
    at = 0
    for size in [*sizes, *[50] * len(values)]:
        if at < len(values):
            sent.append(message(phone, values[at : at + size], at, len(sent)))
            at += size
    return sent


def recognised(engine: StreamEngine, batches: Iterable[Sequence[PhoneMessage]]) -> dict[str, list[Prediction]]:
    """By phone, what comes of messages that are recognised batch by batch."""
    recognizer, predictions = Recognizer(engine, max_phones=99), []
    for batch in batches:
        for each in batch:
            recognizer.push(each, 0.0)
        predictions += recognizer.classify(lambda: 0.0)
    predictions += recognizer.finish(lambda: 0.0)
    found: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        found.setdefault(prediction.phone, []).append(prediction)
    return found


def same(mine: Sequence[Prediction], others: Sequence[Prediction]) -> None:
    assert [p.window.start_sample for p in mine] == [p.window.start_sample for p in others]
    assert [p.window.start_s for p in mine] == pytest.approx([p.window.start_s for p in others], abs=1e-5)
    for name in ("answer", "activity", "window_activity", "reasons", "change"):
        assert [getattr(p, name) for p in mine] == [getattr(p, name) for p in others], name
    assert [[t.name for t in p.transitions] for p in mine] == [[t.name for t in p.transitions] for p in others]
    assert [p.compared is None for p in mine] == [p.compared is None for p in others]
    np.testing.assert_allclose([p.probabilities for p in mine], [p.probabilities for p in others], atol=1e-5)
    np.testing.assert_allclose([p.novelty for p in mine], [p.novelty for p in others], atol=1e-5)


@cache
def in_one_go(experiment: int, steps: int) -> list[Prediction]:
    (found,) = recognised(StreamEngine(classifier(), steps), [messages("a", samples(experiment), ())]).values()
    return found


@settings(max_examples=20)
@given(st.lists(st.integers(1, 300), max_size=12), st.integers(1, MOST_STEPS), st.integers(1, 5))
def test_any_chunking_of_messages_and_batches_gives_the_same(sizes: list[int], steps: int, batch: int) -> None:
    sent = messages("a", samples(1), sizes)
    batches = [sent[k : k + batch] for k in range(0, len(sent), batch)]
    (found,) = recognised(StreamEngine(classifier(), steps), batches).values()
    same(found, in_one_go(1, steps))
    assert len(found) == N // (steps * STEP)


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(1, 6), st.lists(st.integers(20, 200), max_size=8)), min_size=2, max_size=6))
def test_phones_together_are_as_each_alone(phones: list[tuple[int, list[int]]]) -> None:
    sent = {f"p{k}": messages(f"p{k}", samples(e), sizes) for k, (e, sizes) in enumerate(phones)}
    longest = max(map(len, sent.values()))
    batches = [[each[k] for each in sent.values() if k < len(each)] for k in range(longest)]
    found = recognised(StreamEngine(classifier(), 3), batches)
    for name, (experiment, _) in zip(sent, phones, strict=True):
        same(found[name], in_one_go(experiment, 3))


def test_what_is_said_is_the_batch_chain_s_at_the_ends_of_spans() -> None:
    network = classifier().answers(process(samples(1)).astype(np.float32))
    ends = network[2::3]
    found = in_one_go(1, 3)
    assert [p.window_activity for p in found] == [ACTIVITIES[k] for k in ends[:, :6].argmax(axis=1)]
    assert [p.confidence for p in found] == [p.probabilities[ACTIVITIES.index(p.activity)] for p in found]
    assert {p.window.span_s for p in found} == {3 * STEP_S}


def test_after_a_gap_a_stream_is_as_a_fresh_one() -> None:
    first, second = samples(1)[:700], samples(2)[:700]
    sent = [message("a", first, 0, 0), message("a", second, 5000, 9)]
    found = recognised(StreamEngine(classifier(), 3), [sent])["a"]
    after = [p for p in found if p.window.piece == 2]
    assert len(found) > len(after) > 20
    fresh, signals = StreamEngine(classifier(), 3), process(second, start=Start.STEADY).astype(np.float32)
    network, _ = classifier().advance(signals[np.newaxis, : 24 * len(after)], classifier().first_states(1))
    assert [p.window_activity for p in after] == [ACTIVITIES[k] for k in network[0, 2::3, :6].argmax(axis=1)]
    (alone,) = recognised(fresh, [[message("b", second, 0, 4)]]).values()  # not its first message: it starts steady
    np.testing.assert_allclose([p.probabilities for p in after], [p.probabilities for p in alone], atol=1e-5)
    assert [p.novelty for p in after] == pytest.approx([p.novelty for p in alone], abs=1e-5)


class Told:
    """A model that gives each step what a plan says: ``(steps, 12)``, the same for every phone."""

    classes = ALL_LABELS
    shape = Shape()
    card = None
    novelty = None

    def __init__(self, plan: npt.NDArray[np.float32]) -> None:
        self._plan = plan

    def advance(self, signals: npt.NDArray[np.float32], states: States) -> tuple[Probabilities, States]:
        n_steps = signals.shape[1] // STEP
        at = states[:, :1].astype(int) + np.arange(n_steps)
        return self._plan[at], states + n_steps


def plan(*stretches: tuple[str, int]) -> npt.NDArray[np.float32]:
    rows = [np.eye(12, dtype=np.float32)[[ALL_LABELS.index(name)] * n] for name, n in stretches]
    return np.concatenate(rows) * np.float32(0.89) + np.float32(0.01)


def by_plan(rows: npt.NDArray[np.float32], steps: int) -> list[Prediction]:
    engine = StreamEngine(Told(rows), steps)  # type: ignore[arg-type]
    still = np.tile([1.0, 0, 0, 0, 0, 0], (len(rows) * STEP, 1))
    (found,) = recognised(engine, [[each] for each in messages("a", still, ())]).values()
    return found


@pytest.mark.parametrize("steps", [1, 3, 7, 16])
def test_a_transition_and_the_change_that_it_makes_are_told(steps: int) -> None:
    rows = plan(("SITTING", 108), ("SIT_TO_STAND", 12), ("STANDING", 112))
    found = by_plan(rows, steps)
    ((transition, after),) = [(t, p) for p in found for t in p.transitions]
    (wanted,) = transitions_of(rows)
    assert transition.name == wanted.name == "SIT_TO_STAND"
    assert transition.time_s - EPOCH == pytest.approx(wanted.time_s, abs=1e-3)
    assert wanted.time_s == pytest.approx(114 * STEP_S - TRANSITIONS.lag_s)
    assert after.window.start_s <= EPOCH + 121 * STEP_S < after.window.end_s + 1e-3
    ((change, told),) = [(p.change, p) for p in found if p.change]
    assert (change.before, change.after) == ("SITTING", "STANDING")
    assert abs(change.time_s - EPOCH - 114 * STEP_S) < 1 + steps * STEP_S
    first = next(p for p in found if p.answer == "STANDING")
    assert told.window.end_s - first.window.end_s <= 0.5 + steps * STEP_S
    assert any(p.answer == "TRANSITION" for p in found)


def test_signals_like_none_that_the_model_knows_say_nothing_and_the_reason_is_told() -> None:
    upside_down = 4 * samples(1) * [-1, -1, 1, -1, -1, 1]
    found = recognised(StreamEngine(classifier(), 3), [messages("a", upside_down, ())])["a"]
    scored = [p for p in found if p.compared is not None]
    assert scored[0].window.end_s - found[0].window.start_s == pytest.approx(2.88, abs=1e-3)
    assert all(p.answer == "UNKNOWN" for p in found if p.novelty > THRESHOLD)
    assert all(p.novelty > STRANGE for p in scored)
    after = [p for p in found if p.novelty > STRANGE]
    sureness = [p.probabilities.max() for p in after]
    assert sureness == sorted(sureness, reverse=True)  # nothing is learnt any more, and what was known fades
    assert not any(p.transitions for p in after[1:])
    reasons = [bool(p.reasons) for p in found]
    assert reasons.index(True) == found.index(scored[LASTING - 1])
    assert all(reasons[reasons.index(True) :])
    for each in scored:
        assert each.compared is not None
        assert each.compared.shape == (128, 9)


def test_a_phone_worn_as_no_subject_wore_it_is_told_once() -> None:
    turned = samples(1) * [-1, -1, 1, -1, -1, 1]
    found = recognised(StreamEngine(classifier(), 3), [messages("a", turned, ())])["a"]
    minder = MountMinder(MountBook(), classifier().novelty)
    news = list(minder.news(found).values())
    assert len(news) == 1
    assert "har-stream calibrate a" in news[0]


@pytest.mark.parametrize(("every_s", "steps"), [(0.01, 1), (0.16, 1), (0.25, 2), (0.48, 3), (2.56, 16), (9.0, 16)])
def test_how_often_is_the_nearest_number_of_steps(every_s: float, steps: int) -> None:
    assert steps_for(every_s) == steps


@pytest.mark.parametrize("steps", [0, MOST_STEPS + 1])
def test_spans_outside_their_range_are_refused(steps: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        StreamEngine(classifier(), steps)


def test_the_model_in_the_box_is_one_for_streams() -> None:
    assert StreamClassifier.load().card.network == STREAM


def test_no_change_is_told_at_a_stream_s_begin() -> None:
    found = by_plan(plan(("WALKING", 60)), 3)
    changes: list[ActivityChange] = [p.change for p in found if p.change]
    assert changes == []
