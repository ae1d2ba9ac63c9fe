"""Phones as they are: any rate, clocks of their own, reordered, repeated, lossy, or without a sensor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from benchmarks.simulated_phone import EPOCH_S, Manner, messages
from model.bundled import load_recording
from model.recordings import Recording
from model.signals import FloatArray, Stage, Start, process
from model.windows import cut
from streamer.formats.har import as_message
from streamer.intake.chunks import Chunk
from streamer.intake.conventions import SILENCE_S
from streamer.intake.intake import Intake
from streamer.intake.limits import BRIDGE_S, MAX_HELD_READINGS
from streamer.phone_stream import PhoneStream, ReadyWindow, Taken
from streamer.readings import ClockKind, PhoneMessage, Readings, Sensor, Unit
from streamer.wire import Samples, WireError

WHOLE = load_recording(5)
RECORDING = Recording(5, 3, WHOLE.samples[2000:5000], ())
"""A minute, somebody walking and standing in it."""

Arriving = tuple[float, PhoneMessage]


def sent(manner: Manner) -> list[Arriving]:
    return [each for each in messages(RECORDING, manner, seed=0) if each[1].readings]


def chunks_of(arriving: Iterable[Arriving], intake: Intake | None = None) -> list[Chunk]:
    intake = intake or Intake("p")
    return [chunk for at_s, message in arriving for chunk in intake.push(message, at_s)] + intake.finish()


def samples_of(arriving: Iterable[Arriving]) -> FloatArray:
    return np.concatenate([chunk.values for chunk in chunks_of(arriving)])


def run(arriving: Iterable[Arriving]) -> tuple[PhoneStream, list[ReadyWindow], list[Taken]]:
    stream = PhoneStream("p")
    taken = [stream.push(message, at_s) for at_s, message in arriving]
    return stream, [w for each in taken for w in each.windows] + stream.finish(), taken


def codes(stream: PhoneStream) -> set[str]:
    return {finding.code for finding in stream.report().findings}


def readings(sensor: Sensor, times: FloatArray, values: FloatArray | None = None) -> Readings:
    unit = Unit.RADIANS_PER_SECOND if sensor is Sensor.ANGULAR_VELOCITY else Unit.G
    upright = np.tile([0.0, 0, 0] if sensor is Sensor.ANGULAR_VELOCITY else [1.0, 0, 0], (len(times), 1))
    return Readings(sensor, times, upright if values is None else values, unit)


BOTH = (Sensor.TOTAL_ACCELERATION, Sensor.ANGULAR_VELOCITY)


def steady(
    seconds: Iterable[int], sensors: tuple[Sensor, ...] = BOTH, rate: float = 100.0, shift_s: float = 0.0
) -> list[Arriving]:
    """A phone that lies still, a message a second; each sensor at moments of its own."""
    arriving = []
    for second in seconds:
        first = EPOCH_S + shift_s + second
        times = [first + np.arange(rate, dtype=np.float64) / rate + 0.003 * k for k in range(len(sensors))]
        parts = tuple(readings(sensor, each) for sensor, each in zip(sensors, times, strict=True))
        arriving.append((EPOCH_S + second + 1.05, PhoneMessage("p", "simulated", parts, seq=second)))
    return arriving


@pytest.mark.parametrize("rate", [50, 77, 104, 208, 471])
def test_the_samples_are_nearly_the_recording_s(rate: int) -> None:
    manner = Manner(rate, clock_error=0.0, jitter=0.02)
    chunks = chunks_of(sent(manner))
    assert [chunk.piece.cause for chunk in chunks if chunk.piece] == [None]
    samples = np.concatenate([chunk.values for chunk in chunks])
    instants = (chunks[0].time_s - EPOCH_S) * 50 + np.arange(len(samples))
    truth = np.stack([np.interp(instants, np.arange(3000), channel) for channel in RECORDING.samples.T], axis=1)
    error = process(samples, start=Start.STEADY)[200:-200] - process(truth, start=Start.STEADY)[200:-200]
    assert len(samples) > 2990
    assert np.sqrt((error[:, :3] ** 2).mean()) < 0.04 * process(truth)[200:-200, :3].std()


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize(
    "disturbed",
    [
        Manner(104, reorder=0.3),
        Manner(104, reorder=0.0, duplicate=0.3),
        Manner(104, reorder=0.2, duplicate=0.2),
        Manner(104, reorder=0.0, batch_s=0.25),
    ],
)
def test_order_and_repeats_change_nothing(disturbed: Manner, numbered: bool) -> None:
    samples = samples_of(sent(replace(disturbed, numbered=numbered)))
    expected = samples_of(sent(Manner(104, reorder=0.0, numbered=numbered)))
    if numbered:
        assert np.array_equal(samples, expected)
    else:  # the rate, and by it the filter, is measured from what has come by then
        np.testing.assert_allclose(samples, expected, atol=1e-4)


def test_sensors_in_messages_of_their_own_and_reading_by_reading_give_the_same_samples() -> None:
    whole = sent(Manner(104, reorder=0.0, numbered=False))
    singles = []
    for at_s, message in whole:
        for part in message.readings:
            for k in range(len(part.times)):
                one = replace(part, times=part.times[k : k + 1], values=part.values[k : k + 1])
                singles.append((float(part.times[k]), at_s, replace(message, given=(one,))))
    in_time = [(at_s, message) for _, at_s, message in sorted(singles, key=lambda each: each[0])]
    assert np.array_equal(samples_of(in_time), samples_of(whole))
    swapped = list(in_time)
    for k in range(100, len(swapped) - 8, 9):
        swapped[k], swapped[k + 5] = swapped[k + 5], swapped[k]
    assert np.array_equal(samples_of(swapped), samples_of(whole))


def test_windows_are_those_of_the_samples_and_numbered_from_the_first() -> None:
    arriving = sent(Manner(104))
    _, windows, _ = run(arriving)
    expected = cut(process(samples_of(arriving), start=Start.STEADY).astype(np.float32))
    assert np.array_equal(np.stack([window.values for window in windows]), expected)
    assert [window.start_sample for window in windows] == [64 * k for k in range(len(windows))]


def test_a_clock_from_boot_is_told_in_unix_time() -> None:
    stream, windows, _ = run(sent(Manner(104, boot_s=12345.6)))
    _, unix, _ = run(sent(Manner(104)))
    assert [w.start_s for w in windows] == pytest.approx([w.start_s for w in unix], abs=0.06)
    assert stream.report().clock_offset_s == pytest.approx(EPOCH_S - 12345.6, abs=0.06)


def test_lost_messages_are_bridged_if_they_are_short_and_end_the_piece_if_not() -> None:
    lost = {10, 30, 31, 32}
    arriving = [each for each in sent(Manner(104, batch_s=0.5, reorder=0.0)) if each[1].seq not in lost]
    stream, windows, taken = run(arriving)
    assert sum(each.lost_messages for each in taken) == 4
    assert sum(each.gaps for each in taken) == 1
    assert [news for each in taken for news in each.news] == ["gap: 3 messages lost"]
    assert all(0.005 < sensor.missing_share < 0.01 for sensor in stream.report().sensors)
    hole = EPOCH_S + 15.0, EPOCH_S + 16.5
    assert not any(w.start_s < hole[1] - 0.02 and w.end_s > hole[0] + 0.02 for w in windows)
    assert any(w.start_s < EPOCH_S + 5.0 and w.end_s > EPOCH_S + 5.5 for w in windows)


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_a_clock_that_jumps_ends_the_piece_and_is_told(jump_s: float) -> None:
    arriving = steady(range(20)) + [(at_s, replace(m, seq=m.seq)) for at_s, m in steady(range(20, 40), shift_s=jump_s)]
    stream, windows, taken = run(arriving)
    news = [each for t in taken for each in t.news]
    assert sum("gap: the phone's clock jumped" in each for each in news) == 1
    assert stream.report().clock_jumps == 1
    assert "clock-jumps" in codes(stream)
    lengths = {round(w.end_s - w.start_s, 2) for w in windows}
    assert lengths == {2.56}
    assert len(windows) > 2 * 13


@pytest.mark.parametrize("stated", ClockKind)
def test_times_from_the_phones_start_are_told_where_the_format_has_unix_time(stated: ClockKind) -> None:
    stream = PhoneStream("p")
    for at_s, message in steady(range(10), shift_s=3600.0 - EPOCH_S):
        stream.push(replace(message, clock=stated), at_s)
    assert ("boot-clock" in codes(stream)) is (stated is ClockKind.UNIX)
    assert "clock-off" not in codes(stream)


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("rate", [50.0, 100.0])
@pytest.mark.parametrize("behind_s", [60.0, -60.0])
def test_a_clock_that_is_set_wrong_is_told_and_one_that_is_set_right_no_longer(
    behind_s: float, rate: float, numbered: bool
) -> None:
    stream = PhoneStream("p")
    off = []
    for seconds, shift_s in ((range(20), 0.0), (range(20, 60), -behind_s), (range(60, 100), 0.0)):
        for at_s, message in steady(seconds, rate=rate, shift_s=shift_s):
            stream.push(message if numbered else replace(message, seq=None), at_s)
            off.append(any(finding.code == "clock-off" for finding in stream.findings))
    assert not any(off[:20])
    assert all(off[30:60])
    assert not any(off[70:])
    assert stream.report().clock_jumps == 2


def test_a_silence_is_no_jump_of_the_clock() -> None:
    stream, _, taken = run(steady([*range(20), *range(60, 80)]))
    assert stream.report().clock_jumps == 0
    assert sum(each.gaps for each in taken) == 1


@pytest.mark.parametrize(
    ("sensors", "code"),
    [
        ((Sensor.TOTAL_ACCELERATION,), "no-gyroscope"),
        ((Sensor.ANGULAR_VELOCITY,), "no-accelerometer"),
        ((Sensor.BODY_ACCELERATION, Sensor.ANGULAR_VELOCITY), "no-gravity"),
        ((Sensor.GRAVITY, Sensor.ANGULAR_VELOCITY), "no-accelerometer"),
    ],
)
def test_a_sensor_that_never_comes_is_told_once_and_nothing_is_guessed(sensors: tuple[Sensor, ...], code: str) -> None:
    stream, windows, taken = run(steady(range(30), sensors))
    assert windows == []
    assert code in codes(stream)
    (words,) = {finding.words for finding in stream.report().findings if finding.code == code}
    assert [news for each in taken for news in each.news].count(words) == 1


def test_a_sensor_that_comes_later_stops_and_comes_again() -> None:
    alone = (Sensor.TOTAL_ACCELERATION,)
    arriving = steady(range(10), alone) + steady(range(10, 20)) + steady(range(20, 40), alone) + steady(range(40, 50))
    stream, windows, taken = run(arriving)
    starts = [w.start_s - EPOCH_S for w in windows]
    assert starts[0] == pytest.approx(10.0, abs=0.02)
    assert [s for s in starts if 17.5 < s < 40] == []
    assert sum(s >= 40 for s in starts) == 6
    news = [each for t in taken for each in t.news]
    assert "gap: no angular velocity any more" in news
    assert sum(each.startswith("no gyroscope") for each in news) == 1
    assert "no-gyroscope" not in codes(stream)


def test_gravity_apart_is_added_to_the_body_s_acceleration() -> None:
    samples = RECORDING.samples
    times = EPOCH_S + np.arange(3000) / 100
    slow = np.cumsum(samples[:, :3], axis=0) / np.arange(1, 3001)[:, np.newaxis]
    parts = (
        readings(Sensor.BODY_ACCELERATION, times, samples[:, :3] - slow),
        readings(Sensor.GRAVITY, times, slow),
        readings(Sensor.ANGULAR_VELOCITY, times, samples[:, 3:]),
    )
    whole = (readings(Sensor.TOTAL_ACCELERATION, times, samples[:, :3]), parts[2])
    apart, together = (samples_of([(EPOCH_S, PhoneMessage("p", "simulated", each, seq=0))]) for each in (parts, whole))
    np.testing.assert_allclose(apart, together, atol=1e-9)


def test_a_rate_that_changes_ends_the_piece() -> None:
    _, windows, taken = run(steady(range(20)) + steady(range(20, 40), rate=200.0))
    news = [each for t in taken for each in t.news]
    assert news == ["gap: the sampling rate changed from 100 to 200 Hz"]
    assert len(windows) > 26


@pytest.mark.parametrize(("rate", "n_windows"), [(5.0, 0), (12.0, 0), (20.0, 14)])
def test_a_rate_that_is_too_low_is_told(rate: float, n_windows: int) -> None:
    stream, windows, _ = run(steady(range(20), rate=rate))
    assert len(windows) == n_windows
    assert ("low-rate" in codes(stream)) == (n_windows == 0)


def test_sensors_whose_clocks_count_from_elsewhere_are_aligned_by_their_arrival() -> None:
    arriving = []
    for at_s, message in sent(Manner(104, clock_error=0.0)):
        acceleration, turning = message.readings
        arriving.append((at_s, replace(message, given=(acceleration, replace(turning, times=turning.times - 1e6)))))
    stream, windows, _ = run(arriving)
    assert "sensor-clocks" in codes(stream)
    assert len(windows) >= 44
    assert windows[0].start_s == pytest.approx(EPOCH_S, abs=0.05)


def test_single_samples_at_100_hz_are_resampled_from_the_first() -> None:
    """One by one they look like 50 Hz until the second comes: nothing that was taken for it stays."""
    faster = np.repeat(RECORDING.samples[:600], 2, axis=0)
    singles = [
        (EPOCH_S, as_message("p", Samples(faster[k : k + 1], np.array([EPOCH_S + k / 100]), k, start=k == 0)))
        for k in range(1200)
    ]
    stream, windows, taken = run(singles)
    assert [w.start_sample for w in windows] == [64 * k for k in range(8)]
    assert sum(each.gaps for each in taken) == 0
    assert stream.report().resampled
    assert stream.report().sensors[0].rate_hz == pytest.approx(100)
    at_once = as_message("p", Samples(faster, EPOCH_S + np.arange(1200) / 100, 0, start=True))
    assert np.array_equal(np.stack([w.values for w in windows]), np.stack([w.values for w in run([(0.0, at_once)])[1]]))


def test_a_phone_on_the_grid_is_not_resampled_and_goes_back_to_it() -> None:
    def message(first: int, rate: float, seq: int) -> PhoneMessage:
        times = EPOCH_S + first / 50 + np.arange(25) / rate
        return as_message("p", Samples(RECORDING.samples[first : first + 25], times, seq))

    stream = PhoneStream("p")
    for k in range(10):
        stream.push(message(25 * k, 50.0, k), 0.0)
    assert not stream.report().resampled
    stream.push(message(250, 45.0, 10), 0.0)
    assert stream.report().resampled
    for k in range(11, 60):
        stream.push(message(25 * k, 50.0, k), 0.0)
    assert not stream.report().resampled


def test_a_denoised_stream_off_the_grid_is_refused() -> None:
    off = as_message("p", Samples(np.zeros((30, 6)), EPOCH_S + np.arange(30) / 60, 0, Stage.DENOISED))
    with pytest.raises(WireError, match="denoised"):
        Intake("p").push(off, EPOCH_S)


def test_however_long_a_sensor_is_missing_or_a_clock_wrong_memory_is_bounded() -> None:
    alone = Intake("p")
    for at_s, message in steady(range(120), (Sensor.TOTAL_ACCELERATION, Sensor.GRAVITY, Sensor.BODY_ACCELERATION), 400):
        alone.push(message, at_s)
        assert alone.n_waiting < 3 * MAX_HELD_READINGS
    assert alone.n_waiting < 10_000
    outlier = Intake("p")
    far = PhoneMessage("p", "simulated", tuple(readings(s, np.array([EPOCH_S + 1e8])) for s in BOTH))
    windows = 0
    for k, (at_s, message) in enumerate(steady(range(60))):
        windows += sum(len(chunk.values) for chunk in outlier.push(replace(message, seq=None), at_s))
        if k == 10:
            outlier.push(far, at_s)
        assert outlier.n_waiting < MAX_HELD_READINGS
    assert windows > 50 * 45  # it is heard on


times_ = npst.arrays(
    np.float64,
    st.integers(1, 6),
    elements=st.floats(-1e300, 1e300) | st.floats(0, 5) | st.sampled_from([np.nan, np.inf, 1e-300]),
)
message_ = st.builds(
    lambda parts, seq, start, stage: PhoneMessage(
        "p", "x", tuple(readings(sensor, times) for sensor, times in parts), seq=seq, start=start, stage=stage
    ),
    st.lists(st.tuples(st.sampled_from(Sensor), times_), min_size=1, max_size=3),
    st.none() | st.integers(0, 5),
    st.booleans(),
    st.sampled_from(Stage),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e9), message_), max_size=8))
def test_whatever_the_times_are_they_are_samples_or_an_error_that_is_counted(arriving: list[Arriving]) -> None:
    stream = PhoneStream("p")
    for at_s, message in arriving:
        try:
            stream.push(message, at_s)
        except WireError as error:
            assert str(error)
    stream.finish()
    assert stream.report().phone == "p"


@settings(max_examples=25, deadline=None)
@given(
    rates=st.tuples(st.floats(20, 500), st.floats(20, 500)),
    batch=st.integers(1, 500),
    jitter=st.floats(0, 0.2),
    numbered=st.booleans(),
    boot=st.booleans(),
    seed=st.integers(0, 999),
)
def test_any_rate_any_batch_any_jitter_gives_the_signal(
    rates: tuple[float, float], batch: int, jitter: float, numbered: bool, boot: bool, seed: int
) -> None:
    """Both sensors measure a slow rotation, each at its own rate; a message has so many readings of the first."""
    rng = np.random.default_rng(seed)
    offset_s = 1e5 if boot else EPOCH_S
    sensors = [(sensor, regular(rate, jitter, rng)) for sensor, rate in zip(BOTH, rates, strict=True)]
    clock, length_s = ClockKind.BOOT if boot else ClockKind.UNIX, batch / rates[0]
    arriving = []
    for k in range(int(12 / length_s) + 1):
        slices = [(s, t[(k * length_s <= t) & (t < (k + 1) * length_s)]) for s, t in sensors]
        parts = tuple(readings(s, offset_s + t, rotation(t)) for s, t in slices if len(t))
        newest_s = max((float(t[-1]) for _, t in slices if len(t)), default=0.0)
        message = PhoneMessage("p", "x", parts, seq=k if numbered else None, clock=clock)
        arriving += [(EPOCH_S + newest_s, message)] if parts else []
    chunks = chunks_of(arriving)
    samples = np.concatenate([chunk.values for chunk in chunks])
    instants = chunks[0].time_s - EPOCH_S + np.arange(len(samples)) / 50
    inside = slice(40, -40)  # half a kernel from the ends, where the signal is taken to stand still
    assert len(samples) > 585
    np.testing.assert_allclose(samples[inside, :3], rotation(instants[inside]), atol=0.02)
    np.testing.assert_allclose(samples[inside, 3:], rotation(instants[inside]), atol=0.02)


def regular(rate: float, jitter: float, rng: np.random.Generator) -> FloatArray:
    """Twelve seconds of a sensor's times, jittered by so many intervals."""
    count = int(12 * rate)
    return np.sort(np.arange(count) + jitter * rng.uniform(-0.5, 0.5, count) + 0.5 + 0.4 * rng.random()) / rate


def rotation(times: FloatArray) -> FloatArray:
    """A vector of length 1 that turns once a second, its third axis at rest; ``(n, 3)``."""
    turn = 2 * np.pi * times
    return np.stack([np.cos(turn), np.sin(turn), np.ones(len(times))], axis=1)


def test_a_sign_that_changes_ends_the_piece() -> None:
    assert SILENCE_S > BRIDGE_S  # what the conventions leave out then is a gap


@pytest.mark.parametrize("gap_s", [BRIDGE_S - 0.1, BRIDGE_S + 0.1])
def test_the_stated_limit_decides_whether_a_gap_is_bridged(gap_s: float) -> None:
    later = steady(range(10, 20), shift_s=gap_s)
    _, _, taken = run(steady(range(10)) + later)
    assert sum(each.gaps for each in taken) == (gap_s > BRIDGE_S)
