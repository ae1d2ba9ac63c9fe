"""A model before and after fine-tuning, on recorded windows held out and on the training subjects' own."""

from __future__ import annotations

import msgspec
import numpy as np

from model.activities import ACTIVITIES
from model.classifier import Classifier
from model.dataset import training_windows
from model.metrics import Scores, score
from model.recorded import RecordedWindows


class BeforeAndAfter(msgspec.Struct, frozen=True):
    """Scores on the same windows by two models; ``subjects`` of recorded windows are numbers of streams."""

    before: Scores
    after: Scores


class Comparison(msgspec.Struct, frozen=True):
    """``learnt_from`` and ``held_out_from`` count the recorded windows of each activity.

    ``held_out`` is None if nothing was held out. ``training_subjects`` is of the official windows of those subjects
    that the model was trained on first: whether they are forgotten.
    """

    learnt_from: dict[str, int]
    held_out_from: dict[str, int]
    held_out: BeforeAndAfter | None
    training_subjects: BeforeAndAfter

    @property
    def is_better(self) -> bool:
        """Whether more of the windows held out are recognised than before."""
        return self.held_out is not None and self.held_out.after.accuracy > self.held_out.before.accuracy


def compare(before: Classifier, after: Classifier, learnt: RecordedWindows, held_out: RecordedWindows) -> Comparison:
    """Score both models; seconds.

    Raises
    ------
    HarError : the model was trained on subjects that none may be trained on.
    """
    shipped = training_windows(before.card.training.subjects)
    own = (held_out.windows, held_out.labels, held_out.streams)
    return Comparison(
        learnt.counts(),
        held_out.counts(),
        _both(before, after, own) if len(held_out) else None,
        _both(before, after, (shipped.windows, shipped.labels, shipped.subjects)),
    )


def _both(before: Classifier, after: Classifier, data: tuple[np.ndarray, np.ndarray, np.ndarray]) -> BeforeAndAfter:
    windows, labels, owners = data
    return BeforeAndAfter(*(score(labels, each.probabilities(windows), owners) for each in (before, after)))


def comparison_rows(comparison: Comparison) -> list[tuple[str, int, float | None, float | None]]:
    """Lines of a table: what, windows, accuracy (or recall) before and after."""
    rows: list[tuple[str, int, float | None, float | None]] = []
    both = comparison.held_out
    if both:
        rows.append(("held out", both.before.n_windows, both.before.accuracy, both.after.accuracy))
        for activity in ACTIVITIES:
            if count := comparison.held_out_from.get(activity, 0):
                rows.append((f"  {activity}", count, both.before.recall[activity], both.after.recall[activity]))
    shipped = comparison.training_subjects
    rows.append(("training subjects", shipped.before.n_windows, shipped.before.accuracy, shipped.after.accuracy))
    return rows
