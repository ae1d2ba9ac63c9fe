"""What a phone did in the last minutes, in slots and in cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bundled import load_recordings
from model.decision import ANSWERS
from model.windows import HOP_S
from streamer.console.overview import TIME_LINE_S, Columns
from streamer.phone_memory.time_line import BEFORE, LETTERS, NOTHING, SLOTS, TimeLine, cells

EPOCH = 1_700_000_000.0


def line_of(*answers: tuple[str, float]) -> TimeLine:
    line = TimeLine()
    for answer, start_s in answers:
        line.add(answer, EPOCH + start_s)
    return line


def steady(answers: str, phase_s: float = 0.3) -> TimeLine:
    names = {letter: answer for answer, letter in LETTERS.items()}
    return line_of(*((names[letter], phase_s + HOP_S * k) for k, letter in enumerate(answers)))


def test_a_slot_a_window_and_blank_ones_for_a_gap() -> None:
    assert steady("WWSS").codes == "WWSS"
    line = line_of(("WALKING", 0.0), ("WALKING", HOP_S), ("SITTING", 5 * HOP_S))
    assert line.codes == "WW" + 3 * NOTHING + "S"


@given(st.integers(0, 2000), st.floats(0, 2, allow_nan=False), st.sampled_from(range(1, 2000)))
def test_a_recording_of_any_length_keeps_its_last_quarter_of_an_hour(phase: int, jitter_s: float, count: int) -> None:
    line = steady("WUDSTL-?" * (count // 8 + 1), phase / 10 + jitter_s)
    assert line.codes == ("WUDSTL-?" * (count // 8 + 1))[-SLOTS:]


@given(st.lists(st.tuples(st.sampled_from(ANSWERS), st.floats(-1e300, 1e300)), max_size=30))
def test_no_clock_breaks_it_or_makes_it_grow(windows: list[tuple[str, float]]) -> None:
    line = TimeLine()
    for answer, start_s in windows:
        line.add(answer, start_s)
        assert line.codes[-1] == LETTERS[answer]
        assert len(line.codes) <= SLOTS
        assert len(cells(line.codes, line.last, line.last, 4, 60)) == 60


@pytest.mark.parametrize("steps", range(1, 17))
def test_answers_of_any_span_fill_the_line_without_holes(steps: int) -> None:
    line, span_s = TimeLine(), 0.16 * steps
    count = round(40 / span_s)
    for k in range(count):
        line.add("WALKING" if k < count / 2 else "SITTING", EPOCH + 0.3 + span_s * k, span_s)
    assert line.codes.strip("W").strip("S") == ""
    assert len(line.codes) * HOP_S == pytest.approx(count * span_s, abs=1.3 * HOP_S)
    assert line.codes.count("W") * HOP_S == pytest.approx(count * span_s / 2, abs=span_s + 1.3 * HOP_S)


def test_a_clock_set_back_writes_over() -> None:
    assert line_of(*(("WALKING", HOP_S * k) for k in range(9)), ("SITTING", 4 * HOP_S)).codes == "WWWWS"
    assert line_of(("WALKING", 0.0), ("SITTING", -3600.0)).codes == "S"


@given(st.text("WUDSTL", min_size=1, max_size=900), st.integers(4, 40), st.integers(6, 120), st.integers(0, 99))
def test_cells_stay_as_they_are_while_time_goes_on(done: str, slots: int, width: int, phase: int) -> None:
    before, after = steady(done, phase * HOP_S), steady(done + "W", phase * HOP_S)
    old = cells(before.codes, before.last, before.last, slots, width)
    new = cells(after.codes, after.last, after.last, slots, width)
    moved = after.last // slots - before.last // slots
    if len(done) < SLOTS:  # else the first slots are forgotten
        assert new[: width - 1 - moved] == old[moved : width - 1]


def test_a_cell_shows_what_lasted_longest_in_it() -> None:
    line = steady("WWWU" + "UUSS" + "SWUD")
    start = line.last - 11
    shift = -start % 4
    drawn = cells("U" * shift + line.codes, line.last + shift, line.last + shift, 4, 4)
    assert drawn.strip(BEFORE)[-3:] == cells_by_hand("U" * shift + line.codes, line.last + shift)


def cells_by_hand(codes: str, last: int) -> str:
    slots: dict[int, list[str]] = {}
    for k, code in enumerate(codes):
        slots.setdefault((last - len(codes) + 1 + k) // 4, []).append(code)
    parts = ["".join(part) for part in slots.values()]
    return "".join(max(part, key=lambda code: (part.count(code), part.rindex(code))) for part in parts)[-3:]


def test_a_gap_is_seen_as_such_and_silence_grows_from_the_right() -> None:
    line = steady("W" * 40)
    assert cells(line.codes, line.last, line.last + 12, 4, 20).rstrip(NOTHING)[-5:] == "W" * 5
    assert cells(line.codes, line.last, line.last + 12, 4, 20).endswith(NOTHING * 2)
    assert set(cells(line.codes, line.last, line.last + 10**9, 4, 20)) == {NOTHING}
    broken = line_of(*(("WALKING", HOP_S * k) for k in (*range(20), *range(40, 60))))
    assert NOTHING * 4 in cells(broken.codes, broken.last, broken.last, 4, 20)
    assert cells(line.codes, line.last, line.last, 4, 60).startswith(BEFORE * 40)


@pytest.mark.parametrize("width", range(6, 121))
def test_every_time_line_covers_five_minutes_and_is_remembered(width: int) -> None:
    slots = width * Columns(200, phone=7, history=width).slots_a_cell
    assert slots * HOP_S >= TIME_LINE_S
    assert slots - Columns(200, phone=7, history=width).slots_a_cell < SLOTS


def test_a_real_recording_s_labels_come_out_in_their_order() -> None:
    recording = load_recordings((2,))[0]
    told = [(s.activity, s.start / 50) for s in recording.segments if s.activity in ANSWERS]
    line = line_of(*told)
    assert line.codes.replace(NOTHING, "") == "".join(LETTERS[activity] for activity, _ in told)
