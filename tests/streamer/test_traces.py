"""Signals of the last seconds, as remembered and as drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bundled import load_recordings
from model.signals import CHANNELS
from model.windows import HOP, cut
from streamer.console.plots import Scale, plot, scale_for, step_for
from streamer.console.theme import ASCII, UNICODE, Symbols
from streamer.console.traces import NAME_WIDTH, SAMPLES_A_DOT, draw_traces
from streamer.phone_memory.traces import ALL_HOPS, LEAST_HOPS, MOST_HOPS, Trace, Traces
from streamer.phone_stream import ReadyWindow

SIGNALS = load_recordings((2,))[0].signals().astype(np.float32)


def windows(count: int, first: int = 0, piece: int = 1) -> list[ReadyWindow]:
    values = cut(SIGNALS[first:])[:count]
    return [ReadyWindow("a", first + HOP * k, 0.0, 2.56, window, 0.0, None, piece) for k, window in enumerate(values)]


def remembered(*parts: list[ReadyWindow], n_phones: int = 1) -> Trace:
    traces = Traces()
    for part in parts:
        for window in part:
            traces.add(window, n_phones)
    return traces.copy()


def test_windows_add_up_to_the_signal() -> None:
    trace = remembered(windows(10))
    assert trace.end == 11 * HOP
    assert np.array_equal(trace.between(0, 11 * HOP), SIGNALS[: 11 * HOP])
    assert np.array_equal(trace.between(100, 300), SIGNALS[100:300])
    assert np.isnan(trace.between(-5, 0)).all()


def test_a_gap_is_left_out_and_another_recording_begins_anew() -> None:
    trace = remembered(windows(3), windows(3, first=1000, piece=2))
    assert np.array_equal(trace.between(1000, trace.end), SIGNALS[1000 : trace.end])
    assert np.isnan(trace.between(4 * HOP, 1000)).all()
    assert np.array_equal(trace.between(0, 4 * HOP), SIGNALS[: 4 * HOP])
    anew = remembered(windows(9), windows(2))
    assert np.isnan(anew.between(3 * HOP, 10 * HOP)).all()


@pytest.mark.parametrize(("n_phones", "hops"), [(1, MOST_HOPS), (1000, 12), (100_000, LEAST_HOPS)])
def test_memory_is_bounded_for_all_phones_together(n_phones: int, hops: int) -> None:
    trace = remembered(windows(60), n_phones=n_phones)
    assert len(trace.pieces) == hops
    assert n_phones * hops <= ALL_HOPS or hops == LEAST_HOPS
    assert all(len(values) == HOP and values.base is None for _, values in trace.pieces)


@pytest.mark.parametrize("span", [8, 24, 128])
def test_spans_add_up_to_the_signal_and_as_much_is_remembered(span: int) -> None:
    spans = [
        ReadyWindow("a", first, 0.0, span / 50, SIGNALS[first : first + span], 0.0, None, 1, span)
        for first in range(0, 4800, span)
    ]
    trace = remembered(spans)
    kept = sum(len(values) for _, values in trace.pieces)
    assert MOST_HOPS * HOP - span < kept <= MOST_HOPS * HOP
    assert np.array_equal(trace.between(trace.end - kept, trace.end), SIGNALS[trace.end - kept : trace.end])
    crowded = remembered(spans, n_phones=10**6)
    assert sum(len(values) for _, values in crowded.pieces) <= max(LEAST_HOPS * HOP, span)


def test_traces_cover_ten_seconds_and_roll_by_whole_characters() -> None:
    """A hop later, what was drawn stands further left: on the same scale, the same characters."""
    for width in (80, 98, 120, 200):
        before = plotted(remembered(windows(40)), width)
        after = plotted(remembered(windows(41)), width)
        cells = len(before)
        samples_a_dot = next(n for n in SAMPLES_A_DOT if 2 * cells * n >= 500)
        moved = HOP // (2 * samples_a_dot)
        assert 2 * cells * samples_a_dot / 50 >= 10
        assert after[1 : cells - moved] == before[1 + moved :]  # the first has no column before it to be joined with


def plotted(trace: Trace, width: int) -> str:
    cells = width - 28
    samples_a_dot = next(n for n in SAMPLES_A_DOT if 2 * cells * n >= 500)
    values = trace.between(trace.end - 2 * cells * samples_a_dot, trace.end)[:, 6]
    return plot(values, Scale(-2, 3), width=cells, rows=1, symbols=UNICODE)[0]


@pytest.mark.parametrize("symbols", [UNICODE, ASCII])
@pytest.mark.parametrize("rows", [1, 2, 4])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_three_signals_of_three_axes_with_units_and_scales(symbols: Symbols, rows: int, width: int) -> None:
    lines = [line.plain for line in draw_traces(remembered(windows(40)), width, rows, symbols)]
    assert len(lines) == (10 if rows == 1 else 4 + 9 * rows)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for told in ("total acc", "body acc", "ang", "[g]", "[rad/s]", "signals  the last "):
        assert told in text
    assert float(text.split("the last ")[1].split()[0]) >= 10
    assert symbols is UNICODE or text.isascii()
    axis = NAME_WIDTH - 2 if rows == 1 else 0
    assert [line[axis] for line in lines[1:] if line[axis : axis + 2] in ("x ", "y ", "z ")] == [*"xyzxyzxyz"]


def test_a_plot_has_its_signal_s_shape() -> None:
    rising = np.repeat(np.arange(8, dtype=np.float32), 2)
    assert plot(rising, Scale(0, 7), width=4, rows=2, symbols=UNICODE) == ["  ⣠⠞", "⣠⠞⠁ "]
    assert plot(rising, Scale(0, 7), width=8, rows=2, symbols=ASCII) == ["    _.-'", "_.-''   "]
    blank = np.full(16, np.nan, np.float32)
    assert plot(blank, Scale(0, 1), width=4, rows=1, symbols=UNICODE) == ["    "]


@given(st.lists(st.floats(-1e5, 1e5, width=32), min_size=1, max_size=50), st.sampled_from([4, 8]))
def test_a_scale_holds_its_signal_in_round_numbers(values: list[float], steps: int) -> None:
    signal = np.array(values, np.float32)
    step = step_for(signal[:, np.newaxis], 0.02, steps)
    scale = scale_for(signal, step)
    assert scale.low <= signal.min() + 1e-3 * step
    assert scale.high >= signal.max() - 1e-3 * step
    assert scale.high - scale.low <= (steps + 2) * step * (1 + 1e-6)
    assert f"{step:e}"[0] in "125"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, 0.0])
def test_no_value_breaks_the_drawing(value: float) -> None:
    values = np.full((320, len(CHANNELS)), value, np.float32)
    lines = draw_traces(Trace(((0, values),)), 80, 2, UNICODE)
    assert max(line.cell_len for line in lines) <= 80
    assert len(draw_traces(Trace(), 80, 1, ASCII)) == 10
