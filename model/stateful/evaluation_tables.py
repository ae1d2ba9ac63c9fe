"""A stateful model's evaluation as titled rows of text, and as rich tables of them, 80 columns wide. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table

from model.evaluation_tables import seconds
from model.stateful.evaluation import StreamEvaluation
from model.stateful.scoring import AFTER_GAP_S, PROMPT_S, ArrangementScores, ProtocolScores
from model.stateful.transition_scores import HIT_S, TransitionScore, TransitionScores
from model.tables import percent, scores_view


@dataclass(frozen=True)
class Rows:
    """A table: its title, columns, and rows of as many cells."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def stream_evaluation_view(evaluation: StreamEvaluation) -> RenderableType:
    """Scores with confusion matrices, the protocol, transitions."""
    scores = {"official": evaluation.official, "streaming": evaluation.streaming}
    tables = [*protocol_rows(evaluation.protocol), transition_rows(evaluation.transitions)]
    return Group(scores_view(scores), *(_view(rows) for rows in tables))


def _view(rows: Rows) -> Table:
    table = Table(title=rows.title)
    table.add_column(rows.columns[0], no_wrap=True)
    for column in rows.columns[1:]:
        table.add_column(column, justify="right")
    for row in rows.rows:
        table.add_row(*row)
    return table


def protocol_rows(protocol: ProtocolScores) -> Iterator[Rows]:
    """The protocol's tables (:mod:`model.stateful.protocol`)."""
    columns = ("", "at windows", "all answers", "false switches/h", "delay [s] median", "90 %", "missed")
    yield Rows(
        "Recordings as they are, and rearranged",
        columns,
        tuple((name, *arrangement_cells(scores)) for name, scores in protocol.arrangements.items()),
    )
    yield Rows(
        "Ten minutes of one activity",
        ("", "right", "false switches/h"),
        tuple(
            (name, percent(s.scores.accuracy), f"{s.scores.false_switches_per_hour:.1f}")
            for name, s in protocol.monotone.items()
        ),
    )
    cold = protocol.cold
    yield Rows(
        f"Streams that begin in the middle: right within {PROMPT_S:g} s (median {seconds(cold.median_s)} s)",
        ("", "right"),
        (("all", percent(cold.prompt)), *((name, percent(share)) for name, share in cold.by_activity.items())),
    )
    yield Rows(
        "Seconds of past that an answer knows",
        ("", *protocol.contexts),
        (("right", *map(percent, protocol.contexts.values())),),
    )
    yield Rows(
        f"The {AFTER_GAP_S:g} s behind a gap",
        ("", *(f"{gap.gap_s:g} s" for gap in protocol.gaps)),
        (
            ("begun anew", *(percent(gap.anew) for gap in protocol.gaps)),
            ("state kept", *(percent(gap.kept) for gap in protocol.gaps)),
        ),
    )


def arrangement_cells(scores: ArrangementScores) -> tuple[str, ...]:
    """Both accuracies, false switches, delays and missed changes, as text."""
    all_answers = scores.scores
    return (
        percent(scores.at_windows),
        percent(all_answers.accuracy),
        f"{all_answers.false_switches_per_hour:.1f}",
        seconds(all_answers.delay_median_s),
        seconds(all_answers.delay_p90_s),
        f"{all_answers.missed_changes} of {all_answers.n_changes}",
    )


def transition_rows(scores: TransitionScores) -> Rows:
    """Each transition, and all together."""
    each: Sequence[tuple[str, TransitionScore]] = [*scores.by_name.items(), ("all", scores.together)]
    return Rows(
        f"Postural transitions told within {HIT_S:g} s; {scores.without_truth} more where nothing is labelled",
        ("", "labelled", "hits", "false", "precision", "recall"),
        tuple(
            (name, str(s.labelled), str(s.hits), str(s.false), percent(s.precision), percent(s.recall))
            for name, s in each
        ),
    )
