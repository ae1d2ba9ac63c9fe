"""What resampling to 50 Hz does to the signals: ``python -m benchmarks.resampling``.

The filter's gain at single frequencies, and what recordings that were resampled up to another rate, by scipy's
polyphase filter, and back by ours differ from themselves behind the signal chain.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.signal import resample_poly

from model.bundled import load_recordings
from model.resampling import cutoff_hz, look_ahead_s, resample
from model.signals import SAMPLING_RATE, FloatArray, Start, process

RATES = (20, 35, 50, 77, 104, 208, 471)
FASTER = (77, 104, 208, 471)
SUBJECTS = (1, 5, 8, 14, 27)
"""Training subjects."""

EDGE = 200
"""Samples left out at a recording's ends, where the kernel and the chain have only half of their past."""


def gain(rate: float, frequency: float) -> FloatArray:
    """Length of a turning vector of length 1 behind the resampler, sample by sample."""
    times = np.arange(int(20 * rate)) / rate
    turn = 2 * np.pi * frequency * times
    samples = resample(times, np.stack([np.cos(turn), np.sin(turn)], axis=1))[60:-60]
    return np.asarray(np.hypot(samples[:, 0], samples[:, 1]))


def _filter_row(rate: float) -> str:
    passing, stopping = 0.8 * cutoff_hz(rate), 1.2 * cutoff_hz(rate)
    ripple = max(np.abs(gain(rate, f) - 1).max() for f in np.linspace(0.02, 1, 25) * passing)
    stop = "above half the source's rate"
    if stopping < rate / 2:
        rest = max(gain(rate, f).max() for f in np.linspace(stopping, rate / 2, 25))
        stop = f"{-20 * np.log10(rest):.1f} dB"
    return f"| {rate} | {passing:.1f} | {ripple:.2%} | {stopping:.1f} | {stop} | {look_ahead_s(rate):.2f} |\n"


def _recordings_row(rate: int) -> str:
    errors, lengths = [], []
    for recording in load_recordings(SUBJECTS):
        samples = recording.samples
        faster = resample_poly(samples, rate, int(SAMPLING_RATE), axis=0, window=("kaiser", 12.0), padtype="line")
        back = resample(np.arange(len(faster)) / rate, faster)[: len(samples)]
        expected = process(samples, start=Start.STEADY)[: len(back)]
        errors.append((process(back, start=Start.STEADY) - expected)[EDGE:-EDGE])
        lengths.append(expected[EDGE:-EDGE])
    error, signal = (np.sqrt((np.concatenate(each) ** 2).mean(axis=0)) for each in (errors, lengths))
    groups = [np.sqrt((each[3 * k : 3 * k + 3] ** 2).mean()) for k in (0, 1, 2) for each in (error, signal)]
    cells = [f"{1000 * off:.1f} of {1000 * of:.0f}" for off, of in zip(groups[::2], groups[1::2], strict=True)]
    return f"| {rate} | {' | '.join(cells)} |\n"


def main() -> None:
    """Print both tables."""
    sys.stdout.write(
        "| source [Hz] | pass band to [Hz] | ripple | stop band from [Hz] | attenuation | look-ahead [s] |\n"
        "|---|---|---|---|---|---|\n"
    )
    sys.stdout.writelines(_filter_row(rate) for rate in RATES)
    sys.stdout.write(
        "\n| there and back [Hz] | body acceleration [mg] | angular velocity [mrad/s] | total acceleration [mg] |\n"
        "|---|---|---|---|\n"
    )
    sys.stdout.writelines(_recordings_row(rate) for rate in FASTER)


if __name__ == "__main__":
    main()
