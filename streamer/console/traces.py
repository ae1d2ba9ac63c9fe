"""Live traces of a phone's three signals. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.text import Text

from model.signals import SAMPLING_RATE
from streamer.console.plots import Values, plot, scale_for, step_for
from streamer.console.theme import Symbols
from streamer.phone_memory.traces import Trace

SIGNALS = (
    ("total acceleration", "total acc.", "g", slice(6, 9), 0.02),
    ("body acceleration", "body acc.", "g", slice(0, 3), 0.02),
    ("angular velocity", "ang. vel.", "rad/s", slice(3, 6), 0.05),
)
"""Name, short name, unit, channels (of :data:`model.signals.CHANNELS`) and least step of the scale, some times the
noise of a phone that lies still."""

AXES = (("x", "cyan"), ("y", "magenta"), ("z", "yellow"))

LEAST_S = 10.0
"""Seconds that the plots cover at least."""

SAMPLES_A_DOT = (4, 8, 16, 32)
"""Samples that a column of dots may hold: a hop is a whole number of characters, so that plots roll by whole ones."""

NAME_WIDTH, SCALE_WIDTH = 13, 15
"""Columns beside a plot of one row."""

LIMIT_WIDTH = 8
"""Columns beside a plot of more rows, for one limit of its scale."""

HEAD_LINES = 4
"""Lines beside the plots' own if each has more than one row: a title, and each signal's name."""

STEPS = 4
"""Steps of round numbers that a scale of several rows is about as long as; of one row, that has no room to waste, of
twice as many."""

MOST_ROWS = 4

MOST_VALUE = 1e6
"""Larger values are not drawn: no sensor gives them."""


def draw_traces(trace: Trace, width: int, rows: int, symbols: Symbols) -> list[Text]:
    """The signals up to the last window, each axis on ``rows`` lines with the range of its scale beside it."""
    beside = NAME_WIDTH + SCALE_WIDTH if rows == 1 else 2 + LIMIT_WIDTH
    cells = max(width - beside, 10)
    samples_a_dot = next((n for n in SAMPLES_A_DOT if 2 * cells * n >= LEAST_S * SAMPLING_RATE), SAMPLES_A_DOT[-1])
    end = -(-trace.end // (2 * samples_a_dot)) * 2 * samples_a_dot
    values = trace.between(end - 2 * cells * samples_a_dot, end)
    values[~(np.abs(values) < MOST_VALUE)] = np.nan
    span_s = 2 * cells * samples_a_dot / SAMPLING_RATE
    lines = [Text.assemble(("signals", "bold"), (f"  the last {span_s:.1f} s", "dim"))]
    for name, short, unit, channels, least in SIGNALS:
        if rows > 1:
            lines.append(Text.assemble(name, (f" [{unit}]", "dim")))
        lines += _signal(values[:, channels], short, unit, least, cells, rows, symbols)
    return lines


def _signal(
    values: Values, name: str, unit: str, least: float, cells: int, rows: int, symbols: Symbols
) -> Iterator[Text]:
    """The lines of a signal's three axes; ``name`` stands before them if each has one row."""
    step = step_for(values, least, STEPS if rows > 1 else 2 * STEPS)
    for k, (axis, style) in enumerate(AXES):
        scale = scale_for(values[:, k], step)
        drawn = plot(values[:, k], scale, width=cells, rows=rows, symbols=symbols)
        if rows == 1:
            begin = f"{(name, f'[{unit}]', '')[k]:<{NAME_WIDTH - 2}}{axis} "
            yield Text.assemble(begin, (drawn[0], style), (f" {scale.low:.3g}..{scale.high:.3g}", "dim"))
            continue
        limits = [f" {scale.high:.3g}", *[""] * (rows - 2), f" {scale.low:.3g}"]
        for begin, line, limit in zip([f"{axis} ", *["  "] * (rows - 1)], drawn, limits, strict=True):
            yield Text.assemble(begin, (line, style), (limit, "dim"))
