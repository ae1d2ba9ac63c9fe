"""The stateful model at work: the waiting spans of all phones advanced together, each phone's state carried on. Pure.

A span is what has come of a phone's stream since its last prediction, some steps of 160 ms. Spans of one piece follow
each other without a gap, and those that wait are advanced in one go; phones of which as many wait, in one call. A new
piece (a gap, a restart, another mount) begins from nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES, TRANSITION
from model.changes import ChangeDetector, ChangeSettings
from model.decision import ANSWERS, STREAMED, decide_all
from model.novelty import STRANGE
from model.stateful.classifier import StreamClassifier
from model.stateful.settling import evidence, hold, settle
from model.stateful.shape import CLASSES, STEP, STEP_S
from model.stateful.transitions import PosturalTransition, find
from streamer.phone_stream import Cut, ReadyWindow
from streamer.recognition.comparing import Compared, Comparing
from streamer.recognition.prediction import LASTING, Clock, Prediction
from streamer.recognition.stream_states import FloatArray, IntArray, StreamStates

MOST_STEPS = 16
"""Steps of a span at most: 2.56 s, as long as a window."""

STABLE_S = 0.5
"""Seconds for which another activity must be told before it is a change."""

MEMORY_S = 10.0
"""Seconds that a change may be dated back by."""

GATHER_S, ENOUGH = 0.04, 8
"""Seconds from one call to the next: a call costs a millisecond, whether for one phone or for ten. A phone alone, whose
spans end further apart, never waits for it. Half as long after a call for enough spans.
"""

FEWEST, SPARE = 16, 4
"""Rows that are made at least, and times as many rows as phones from which on half of them go."""

_NOTHING_SAID = np.array([1 / len(ACTIVITIES)] * len(ACTIVITIES) + [0.0] * (len(CLASSES) - len(ACTIVITIES)), np.float32)
"""Probabilities of a step whose signals are far from all that the model has seen, for the filter."""

_LOOKS_LIKE = (*ACTIVITIES, TRANSITION)
_ANSWERS = np.array(ANSWERS)

Run = list[ReadyWindow]
"""Spans of one phone that follow each other."""


def steps_for(every_s: float) -> int:
    """Steps from one prediction to the next: as near to ``every_s`` seconds as there are, 1 to :data:`MOST_STEPS`."""
    return min(max(round(every_s / STEP_S), 1), MOST_STEPS)


@dataclass(slots=True)
class _Phone:
    """What is kept of one phone beside its row."""

    row: int
    changes: ChangeDetector
    piece: int | None = None
    reasons: tuple[str, ...] = ()
    novel_in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class _Advanced:
    """What came of runs of k spans each, n of them, at the ends of the spans; every array begins ``(n, k``."""

    runs: Sequence[Run]
    probabilities: npt.NDArray[np.float32]
    settled: FloatArray
    told: IntArray
    compared: Compared
    transitions: Mapping[tuple[int, int], list[PosturalTransition]] = field(default_factory=dict)

    def answers(self) -> list[list[str]]:
        """What is said about each span, one of :data:`model.decision.ANSWERS`."""
        shape = self.told.shape
        answers = decide_all(
            self.settled.reshape(-1, len(ACTIVITIES)),
            settings=STREAMED,
            transition=self.probabilities[..., len(ACTIVITIES) :].sum(axis=-1).reshape(-1),
            novelty=self.compared.scores.reshape(-1),
            told=self.told.reshape(-1),
        )
        names: list[list[str]] = _ANSWERS[answers.reshape(shape)].tolist()
        return names


class StreamEngine:
    """Follows each phone's stream.

    Parameters
    ----------
    classifier : the model.
    steps : of 160 ms, from one prediction to the next; see :func:`steps_for`.
    identity : names both.

    Raises
    ------
    ValueError : less than one step, or more than :data:`MOST_STEPS`.
    """

    kind = "stream"
    kept = ("_states", "_phones", "_names")

    def __init__(self, classifier: StreamClassifier, steps: int = 3, identity: str = "") -> None:
        if not 1 <= steps <= MOST_STEPS:
            raise ValueError(f"Parameter {steps=} is not 1 to {MOST_STEPS}!")
        self.identity = identity
        self.cut = Cut(steps * STEP, steps * STEP)
        self.novelty = classifier.novelty
        self._classifier = classifier
        self._steps = steps
        every_s = steps * STEP_S
        answers = 1 + round(STABLE_S / every_s)
        self._changing = ChangeSettings(answers, memory=max(answers, ceil(MEMORY_S / every_s)))
        self._comparing = Comparing(classifier.novelty, self.cut.hop)
        self._states = self._first(0)
        self._phones: dict[str, _Phone] = {}
        self._names: list[str] = []  # by row

    def recognise(self, windows: Sequence[ReadyWindow], clock: Clock) -> list[Prediction]:
        """Advance all streams by these spans; a phone's predictions are in its spans' order."""
        groups = [self._advance(group) for runs in _rounds(windows) for group in _of_equal_length(runs)]
        now_s = clock()
        return [prediction for group in groups for prediction in self._predictions(group, now_s)]

    def gather_s(self, n_windows: int) -> float:
        """Seconds from a call for so many spans to the next at least."""
        return GATHER_S / 2 if n_windows >= ENOUGH else GATHER_S

    def finish(self, clock: Clock) -> list[Prediction]:
        """Nothing is held back."""
        return []

    def forget(self, phone: str) -> None:
        """Its row goes to the last phone, and rows that are not needed any more with it."""
        known = self._phones.pop(phone, None)
        if known is None:
            return
        last, mover = len(self._phones), self._names.pop()
        if mover != phone:
            self._states.put([known.row], self._states.take([last]))
            self._phones[mover].row = known.row
            self._names[known.row] = mover
        self._states.put([last], self._first(1))
        if SPARE * max(last, FEWEST) < len(self._states.told):
            self._states = self._states.take(np.arange(SPARE * max(last, FEWEST) // 2))

    def _first(self, n: int) -> StreamStates:
        return StreamStates.first(n, self._classifier.shape.state_size)

    def _begin(self, first: ReadyWindow) -> int:
        """The row of the phone whose run begins with this span; of a new piece, a new one's."""
        phone = self._phones.get(first.phone)
        if phone is None:
            phone = _Phone(len(self._phones), ChangeDetector(self._changing), first.piece)
            self._phones[first.phone] = phone
            self._names.append(first.phone)
            if phone.row == len(self._states.told):
                self._states = self._states.followed_by(self._first(max(phone.row, FEWEST)))
        if phone.piece != first.piece:
            self._states.put([phone.row], self._first(1))
            phone.piece = first.piece
            phone.changes.reset()
            phone.reasons, phone.novel_in_a_row = (), 0
        return phone.row

    def _advance(self, runs: Sequence[Run]) -> _Advanced:
        """Advance the streams of these runs, all equally long."""
        rows = np.array([self._begin(run[0]) for run in runs])
        before = self._states.take(rows)
        values = np.stack([np.concatenate([window.values for window in run]) for run in runs])
        network, network_after = self._classifier.advance(values, before.network)
        compared = self._comparing.compare(values, before)
        is_strange = np.repeat(compared.scores > STRANGE, self._steps, axis=1)
        heard = np.where(is_strange[..., np.newaxis], _NOTHING_SAID, network)
        settled, settled_after = settle(heard, before.settled)
        told = hold(settled, before.told)
        found, runs_after = find(heard, before.runs)
        transitions: dict[tuple[int, int], list[PosturalTransition]] = defaultdict(list)
        for each in found:
            span, step = divmod(each.step, self._steps)
            began_s = runs[each.stream][span].start_s
            transitions[each.stream, span].append(each.transition.after(began_s + (step + 1) * STEP_S))
        after = StreamStates(
            network_after,
            settled_after,
            told[:, -1],
            runs_after,
            compared.recent,
            compared.scores[:, -1],
            before.spans + len(runs[0]),
            np.array([run[-1].end_s for run in runs]),
        )
        self._states.put(rows, after)
        ends = slice(self._steps - 1, None, self._steps)
        return _Advanced(runs, network[:, ends], settled[:, ends], told[:, ends], compared, transitions)

    def _predictions(self, group: _Advanced, now_s: float) -> Iterator[Prediction]:
        """One for each span, each phone's in order."""
        answers, scores = group.answers(), group.compared.scores.tolist()
        told, confidence = group.told.tolist(), np.take_along_axis(group.settled, group.told[..., np.newaxis], axis=2)
        alone = group.probabilities[..., : len(ACTIVITIES)].argmax(axis=-1).tolist()
        looks_like = evidence(group.probabilities).argmax(axis=-1).tolist()
        for stream, run in enumerate(group.runs):
            phone = self._phones[run[0].phone]
            for span, window in enumerate(run):
                answer, sureness = answers[stream][span], float(confidence[stream, span, 0])
                compared = group.compared.windows.get((stream, span))
                if compared is not None:
                    self._follow_novelty(phone, compared, scores[stream][span])
                change = phone.changes.push(
                    answer,
                    sureness,
                    start_s=window.start_s,
                    end_s=window.end_s,
                    window_activity=_LOOKS_LIKE[looks_like[stream][span]],
                )
                yield Prediction(
                    window=window,
                    answer=answer,
                    activity=ACTIVITIES[told[stream][span]],
                    confidence=sureness,
                    probabilities=group.settled[stream, span],
                    window_activity=ACTIVITIES[alone[stream][span]],
                    latency_ms=1000 * (now_s - window.arrived_s),
                    novelty=scores[stream][span],
                    reasons=phone.reasons if phone.novel_in_a_row >= LASTING else (),
                    change=change,
                    transitions=tuple(group.transitions.get((stream, span), ())),
                    compared=compared,
                )

    def _follow_novelty(self, phone: _Phone, compared: npt.NDArray[np.float32], score: float) -> None:
        phone.reasons = self._comparing.reasons(compared, score)
        phone.novel_in_a_row = phone.novel_in_a_row + 1 if phone.reasons else 0


def _rounds(windows: Sequence[ReadyWindow]) -> list[list[Run]]:
    """The first piece of each phone's spans, then the second ..., as a stream takes one at a time."""
    rounds: list[list[Run]] = []
    seen: Counter[str] = Counter()
    last: dict[str, Run] = {}
    for window in windows:
        run = last.get(window.phone)
        if run is not None and run[-1].piece == window.piece:
            run.append(window)
            continue
        last[window.phone] = [window]
        if seen[window.phone] == len(rounds):
            rounds.append([])
        rounds[seen[window.phone]].append(last[window.phone])
        seen[window.phone] += 1
    return rounds


def _of_equal_length(runs: Sequence[Run]) -> list[list[Run]]:
    by_length: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        by_length[len(run)].append(run)
    return list(by_length.values())
