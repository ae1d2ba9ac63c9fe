"""The plots of the report, as SVG to be put into HTML: they take the page's colours, dark or light.

Needs Matplotlib (extra ``report``); only imported when a report is written: by :mod:`model.report`, or of a session.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from model.activities import ACTIVITIES
from model.decision import ANSWERS
from model.evaluation import LETTERS, Calibration, Coverage, SubjectScores, Timeline
from model.metrics import Scores
from model.robustness import Robustness
from model.signals import SAMPLING_RATE
from model.windows import HOP, WINDOW_LENGTH

INK, LINE = "#010101", "#020202"
"""Stand-ins, replaced by the page's text colour and line colour."""

COLOURS: dict[str, str] = dict(
    zip(
        ANSWERS,
        ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7", "#8A8A8A", "#BBBBBB"),
        strict=True,
    )
)
"""One colour an answer: Okabe and Ito's palette, which colour-blind readers can tell apart, and greys."""

EVALUATIONS: dict[str, tuple[str, str]] = {
    "official": ("official windows", "#0072B2"),
    "streaming": ("whole recordings, windows alone", "#E69F00"),
    "smoothed": ("whole recordings, smoothed", "#009E73"),
}
"""Name and colour of each evaluation."""

WIDTH = 11.0
"""Inches; the page scales it to its own width."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "har-stream",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.edgecolor": LINE,
    "grid.color": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.constrained_layout.h_pad": 0.1,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "legend.labelcolor": INK,
}


def svg(figure: Figure, name: str, description: str) -> str:
    """A figure as an ``<svg>`` element that needs nothing outside; ``name`` keeps the ids of several apart."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    content = buffer.getvalue()
    content = content[content.index("<svg") :]
    content = re.sub(r"<metadata>.*?</metadata>", "", content, flags=re.DOTALL)
    content = (
        re.sub(r' (?:xmlns(?::\w+)?|width|height)="[^"]*"', "", content[: content.index(">")])
        + (content[content.index(">") :])
    )
    content = re.sub(r'\bid="', f'id="{name}-', content)
    content = re.sub(r'(href="|url\()#', rf"\1#{name}-", content)
    content = content.replace(INK, "currentColor").replace(LINE, "var(--line)")
    return content.replace("<svg", f'<svg role="img" aria-label="{description}"', 1)


def confusion_plot(scores: Mapping[str, Scores]) -> str:
    """A matrix for each evaluation; shades are shares of the true activity."""
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 4.6), layout="constrained")
        for number, (name, each) in enumerate(scores.items(), start=1):
            axes = figure.add_subplot(1, len(scores), number)
            draw_confusion(axes, each.confusion_matrix)
            axes.set_title(EVALUATIONS[name][0])
            axes.set_xlabel("prediction")
            if number == 1:
                axes.set_ylabel("truth")
                axes.set_yticks(range(len(ACTIVITIES)), short_names())
        return svg(figure, "confusion", "Confusion matrices")


def draw_confusion(axes: Axes, confusion_matrix: Sequence[Sequence[int]]) -> None:
    """Cells as rectangles: an image would be pixels."""
    for row, counts in enumerate(confusion_matrix):
        total = max(sum(counts), 1)
        for column, count in enumerate(counts):
            colour = "#009E73" if row == column else "#D55E00"
            depth = 0.6 * (count / total) ** (1.0 if row == column else 0.4)
            axes.bar(column, 1, 0.96, row - 0.48, color=colour, alpha=depth)
            weight = {"color": INK, "alpha": 1.0 if count else 0.35}
            axes.text(column, row, str(count), ha="center", va="center", **weight)  # type: ignore[arg-type]
    axes.set(xlim=(-0.55, 5.55), ylim=(5.55, -0.55), aspect="equal")
    axes.set_xticks(range(len(ACTIVITIES)), short_names(), rotation=40, ha="right")
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def short_names() -> list[str]:
    """The activities without their common prefix."""
    return [activity.removeprefix("WALKING_").capitalize() for activity in ACTIVITIES]


def reliability_plot(calibration: Mapping[str, Calibration]) -> str:
    """Share right against confidence; the size of a mark is how many windows are that sure."""
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 3.7), layout="constrained")
        for number, (name, each) in enumerate(calibration.items(), start=1):
            axes = figure.add_subplot(1, len(calibration), number)
            title, colour = EVALUATIONS[name]
            axes.plot([0, 1], [0, 1], color=INK, alpha=0.5, linewidth=1, linestyle=":")
            sure, right = [b.confidence for b in each.bins], [b.accuracy for b in each.bins]
            most = max(b.n_windows for b in each.bins)
            sizes = [12 + 220 * (b.n_windows / most) ** 0.5 for b in each.bins]
            axes.plot(sure, right, color=colour, linewidth=1.2)
            axes.scatter(sure, right, sizes, color=colour, alpha=0.6, linewidth=0)
            axes.set(xlim=(0.15, 1.04), ylim=(-0.04, 1.06), xlabel="confidence")
            axes.set_title(f"{title}: ECE {each.error:.3f}")
            axes.grid(alpha=0.5, linewidth=0.6)
            if number == 1:
                axes.set_ylabel("share that is right")
        return svg(figure, "reliability", "Reliability diagrams")


