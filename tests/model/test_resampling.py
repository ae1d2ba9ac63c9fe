"""Any rate to 50 Hz: the filter is what its documentation says, any cut gives the same bits, recordings survive."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from model.bundled import load_recording
from model.resampling import Resampler, cutoff_hz, look_ahead_s, measured_rate, resample
from model.signals import SAMPLING_RATE, Start, process

ComplexArray = npt.NDArray[np.complex128]

RATES = (20.0, 35.0, 50.0, 77.0, 104.0, 208.0, 471.0)


def response(rate: float, frequency: float) -> ComplexArray:
    """What becomes of a rotating vector of length 1: its length and phase against the true one, sample by sample."""
    times = 0.013 + np.arange(int(12 * rate)) / rate
    turning = np.exp(2j * np.pi * frequency * times)
    samples = resample(times, np.stack([turning.real, turning.imag], axis=1))
    instants = times[0] + np.arange(len(samples)) / SAMPLING_RATE
    inside = slice(60, -60)  # half of the kernel away from the ends
    against: ComplexArray = (samples[:, 0] + 1j * samples[:, 1]) * np.exp(-2j * np.pi * frequency * instants)
    return against[inside]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.8])
def test_the_pass_band_passes_without_delay(rate: float, share: float) -> None:
    np.testing.assert_allclose(response(rate, share * cutoff_hz(rate)), 1.0, atol=0.003)


@pytest.mark.parametrize(
    ("rate", "frequency"), [(77, 31), (77, 38), (104, 30.5), (104, 50), (208, 80), (471, 35), (471, 230)]
)
def test_what_is_too_fast_for_50_hz_does_not_come_back_as_something_slower(rate: float, frequency: float) -> None:
    assert np.abs(response(rate, frequency)).max() < 1.1e-3  # 60 dB down


@pytest.mark.parametrize(("rate", "frequency"), [(20, 7.9), (35, 14), (40, 15.9)])
def test_slow_readings_are_interpolated_without_images(rate: float, frequency: float) -> None:
    """Held or linearly interpolated, the image at rate - frequency would be plain to see."""
    times = np.arange(int(12 * rate)) / rate
    samples = resample(times, np.cos(2 * np.pi * frequency * times)[:, np.newaxis])[60:-60, 0]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLING_RATE)
    image = spectrum[np.abs(frequencies - (rate - frequency)) < 0.5].max()
    assert image < 2e-3 * spectrum.max()


@given(rate=st.floats(20, 500), value=st.floats(-20, 20), jitter=st.floats(0, 0.4), seed=st.integers(0, 99))
def test_a_constant_passes_exactly_whatever_the_jitter(rate: float, value: float, jitter: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = (np.arange(int(3 * rate)) + jitter * rng.uniform(-1, 1, int(3 * rate))) / rate
    np.testing.assert_allclose(resample(times, np.full((len(times), 3), value)), value, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    rate=st.floats(20, 480),
    cuts=st.lists(st.integers(1, 200), max_size=12),
    lost=st.floats(0, 0.2),
    phase=st.floats(0, 0.019),
    seed=st.integers(0, 99),
)
def test_any_cut_gives_the_same_bits(rate: float, cuts: list[int], lost: float, phase: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = 1.7e9 + (np.arange(400) + 0.3 * rng.uniform(-1, 1, 400)) / rate
    times = times[(rng.random(400) >= lost) | (np.arange(400) == 0)]
    values = rng.normal(size=(len(times), 3))
    whole, piecewise = (Resampler(rate, float(times[0]) + phase) for _ in range(2))
    expected = np.concatenate([whole.push(times, values), whole.finish()])
    edges = [*np.cumsum(cuts), len(times)]
    parts = [piecewise.push(times[a:b], values[a:b]) for a, b in zip([0, *edges], edges, strict=False)]
    assert np.array_equal(np.concatenate([*parts, piecewise.finish()]), expected)
    assert piecewise.filled == whole.filled


@pytest.mark.parametrize("rate", RATES)
def test_a_sample_waits_for_no_more_than_the_look_ahead(rate: float) -> None:
    resampler = Resampler(rate, 0.0)
    times = np.arange(int(5 * rate)) / rate
    n_samples = len(resampler.push(times, np.zeros((len(times), 3))))
    last_reading_s, last_sample_s = times[-1], (n_samples - 1) / SAMPLING_RATE
    assert last_reading_s - last_sample_s < look_ahead_s(rate) + 1 / rate + 1 / SAMPLING_RATE
    assert look_ahead_s(rate) < (0.19 if rate >= 50 else 0.46)
    assert len(resampler.finish()) + n_samples == int(times[-1] * SAMPLING_RATE + 1e-6) + 1


def test_holes_are_interpolated_and_counted() -> None:
    times = np.arange(300) / 100
    kept = np.ones(300, bool)
    kept[[50, 120, 121, 122]] = False
    ramp = np.stack([times, 2 * times], axis=1)
    resampler = Resampler(100.0, 0.0)
    samples = np.concatenate([resampler.push(times[kept], ramp[kept]), resampler.finish()])
    assert resampler.filled == 4
    np.testing.assert_allclose(samples[20:-20, 0], np.arange(150)[20:-20] / 50, atol=1e-9)


def test_the_rate_is_measured_across_holes_and_jitter() -> None:
    rng = np.random.default_rng(1)
    times = (np.arange(1000) + rng.uniform(-0.2, 0.2, 1000)) / 208
    kept = rng.random(1000) > 0.1
    assert measured_rate(times[kept]) == pytest.approx(208, rel=0.01)
    assert measured_rate(times[:1]) is None
    with pytest.raises(ValueError, match="at least 2"):
        resample(times[:1], np.zeros((1, 3)))


@pytest.mark.parametrize("rate", [77, 104, 208, 471])
def test_a_recording_that_was_sampled_faster_gives_nearly_the_same_windows(rate: int) -> None:
    """Resampled by scipy's polyphase filter to the other rate, and back by ours: what the chain makes of it stays.

    What goes is above 20 Hz, where the median of three, which is not linear, still draws something from it.
    """
    samples = load_recording(5).samples[2000:5000]
    faster = resample_poly(samples, rate, 50, axis=0, window=("kaiser", 12.0), padtype="line")
    back = resample(np.arange(len(faster)) / rate, faster)[: len(samples)]
    expected = process(samples, start=Start.STEADY)[200:-200]
    error = process(back, start=Start.STEADY)[200:-200] - expected
    for channels, share in ((slice(0, 3), 0.03), (slice(3, 6), 0.02), (slice(6, 9), 0.03)):
        assert np.sqrt((error[:, channels] ** 2).mean()) < share * expected[:, channels].std()
