"""How well an artefact does on the nine test subjects, in two ways.

*Official*: UCI HAR v1.0's 2,947 test windows, which never straddle a change of activity.

*Streaming*: the whole test recordings as a listener sees them, through the signal chain and the sliding window
from sample 0. Scored are the windows that lie inside one segment of one of the six activities; windows in
postural transitions, across a boundary or in unlabelled stretches are classified by a listener, too, but
have no one truth and are not scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from model.activities import ACTIVITIES, TEST_SUBJECTS
from model.bundled import index, load_recording, official_windows
from model.classifier import Classifier, Probabilities
from model.metrics import Scores, score
from model.recordings import Recording, WindowSet, label_at
from model.signals import FloatArray, SignalChain
from model.windows import WINDOW_LENGTH, Window, WindowSlicer

OnProgress = Callable[[str, int, int], None]
"""Called with the evaluation's name, steps done, and their total."""

_CHUNK = 1024
"""Windows (official) or samples (streaming) handed over at once."""


def evaluate(classifier: Classifier, on_progress: OnProgress | None = None) -> dict[str, Scores]:
    """Both evaluations: ``{"official": ..., "streaming": ...}``."""
    return {
        "official": evaluate_official(classifier, on_progress),
        "streaming": evaluate_streaming(classifier, on_progress),
    }


def evaluate_official(classifier: Classifier, on_progress: OnProgress | None = None) -> Scores:
    """Scores on the official test windows."""
    data, probabilities = official_probabilities(classifier, on_progress)
    return score(data.labels, probabilities, data.subjects)


def official_probabilities(
    classifier: Classifier, on_progress: OnProgress | None = None, subjects: Sequence[int] = TEST_SUBJECTS
) -> tuple[WindowSet, Probabilities]:
    """The official test windows of these subjects, and the probabilities ``(n, 6)`` of each."""
    data = official_windows("test")
    chosen = np.isin(data.subjects, subjects)
    data = WindowSet(data.windows[chosen], data.labels[chosen], data.subjects[chosen])
    parts = []
    for start in range(0, len(data.windows), _CHUNK):
        parts.append(classifier.probabilities(data.windows[start : start + _CHUNK]))
        _tell(on_progress, "official", min(start + _CHUNK, len(data.windows)), len(data.windows))
    return data, np.concatenate(parts)


def evaluate_streaming(classifier: Classifier, on_progress: OnProgress | None = None) -> Scores:
    """Scores on the test subjects' whole recordings."""
    experiments = [experiment for experiment, subject in index() if subject in TEST_SUBJECTS]
    labels, parts, subjects = [], [], []
    for done, experiment in enumerate(experiments, start=1):
        data = scored_windows(load_recording(experiment))
        labels.append(data.labels)
        subjects.append(data.subjects)
        parts.append(classifier.probabilities(data.windows))
        _tell(on_progress, "streaming", done, len(experiments))
    return score(np.concatenate(labels), np.concatenate(parts), np.concatenate(subjects))


def stream_windows(samples: FloatArray, chain: SignalChain) -> list[Window]:
    """All windows of a recording's samples ``(n_samples, 6)``, as a listener cuts them: hop 64 from sample 0."""
    slicer = WindowSlicer()
    windows = []
    for start in range(0, len(samples), _CHUNK):
        windows += slicer.push(chain.push(samples[start : start + _CHUNK]))
    return windows + slicer.push(chain.finish())


def scored_windows(recording: Recording) -> WindowSet:
    """The windows of a whole recording that lie inside one segment of one of the six activities."""
    kept, labels = [], []
    for window in stream_windows(recording.samples, SignalChain(start=recording.start, stage=recording.stage)):
        label = label_at(recording.segments, window.start_sample, window.start_sample + WINDOW_LENGTH)
        if label in ACTIVITIES:
            kept.append(window.values)
            labels.append(ACTIVITIES.index(label))
    return WindowSet(
        np.stack(kept) if kept else np.empty((0, WINDOW_LENGTH, 9), np.float32),
        np.array(labels, np.int64),
        np.full(len(labels), recording.subject, np.int64),
    )


def _tell(on_progress: OnProgress | None, name: str, done: int, total: int) -> None:
    if on_progress:
        on_progress(name, done, total)
