"""Real phones, simulated: ``python -m benchmarks.intake [--subjects test]`` prints docs/benchmarks/intake.md.

Recordings are sampled anew as phones do it (:mod:`benchmarks.simulated_phone`), written as messages of Sensor Logger,
and go through its decoder, the intake and the recognizer; what is right among the labelled windows is compared with the
direct replay of the very recordings.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import click
import numpy as np

from benchmarks.simulated_app import TOPIC, payload
from benchmarks.simulated_phone import EPOCH_S, Manner, labels_of, messages
from model.bundled import load_recordings
from model.classifier import Classifier
from model.recordings import Recording, subjects_of
from model.signals import SAMPLING_RATE
from model.smoothing import FilterSettings
from streamer.formats import detect, har
from streamer.formats.names import Format
from streamer.readings import PhoneMessage
from streamer.recognition.recognizer import Recognizer
from streamer.recognition.window_engine import WindowEngine
from streamer.wire import Samples

Messages = Iterator[tuple[float, PhoneMessage]]

RATES = (77.0, 104.0, 208.0, 471.0)
"""Hz; what phones really give, by Sensor Logger's documentation."""

PHONES: dict[str, Manner] = {
    **{f"{rate:.0f} Hz, iOS": Manner(rate) for rate in RATES},
    **{f"{rate:.0f} Hz, Android": Manner(rate, ios=False) for rate in (20.0, 50.0)},
    "104 Hz, jitter of 30 % of an interval": Manner(104.0, ios=False, jitter=0.3),
    "104 Hz, 5 % of half-second messages lost, 5 % twice": Manner(
        104.0, ios=False, batch_s=0.5, drop=0.05, duplicate=0.05
    ),
    "104 Hz, messages of 0.1 s, without numbers": Manner(104.0, ios=False, batch_s=0.1, numbered=False),
}
"""Phones by name; the first four are iOS's, with its sign, all send a message a second unless it says otherwise."""


@dataclass(frozen=True)
class Score:
    """Labelled windows, those that were right after smoothing and alone, and how far apart what was read was."""

    windows: int
    right: int
    right_alone: int
    cpu_s_per_hour: float

    @property
    def accuracy(self) -> float:
        """Share of the labelled windows that were right after smoothing."""
        return self.right / self.windows

    @property
    def accuracy_alone(self) -> float:
        """The same, each window alone."""
        return self.right_alone / self.windows


def direct(recording: Recording) -> Messages:
    """The recording as the replay sends it: 25 samples a message, exact."""
    yield EPOCH_S, PhoneMessage(recording.name, Format.HAR, labels=labels_of(recording))
    for first in range(0, len(recording.samples), 25):
        values = recording.samples[first : first + 25]
        times = EPOCH_S + (first + np.arange(len(values))) / SAMPLING_RATE
        samples = Samples(values, times, first // 25, start=first == 0)
        yield float(times[-1]), har.as_message(recording.name, samples)


def through_app(recording: Recording, manner: Manner, seed: int = 0) -> Messages:
    """The recording as a simulated phone with Sensor Logger sends it, decoded."""
    for arrived_s, message in messages(recording, manner, seed):
        if message.labels:
            yield arrived_s, message
            continue
        for decoded in detect.decode(TOPIC, payload(message)):
            yield arrived_s, decoded if manner.numbered else replace(decoded, seq=None)


def score(classifier: Classifier, recordings: list[Recording], sent: Callable[[Recording], Messages]) -> Score:
    """Recognise what is sent of these recordings, as a listener does."""
    predictions, cpu_s, duration_s = [], 0.0, 0.0
    for recording in recordings:
        recognizer = Recognizer(WindowEngine(classifier, FilterSettings()), max_phones=1)
        for arrived_s, message in sent(recording):
            before_s = time.process_time()
            recognizer.push(message, arrived_s)
            cpu_s += time.process_time() - before_s
        predictions += recognizer.finish(lambda: 0.0)
        duration_s += recording.duration_s
    labelled = [p for p in predictions if p.window.label is not None]
    alone = sum(p.window_activity == p.window.label for p in labelled)
    return Score(len(labelled), sum(bool(p.is_right) for p in labelled), alone, 3600 * cpu_s / duration_s)


@click.command()
@click.option("--subjects", type=click.Choice(["train", "test"]), default="train", help="Whose recordings.")
@click.option("--every", type=click.IntRange(1), default=1, help="Take every so many-th subject only.")
def main(subjects: str, every: int) -> None:
    """Print the table, a row as soon as it is known."""
    classifier, recordings = Classifier.load(), load_recordings(subjects_of(subjects)[::every])
    sys.stdout.write(f"{len(recordings)} recordings of the {subjects} subjects.\n\n")
    sys.stdout.write("| phone | labelled windows | accuracy | against direct replay | each window alone | CPU |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    reference = score(classifier, recordings, direct)
    for name, manner in {"direct replay, 50 Hz": None, **PHONES}.items():
        found = score(classifier, recordings, partial(through_app, manner=manner)) if manner else reference
        against = 100 * (found.accuracy - reference.accuracy)
        sys.stdout.write(
            f"| {name} | {found.windows} | {found.accuracy:.2%} | {against:+.2f} points | {found.accuracy_alone:.2%} "
            f"| {found.cpu_s_per_hour:.1f} s an hour |\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
