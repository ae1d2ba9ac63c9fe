"""One phone: the windows of any cut of its stream are the batch chain's, and no window straddles a gap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.bundled import load_recording
from model.signals import Stage, Start, process
from model.windows import HOP, WINDOW_LENGTH, cut
from streamer.formats.har import as_message
from streamer.phone_stream import PhoneStream, ReadyWindow
from streamer.readings import PhoneMessage
from streamer.wire import Label, Samples, WireError

EPOCH = 1_700_000_000.0
RECORDING = load_recording(3)
SAMPLES = RECORDING.samples[:1500]


def message(
    first: int, stop: int, seq: int, *, start: bool = False, stage: Stage = Stage.RAW, shift_s: float = 0.0
) -> PhoneMessage:
    times = EPOCH + shift_s + np.arange(first, stop) / 50
    return as_message("p", Samples(SAMPLES[first:stop], times, seq, stage, start))


def stream(sizes: list[int], *, start: bool = True, stage: Stage = Stage.RAW) -> list[ReadyWindow]:
    phone, windows, first = PhoneStream("p"), [], 0
    for seq, size in enumerate(sizes):
        windows += phone.push(message(first, first + size, seq, start=start and seq == 0, stage=stage), 0.0).windows
        first += size
    return windows + phone.finish()


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([1, 2, 25, HOP - 1, HOP, HOP + 1, WINDOW_LENGTH, 3 * HOP, 7]), max_size=7),
    start=st.booleans(),
    stage=st.sampled_from(Stage),
)
def test_any_cut_gives_the_batch_chain_s_windows(sizes: list[int], start: bool, stage: Stage) -> None:
    windows = stream(sizes, start=start, stage=stage)
    whole = process(SAMPLES[: sum(sizes)], start=Start.ZERO if start else Start.STEADY, stage=stage)
    expected = cut(whole.astype(np.float32))
    assert len(windows) == len(expected)
    for k, window in enumerate(windows):
        assert np.array_equal(window.values, expected[k])
        assert window.start_sample == k * HOP
        assert window.start_s == pytest.approx(EPOCH + k * HOP / 50, abs=1e-6)
        assert window.end_s - window.start_s == pytest.approx(2.56)


@pytest.mark.parametrize("length", [127, 128, 129, 191, 192, 193])
def test_the_last_full_window_comes_by_the_end_at_the_latest(length: int) -> None:
    sizes = [25] * (length // 25) + [length % 25]
    assert len(stream(sizes)) == max(0, (length - WINDOW_LENGTH) // HOP + 1)


def test_after_a_loss_the_filters_start_steady_and_the_numbers_follow_the_time() -> None:
    phone = PhoneStream("p")
    before = [w for k in range(10) for w in phone.push(message(25 * k, 25 * k + 25, k, start=k == 0), 0.0).windows]
    gap = phone.push(message(500, 525, 20), 0.0)
    assert (gap.gaps, gap.lost_messages, gap.news) == (1, 10, ("gap: 10 messages lost",))
    after = [w for k in range(21, 40) for w in phone.push(message(25 * k, 25 * k + 25, k), 0.0).windows]
    assert [w.start_sample for w in before + gap.windows] == [0, 64]
    assert [w.start_sample for w in after] == [500 + 64 * k for k in range(len(after))]
    expected = cut(process(SAMPLES[500:1000], start=Start.STEADY).astype(np.float32))
    assert np.array_equal(np.stack([w.values for w in after]), expected[: len(after)])
    assert after[0].start_s == pytest.approx(EPOCH + 10.0, abs=1e-6)


def test_repeated_messages_change_nothing() -> None:
    phone = PhoneStream("p")
    windows = []
    for k in range(20):
        for _ in range(2):
            windows += phone.push(message(25 * k, 25 * k + 25, k, start=k == 0), 0.0).windows
    expected = stream([25] * 20)[: len(windows)]
    assert [w.values.tobytes() for w in windows] == [w.values.tobytes() for w in expected]


def test_a_second_recording_starts_from_zero_state_and_sample_0() -> None:
    phone = PhoneStream("p")
    for k in range(8):
        phone.push(message(25 * k, 25 * k + 25, k, start=k == 0), 0.0)
    later = [message(25 * k, 25 * k + 25, k, start=k == 0, shift_s=1000.0) for k in range(8)]
    windows = [w for m in later for w in phone.push(m, 0.0).windows]
    assert np.array_equal(windows[-1].values, cut(process(SAMPLES[:200]).astype(np.float32))[-1])
    assert [w.start_sample for w in windows][-1] == 64


def test_a_window_is_labelled_only_inside_one_segment_of_an_activity() -> None:
    phone = PhoneStream("p")
    for activity, first, stop in (("SITTING", 0, 192), ("SIT_TO_STAND", 192, 400), ("STANDING", 400, 700)):
        phone.labels.add(Label(activity, EPOCH + first / 50, EPOCH + stop / 50))
    windows = [w for k in range(28) for w in phone.push(message(25 * k, 25 * k + 25, k, start=k == 0), 0.0).windows]
    labels = {w.start_sample: w.label for w in windows}
    assert labels[0] == labels[64] == "SITTING"
    assert labels[128] is labels[192] is labels[256] is labels[384] is None
    assert labels[448] == labels[512] == "STANDING"


def test_a_message_that_cannot_be_used_leaves_the_stream_as_it_was() -> None:
    phone = PhoneStream("p")
    windows = phone.push(message(0, 100, 0, start=True), 0.0).windows
    with pytest.raises(WireError, match="no times"):
        phone.push(as_message("p", Samples(SAMPLES[:20], np.full(20, 1e300), 1)), 0.0)
    windows += phone.push(message(100, 200, 1), 0.0).windows
    assert np.array_equal(windows[0].values, stream([200])[0].values)


def test_a_rotation_turns_both_sensors_before_the_filters() -> None:
    quarter_turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # x to y, y to -x: exact
    phone = PhoneStream("p")
    phone.rotation = quarter_turn
    (window,) = phone.push(message(0, 150, 0, start=True), 0.0).windows
    x, y, z = SAMPLES[:150].reshape(-1, 2, 3).transpose(2, 0, 1)
    turned = np.stack([-y, x, z], axis=2).reshape(-1, 6)
    assert np.array_equal(window.values, cut(process(turned).astype(np.float32))[0])
