"""How long a gap may be bridged: ``python -m benchmarks.bridging``.

Recordings of training subjects lose samples in a row, about every fifteen seconds, and are recognised by the listener's
own pipeline twice: with all gaps bridged by a line, and with a new piece of the stream behind each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from benchmarks.simulated_phone import EPOCH_S, labels_of
from model.activities import TRAIN_SUBJECTS
from model.bundled import load_recordings
from model.classifier import Classifier
from model.recordings import Recording
from model.signals import SAMPLING_RATE
from model.smoothing import FilterSettings
from streamer.formats.har import as_message
from streamer.formats.names import Format
from streamer.intake import grid, limits
from streamer.readings import PhoneMessage
from streamer.recognition.recognizer import Recognizer
from streamer.recognition.window_engine import WindowEngine
from streamer.wire import Samples

LOST = (25, 50, 75, 100)
"""Samples lost in a row."""

EVERY = 750
"""Samples from one loss to the next, on average."""

CHUNK = 25


def _messages(recording: Recording, lost: int) -> Iterator[PhoneMessage]:
    """The recording in messages, without what is lost: the same places for the same number of samples."""
    rng = np.random.default_rng([lost, recording.experiment])
    kept = np.ones(len(recording.samples), bool)
    for start in range(EVERY // 2, len(kept) - EVERY // 2 if lost else 0, EVERY):
        first = start + int(rng.integers(EVERY // 2))
        kept[first : first + lost] = False
    yield PhoneMessage(recording.name, Format.HAR, labels=labels_of(recording))
    for first in range(0, len(kept), CHUNK):
        index = first + np.flatnonzero(kept[first : first + CHUNK])
        for run in np.split(index, np.flatnonzero(np.diff(index) > 1) + 1):
            if len(run):
                yield as_message(recording.name, Samples(recording.samples[run], EPOCH_S + run / SAMPLING_RATE))


def _right(classifier: Classifier, recordings: list[Recording], lost: int) -> tuple[int, int, int]:
    """Labelled windows that were answered, those of them that were right after smoothing, and alone."""
    recognizer = Recognizer(WindowEngine(classifier, FilterSettings()), max_phones=100)
    for recording in recordings:
        for message in _messages(recording, lost):
            recognizer.push(message, 0.0)
    labelled = [p for p in recognizer.finish(lambda: 0.0) if p.window.label is not None]
    alone = sum(p.window_activity == p.window.label for p in labelled)
    return len(labelled), sum(bool(p.is_right) for p in labelled), alone


def main() -> None:
    """Print the table as it is measured."""
    classifier, recordings = Classifier.load(), load_recordings(TRAIN_SUBJECTS[::5])
    grid.FILLED = 1.0  # however much is filled in, these are recordings at 50 Hz
    whole = _right(classifier, recordings, 0)
    sys.stdout.write(
        f"{whole[0]} labelled windows of {len(recordings)} recordings; without losses {whole[1]} are right, "
        f"{whole[2]} each alone.\n\n| samples lost | way | windows | right | right alone | right of all there were |\n"
        "|---|---|---|---|---|---|\n"
    )
    for lost in LOST:
        for way, limit_s in (("bridged", 1e9), ("new piece", 0.0)):
            limits.BRIDGE_S = limit_s
            answered, right, alone = _right(classifier, recordings, lost)
            sys.stdout.write(
                f"| {lost} | {way} | {answered} | {right / answered:.2%} | {alone / answered:.2%} "
                f"| {right / whole[0]:.2%} |\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
