"""The signal chain: against scipy at one stroke, and streaming against batch, bit for bit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, medfilt, sosfilt

from model.bundled import load_recording
from model.signals import CHANNELS, SignalChain, Stage, Start, median3, process, push_together
from model.windows import HOP

REAL = load_recording(7).samples[4000:5500]
"""Thirty seconds out of the middle of a real recording: walking, standing and what is between them."""

STATES = [(start, stage) for start in Start for stage in Stage]
CUTS = st.lists(st.integers(0, len(REAL)), max_size=40).map(sorted)


def pushed(chain: SignalChain, samples: np.ndarray, cuts: list[int]) -> np.ndarray:
    chunks = [samples[a:b] for a, b in pairwise([0, *cuts, len(samples)])]
    return np.concatenate([*(chain.push(chunk) for chunk in chunks), chain.finish()])


def low_passed(samples: np.ndarray, order: int, cutoff: float) -> np.ndarray:
    filtered: np.ndarray = sosfilt(butter(order, cutoff, fs=50, output="sos"), samples, axis=0)
    return filtered


def gravity_of(signals: np.ndarray) -> np.ndarray:
    gravity: np.ndarray = signals[:, 6:] - signals[:, :3]
    return gravity


def test_batch_equals_scipy_at_one_stroke() -> None:
    clean = low_passed(medfilt(REAL, (3, 1)), 10, 20.0)
    total_acc, angular_velocity = clean[:, :3], clean[:, 3:]
    body_acc = total_acc - low_passed(total_acc, 3, 0.3)
    body_gyro = angular_velocity - low_passed(angular_velocity, 2, 0.1)
    np.testing.assert_array_equal(process(REAL), np.hstack([body_acc, body_gyro, total_acc]))


def test_denoised_stream_is_only_separated() -> None:
    signals = process(REAL, stage=Stage.DENOISED)
    np.testing.assert_array_equal(signals[:, 3:], REAL[:, [3, 4, 5, 0, 1, 2]])
    np.testing.assert_array_equal(signals[:, :3], REAL[:, :3] - low_passed(REAL[:, :3], 3, 0.3))


@pytest.mark.parametrize(("start", "stage"), STATES)
@given(cuts=CUTS)
def test_any_chunking_is_bit_identical(start: Start, stage: Stage, cuts: list[int]) -> None:
    streamed = pushed(SignalChain(start=start, stage=stage), REAL, cuts)
    np.testing.assert_array_equal(streamed, process(REAL, start=start, stage=stage))


@pytest.mark.parametrize(("start", "stage"), STATES)
@pytest.mark.parametrize("size", [1, 2, HOP - 1, HOP, HOP + 1, 3 * HOP])
def test_even_chunks_with_empty_ones_between_are_bit_identical(start: Start, stage: Stage, size: int) -> None:
    samples = REAL[:500]
    cuts = [cut for at in range(size, len(samples), size) for cut in (at, at)]
    streamed = pushed(SignalChain(start=start, stage=stage), samples, cuts)
    np.testing.assert_array_equal(streamed, process(samples, start=start, stage=stage))


@given(length=st.integers(0, 6), start=st.sampled_from(Start), stage=st.sampled_from(Stage))
def test_short_streams_keep_their_length(length: int, start: Start, stage: Stage) -> None:
    assert process(REAL[:length], start=start, stage=stage).shape == (length, len(CHANNELS))


def test_raw_stream_is_one_sample_late_and_a_denoised_one_is_not() -> None:
    raw, denoised = SignalChain(), SignalChain(stage=Stage.DENOISED)
    assert [len(raw.push(REAL[:10])), len(raw.push(REAL[10:20])), len(raw.finish())] == [9, 10, 1]
    assert [len(denoised.push(REAL[:10])), len(denoised.push(REAL[10:20])), len(denoised.finish())] == [10, 10, 0]


@settings(max_examples=50, deadline=None)
@given(
    streams=st.lists(
        st.tuples(st.sampled_from(STATES), st.lists(st.sampled_from([0, 1, 2, 24, 25, 25, 25, 64]), max_size=6)),
        min_size=1,
        max_size=8,
    )
)
def test_many_streams_together_are_each_as_by_itself(
    streams: list[tuple[tuple[Start, Stage], list[int]]],
) -> None:
    chains = [SignalChain(start=start, stage=stage) for (start, stage), _ in streams]
    heard, given_together = [0] * len(streams), [[np.empty((0, 9))] for _ in streams]
    for turn in range(max(len(sizes) for _, sizes in streams)):
        there = [number for number, (_, sizes) in enumerate(streams) if turn < len(sizes)]
        chunks = []
        for number in there:  # each stream begins elsewhere in the recording
            first, size = 100 * number + heard[number], streams[number][1][turn]
            chunks.append(REAL[first : first + size])
            heard[number] += size
        for number, signals in zip(there, push_together([chains[n] for n in there], chunks), strict=True):
            given_together[number].append(signals)
    for number, ((start, stage), _) in enumerate(streams):
        together = np.concatenate([*given_together[number], chains[number].finish()])
        alone = process(REAL[100 * number : 100 * number + heard[number]], start=start, stage=stage)
        np.testing.assert_array_equal(together, alone)


@pytest.mark.filterwarnings("ignore:kernel_size exceeds")
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_median_equals_medfilt(values: list[float]) -> None:
    samples = np.array(values)[:, np.newaxis]
    medians = median3(np.pad(samples, ((1, 1), (0, 0))))
    np.testing.assert_array_equal(medians[:, 0], medfilt(samples[:, 0], 3))


def test_median_equals_medfilt_on_a_recording() -> None:
    medians = median3(np.pad(REAL, ((1, 1), (0, 0))))
    np.testing.assert_array_equal(medians, np.column_stack([medfilt(channel, 3) for channel in REAL.T]))


def test_steady_start_finds_no_motion_in_a_constant() -> None:
    lying_still = np.tile([0.1, -0.2, 0.97, 0.03, -0.01, 0.02], (1000, 1))
    chain = SignalChain(start=Start.STEADY)
    signals = chain.push(lying_still)
    np.testing.assert_allclose(signals[:, :6], 0, atol=1e-12)
    np.testing.assert_allclose(signals[:, 6:], lying_still[1:, :3], atol=1e-12)


def test_steady_start_spares_the_gravity_its_swing() -> None:
    recording = load_recording(1)
    whole, middle = gravity_of(recording.signals()), slice(600, 850)  # subject 1 stands still
    steady = gravity_of(process(recording.samples[middle], start=Start.STEADY))
    zero = gravity_of(process(recording.samples[middle], start=Start.ZERO))
    assert np.abs(steady - whole[middle]).max() < 0.05
    assert np.abs(zero - whole[middle]).max() > 0.9


@pytest.mark.parametrize("stage", Stage)
def test_both_starts_converge(stage: Stage) -> None:
    samples = load_recording(7).samples[:6000]
    zero, steady = (process(samples, start=start, stage=stage) for start in (Start.ZERO, Start.STEADY))
    difference = np.abs(steady - zero)
    assert difference[:50].max() > 0.1
    assert difference[3000:].max() < 1e-9


@pytest.mark.parametrize(("start", "stage"), STATES)
def test_reset_forgets_the_stream(start: Start, stage: Stage) -> None:
    chain = SignalChain(start=start, stage=stage)
    chain.push(REAL[:700])
    chain.reset()
    np.testing.assert_array_equal(pushed(chain, REAL[700:], []), process(REAL[700:], start=start, stage=stage))


def test_reset_can_change_the_start() -> None:
    chain = SignalChain(start=Start.ZERO)
    chain.push(REAL[:700])
    chain.reset(Start.STEADY)
    np.testing.assert_array_equal(pushed(chain, REAL[700:], []), process(REAL[700:], start=Start.STEADY))


def test_finish_ends_the_stream() -> None:
    chain = SignalChain()
    first = pushed(chain, REAL, [])
    np.testing.assert_array_equal(pushed(chain, REAL, []), first)
    assert chain.finish().shape == (0, len(CHANNELS))


def test_caller_may_reuse_its_buffer() -> None:
    chain, buffer, out = SignalChain(start=Start.STEADY), np.empty((50, 6)), []
    for at in range(0, 500, 50):
        buffer[:] = REAL[at : at + 50]
        out.append(chain.push(buffer))
    np.testing.assert_array_equal(np.concatenate([*out, chain.finish()]), process(REAL[:500], start=Start.STEADY))


@pytest.mark.parametrize("shape", [(6,), (10, 5), (10, 9), (2, 10, 6)])
def test_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(n_samples, 6\)"):
        SignalChain().push(np.zeros(shape))
