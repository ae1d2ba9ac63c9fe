"""Hostile messages, one by one and by the thousand: refused with a reason, counted by kind, harmless to all else."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.admission.fair_inbox import Losses
from streamer.counts import Counts
from streamer.faults import Fault
from streamer.inbox import Message
from streamer.listener import Listener, ListenerOptions
from streamer.operation.logs import logging_to, stderr_handler
from streamer.outputs import JsonLines, Notice, Output, PlainLines, Recent, summary_lines
from streamer.recognition.window_engine import WindowEngine
from streamer.tally import Tally
from streamer.wire import WireError, decode_imu, encode_imu
from tests.streamer.hostile_messages import ESCAPE, KINDS, MISNAMED, Hostile, hostile, text
from tests.streamer.rules import Rules


def listener(*outputs: Output) -> Listener:
    return Listener(ListenerOptions(max_phones=1000), WindowEngine(Rules()), outputs or [Recent()])


def test_each_kind_of_fault_has_a_counter() -> None:
    assert {kind.value for kind in Fault} <= set(Counts.__slots__)
    assert {h.kind for h in KINDS + MISNAMED} == {kind.value for kind in Fault if kind.is_malformed}


@pytest.mark.parametrize("case", KINDS + MISNAMED, ids=lambda case: f"{case.kind}-{case.payload[:20]!r}")
def test_each_is_refused_with_a_reason_and_counted_by_its_kind(case: Hostile) -> None:
    listening = listener()
    listening.work([Message(case.topic.format("p"), case.payload, 0.0)])
    totals = listening.tally.totals
    assert {kind.value: getattr(totals, kind.value) for kind in Fault if getattr(totals, kind.value)} == {case.kind: 1}
    assert totals.malformed_messages == 1
    assert totals.messages == 0
    phone = listening.tally.phones.get("p")
    reason = (phone or listening.tally).last_fault
    assert reason
    assert len(reason) <= 200
    assert reason.isprintable()
    if phone:
        assert getattr(phone.counts, case.kind) == 1


def test_of_a_field_that_is_there_twice_the_last_counts() -> None:
    """So all that looks at a message sees the same in it."""
    twice = text(acc=[[2, 0, 0]]).replace(b'"t"', b'"acc": "x", "t"').replace(b'"acc": "x"', b'"acc": [[9, 9, 9]]')
    assert decode_imu(twice).values.tolist() == [[2, 0, 0, 0, 0, 0]]
    with pytest.raises(WireError):
        decode_imu(twice.replace(b"[[2, 0, 0]]", b"7"))


def test_a_phone_whose_clock_was_never_set_is_followed() -> None:
    """1970 is no fault: it is what a clock without battery shows."""
    listening = listener()
    upright = np.tile([1.0, 0, 0, 0, 0, 0], (200, 1))
    listening.work([Message("har/p/imu", encode_imu(upright, time_s=3.0, seq=0), 0.0)])
    assert listening.tally.totals.windows == 2
    assert listening.tally.totals.malformed_messages == 0


def test_numbers_that_run_backwards_or_leap_count_no_losses_that_nobody_can_have_sent() -> None:
    listening = listener()
    upright = np.tile([1.0, 0, 0, 0, 0, 0], (50, 1))
    for k, seq in enumerate([5, 6, 1 << 62, (1 << 62) + 1, 7, 6, 5, 4, 3, 2, 1, 0, (1 << 63) - 1, 0, 1, 2, 5]):
        listening.work([Message("har/p/imu", encode_imu(upright, time_s=1e9 + k, seq=seq), float(k))])
    totals = listening.tally.totals
    assert 0 <= totals.lost_messages < 10
    assert totals.messages == 17
    assert totals.malformed_messages == 0


times = st.sampled_from([0.0, 1e-300, -1.0, -8e9, 1e9, 1.7e9, 4.3e9, 8e9]) | st.floats(-8e9, 8e9)
values = st.sampled_from([0.0, 1e6, -1e6, 1e-308, 5e-324, 1.0]) | st.floats(-1e6, 1e6)
steps = st.sampled_from([0.0, 1e-9, 0.001, 0.02, 0.02, 0.02, 0.1, 0.99, 5.0, -0.02, -100.0])
sent = st.fixed_dictionaries(
    {
        "begin": times,
        "step": steps,
        "n": st.integers(1, 150),
        "value": st.tuples(*[values] * 6),
        "gyro": st.booleans(),
        "seq": st.none() | st.integers(0, 9) | st.integers(0, (1 << 63) - 1),
        "start": st.booleans(),
        "at": st.floats(0, 20),
    }
)


@settings(max_examples=60)
@given(st.lists(sent, min_size=1, max_size=8))
def test_whatever_is_well_formed_is_survived_by_all_that_follows(messages: list[dict[str, Any]]) -> None:
    """No time, value or number makes anything raise, or a window of what is no number."""
    listening, now_s = listener(), 0.0
    for each in messages:
        now_s += each["at"]
        values = np.tile(each["value"], (each["n"], 1))
        body = {name: each[name] for name in ("seq", "start") if each[name] is not None}
        body |= {"t": (each["begin"] + each["step"] * np.arange(each["n"])).tolist(), "acc": values[:, :3].tolist()}
        body |= {"gyro": values[:, 3:].tolist()} if each["gyro"] else {}
        listening._take([Message("har/p/imu", json.dumps(body).encode(), now_s)])
        for window in listening.recognizer._pending:
            assert np.isfinite(window.values).all()
        listening._work.recognise()
    listening._work.finish()


def test_thousands_of_all_kinds_are_counted_and_nothing_of_them_is_executed_or_drawn() -> None:
    lines, errors, recent = io.StringIO(), io.StringIO(), Recent()
    json_lines = io.StringIO()
    listening = listener(PlainLines(lines), JsonLines(json_lines), recent)
    sent = list(hostile(3000, ["a", "b"]))
    with logging_to(stderr_handler("text", errors)):
        for k in range(0, len(sent), 500):
            listening.work([Message(topic, payload, 0.0) for topic, payload in sent[k : k + 500]])
    totals = listening.tally.totals
    assert totals.malformed_messages + totals.ignored_messages + totals.messages >= 3000
    assert totals.malformed_messages > 2500
    summary = listening.tally.summary() | {"dropped_messages": 0}
    shown = errors.getvalue() + json_lines.getvalue() + "\n".join([*recent.lines, *summary_lines(summary)])
    assert all(line.isprintable() for line in shown.splitlines())
    assert "owned" in shown  # or this test would see nothing


def test_what_an_app_says_is_harmless_where_it_is_shown() -> None:
    errors = []

    class Ear(Recent):
        def warning(self, warning: Notice) -> None:
            errors.append(warning)

    listening = listener(Ear())
    listening.work([Message("har/p/imu", text(stage=ESCAPE), 0.0)])
    (notice,) = errors
    assert "owned" in notice.reason
    assert notice.reason.isprintable()


def test_the_summary_tells_all_that_was_refused() -> None:
    summary = Tally(max_phones=1).summary()
    summary |= dict.fromkeys((*Losses.__slots__, "dropped_messages", "too_fast_messages", "no_room_messages"), 3)
    summary["evicted_phones"] = 4
    told = "\n".join(summary_lines(summary))
    for words in (
        "6 messages refused of phones that send too much",
        "3 messages refused of phones for which",
        "4 silent phones",
    ):
        assert words in told
