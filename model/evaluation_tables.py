"""A whole evaluation as rich tables, 80 columns wide: pure functions from data to something to print."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table

from model.evaluation import Coverage, Evaluation, Smoothing
from model.robustness import Case, Robustness
from model.stream_metrics import StreamScores
from model.tables import percent, scores_view


def evaluation_view(evaluation: Evaluation) -> RenderableType:
    """Scores with confusion matrices, smoothing, coverage, robustness."""
    scores = {
        "official": evaluation.official,
        "streaming": evaluation.streaming,
        "smoothed": evaluation.smoothed.scores,
    }
    robustness = [] if evaluation.robustness is None else [robustness_view(evaluation.robustness)]
    views = (smoothing_view(evaluation.smoothed), coverage_view(evaluation.coverage))
    return Group(scores_view(scores), *views, *robustness)


def smoothing_view(smoothing: Smoothing) -> Table:
    """Whole recordings without and with the filter, one line each."""
    table = _table("Whole recordings: what smoothing brings\ndelays from a change to the first answer that stays right")
    for title in ("accuracy", "false switches\nan hour", "delay [s]\nmedian", "delay [s]\n90 %", "missed\nchanges"):
        table.add_column(title, justify="right")
    for name, scores in smoothing_rows(smoothing).items():
        table.add_row(name, *smoothing_figures(scores))
    return table


def smoothing_rows(smoothing: Smoothing) -> dict[str, StreamScores]:
    """The lines of the table on smoothing, by name."""
    with_lag = {f"filter, lag {lag}": scores for lag, scores in smoothing.lags.items() if lag != "0"}
    return {"each window alone": smoothing.without, "filter": smoothing.with_filter, **with_lag}


def smoothing_figures(scores: StreamScores) -> tuple[str, ...]:
    """Accuracy, false switches, delays and missed changes, as text."""
    return (
        percent(scores.accuracy),
        f"{scores.false_switches_per_hour:.1f}",
        seconds(scores.delay_median_s),
        seconds(scores.delay_p90_s),
        f"{scores.missed_changes} of {scores.n_changes}",
    )


def seconds(value: float | None) -> str:
    """``1.28``, or a dash for what is not known or endless."""
    return "-" if value is None else f"{value:.2f}"


def coverage_view(coverage: dict[str, Coverage]) -> Table:
    """What is told by default, and what keeping the surest windows is worth."""
    table = _table("Not knowing")
    for name in coverage:
        table.add_column(name, justify="right")
    for title, figures in coverage_rows(coverage).items():
        table.add_row(title, *figures)
    return table


def coverage_rows(coverage: dict[str, Coverage]) -> dict[str, list[str]]:
    """The lines of the table on not knowing: a figure for each evaluation."""
    each = list(coverage.values())
    rows = {
        "told an activity": [percent(c.told) for c in each],
        "told TRANSITION": [percent(c.transition) for c in each],
        "told UNKNOWN": [percent(c.unknown) for c in each],
        "told activities that are right": [percent(c.accuracy_told) for c in each],
    }
    for share in (80, 90, 95, 100):
        points = [next(p for p in c.curve if p.coverage >= share / 100 - 1e-9) for c in each]
        rows[f"right among the surest {share} %"] = [percent(point.accuracy) for point in points]
    return rows


def robustness_view(robustness: Robustness) -> Table:
    """A line a disturbance."""
    subjects = ", ".join(map(str, robustness.subjects))
    table = _table(
        f"Disturbed recordings: {robustness.n_windows} windows of subjects {subjects}\n"
        "in %; novel: flagged as unlike training; misled: told a wrong activity"
    )
    for title in ("accuracy", "drop", "macro F1", "novel", "misled"):
        table.add_column(title, justify="right")
    for case, following in zip(robustness.cases, [*robustness.cases[1:], None], strict=True):
        ends = following is not None and following.group != case.group
        table.add_row(f"{case.group} {case.name}".strip(), *robustness_figures(case), end_section=ends)
    return table


def robustness_figures(case: Case) -> tuple[str, ...]:
    """Accuracy, drop, macro F1, novel and misled windows in %, as text."""
    figures = (case.accuracy, case.drop, case.macro_f1, case.novel, case.misled)
    return tuple("-" if figure is None else f"{100 * figure + 0.0:.1f}".replace("-0.0", "0.0") for figure in figures)


def _table(title: str) -> Table:
    table = Table(title=title)
    table.add_column("", no_wrap=True)
    return table
