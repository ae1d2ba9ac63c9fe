"""``har-model predict``."""

from __future__ import annotations

from pathlib import Path

import click

from model.commands.options import FILE


@click.command()
@click.argument("file", type=FILE)
@click.option("--model", type=FILE, help="A model made by har-model train.  [default: the one in the box]")
def predict(file: Path, model: Path | None) -> None:
    """Classify the windows in FILE: one JSON object a line, with activity and probabilities.

    FILE is a .npy of shape (n, 128, 9) or a .npz of har-stream listen --save-windows. The channels are the
    data set's: body_acc x y z [g], body_gyro x y z [rad/s], total_acc x y z [g], at 50 Hz.
    """
    from model.classifier import SLICE, Classifier
    from model.window_files import check_finite, read_windows

    windows = read_windows(file)
    classifier = Classifier.load(model)
    for start in range(0, len(windows), SLICE):
        part = windows[start : start + SLICE]
        check_finite(part, start, file.name)
        _print_predictions(classifier.probabilities(part).tolist())


def _print_predictions(rows: list[list[float]]) -> None:
    import msgspec

    from model.activities import ACTIVITIES

    lines = []
    for row in rows:
        probabilities = dict(zip(ACTIVITIES, row, strict=True))
        activity = max(ACTIVITIES, key=probabilities.__getitem__)
        lines.append(msgspec.json.encode({"activity": activity, "probabilities": probabilities}))
    click.echo(b"\n".join(lines))
