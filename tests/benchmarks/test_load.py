"""The load generator: its packets as our own decoder reads them, its bookkeeping, and a run through a real broker."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.load.__main__ import run
from benchmarks.load.generator import Phones
from benchmarks.load.packets import Reader
from benchmarks.load.payloads import BEGIN_S, FIRST_SEQ, encode_bodies
from benchmarks.load.predictions import Heard, match
from benchmarks.load.schedule import Cut, Schedule
from benchmarks.throughput.systems import WINDOW, running
from model.bundled import load_recording
from model.signals import SAMPLING_RATE
from model.windows import WindowSlicer
from streamer.wire import Encoding, decode_imu
from tests.brokers import Mosquitto


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize("qos", [0, 1])
def test_packets_are_the_recording_to_the_product_s_own_decoder(encoding: Encoding, qos: int) -> None:
    phones = Phones(Schedule(2, 200), encode_bodies(encoding, batch=25, recordings=1), qos)
    parts: list[bytes] = []
    begins_s = 1_732_428_000.123456
    for message in range(120):
        phones.write(0, message, begins_s, parts)
    stream, reader = b"".join(parts), Reader()
    packets = [
        (first, bytes(body))
        for at in range(0, len(stream), 5000)
        for first, body in reader.push(stream[at : at + 5000])
    ]
    assert {first for first, _ in packets} == {0x30 | qos << 1}
    payload_at = 2 + len("har/p00000/imu") + 2 * qos
    decoded = [decode_imu(body[payload_at:]) for _, body in packets]
    assert packets[0][1][2:16] == b"har/p00000/imu"
    assert [samples.seq for samples in decoded] == [FIRST_SEQ + message for message in range(120)]
    times = np.concatenate([samples.times for samples in decoded])
    np.testing.assert_allclose(times, begins_s + np.arange(3000) / SAMPLING_RATE, atol=2e-6)
    begin = round(BEGIN_S * SAMPLING_RATE)
    recorded = load_recording(1).samples[begin : begin + 3000]
    np.testing.assert_array_equal(np.concatenate([samples.values for samples in decoded]), recorded)


@given(st.integers(0, 2000), st.sampled_from([(128, 64), (24, 24)]), st.integers(0, 1))
def test_as_many_windows_are_expected_as_the_slicer_cuts(n_samples: int, cut: tuple[int, int], look_ahead: int) -> None:
    windows = WindowSlicer(*cut, n_channels=1).push(np.zeros((max(n_samples - look_ahead, 0), 1)))
    assert Cut(*cut, look_ahead).windows(n_samples) == len(windows)


@given(st.integers(1, 40), st.integers(1, 9))
def test_phones_send_once_a_slot_from_their_first_on(phones: int, ramp: int) -> None:
    schedule = Schedule(phones, slots=ramp + 20, ramp=ramp)
    expected = schedule.expected(Cut())
    slot, phone = np.divmod(expected.position, phones)
    message = slot - schedule.first_slots[phone]
    np.testing.assert_array_equal(phone, expected.phone)
    needed = 128 + 64 * expected.number + 1
    assert (message * 25 < needed).all()
    assert ((message + 1) * 25 >= needed).all()
    assert schedule.due(schedule.slots * schedule.slot_s) == schedule.positions


def test_a_missing_a_repeated_and_a_strange_prediction_are_told() -> None:
    cut, schedule = Cut(), Schedule(2, 12)
    expected = schedule.expected(cut)
    heard = Heard(slice(7, 12))
    told = [(0, 2.56), (0, 3.84), (0, 3.84), (1, 2.56), (1, 3.0), (7, 2.56)]
    for number, (phone, end_s) in enumerate(told):
        packet = b'\x00\x13har/p%05d/activity{"phone":"p%05d","time":%f,"x":1}' % (phone, phone, 1e9 + end_s)
        heard.take(memoryview(packet), float(number))
    matched = match(heard, expected, cut, np.array([1e9, 1e9]))
    assert len(expected.phone) == 6
    assert (matched.missing, matched.repeated, matched.strange) == (3, 1, 2)
    assert matched.at_s[:2].tolist() == [0.0, 1.0]


def test_two_phones_through_the_whole(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with running(WINDOW, mosquitto.port, {0}, tmp_path) as listener:
        result = run(mosquitto.port, Schedule(2, 9), WINDOW.cut, recordings=2)
    assert (result.expected, result.missing, result.repeated, result.strange) == (4, 0, 0, 0)
    assert 0 < result.latency_ms["p50"] < 10_000
    assert (listener.dropped, result.messages) == (0, 18)
    assert listener.usage.cpu_s(0, np.inf) >= 0
