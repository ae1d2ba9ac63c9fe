"""A stateful model's evaluation as one HTML file, readable without a network."""

from __future__ import annotations

from model.page import facts, page, section, table, text, tiles
from model.stateful.evaluation import StreamEvaluation
from model.stateful.evaluation_tables import Rows, protocol_rows, transition_rows
from model.stateful.scoring import PROMPT_S
from model.tables import card_facts, percent

EXPLANATIONS = (
    "Everybody in the data set did the same things in the same order. “natural” is that order; in the others the "
    "labelled activities come in another one: “cut” without the transitions between them, “kept” and “reversed” with "
    "a transition that fits wherever the posture changes. “At windows” judges the answers at the ends of the windows "
    "that a window model is judged on, “all answers” every 160 ms, those right after a change included.",
    "One person's segments of one activity, over and over.",
    "A stream that begins anywhere, without a past; right means that it stays right for 2.56 s.",
    "How much the past is worth.",
    "Streams with gaps: the filters begin anew behind each, and so does the model, or its state is kept.",
)
"""What is seen in each of the protocol's tables."""


def render_stream_report(evaluation: StreamEvaluation) -> str:
    """The report as HTML; the same evaluation gives the same text."""
    title = f"Evaluation of the model “{evaluation.name}”"
    tables = zip(protocol_rows(evaluation.protocol), EXPLANATIONS, strict=True)
    sections = [_section(rows, explanation) for rows, explanation in tables]
    sections.append(_section(transition_rows(evaluation.transitions), "Standing up, sitting down, lying down."))
    sections.append(
        section("card", "Card", "What the model says of itself.", facts(card_facts(evaluation.card).items()))
    )
    return page(title, "\n".join([f"<h1>{text(title)}</h1>", _headline(evaluation), *sections]))


def _headline(evaluation: StreamEvaluation) -> str:
    natural, cold = evaluation.protocol.arrangements["natural"], evaluation.protocol.cold
    return tiles(
        [
            (percent(natural.at_windows), f"of {natural.n_windows} windows in whole recordings"),
            (percent(evaluation.protocol.arrangements["cut"].at_windows), "shuffled, without transitions"),
            (f"{natural.scores.false_switches_per_hour:.1f}", "false switches an hour"),
            (percent(cold.prompt), f"of cold starts right within {PROMPT_S:g} s"),
            (percent(evaluation.official.accuracy), "of official windows, each from a cold start"),
        ]
    )


def _section(rows: Rows, explanation: str) -> str:
    anchor = "".join(c if c.isalnum() else "-" for c in rows.title.lower())
    return section(anchor, rows.title, explanation, table(rows.columns, rows.rows))
