"""A model's answers over whole recordings, as a listener gives them: window by window, smoothed, and as events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES, TRANSITION
from model.changes import ChangeDetector
from model.classifier import Classifier
from model.decision import ANSWERS, SINGLE_WINDOWS, SMOOTHED, DecisionSettings, decide_all
from model.novelty import STRANGE
from model.recordings import Recording, Segment
from model.signals import SAMPLING_RATE
from model.smoothing import NO_EVIDENCE, FilterSettings, activities_then_transition, smooth
from model.stream_metrics import (
    Event,
    EventScores,
    StreamScores,
    owners,
    score_events,
    score_streams,
    window_answers,
)
from model.windows import HOP, WINDOW_LENGTH, cut

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Stream:
    """What a model says about the n windows of one recording, cut every 64 samples from the first.

    ``rows`` ``(n, 6)`` or ``(n, 7)``: class probabilities, TRANSITION last. ``novelty`` ``(n,)``, 0 without a score.
    ``labels`` ``(n,)``: the activity of the one segment that a window lies in, as an index, or -1.
    """

    name: str
    subject: int
    duration_s: float
    segments: tuple[Segment, ...]
    rows: FloatArray
    novelty: FloatArray
    labels: IntArray

    @cached_property
    def single(self) -> FloatArray:
        """Each window's own probabilities of the six activities, ``(n, 6)``, to the bit the classifier's."""
        six = np.maximum(self.rows[:, : len(ACTIVITIES)].astype(np.float32), np.finfo(np.float32).tiny)
        return np.asarray(six / six.sum(axis=1, keepdims=True), np.float64)

    @cached_property
    def smoothed(self) -> FloatArray:
        """The filter's probabilities ``(n, 6)``."""
        return self.smoothed_with(0)

    def smoothed_with(self, lag: int) -> FloatArray:
        """The same with a lag: row i is about window i and knows the windows up to i + lag."""
        nothing = NO_EVIDENCE[: self.rows.shape[1]]
        evidence = np.where(self.novelty[:, np.newaxis] > STRANGE, nothing, self.rows)
        return smooth(evidence, replace(FilterSettings(), lag=lag))

    def told(self, probabilities: FloatArray, settings: DecisionSettings) -> IntArray:
        """The answers for probabilities ``(n, 6)``, indices into :data:`model.decision.ANSWERS`."""
        transition = self.rows[:, len(ACTIVITIES) :].sum(axis=1)
        return decide_all(probabilities, settings=settings, transition=transition, novelty=self.novelty)

    def told_single(self) -> IntArray:
        """The answers about each window alone."""
        return self.told(self.single, SINGLE_WINDOWS)

    def told_smoothed(self) -> IntArray:
        """The answers behind the filter: what a listener shows."""
        return self.told(self.smoothed, SMOOTHED)


def run(classifier: Classifier, recordings: Sequence[Recording], on_progress: OnProgress | None = None) -> list[Stream]:
    """Classify every window of these recordings; progress is told as ``streaming``."""
    streams = []
    for done, recording in enumerate(recordings, start=1):
        streams.append(_run_one(classifier, recording))
        if on_progress:
            on_progress("streaming", done, len(recordings))
    return streams


def _run_one(classifier: Classifier, recording: Recording) -> Stream:
    windows = cut(recording.signals())
    rows = activities_then_transition(classifier.class_probabilities(windows), classifier.classes)
    novelty = np.zeros(len(windows)) if classifier.novelty is None else classifier.novelty.score(windows)
    owner = owners(recording.segments, window_answers(np.zeros(len(windows))))
    labels = [ACTIVITIES.index(recording.segments[index].activity) if index >= 0 else -1 for index in owner]
    return Stream(
        recording.name,
        recording.subject,
        recording.duration_s,
        recording.segments,
        rows,
        novelty,
        np.array(labels, np.int64),
    )


def score_windows(streams: Sequence[Stream]) -> StreamScores:
    """Each window's likeliest activity, without a filter."""
    return score_streams((s.segments, window_answers(s.single.argmax(axis=1))) for s in streams)


def score_smoothed(streams: Sequence[Stream], lag: int = 0) -> StreamScores:
    """The filter's likeliest activity; with a lag the answers come later, and the delays count that."""
    return score_streams((s.segments, window_answers(s.smoothed_with(lag).argmax(axis=1), lag=lag)) for s in streams)


def score_changes(streams: Sequence[Stream]) -> EventScores:
    """The events behind the filter, between the first labelled sample and the last of each recording."""
    recordings = []
    for stream in streams:
        first, last = min(s.start for s in stream.segments), max(s.stop for s in stream.segments)
        events = [e for e in events_of(stream) if first <= e[0] * SAMPLING_RATE < last]
        recordings.append((stream.segments, events))
    return score_events(recordings)


def events_of(stream: Stream) -> list[Event]:
    """The changes of activity that a listener tells: when [s], and to what."""
    detector, events = ChangeDetector(), []
    confidence = stream.smoothed.max(axis=1)
    looks_like = (*ACTIVITIES, TRANSITION)
    for number, told in enumerate(stream.told_smoothed()):
        start_s = number * HOP / SAMPLING_RATE
        change = detector.push(
            ANSWERS[told],
            float(confidence[number]),
            start_s=start_s,
            end_s=start_s + WINDOW_LENGTH / SAMPLING_RATE,
            window_activity=looks_like[int(stream.rows[number].argmax())],
        )
        events += [(change.time_s, change.after)] if change else []
    return events
