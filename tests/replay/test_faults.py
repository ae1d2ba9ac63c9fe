"""Faults on purpose: counted, repeatable, and never before their time."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.faults import Faults, disturb
from replay.phone import Outgoing
from replay.tally import Tally

SHARES = st.sampled_from([0.0, 0.1, 0.5, 1.0])


def messages_of(count: int) -> list[Outgoing]:
    """A message each half second, a label before every fifth."""
    messages = []
    for k in range(count):
        due_s = (k + 1) * 0.5
        if k % 5 == 0:
            messages.append(Outgoing(due_s, "label", b"%d" % k))
        messages.append(Outgoing(due_s, "imu", b"%d" % k, 25, k == 0))
    return messages


def numbers(messages: list[Outgoing]) -> list[int]:
    return [int(message.payload) for message in messages if message.n_samples]


@given(st.integers(0, 120), SHARES, SHARES, SHARES, st.floats(0, 3), st.integers())
def test_invariants(count: int, drop: float, duplicate: float, reorder: float, jitter_s: float, seed: int) -> None:
    faults = Faults(drop, duplicate, reorder, jitter_s)
    original, tally = messages_of(count), Tally()
    sent = list(disturb(original, faults, str(seed), tally))
    again = list(disturb(messages_of(count), faults, str(seed), Tally()))
    assert sent == again  # the same seed, the same faults
    due = [message.due_s for message in sent]
    assert due == sorted(due)
    times = Counter(numbers(sent))
    assert len(times) == count - tally.dropped
    assert sum(times.values()) == count - tally.dropped + tally.duplicated
    assert set(times.values()) <= {1, 2}
    originally = {message.payload: message.due_s for message in original}
    assert all(message.due_s >= originally[message.payload] for message in sent)
    once = list(dict.fromkeys(numbers(sent)))
    assert sum(a > b for a, b in pairwise(once)) == tally.reordered
    labels = [message for message in sent if not message.n_samples]
    assert [label.payload for label in labels] == [m.payload for m in original if not m.n_samples]
    for label in labels:  # before everything that it covers
        before = sent[: sent.index(label)]
        assert all(int(message.payload) < int(label.payload) for message in before)
    for message in sent:
        tally.count(message)
    assert tally.recordings == (count > 0)


def test_no_faults_change_nothing() -> None:
    messages, tally = messages_of(50), Tally()
    assert list(disturb(messages, Faults(), "0", tally)) == messages
    assert tally == Tally()


def test_shares_are_met() -> None:
    tally = Tally()
    sent = list(disturb(messages_of(20_000), Faults(drop=0.1, duplicate=0.05, reorder=0.2), "7:s02-e03", tally))
    assert tally.dropped / 20_000 == pytest.approx(0.1, abs=0.01)
    assert tally.duplicated / (20_000 - tally.dropped) == pytest.approx(0.05, abs=0.01)
    assert tally.reordered / len(sent) == pytest.approx(0.15, abs=0.03)  # the one that overtakes is not held too


def test_another_seed_gives_other_faults() -> None:
    first, second = (numbers(list(disturb(messages_of(200), Faults(drop=0.3), s, Tally()))) for s in ("0:a", "0:b"))
    assert first != second


def test_jitter_delays_within_its_bound() -> None:
    sent = list(disturb(messages_of(2000), Faults(jitter_s=0.2), "1", Tally()))
    delays = [message.due_s - (int(message.payload) + 1) * 0.5 for message in sent if message.n_samples]
    assert max(delays) <= 0.2
    assert max(delays) > 0.18
    assert min(delays) < 0.02
