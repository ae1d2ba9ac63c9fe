"""Scores and cards as rich tables: pure functions from data to something to print."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from model.activities import ACTIVITIES
from model.card import Card
from model.comparison import Comparison, comparison_rows
from model.metrics import Scores
from model.text import printable

TITLES = {
    "official": "Official test windows",
    "streaming": "Whole test recordings, windows inside one segment",
    "smoothed": "The same behind the filter over consecutive windows",
}


def scores_view(metrics: Mapping[str, Scores]) -> RenderableType:
    """Every evaluation: its figures, then its confusion matrix."""
    return Group(_summary(metrics), *(_confusion(TITLES.get(name, name), s) for name, s in metrics.items()))


def _summary(metrics: Mapping[str, Scores]) -> Table:
    table = Table("", *metrics)
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("windows", *(f"{s.n_windows}" for s in metrics.values()))
    table.add_row("accuracy", *(percent(s.accuracy) for s in metrics.values()))
    table.add_row("macro F1", *(percent(s.macro_f1) for s in metrics.values()))
    table.add_row("calibration error", *(f"{s.calibration_error:.3f}" for s in metrics.values()), end_section=True)
    for activity in ACTIVITIES:
        table.add_row(f"recall {activity}", *(percent(s.recall[activity]) for s in metrics.values()))
    table.columns[0].no_wrap = True
    table.rows[-1].end_section = True
    for subject in sorted({s for scores in metrics.values() for s in scores.subjects}, key=int):
        table.add_row(f"accuracy subject {subject}", *(percent(s.subjects.get(subject)) for s in metrics.values()))
    return table


def _confusion(title: str, scores: Scores) -> Table:
    # Without the common prefix six columns fit 80 characters.
    names = [activity.removeprefix("WALKING_") for activity in ACTIVITIES]
    table = Table("truth", title=f"{title}\ntruth in rows, prediction in columns")
    for name in names:
        table.add_column(name, justify="right")
    for name, row in zip(names, scores.confusion_matrix, strict=True):
        table.add_row(name, *map(str, row))
    return table


def comparison_view(comparison: Comparison) -> Table:
    """A model before and after fine-tuning."""
    table = Table("accuracy and recall")
    for name in ("windows", "before", "after"):
        table.add_column(name, justify="right")
    for name, count, before, after in comparison_rows(comparison):
        table.add_row(name, str(count), percent(before), percent(after))
    return table


def percent(share: float | None) -> str:
    """``97.12 %``, or a dash for what is not known."""
    return "-" if share is None else f"{100 * share:.2f} %"


def card_view(card: Card) -> Table:
    """A model card, one line a fact."""
    table = Table()
    table.add_column("", no_wrap=True)
    table.add_column(_safe(card.name), overflow="fold")
    for fact, value in card_facts(card).items():
        table.add_row(_safe(fact), _safe(value))
    return table


def _safe(text: str) -> Text:
    """What a file says is neither markup nor terminal control."""
    return Text(printable(text))


def card_facts(card: Card) -> dict[str, str]:
    """A card in words: what is known, and its value."""
    expects, training = card.input, card.training
    filters = (f"{name}: order {f.order}, {f.cutoff_hz} Hz" for name, f in expects.filter.lowpass.items())
    channels = (f"{channel} [{unit}]" for channel, unit in zip(expects.channels, expects.units, strict=True))
    subjects = ", ".join(map(str, training.subjects))
    return {
        "network": f"{card.network}, {card.n_parameters:,} parameters",
        "hyperparameters": _listed(card.hyperparameters),
        "classes": ", ".join(card.classes),
        "windows": f"{expects.window_length} samples at {expects.sampling_rate:g} Hz, hop {expects.hop}",
        "channels": ", ".join(channels),
        "filter": "; ".join(expects.filter.steps),
        "Butterworth low-passes": "; ".join(filters),
        "trained on": f"{training.data}; {training.windows} windows of subjects {subjects}",
        "training": f"seed {training.seed}, {_listed(training.options)}",
        **{f"accuracy, {name}": f"{percent(s.accuracy)} of {s.n_windows}" for name, s in card.metrics.items()},
        "made by": _listed(card.created_by),
        **{f"SHA-256 of {member}": digest for member, digest in card.sha256.items()},
    }


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in values.items()) or "defaults"


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"[{', '.join(_short(v) for v in value)}]"
    return f"({_listed(value)})" if isinstance(value, dict) else str(value)
