"""What an orientation measured in seconds is worth: recordings turned at random, calibrated, and recognised.

    python -m benchmarks.mount fit      # the constants of model.orientation, from the training subjects
    python -m benchmarks.mount run      # docs/benchmarks/mount.md; the training subjects, then the test subjects once

Every recording is turned by random turns, as by a phone worn in any pose. From 5 s of its standing and 10 s of its
walking the turn back is measured, and the windows inside one segment of an activity are classified, each alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from benchmarks.novelty import fitted_by_subject
from model.activities import ACTIVITIES
from model.bundled import load_recordings
from model.classifier import Classifier
from model.dataset import check_subjects
from model.novelty import Novelty
from model.orientation import UP, angle_deg, calibrate, gait, turn_deg, turned, upward
from model.recordings import Recording, label_at, subjects_of
from model.signals import SAMPLING_RATE, FloatArray
from model.windows import HOP, WINDOW_LENGTH, cut
from streamer.mount.notation import parse_mount
from streamer.mount.watch import MountWatch, are_strange

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "mount.md"

SETTLING = round(SAMPLING_RATE)
"""Samples at the beginning of a segment that are left out: people still come to rest."""

STANDING, WALKING = round(5 * SAMPLING_RATE), round(10 * SAMPLING_RATE)
"""Samples that a calibration is given."""

TURNS = 3
"""Random turns of each recording."""


def pieces(recording: Recording, activity: str, length: int) -> Iterator[FloatArray]:
    """Acceleration in the beginning of every segment of an activity, ``(length, 3)`` [g]; shorter ones are left out."""
    for segment in recording.segments:
        start = segment.start + SETTLING
        if segment.activity == activity and start + length <= segment.stop:
            yield recording.samples[start : start + length, :3]


def first_piece(recording: Recording, activity: str, length: int) -> FloatArray:
    """The first of the pieces; where all segments are shorter, the longest of these."""
    found = next(pieces(recording, activity, length), None)
    if found is not None:
        return found
    segments = (segment for segment in recording.segments if segment.activity == activity)
    longest = max(segments, key=lambda segment: segment.stop - segment.start)
    return recording.samples[longest.start + SETTLING : longest.stop, :3]


def recordings_of(subjects: tuple[int, ...]) -> list[Recording]:
    """Their recordings in which somebody both stands and walks."""
    needed = {"STANDING", "WALKING"}
    return [r for r in load_recordings(subjects) if needed <= {segment.activity for segment in r.segments}]


def fit(subjects: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """:data:`model.orientation.UP` and :data:`model.orientation.GAIT`; the second takes the first as it is there.

    Raises
    ------
    HarError : a subject is not a training subject.
    """
    check_subjects(subjects)
    recordings = recordings_of(subjects)
    ups = [upward(first_piece(recording, "STANDING", STANDING)) for recording in recordings]
    patterns = []
    for recording, up in zip(recordings, ups, strict=True):
        level = Rotation.align_vectors([UP], [up])[0].as_matrix()
        walks = [gait(walk @ level.T) for walk in pieces(recording, "WALKING", WALKING)]
        patterns.append(np.mean(walks, axis=0))
    mean_up, mean_gait = np.mean(ups, axis=0), np.mean(patterns, axis=0)
    return mean_up / np.linalg.norm(mean_up), mean_gait / np.linalg.norm(mean_gait)


@dataclass
class Way:
    """One way to turn a phone back: angles [°] to the recording's own axes, in all, of the vertical and of the heading;
    and whether each window was right."""

    name: str
    angles: list[float]
    tilts: list[float]
    headings: list[float]
    right: list[npt.NDArray[np.bool_]]

    def line(self) -> str:
        """A row of the table."""
        cells = [f"{np.median(a):.0f} / {np.percentile(a, 90):.0f}" for a in (self.angles, self.tilts, self.headings)]
        each = [float(np.mean(right)) for right in self.right]
        accuracy = float(np.mean(np.concatenate(self.right)))
        return f"| {self.name} | {' | '.join(cells)} | {accuracy:.2%} | {np.percentile(each, 10):.1%} |"


Measure = Callable[[Recording], FloatArray]

WAYS: dict[str, Measure] = {
    "as it is": lambda recording: np.eye(3),
    "gravity, 5 s of standing": lambda r: calibrate(first_piece(r, "STANDING", STANDING)).rotation,
    "gravity, and 10 s of walking": lambda r: (
        calibrate(first_piece(r, "STANDING", STANDING), first_piece(r, "WALKING", WALKING)).rotation
    ),
    "gravity, and 4 s of walking": lambda r: (
        calibrate(first_piece(r, "STANDING", STANDING), first_piece(r, "WALKING", round(4 * SAMPLING_RATE))).rotation
    ),
}


def labelled(recording: Recording) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """The windows inside one segment of an activity, ``(n, 128, 9)``, and their labels."""
    windows, labels = [], []
    for index, window in enumerate(cut(recording.signals().astype(np.float32))):
        label = label_at(recording.segments, index * HOP, index * HOP + WINDOW_LENGTH)
        if label in ACTIVITIES:
            windows.append(window)
            labels.append(ACTIVITIES.index(label))
    return np.stack(windows), np.array(labels)


def measure(
    classifier: Classifier, subjects: tuple[int, ...], name: str, way: Measure, *, turns: int, is_flipped: bool = False
) -> Way:
    """Turn each recording, measure the turn back, and recognise; ``turns`` 0 leaves the recordings as they are."""
    rng = np.random.default_rng(0)
    sign = np.array([-1.0 if is_flipped else 1.0] * 3 + [1.0] * 3)
    found = Way(name, [], [], [], [])
    for recording in recordings_of(subjects):
        up = upward(first_piece(recording, "STANDING", STANDING))
        poses = [pose.as_matrix() for pose in Rotation.random(turns, rng)] if turns else [np.eye(3)]
        for pose in poses:
            worn = replace(recording, samples=turned(recording.samples, pose) * sign)
            back = way(worn)
            whole = back @ pose
            found.angles.append(turn_deg(whole))
            found.tilts.append(angle_deg(whole @ up, up))
            found.headings.append(_heading_deg(whole, up))
            windows, labels = labelled(replace(worn, samples=turned(worn.samples, back)))
            predicted = classifier.class_probabilities(windows)[:, : len(ACTIVITIES)].argmax(axis=1)
            found.right.append(predicted == labels)
    return found


def _heading_deg(whole: FloatArray, up: FloatArray) -> float:
    """What of a turn is about the vertical: of its swing-twist decomposition, the twist."""
    x, y, z, w = Rotation.from_matrix(whole).as_quat()
    angle = 2 * float(np.degrees(np.arctan2(np.array([x, y, z]) @ up, w)))
    return abs((angle + 180) % 360 - 180)


HEAD = """# The phone in any pose

