"""Losses, gaps, repeats and restarts of a phone's messages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.continuity import Continuity, Verdict, rate_fault
from streamer.wire import Samples

N = 25


def message(
    seq: int | None, first_sample: int, *, start: bool = False, n: int = N, rate: float = 50.0, shift_s: float = 0.0
) -> Samples:
    times = 1_700_000_000 + first_sample / 50 + np.arange(n) / rate + shift_s
    return Samples(np.zeros((n, 6)), times, seq, start=start)


def verdicts(messages: list[Samples]) -> list[tuple[Verdict, int]]:
    continuity = Continuity()
    judgements = [continuity.judge(m) for m in messages]
    return [(j.verdict, j.lost_messages) for j in judgements]


GOES_ON = (Verdict.CONTINUES, 0)
STARTS = (Verdict.START, 0)


@pytest.mark.parametrize("numbered", [True, False])
def test_an_undisturbed_stream_continues(numbered: bool) -> None:
    messages = [message(k if numbered else None, k * N, start=k == 0) for k in range(50)]
    assert verdicts(messages) == [STARTS] + [GOES_ON] * 49


def test_lost_messages_are_counted_once() -> None:
    messages = [message(k, k * N) for k in (0, 1, 4, 5)]
    assert verdicts(messages) == [STARTS, GOES_ON, (Verdict.GAP, 2), GOES_ON]


def test_a_late_message_is_no_longer_lost_and_a_repeat_never_was() -> None:
    messages = [message(k, k * N) for k in (0, 2, 1, 1, 2, 3)]
    late, repeated = (Verdict.LATE, -1), (Verdict.REPEATED, 0)
    assert verdicts(messages) == [STARTS, (Verdict.GAP, 1), late, repeated, repeated, GOES_ON]


@given(st.sets(st.integers(1, 98), max_size=60))
def test_losses_add_up_whatever_is_lost(lost: set[int]) -> None:
    messages = [message(k, k * N) for k in range(100) if k not in lost]
    assert sum(n for _, n in verdicts(messages)) == len(lost)


def test_the_jitter_of_a_phone_s_clock_is_no_gap() -> None:
    rng = np.random.default_rng(0)
    messages = [message(k, k * N, shift_s=rng.uniform(-0.1, 0.1)) for k in range(100)]
    assert verdicts(messages) == [STARTS] + [GOES_ON] * 99


def test_a_pause_is_a_gap_though_the_numbers_go_on() -> None:
    assert verdicts([message(0, 0), message(1, N, shift_s=10)])[-1] == (Verdict.GAP, 0)


def test_without_numbers_the_times_show_a_gap_and_what_is_late() -> None:
    messages = [message(None, 0), message(None, N + 5), message(None, N - 5), message(None, 2 * N + 5)]
    assert verdicts(messages) == [STARTS, (Verdict.GAP, 0), (Verdict.LATE, 0), GOES_ON]


def test_a_phone_that_counts_anew_is_heard_on() -> None:
    messages = [message(500, 0), message(0, 2 * N), message(1, 3 * N)]
    assert verdicts(messages) == [STARTS, (Verdict.GAP, 0), GOES_ON]


def test_a_start_begins_anew_and_its_repeat_does_not() -> None:
    messages = [message(0, 0, start=True), message(1, N), message(2, 2 * N), message(0, 0, start=True)]
    assert verdicts(messages)[-1] == (Verdict.REPEATED, 0)
    again = [*messages[:3], message(0, 100 * N, start=True), message(1, 101 * N)]
    assert verdicts(again)[-2:] == [STARTS, GOES_ON]


@pytest.mark.parametrize("rate", [49.0, 50.0, 51.0])
def test_about_50_hz_is_accepted(rate: float) -> None:
    assert rate_fault(message(0, 0, rate=rate)) is None


def test_a_single_sample_has_no_rate_to_fault() -> None:
    assert rate_fault(message(0, 0, n=1)) is None


@pytest.mark.parametrize(("rate", "told"), [(5.0, "5 Hz"), (100.0, "100 Hz"), (25.0, "25 Hz")])
def test_another_rate_is_told(rate: float, told: str) -> None:
    assert told in str(rate_fault(message(0, 0, rate=rate)))


def test_irregular_and_standing_times_are_told() -> None:
    times = np.arange(N) / 50
    times[10:] += 0.03
    times[20:] -= 0.03
    assert rate_fault(Samples(np.zeros((N, 6)), times)) == "the times of the samples are irregular"
    assert "advance" in str(rate_fault(Samples(np.zeros((N, 6)), np.zeros(N))))
