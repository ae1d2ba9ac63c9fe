"""Samples that are on the 50 Hz grid: bit for bit, short gaps bridged, longer ones the end of a piece."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from model.bundled import load_recording
from model.signals import FloatArray, Start
from streamer.formats.har import as_message
from streamer.intake.chunks import Chunk
from streamer.intake.grid import GridPath, on_grid
from streamer.intake.limits import BRIDGE_S
from streamer.intake.ordering import Turn, turn_of
from streamer.readings import PhoneMessage
from streamer.wire import Samples

EPOCH = 1_700_000_000.0
N = 25
SAMPLES = load_recording(3).samples
BRIDGED = int(BRIDGE_S * 50)
"""Samples that may be missing in a row."""


def message(
    first: int, n: int = N, *, seq: int | None = None, start: bool = False, rate: float = 50.0, shift_s: float = 0.0
) -> PhoneMessage:
    times = EPOCH + first / 50 + np.arange(n) / rate + shift_s
    return as_message("p", Samples(SAMPLES[first : first + n], times, seq, start=start))


def push(path: GridPath, message: PhoneMessage, lost: int = 0) -> list[Chunk]:
    samples = on_grid(message)
    assert samples is not None
    return path.push(turn_of(message, 0.0, lost), samples)


def values(chunks: list[Chunk]) -> FloatArray:
    return np.concatenate([chunk.values for chunk in chunks])


def causes(chunks: list[Chunk]) -> list[str | None]:
    """Why each piece began."""
    return [chunk.piece.cause for chunk in chunks if chunk.piece]


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("n", [1, 7, N, 500])
def test_an_undisturbed_stream_passes_bit_for_bit(numbered: bool, n: int) -> None:
    path = GridPath()
    sent = [message(first, n, seq=first // n if numbered else None) for first in range(0, 2000, n)]
    chunks = [push(path, each) for each in sent]
    assert [len(made) for made in chunks] == [1] * len(sent)  # at once
    assert np.array_equal(values([made[0] for made in chunks]), SAMPLES[: len(sent) * n])
    assert causes([made[0] for made in chunks]) == [None]
    assert (path.bridged, path.late, path.is_off) == (0, 0, False)


def test_the_jitter_of_numbered_messages_is_no_gap() -> None:
    rng = np.random.default_rng(0)
    path = GridPath()
    sent = [message(k * N, seq=k, shift_s=rng.uniform(-0.1, 0.1)) for k in range(60)]
    chunks = [chunk for each in sent for chunk in push(path, each)]
    assert np.array_equal(values(chunks), SAMPLES[: 60 * N])
    assert not path.is_off


@pytest.mark.parametrize("missing", [1, 3, N, BRIDGED])
def test_a_short_gap_is_bridged_by_a_line(missing: int) -> None:
    path = GridPath()
    chunks = push(path, message(0, seq=0)) + push(path, message(N + missing, seq=2), lost=1)
    bridge = values(chunks)[N - 1 : N + missing + 1]
    assert len(values(chunks)) == 2 * N + missing
    np.testing.assert_allclose(np.diff(bridge, axis=0), (bridge[-1:] - bridge[:1]) / (missing + 1) + 0 * bridge[1:])
    assert np.array_equal(values(chunks)[N + missing :], SAMPLES[N + missing : 2 * N + missing])
    assert chunks[1].time_s == pytest.approx(EPOCH + N / 50, abs=1e-6)
    assert path.bridged == missing


def test_a_longer_gap_ends_the_piece_and_the_filters_start_steady() -> None:
    path = GridPath()
    push(path, message(0, seq=0, start=True))
    (chunk,) = push(path, message(N + BRIDGED + 1, seq=3), lost=2)
    assert chunk.piece is not None
    assert (chunk.piece.start, chunk.piece.anew) == (Start.STEADY, False)
    assert np.array_equal(chunk.values, SAMPLES[N + BRIDGED + 1 : 2 * N + BRIDGED + 1])
    assert path.bridged == 0


def test_a_start_begins_from_zero_state() -> None:
    path = GridPath()
    push(path, message(0, seq=0))
    (chunk,) = push(path, message(N, seq=1, start=True))
    assert chunk.piece is not None
    assert (chunk.piece.start, chunk.piece.anew) == (Start.ZERO, True)


@pytest.mark.parametrize("order", list(itertools.permutations(range(1, 4))))
def test_messages_without_numbers_are_put_in_order_by_their_times(order: tuple[int, ...]) -> None:
    path = GridPath()
    sent = [message(k * N) for k in (0, *order, 4)]
    assert np.array_equal(values([c for each in sent for c in push(path, each)]), SAMPLES[: 5 * N])


def test_what_is_missing_without_numbers_is_waited_for_two_seconds_and_is_late_then() -> None:
    path = GridPath()
    made = [len(push(path, message(k * N))) for k in (0, 2, 3, 4, 5, 6, 1, 7)]
    assert made == [1, 0, 0, 0, 4, 1, 0, 1]
    assert (path.bridged, path.late) == (N, 1)


@pytest.mark.parametrize("numbered", [True, False])
def test_a_clock_that_jumps_back_ends_the_piece(numbered: bool) -> None:
    path = GridPath()
    chunks = []
    for k in range(8):
        shift_s = 0.0 if k < 4 else -3600.0
        chunks += push(path, message(k * N, seq=k if numbered else None, shift_s=shift_s))
    told = causes(chunks)
    assert told[0] is None
    assert [str(cause).partition(" by ")[0] for cause in told[1:]] == ["the phone's clock jumped back"]
    assert path.take_back() == 1
    assert len(values(chunks)) == (8 if numbered else 7) * N  # a single one may be a straggler


@pytest.mark.parametrize("rate", [49.8, 50.0, 50.2])
def test_a_crystal_s_error_is_still_the_grid(rate: float) -> None:
    assert on_grid(message(0, rate=rate)) is not None


@pytest.mark.parametrize("rate", [5.0, 25.0, 48.0, 51.0, 100.0])
def test_another_rate_is_not_the_grid(rate: float) -> None:
    assert on_grid(message(0, rate=rate)) is None


def test_irregular_times_and_times_of_their_own_are_not_the_grid() -> None:
    regular = EPOCH + np.arange(N) / 50
    jittered = regular + 0.004 * (np.arange(N) % 3 == 1)
    assert on_grid(as_message("p", Samples(SAMPLES[:N], jittered))) is None
    acceleration, turning = message(0).readings
    assert on_grid(PhoneMessage("p", "har", (acceleration,))) is None
    shifted = type(turning)(turning.sensor, turning.times + 0.005, turning.values, turning.unit)
    assert on_grid(PhoneMessage("p", "har", (acceleration, shifted))) is None


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("rate", [20, 25, 40, 77, 100])
def test_single_samples_at_another_rate_are_found_out(numbered: bool, rate: int) -> None:
    path = GridPath()
    pushed = 0
    while not path.is_off:
        times = np.array([EPOCH + pushed / rate])
        single = as_message("p", Samples(SAMPLES[:1], times, pushed if numbered else None))
        samples = on_grid(single)
        assert samples is not None
        path.push(Turn(single, 0.0, float(times[0]), float(times[0])), samples)
        pushed += 1
        assert pushed < (4 if numbered else 500)


def test_messages_that_are_regular_inside_but_come_too_rarely_are_found_out() -> None:
    path = GridPath()
    for k in range(40):
        push(path, message(k * N, seq=k, shift_s=0.1 * k))
    assert path.is_off
