"""What the novelty checks find: false alarms on held-out training subjects, and faults simulated on them.

    python -m benchmarks.novelty run
    python -m benchmarks.novelty table

Two protocols: *subject*, each training subject against checks fitted on the 20 others (the shipped checks are fitted on
21), and *fold*, the three folds of model.validation, fitted on 14. Every fault is put on the raw samples of the
held-out subjects' recordings, and these go through the signal chain. Counted are the windows inside one segment of an
activity. One JSON line for a protocol and a fault in docs/experiments/novelty.jsonl.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from model.activities import ACTIVITIES, POSTURAL_TRANSITIONS, TRAIN_SUBJECTS
from model.bundled import load_recordings
from model.novelty import CHECKS, THRESHOLD, Novelty
from model.novelty_training import fit_novelty
from model.recordings import Recording, label_at
from model.signals import FILTERS, SAMPLING_RATE, STANDARD_GRAVITY, FloatArray
from model.validation import folds
from model.windows import HOP, WINDOW_LENGTH, cut

LOG = Path(__file__).parent.parent / "docs" / "experiments" / "novelty.jsonl"

SHAKING_HZ = (2.0, 8.0)
"""Band of the simulated shaking by hand."""

Fault = Callable[[FloatArray], FloatArray]


def scaled(*factors: float) -> Fault:
    """Each of the six raw channels times a factor."""
    return lambda samples: samples * np.array(factors)


def shaken(acceleration: float, rotation: float) -> Fault:
    """Shaken by hand: band-limited Gaussian noise on every axis on top of what the phone measured, with these root mean
    squares an axis [g, rad/s]."""

    def fault(samples: FloatArray) -> FloatArray:
        rng = np.random.default_rng(len(samples))
        sos = butter(4, SHAKING_HZ, btype="band", fs=SAMPLING_RATE, output="sos")
        noise = sosfilt(sos, rng.standard_normal(samples.shape), axis=0)
        noise *= np.repeat([acceleration, rotation], 3) / noise.std(axis=0)
        return samples + np.asarray(noise, np.float64)

    return fault


def without_gravity(samples: FloatArray) -> FloatArray:
    """Body acceleration alone, as apps send it as "linear acceleration"."""
    order, cutoff = FILTERS["gravity"]
    sos = butter(order, cutoff, fs=SAMPLING_RATE, output="sos")
    changed = samples.copy()
    changed[:, :3] -= sosfilt(sos, samples[:, :3], axis=0)
    return changed


FAULTS: dict[str, Fault] = {
    "none": scaled(1, 1, 1, 1, 1, 1),
    "upside down (half turn about z)": scaled(-1, -1, 1, -1, -1, 1),
    "sign of acceleration x": scaled(-1, 1, 1, 1, 1, 1),
    "sign of the acceleration": scaled(-1, -1, -1, 1, 1, 1),
    "m/s2 taken for g": scaled(*[STANDARD_GRAVITY] * 3, 1, 1, 1),
    "deg/s taken for rad/s": scaled(1, 1, 1, *[180 / np.pi] * 3),
    "gyroscope gives zeros": scaled(1, 1, 1, 0, 0, 0),
    "accelerometer gives zeros": scaled(0, 0, 0, 1, 1, 1),
    "no gravity": without_gravity,
    "shaken, 0.5 g and 2 rad/s": shaken(0.5, 2),
    "shaken, 1 g and 4 rad/s": shaken(1, 4),
    "shaken, 2 g and 8 rad/s": shaken(2, 8),
}


def labelled(recording: Recording) -> tuple[npt.NDArray[np.float32], list[str]]:
    """The windows of a recording that lie inside one segment, and their labels."""
    windows, labels = [], []
    for index, window in enumerate(cut(recording.signals())):
        label = label_at(recording.segments, index * HOP, index * HOP + WINDOW_LENGTH)
        if label is not None:
            windows.append(window)
            labels.append(label)
    return np.stack(windows), labels


def score_fault(fault: Fault, fitted: dict[int, Novelty]) -> dict[str, Any]:
    """Shares of windows found novel; ``fitted`` has each held-out subject's checks."""
    found, labels, owners = [], [], []
    for subject, novelty in fitted.items():
        for recording in load_recordings((subject,)):
            windows, names = labelled(replace(recording, samples=fault(recording.samples)))
            found.append(novelty.check_scores(windows) > THRESHOLD)
            labels += names
            owners += [subject] * len(names)
    return summary(np.concatenate(found), np.array(labels), np.array(owners))


def summary(
    found: npt.NDArray[np.bool_], labels: npt.NDArray[np.str_], owners: npt.NDArray[np.int64]
) -> dict[str, Any]:
    """Shares over the six activities, over these but lying, over transitions; by activity, check and subject."""
    active = np.isin(labels, ACTIVITIES)
    novel = (found.sum(axis=1) > 0).astype(np.float64)

    def share(chosen: npt.NDArray[np.bool_]) -> float:
        return round(float(novel[chosen].mean()), 5)

    return {
        "windows": int(active.sum()),
        "novel": share(active),
        "novel_but_lying": share(active & (labels != "LAYING")),
        "novel_transitions": share(np.isin(labels, POSTURAL_TRANSITIONS)),
        "activities": {name: share(labels == name) for name in ACTIVITIES},
        "checks": dict(zip(CHECKS, found[active].mean(axis=0).round(5).tolist(), strict=True)),
        "subjects": {str(s): share(active & (owners == s)) for s in np.unique(owners).tolist()},
    }


def fitted_by_subject() -> dict[int, Novelty]:
    """Each training subject with checks fitted on all others."""
    return {s: fit_novelty(tuple(o for o in TRAIN_SUBJECTS if o != s)) for s in TRAIN_SUBJECTS}


def fitted_by_fold() -> dict[int, Novelty]:
    """Each training subject with checks fitted on the folds that it is not in."""
    fits = [(fold.held_out, fit_novelty(fold.train)) for fold in folds()]
    return {subject: novelty for held_out, novelty in fits for subject in held_out}


@click.group()
def main() -> None:
    """Measure the novelty checks."""


@main.command()
def run() -> None:
    """Measure every fault by both protocols; writes the log anew."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log:
        for protocol, fitted in (("subject", fitted_by_subject()), ("fold", fitted_by_fold())):
            for name, fault in FAULTS.items():
                line = {"protocol": protocol, "fault": name, **score_fault(fault, fitted)}
                log.write(json.dumps(line) + "\n")


@main.command()
def table() -> None:
    """Print the log."""
    for line in map(json.loads, LOG.read_text(encoding="utf-8").splitlines()):
        shares = [f"{100 * line[name]:6.2f} %" for name in ("novel", "novel_but_lying", "novel_transitions")]
        alarms = {s: f"{100 * share:.1f} %" for s, share in line["subjects"].items() if share > 0.01}
        click.echo(f"{line['protocol']:8}{line['fault']:34}{'  '.join(shares)}")
        if line["fault"] == "none":
            click.echo(f"        above 1 %: {', '.join(f'subject {s} {share}' for s, share in alarms.items())}")


if __name__ == "__main__":
    main()
