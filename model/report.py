"""A whole evaluation as one HTML file with plots, readable without a network, in dark and in light."""

from __future__ import annotations

from model.evaluation import Evaluation
from model.evaluation_tables import coverage_rows, robustness_figures, smoothing_figures, smoothing_rows
from model.page import facts, page, section, table, text, tiles
from model.robustness import Robustness
from model.stream_metrics import EventScores
from model.tables import card_facts, percent

EVALUATIONS = ("official windows", "whole recordings, windows alone", "whole recordings, smoothed")
"""The three evaluations, in their order everywhere."""


def render_report(evaluation: Evaluation) -> str:
    """The report as HTML; the same evaluation gives the same text. Needs Matplotlib."""
    sections = {
        "Confusion": _confusion(evaluation),
        "Subjects": _subjects(evaluation),
        "Time lines": _timelines(evaluation),
        "Smoothing": _smoothing(evaluation),
        "Calibration": _calibration(evaluation),
        "Not knowing": _coverage(evaluation),
        **({"Robustness": _robustness(evaluation.robustness)} if evaluation.robustness else {}),
        "Card": _card(evaluation),
    }
    links = " ".join(f'<a href="#{_anchor(name)}">{text(name)}</a>' for name in sections)
    title = f"Evaluation of the model “{evaluation.name}”"
    body = (
        f"<h1>{text(title)}</h1>\n<p>{text(_introduction(evaluation))}</p>\n{_headline(evaluation)}<nav>{links}</nav>"
    )
    return page(title, "\n".join([body, *sections.values()]))


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _introduction(evaluation: Evaluation) -> str:
    subjects = ", ".join(evaluation.subjects)
    return (
        f"Measured on subjects {subjects} of UCI HAR's nine test subjects, whom har-model train never shows to a "
        "model: not in training, not in scaling, not in calibration. “Official windows” are those that UCI HAR v1.0 "
        "publishes; “whole recordings” are cut as a listener cuts a live stream, and scored are the windows inside "
        "one labelled activity. Windows overlap by half and last 2.56 s."
    )


def _headline(evaluation: Evaluation) -> str:
    worst = min(evaluation.subjects, key=lambda subject: evaluation.subjects[subject].official)
    smoothing = evaluation.smoothed
    return tiles(
        [
            (percent(evaluation.official.accuracy), f"of {evaluation.official.n_windows} official windows right"),
            (percent(evaluation.streaming.accuracy), "in whole recordings, each window alone"),
            (percent(smoothing.scores.accuracy), "in whole recordings, smoothed"),
            (f"{smoothing.with_filter.false_switches_per_hour:.1f}", "false switches an hour, smoothed"),
            (f"{evaluation.official.calibration_error:.3f}", "expected calibration error, official windows"),
            (percent(evaluation.subjects[worst].official), f"worst subject ({worst}), official windows"),
        ]
    )


def _confusion(evaluation: Evaluation) -> str:
    from model.plots import confusion_plot

    scores = {
        "official": evaluation.official,
        "streaming": evaluation.streaming,
        "smoothed": evaluation.smoothed.scores,
    }
    figures = [
        ("accuracy", *(percent(s.accuracy) for s in scores.values())),
        ("macro F1", *(percent(s.macro_f1) for s in scores.values())),
        *(
            (f"recall {name}", *(percent(s.recall[name]) for s in scores.values()))
            for name in evaluation.official.recall
        ),
    ]
    explanation = (
        "Which activity is taken for which. Each row is a true activity, each number a count of windows; right answers "
        "are on the diagonal, and mistakes are shaded more strongly than their number deserves so that they show."
    )
    titles = ("", *EVALUATIONS)
    return section("confusion", "Confusion", explanation, confusion_plot(scores), table(titles, figures))


def _subjects(evaluation: Evaluation) -> str:
    from model.plots import subjects_plot

    explanation = (
        "People differ more than windows do: what to expect for a new person is this spread, not the mean. The axis "
        "does not begin at zero."
    )
    return section("subjects", "Each subject", explanation, subjects_plot(evaluation.subjects))


