"""Simulated phones: what their messages decode to."""

from __future__ import annotations

from itertools import islice
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.bundled import load_recording
from model.recordings import Recording
from model.signals import Stage, Start
from replay.phone import PAUSE_S, Manner, Outgoing, Phone, make_phones
from replay.source import Piece, prepare
from streamer.wire import Encoding, Label, Samples, WireError, decode_imu, decode_label

START_S = 1_732_428_000.125


@pytest.fixture(scope="module")
def recording() -> Recording:
    return load_recording(4)


def one_phone(*pieces: Piece, phase_s: float = 0.0) -> Phone:
    return Phone("s02-e04", pieces, START_S, phase_s)


def received(messages: list[Outgoing]) -> list[Samples]:
    return [decode_imu(message.payload) for message in messages if message.n_samples]


@pytest.mark.parametrize("encoding", get_args(Encoding))
@pytest.mark.parametrize("batch", [1, 7, 25, 1000])
def test_samples_arrive_bit_for_bit(recording: Recording, encoding: Encoding, batch: int) -> None:
    messages = list(one_phone(prepare(recording)).messages(Manner(batch=batch, encoding=encoding)))
    samples = received(messages)
    np.testing.assert_array_equal(np.concatenate([s.values for s in samples]), recording.samples)
    times = np.concatenate([s.times for s in samples])
    np.testing.assert_allclose(times - START_S, np.arange(len(recording.samples)) / 50, atol=2e-6)
    assert [s.seq for s in samples] == list(range(len(samples)))
    assert [s.start for s in samples] == [True] + [False] * (len(samples) - 1)
    assert {s.stage for s in samples} == {Stage.RAW}
    assert {message.topic for message in messages} == {"har/s02-e04/imu", "har/s02-e04/label"}


def test_other_units_are_declared(recording: Recording) -> None:
    piece = prepare(recording, acc_unit="m/s2")
    samples = received(list(one_phone(piece).messages(Manner(acc_unit="m/s2"))))
    np.testing.assert_allclose(np.concatenate([s.values for s in samples]), recording.samples, rtol=1e-14)


@pytest.mark.parametrize("rate", [50.0, 20.0, 104.0])
@pytest.mark.parametrize("batch", [1, 25, 640])
def test_labels_say_what_the_segments_say_and_come_first(recording: Recording, batch: int, rate: float) -> None:
    messages = one_phone(prepare(recording, rate=rate)).messages(Manner(batch=batch))
    labels: list[Label] = []
    for message in messages:
        if message.n_samples:
            for time_s in decode_imu(message.payload).times:
                assert any(label.start_s - 1e-6 <= time_s < label.end_s + 1e-6 for label in labels[-80:])
        else:
            labels.append(decode_label(message.payload))
    announced = [
        (label.activity, round((label.start_s - START_S) * 50), round((label.end_s - START_S) * 50))
        for label in labels
        if label.activity is not None
    ]
    assert announced == [(segment.activity, segment.start, segment.stop) for segment in recording.segments]
    covered = sum(label.end_s - label.start_s for label in labels)
    assert covered == pytest.approx(recording.duration_s, abs=1e-3)


def test_a_label_is_sent_with_the_first_message_that_it_covers_not_long_before(recording: Recording) -> None:
    for message in one_phone(prepare(recording)).messages(Manner()):
        if not message.n_samples:
            label = decode_label(message.payload)
            assert 0 <= START_S + message.due_s - label.start_s <= 25 / 50 + 1e-6


def test_no_labels(recording: Recording) -> None:
    assert all(message.n_samples for message in one_phone(prepare(recording)).messages(Manner(labels=False)))


@settings(max_examples=25)
@given(st.integers(1, 300), st.integers(1, 60), st.floats(0, 1), st.booleans())
def test_messages_are_due_when_their_last_sample_is_taken(n: int, batch: int, phase_s: float, loop: bool) -> None:
    piece = prepare(Recording(1, 2, np.zeros((n, 6)), ()))
    messages = list(islice(one_phone(piece, phase_s=phase_s).messages(Manner(batch=batch, loop=loop)), 200))
    due = [message.due_s for message in messages]
    assert due == sorted(due)
    for message in messages:
        if message.n_samples:
            last = float(decode_imu(message.payload).times[-1])
            assert START_S + message.due_s - last == pytest.approx(1 / 50, abs=2e-3)  # phases are sent in whole ms


def test_a_loop_numbers_on_and_starts_anew_after_a_pause() -> None:
    recording = Recording(1, 2, np.arange(60.0).repeat(6).reshape(60, 6), ())
    phone = one_phone(prepare(recording))
    samples = received(list(islice(phone.messages(Manner(loop=True, labels=False)), 9)))
    assert [s.seq for s in samples] == list(range(9))
    assert [s.start for s in samples] == [True, False, False] * 3
    np.testing.assert_array_equal(samples[3].values, samples[0].values)
    assert samples[3].times[0] - samples[2].times[-1] == pytest.approx(PAUSE_S + 1 / 50, abs=1e-5)


def test_pieces_of_one_subject_are_one_phone_with_gaps_in_time() -> None:
    pieces = [prepare(Recording(k, 2, np.full((130, 6), k), (), Stage.DENOISED, Start.STEADY)) for k in (1, 2)]
    samples = received(list(one_phone(*pieces).messages(Manner(batch=100))))
    assert [(s.seq, s.start, s.stage, len(s.values)) for s in samples] == [
        (0, False, Stage.DENOISED, 100),
        (1, False, Stage.DENOISED, 30),
        (2, False, Stage.DENOISED, 100),
        (3, False, Stage.DENOISED, 30),
    ]
    assert samples[2].times[0] - samples[1].times[-1] == pytest.approx(PAUSE_S + 1 / 50, abs=1e-5)


def test_clones_share_the_samples_and_differ_in_name_and_phase() -> None:
    piece = prepare(Recording(3, 2, np.zeros((100, 6)), ()))
    recordings = [("s02-e03", (piece,)), ("s02-e04", (piece,))]
    phones = make_phones(recordings, n_phones=5, start_time_s=START_S, batch=25)
    assert [phone.name for phone in phones] == ["s02-e03", "s02-e04", "s02-e03-002", "s02-e04-002", "s02-e03-003"]
    assert [round(phone.phase_s, 9) for phone in phones] == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert all(phone.pieces[0].samples is piece.samples for phone in phones)
    assert [p.name for p in make_phones(recordings, n_phones=1, start_time_s=0, batch=25)] == ["s02-e03"]
    assert len(make_phones(recordings, n_phones=None, start_time_s=0, batch=25)) == 2


def test_a_name_that_is_no_topic_level_is_refused() -> None:
    phone = Phone("a/b", (prepare(Recording(1, 2, np.zeros((9, 6)), ())),), START_S)
    with pytest.raises(WireError):
        next(phone.messages(Manner()))
