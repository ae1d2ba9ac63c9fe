"""The plots of a session's report, in the style of the evaluation's (:mod:`model.plots`).

Needs Matplotlib (extra ``report``); only :mod:`streamer.report.page` imports this, when a page is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from model.activities import ACTIVITIES
from model.decision import ANSWERS
from model.plots import COLOURS, STYLE, WIDTH, draw_confusion, short_names, svg
from model.text import printable
from streamer.report.figures import Latency, PhoneFigures
from streamer.report.words import columns, positions

_STYLE: dict[Any, Any] = STYLE | {"text.parse_math": False}
"""A phone's name may hold ``$``."""

COLUMNS = 600
"""A time line of more runs is drawn in so many columns: the page would be of many megabytes."""

NAME_LENGTH = 20
"""Characters of a phone's name that are drawn."""


def timeline_plot(phones: Sequence[PhoneFigures]) -> str:
    """For each phone, which has at least one window, its answers, and its labels beneath where there are any."""
    with mpl.rc_context(_STYLE):
        figure = Figure((WIDTH, 0.44 * len(phones) + 1.1), layout="constrained")
        axes = figure.add_subplot()
        ends = [_strips(axes, row, phone) for row, phone in enumerate(phones)]
        names = [printable(phone.phone) for phone in phones]
        shown = [name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…" for name in names]
        axes.set_yticks([row + 0.3 for row in range(len(phones))], shown, fontsize=8)
        axes.set(xlim=(0, max(ends) / 60), ylim=(len(phones), 0), xlabel="minutes from each phone's first window")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        handles = [Patch(color=COLOURS[name], label=_title(name)) for name in ANSWERS]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), fontsize=8)
        return svg(figure, "timelines", "Time lines of all phones")


def _strips(axes: Axes, row: int, phone: PhoneFigures) -> float:
    for labels, top, height in ((False, 0.08, 0.48), (True, 0.62, 0.2)):
        for name, spans in _spans(phone, labels).items():
            axes.broken_barh(spans, (row + top, height), color=COLOURS[name], linewidth=0)
    return positions(phone)[1]


def _spans(phone: PhoneFigures, labels: bool) -> dict[str, list[tuple[float, float]]]:
    """Where each name is: begin and length in minutes."""
    starts, end_s = positions(phone)
    names = columns(phone, COLUMNS, labels=labels)
    per_column = end_s / 60 / len(names)
    spans: dict[str, list[tuple[float, float]]] = {}
    if len(phone.runs) > COLUMNS:
        for name, group in groupby(enumerate(names), key=lambda pair: pair[1]):
            numbers = [number for number, _ in group]
            spans.setdefault(name, []).append((numbers[0] * per_column, len(numbers) * per_column))
        spans.pop("", None)
        return spans
    for run, start_s in zip(phone.runs, starts, strict=True):
        if (drawn := run.label if labels else run.answer) is not None:
            spans.setdefault(drawn, []).append((start_s / 60, run.duration_s / 60))
    return spans


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def seconds_plot(seconds: Mapping[str, float]) -> str:
    """A bar for each answer."""
    with mpl.rc_context(_STYLE):
        figure = Figure((WIDTH, 0.3 * len(seconds) + 0.7), layout="constrained")
        axes = figure.add_subplot()
        names = list(seconds)
        minutes = [seconds[name] / 60 for name in names]
        axes.barh(range(len(names)), minutes, 0.7, color=[COLOURS[name] for name in names])
        axes.set_yticks(range(len(names)), [_title(name) for name in names])
        axes.set(ylim=(len(names) - 0.4, -0.6), xlabel="minutes")
        axes.grid(axis="x", alpha=0.5, linewidth=0.6)
        return svg(figure, "seconds", "Time for each answer")


def latency_plot(latency: Latency) -> str:
    """A histogram on a logarithmic axis, with the percentiles as lines."""
    with mpl.rc_context(_STYLE):
        figure = Figure((WIDTH, 3.0), layout="constrained")
        axes = figure.add_subplot()
        axes.stairs(latency.counts, latency.edges, fill=True, color="#0072B2", alpha=0.7)
        for name, value, line in (("median", latency.p50, "-"), ("p90", latency.p90, "--"), ("p99", latency.p99, ":")):
            axes.axvline(max(value, latency.edges[0]), color="#D55E00", linestyle=line, label=f"{name} {value:.1f} ms")
        axes.set(xscale="log", xlabel="latency [ms]", ylabel="predictions")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(lambda x, _: f"{x:g}" if latency.edges[-1] < 10 * latency.edges[0] else "")
        figure.legend(loc="outside upper center", ncols=3)
        return svg(figure, "latency", "Histogram of the latency")


def confusion_plot(matrix: Sequence[Sequence[int]]) -> str:
    """Labels in rows; shades are shares of a row."""
    with mpl.rc_context(_STYLE):
        figure = Figure((WIDTH, 4.4), layout="constrained")
        axes = figure.add_subplot()
        draw_confusion(axes, matrix)
        axes.set(xlabel="likeliest activity", ylabel="label")
        axes.set_yticks(range(len(ACTIVITIES)), short_names())
        return svg(figure, "confusion", "Confusion matrix")