def coverage_plot(coverage: Mapping[str, Coverage]) -> str:
    """Accuracy of the surest windows against how many are kept; a dot is the default settings' choice."""
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 3.6), layout="constrained")
        axes = figure.add_subplot()
        for name, each in coverage.items():
            title, colour = EVALUATIONS[name]
            kept = [100 * point.coverage for point in each.curve]
            axes.plot(kept, [100 * point.accuracy for point in each.curve], color=colour, label=title)
            if each.accuracy_told is not None:
                axes.plot(100 * each.told, 100 * each.accuracy_told, "o", color=colour)
        axes.set(xlim=(50, 100.5), xlabel="windows that are answered [%]", ylabel="of these right [%]")
        axes.grid(alpha=0.5, linewidth=0.6)
        axes.legend(loc="lower left")
        return svg(figure, "coverage", "Accuracy against coverage")


def subjects_plot(subjects: Mapping[str, SubjectScores]) -> str:
    """Three bars a subject."""
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 3.4), layout="constrained")
        axes = figure.add_subplot()
        lowest = 100.0
        for number, (name, (title, colour)) in enumerate(EVALUATIONS.items()):
            heights = [100 * float(getattr(scores, name)) for scores in subjects.values()]
            lowest = min([lowest, *heights])
            places = [place + 0.27 * (number - 1) for place in range(len(heights))]
            axes.bar(places, heights, 0.25, color=colour, label=title)
        axes.set_xticks(range(len(subjects)), [f"subject {subject}" for subject in subjects])
        axes.set(ylim=(max(10 * (lowest // 10) - 5, 0), 100.5), ylabel="accuracy [%]")
        axes.grid(axis="y", alpha=0.5, linewidth=0.6)
        figure.legend(loc="outside upper center", ncols=len(EVALUATIONS))
        return svg(figure, "subjects", "Accuracy of each subject")


def timeline_plot(timelines: Sequence[Timeline]) -> str:
    """For each recording three strips: truth, each window alone, smoothed."""
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 0.62 * len(timelines) + 0.9), layout="constrained")
        axes = figure.add_subplot()
        for row, timeline in enumerate(timelines):
            _strips(axes, row, timeline)
        axes.set_yticks(
            [row + y for row in range(len(timelines)) for y in (0.2, 0.44, 0.68)],
            [text for timeline in timelines for text in (f"{timeline.name}  truth", "windows", "smoothed")],
            fontsize=7,
        )
        longest = max(timeline.duration_s for timeline in timelines) / 60
        axes.set(xlim=(0, longest), ylim=(len(timelines), 0), xlabel="minutes")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        names = (*ACTIVITIES, "TRANSITION")
        handles = [Patch(color=COLOURS[name], label=name.replace("_", " ").capitalize()) for name in names]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(names))
        return svg(figure, "timelines", "Time lines of whole recordings")


def _strips(axes: Axes, row: int, timeline: Timeline) -> None:
    for span in timeline.truth:
        colour = COLOURS.get(span.activity, COLOURS["TRANSITION"])
        axes.broken_barh([(span.start_s / 60, (span.stop_s - span.start_s) / 60)], (row + 0.06, 0.28), color=colour)
    for letters, top in ((timeline.windows, 0.36), (timeline.smoothed, 0.60)):
        for answer, spans in _runs(letters).items():
            axes.broken_barh(spans, (row + top, 0.2), color=COLOURS[answer], linewidth=0)


def _runs(letters: str) -> dict[str, list[tuple[float, float]]]:
    """Where a strip has each answer: begin and length in minutes; a window is drawn as the hop at its middle."""
    hop_min = HOP / SAMPLING_RATE / 60
    first_min = (WINDOW_LENGTH - HOP) / 2 / SAMPLING_RATE / 60
    answers = {letter: answer for answer, letter in LETTERS.items()}
    runs: dict[str, list[tuple[float, float]]] = {}
    for letter, group in groupby(enumerate(letters), key=lambda pair: pair[1]):
        numbers = [number for number, _ in group]
        runs.setdefault(answers[letter], []).append((first_min + numbers[0] * hop_min, len(numbers) * hop_min))
    return runs


def rotation_plot(robustness: Robustness) -> str:
    """What happens when the phone is turned: right, flagged, misled."""
    cases = [robustness.cases[0]] + [case for case in robustness.cases if case.group == "turned"]
    angles = [0.0] + [float(case.name.removesuffix("°")) for case in cases[1:]]
    lines: dict[str, tuple[str, Iterable[float | None]]] = {
        "right (likeliest activity)": ("#0072B2", [case.accuracy for case in cases]),
        "told a wrong activity": ("#D55E00", [case.misled for case in cases]),
        "flagged as novel": ("#8A8A8A", [case.novel for case in cases]),
    }
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 3.2), layout="constrained")
        axes = figure.add_subplot()
        for name, (colour, shares) in lines.items():
            known = [(angle, 100 * share) for angle, share in zip(angles, shares, strict=True) if share is not None]
            axes.plot(*zip(*known, strict=True), "o-", color=colour, label=name) if known else None
        axes.set(xlabel="turned about a random axis by [°]", ylabel="windows [%]", ylim=(-3, 103), xticks=angles)
        axes.grid(alpha=0.5, linewidth=0.6)
        figure.legend(loc="outside upper center", ncols=len(lines))
        return svg(figure, "rotation", "Accuracy of turned phones")