Made by `python -m benchmarks.mount run` with the model in the box. Every recording is turned by {turns} random turns,
then turned back by what a calibration (`model/orientation.py`) measures on the turned samples. *Off* are the angles
[°] to the recording's own axes, median / 90th percentile over recordings and turns: in all, of the vertical, and about
it. They are not all error: the subjects did not wear their phones alike, and a calibration turns each to the mean of
them. Accuracy is of the windows inside one segment of an activity, each alone; *worst* is what nine recordings in ten
exceed. Recordings in which nobody stands or nobody walks are left out. The constants of the calibration are of the
training subjects, as are the weights of the model: the test subjects' table is the one to believe. With the
acceleration's sign flipped, as on a phone whose app does not tell it, a calibration gives the mirror image of a person:
up and forward come right, left and right do not.
"""

COLUMNS = """
| turned back by | off | off vertical | off heading | accuracy | worst |
|---|---|---|---|---|---|
"""


def table(classifier: Classifier, split: str) -> str:
    """The table of a split's subjects."""
    subjects = subjects_of(split)
    rows = []
    for name, way in WAYS.items():
        for turns in (0, TURNS):
            click.echo(f"{split}: {name}, {turns} turns", err=True)
            worn = "worn as the data set's" if turns == 0 else "worn anyhow"
            rows.append(measure(classifier, subjects, f"{worn}; {name}", way, turns=turns))
    walked = "gravity, and 10 s of walking"
    name = f"worn anyhow, the acceleration's sign flipped; {walked}"
    rows.append(measure(classifier, subjects, name, WAYS[walked], turns=TURNS, is_flipped=True))
    rows.sort(key=lambda row: row.name.startswith("worn anyhow"))
    title = f"The {len(subjects)} {split} subjects, {len(recordings_of(subjects))} recordings"
    return f"\n## {title}\n{COLUMNS}" + "\n".join(row.line() for row in rows) + "\n"


WORN = {
    "as the data set's": "as-is",
    "upside down": "-x,-y,+z",
    "in portrait, head up": "up=+y,forward=-x+z",
    "in portrait, head down": "up=-y,forward=+x+z",
}
"""Ways to wear a phone, as ``--mount`` has them."""


WARNINGS_HEAD = """
## Warnings of a wrong mount

By `streamer/mount/watch.py`, over the whole recordings of the 21 train subjects, with novelty checks fitted on the
other 20. Of phones worn as the data set's, those of subject 28 are warned of while he or she lies on the other side,
and three where somebody handles the phone between two activities.

"""


def warnings() -> str:
    """In how many training recordings the listener warns of the mount; the checks fitted on the other subjects."""
    lines = ["| worn | recordings warned of | warnings |", "|---|---|---|"]
    fitted = fitted_by_subject()
    for name, mount in WORN.items():
        click.echo(f"warnings: {name}", err=True)
        back = parse_mount(mount).rotation
        pose = np.eye(3) if back is None else back.T
        told = [
            _warned(replace(recording, samples=turned(recording.samples, pose)), novelty)
            for subject, novelty in fitted.items()
            for recording in load_recordings((subject,))
        ]
        lines.append(f"| {name} | {np.count_nonzero(told)} of {len(told)} | {sum(told)} |")
    return WARNINGS_HEAD + "\n".join(lines) + "\n"


def _warned(recording: Recording, novelty: Novelty) -> int:
    watch = MountWatch()
    windows = cut(recording.signals().astype(np.float32))
    strange = are_strange(windows, np.ones(len(windows), bool), novelty).tolist()
    pushed = [watch.push(recording.name, *each, None) for each in zip(windows, strange, strict=True)]
    return sum(words is not None for words in pushed)


@click.group()
def main() -> None:
    """Measure calibration."""


@main.command("fit")
def fit_command() -> None:
    """Print the constants of model.orientation."""
    up, pattern = fit(subjects_of("train"))
    click.echo(f"UP = {up.round(3).tolist()}\nGAIT = {pattern.round(3).tolist()}")


@main.command("warnings")
def warnings_command() -> None:
    """Print the last table alone."""
    click.echo(warnings())


@main.command()
def run() -> None:
    """Write the tables."""
    classifier = Classifier.load()
    text = HEAD.format(turns=TURNS) + "".join(table(classifier, split) for split in ("train", "test")) + warnings()
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