def _timelines(evaluation: Evaluation) -> str:
    from model.plots import timeline_plot

    explanation = (
        "Whole recordings from the first sample to the last: what the subject did (grey: a postural transition, blank: "
        "not labelled), what each window alone looks like, and what the filter makes of it. Both predictions are the "
        "likeliest activity, in transitions and unlabelled stretches too, where no answer is right or wrong."
    )
    return section("time-lines", "Time lines", explanation, timeline_plot(evaluation.timelines))


def _smoothing(evaluation: Evaluation) -> str:
    explanation = (
        "A causal filter over consecutive windows steadies the answers; with a lag an answer waits for so many windows "
        "of 1.28 s. A false switch is a change of answer inside one activity, other than its first right answer. The "
        "delay counts from the first sample of an activity to the first answer that stays right for 2.56 s; a change "
        "that never gets one is missed, and counts as an endless delay in the percentiles."
    )
    titles = ("", "accuracy", "false switches an hour", "delay, median [s]", "delay, 90 % [s]", "missed changes")
    rows = [(name, *smoothing_figures(scores)) for name, scores in smoothing_rows(evaluation.smoothed).items()]
    events = f"<p>{text(_events(evaluation.smoothed.events))}</p>"
    return section("smoothing", "Smoothing", explanation, table(titles, rows), events)


def _events(events: EventScores) -> str:
    error = "unknown" if events.error_median_s is None else f"{events.error_median_s:.2f} s"
    return (
        f"Changes told as events: {events.hits} of {events.n_changes} true changes are hit ({percent(events.recall)}), "
        f"{events.false} of {events.n_events} events are false (precision {percent(events.precision)}), and the moment "
        f"that is told is off by {error} in the median."
    )


def _calibration(evaluation: Evaluation) -> str:
    from model.plots import reliability_plot

    explanation = (
        "Whether a confidence can be taken at its word: of the windows that the model is 80 % sure of, 80 % should be "
        "right (dotted line). The larger a dot, the more windows have that confidence; small dots mean little. ECE, "
        "the expected calibration error, is the mean distance from the line over all windows."
    )
    return section("calibration", "Calibration", explanation, reliability_plot(evaluation.calibration))


def _coverage(evaluation: Evaluation) -> str:
    from model.plots import coverage_plot

    explanation = (
        "What it is worth to say “unknown”: the curve keeps the windows that the model is surest of. Dots are the "
        "default settings, which also give no activity to windows that look like a transition or like nothing that "
        "was seen in training. All of these windows lie inside a labelled activity, so each one not told is a loss."
    )
    titles = ("", *EVALUATIONS)
    rows = [(name, *figures) for name, figures in coverage_rows(evaluation.coverage).items()]
    return section("not-knowing", "Not knowing", explanation, coverage_plot(evaluation.coverage), table(titles, rows))


def _robustness(robustness: Robustness) -> str:
    from model.plots import rotation_plot

    explanation = (
        f"The raw recordings disturbed in one way each, then filtered and cut into the same {robustness.n_windows} "
        "official windows (all figures in %). Accuracy is of the likeliest activity; novel windows are those flagged "
        "as unlike anything in training; misled ones are told a wrong activity rather than unknown or transition. "
        "Input that cannot be understood should be flagged, not answered."
    )
    titles = ("disturbed by", "accuracy", "drop", "macro F1", "novel", "misled")
    rows = [(f"{case.group} {case.name}".strip(), *robustness_figures(case)) for case in robustness.cases]
    has_turns = any(case.group == "turned" for case in robustness.cases)
    plot = rotation_plot(robustness) if has_turns else ""
    return section("robustness", "Robustness", explanation, plot, table(titles, rows, bar=1))


def _card(evaluation: Evaluation) -> str:
    explanation = "What the artefact says about itself: what it is, what it expects, and how it was made."
    return section("card", "Model card", explanation, facts(card_facts(evaluation.card).items()))
