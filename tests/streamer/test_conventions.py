"""Units and signs: what the format leaves open is found out from recordings turned into what phones send."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from model.activities import TRAIN_SUBJECTS
from model.bundled import index, load_recording
from model.signals import STANDARD_GRAVITY, FloatArray
from streamer.intake import evidence
from streamer.intake.conventions import MOST_CHECK_S, SILENCE_S, Conventions
from streamer.phone_stream import PhoneStream
from streamer.readings import PhoneMessage, Readings, Sensor, Sign, Unit

RECORDINGS = [experiment for experiment, subject in index() if subject in TRAIN_SUBJECTS][::14]

RATE = 50.0
BATCH = 50


def batches(values: FloatArray) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Times and values of one second each."""
    times = np.arange(len(values)) / RATE
    for start in range(0, len(values), BATCH):
        yield times[start : start + BATCH], values[start : start + BATCH]


def parts(acceleration: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The body's acceleration and gravity, whose sum is the acceleration."""
    kernel = np.ones(50) / 50
    gravity = np.stack([np.convolve(axis, kernel, mode="same") for axis in acceleration.T], axis=1)
    return acceleration - gravity, gravity


def upright(experiment: int) -> FloatArray:
    """Half a minute of a recording, in which the subject stands, sits and walks, ``(n, 6)``."""
    recording = load_recording(experiment)
    return recording.samples[recording.segments[0].start :][:1500]


def logger_message(times: FloatArray, *readings: tuple[Sensor, FloatArray, Unit | None, Sign | None]) -> PhoneMessage:
    made = tuple(Readings(sensor, times, values, unit, sign) for sensor, values, unit, sign in readings)
    return PhoneMessage("p", "sensor-logger", made)


def accelerations(messages: list[PhoneMessage]) -> dict[float, FloatArray]:
    """Time to total acceleration in g, of all readings that came through."""
    found = {}
    for message in messages:
        total = {r.sensor: r for r in message.readings if r.sensor is not Sensor.ANGULAR_VELOCITY}
        if not total:
            continue
        assert {(r.unit, r.sign) for r in total.values()} == {(Unit.G, Sign.ANDROID)}
        times = next(iter(total.values())).times
        for time_s, value in zip(times, np.sum([r.values for r in total.values()], axis=0), strict=True):
            found[float(time_s)] = value
    return found


def assert_right(messages: list[PhoneMessage], truth: FloatArray, *, from_s: float) -> None:
    """From ``from_s`` on all readings came through, and all that did are right."""
    found = accelerations(messages)
    for time_s, value in found.items():
        np.testing.assert_allclose(value, truth[round(time_s * RATE)], atol=1e-9)
    assert min(found) <= from_s
    assert len(found) >= len(truth) - from_s * RATE


@pytest.mark.parametrize("experiment", RECORDINGS)
@pytest.mark.parametrize("sign", Sign)
def test_an_iphone_s_open_sign_is_found_from_gravity(experiment: int, sign: Sign) -> None:
    truth = upright(experiment)[:, :3]
    factor = STANDARD_GRAVITY * (-1 if sign is Sign.IOS else 1)
    body, gravity = parts(truth)
    conventions, given = Conventions(), []
    for (times, b), (_, g) in zip(batches(body * factor), batches(gravity * factor), strict=True):
        metres = Unit.METRES_PER_SECOND_SQUARED
        message = logger_message(times, (Sensor.BODY_ACCELERATION, b, metres, None), (Sensor.GRAVITY, g, metres, None))
        given.append(conventions.apply(message))
    assert_right(given, truth, from_s=2.0)
    assert conventions.findings == ()
    [fact] = given[-1].facts
    assert ("iOS's sign" if sign is Sign.IOS else "Android's sign") in fact
    assert "x axis" in fact


@pytest.mark.parametrize("unit", [Unit.G, Unit.METRES_PER_SECOND_SQUARED])
def test_the_unit_of_an_uncalibrated_accelerometer_is_found_and_tells_the_sign(unit: Unit) -> None:
    truth = upright(RECORDINGS[0])[:, :3]
    sent = -truth if unit is Unit.G else truth * STANDARD_GRAVITY
    conventions, given = Conventions(), []
    conventions.is_turned = True  # nothing but the unit may tell
    for times, values in batches(sent):
        given.append(conventions.apply(logger_message(times, (Sensor.TOTAL_ACCELERATION, values, None, None))))
    assert_right(given, truth, from_s=2.0)
    assert [fact.partition(":")[0].partition(",")[0] for fact in given[-1].facts] == [
        f"acceleration in {unit}",
        f"acceleration in {'iOS' if unit is Unit.G else 'Android'}'s sign",
    ]


def test_a_unit_that_changes_is_found_again_behind_a_gap() -> None:
    truth = np.tile(upright(RECORDINGS[0])[:, :3], (2, 1))
    sent = np.concatenate([-truth[:1500], truth[1500:] * STANDARD_GRAVITY])
    conventions, given = Conventions(), []
    for times, values in batches(sent):
        given.append(conventions.apply(logger_message(times, (Sensor.TOTAL_ACCELERATION, values, None, None))))
    late = {time_s: value for time_s, value in accelerations(given).items() if time_s >= 32 + SILENCE_S}
    assert len(late) > 1000
    for time_s, value in late.items():
        np.testing.assert_allclose(value, truth[round(time_s * RATE)], atol=1e-9)


def test_a_sign_found_late_comes_behind_a_gap() -> None:
    """The phone lies on the table, then is put on: until then its readings pass as they are, and that is told."""
    worn = upright(RECORDINGS[0])[:1000, :3]
    table = np.tile([0.0, 0.0, 1.0], (1000, 1))
    conventions, given = Conventions(), []
    sent = -np.concatenate([table, worn])
    for times, values in batches(sent):
        message = logger_message(times, (Sensor.TOTAL_ACCELERATION, values, Unit.G, None))
        given.append(conventions.apply(message))
        if times[-1] == pytest.approx(10, abs=0.1):
            assert [finding.code for finding in conventions.findings] == ["sign-unknown"]
            assert "Standardise" in conventions.findings[0].words
    found = accelerations(given)
    times = np.array(sorted(found))
    [gap] = np.flatnonzero(np.diff(times) > 0.03)
    assert np.diff(times)[gap] > 1.0
    for time_s in times:
        factor = 1 if time_s <= times[gap] else -1
        np.testing.assert_allclose(found[time_s], factor * sent[round(time_s * RATE)])
    assert times[gap] < 20 + evidence.SPAN_S + 1
    assert conventions.findings == ()


def test_a_turned_phone_s_gravity_tells_no_sign() -> None:
    conventions = Conventions()
    conventions.is_turned = True
    for times, values in batches(-upright(RECORDINGS[0])[:500, :3]):
        given = conventions.apply(logger_message(times, (Sensor.TOTAL_ACCELERATION, values, Unit.G, None)))
    assert [finding.code for finding in conventions.findings] == ["sign-unknown"]
    np.testing.assert_allclose(given.readings[0].values, values)


def test_a_sign_told_by_one_message_holds_for_those_that_do_not_tell_it() -> None:
    conventions = Conventions()
    one = np.array([[0.0, 9.80665, 0.0]])
    metres = Unit.METRES_PER_SECOND_SQUARED
    times = np.zeros(1)
    conventions.apply(logger_message(times, (Sensor.GRAVITY, one, metres, Sign.ANDROID)))
    given = conventions.apply(logger_message(times + 1, (Sensor.GRAVITY, one, metres, None)))
    np.testing.assert_allclose(given.readings[0].values, [[0, 1, 0]])


def test_the_parts_of_an_acceleration_that_comes_whole_are_left_out() -> None:
    conventions = Conventions()
    times, one = np.zeros(1), np.ones((1, 3))
    whole = (Sensor.TOTAL_ACCELERATION, one, Unit.G, Sign.ANDROID)
    part = (Sensor.GRAVITY, one, Unit.G, Sign.ANDROID)
    assert len(conventions.apply(logger_message(times, part)).readings) == 1
    assert len(conventions.apply(logger_message(times, part, whole)).readings) == 1
    assert conventions.apply(logger_message(times, part)).readings == ()


STATED = [
    (Unit.G, STANDARD_GRAVITY, "unit-wrong", "as in m/s2"),
    (Unit.METRES_PER_SECOND_SQUARED, 1.0, "unit-wrong", "as in g"),
    (Unit.G, 0.01, "no-gravity", "gravity is missing"),
    (None, 100.0, "unit-unknown", "not known"),
    (None, 0.01, "no-gravity", "not known"),
    (Unit.G, 1.0, None, ""),
]


@pytest.mark.parametrize(("unit", "factor", "code", "words"), STATED)
def test_what_contradicts_the_format_is_told_and_not_changed(
    unit: Unit | None, factor: float, code: str | None, words: str
) -> None:
    sent = upright(RECORDINGS[0])[:200, :3] * factor
    conventions = Conventions()
    for times, values in batches(sent):
        reading = Readings(Sensor.TOTAL_ACCELERATION, times, values, unit)
        given = conventions.apply(PhoneMessage("p", "har", (reading,)))
        if unit is None:
            assert given.readings == ()
        elif unit is Unit.G:
            assert given.readings[0] is reading
    assert [finding.code for finding in conventions.findings] == ([code] if code else [])
    assert all(words in finding.words for finding in conventions.findings)


@pytest.mark.parametrize(
    ("unit", "factors"),
    [
        (Unit.G, (1.0, STANDARD_GRAVITY, 1.0)),
        (Unit.METRES_PER_SECOND_SQUARED, (STANDARD_GRAVITY, 1.0, STANDARD_GRAVITY)),
    ],
)
def test_what_contradicts_the_format_later_is_told_at_the_next_look_and_taken_back(
    unit: Unit, factors: tuple[float, ...]
) -> None:
    sent = np.tile(upright(RECORDINGS[0])[:, :3], (6, 1)) * np.repeat(factors, 3000)[:, np.newaxis]
    conventions, told = Conventions(), []
    for times, values in batches(sent):
        message = PhoneMessage("p", "har", (Readings(Sensor.TOTAL_ACCELERATION, times, values, unit),))
        given = conventions.apply(message)
        told.append([finding.code for finding in conventions.findings])
        expected = values if unit is Unit.G else values / STANDARD_GRAVITY
        np.testing.assert_allclose(given.readings[0].values, expected)
    late = round(MOST_CHECK_S + evidence.SPAN_S) + 2
    assert told[:60] == [[]] * 60
    assert told[60 + late : 120] == [["unit-wrong"]] * (60 - late)
    assert told[120 + late :] == [[]] * (60 - late)


@pytest.mark.parametrize("stated", [Unit.RADIANS_PER_SECOND, Unit.DEGREES_PER_SECOND, None])
@pytest.mark.parametrize("sent", [Unit.RADIANS_PER_SECOND, Unit.DEGREES_PER_SECOND])
def test_degrees_are_told_from_radians_in_walking(stated: Unit | None, sent: Unit) -> None:
    recording = load_recording(RECORDINGS[0])
    walking = next(s for s in recording.segments if s.activity == "WALKING")
    samples = recording.samples[walking.start : walking.start + 500]
    factor = np.rad2deg(1.0) if sent is Unit.DEGREES_PER_SECOND else 1.0
    conventions = Conventions()
    for (times, acceleration), (_, turning) in zip(
        batches(samples[:, :3]), batches(samples[:, 3:] * factor), strict=True
    ):
        readings = (
            Readings(Sensor.TOTAL_ACCELERATION, times, acceleration, Unit.G),
            Readings(Sensor.ANGULAR_VELOCITY, times, turning, stated),
        )
        given = conventions.apply(PhoneMessage("p", "har", readings))
    if stated is None:
        np.testing.assert_allclose(given.readings[1].values, samples[-BATCH:, 3:])
    is_wrong = stated not in (None, sent)
    assert [finding.code for finding in conventions.findings] == (["angular-unit-wrong"] if is_wrong else [])


def test_a_recording_passes_untouched_and_without_a_word() -> None:
    conventions = Conventions()
    samples = load_recording(RECORDINGS[0]).samples
    for (times, acceleration), (_, turning) in zip(batches(samples[:, :3]), batches(samples[:, 3:]), strict=True):
        readings = (
            Readings(Sensor.TOTAL_ACCELERATION, times, acceleration, Unit.G),
            Readings(Sensor.ANGULAR_VELOCITY, times, turning, Unit.RADIANS_PER_SECOND),
        )
        message = PhoneMessage("p", "har", readings)
        assert conventions.apply(message) is message
        assert conventions.findings == ()


@pytest.mark.parametrize("experiment", RECORDINGS)
def test_the_thresholds_hold_on_every_span_of_training_recordings(experiment: int) -> None:
    samples = load_recording(experiment).samples
    span = round(evidence.SPAN_S * RATE)
    for start in range(0, len(samples) - span, span):
        acceleration, turning = samples[start : start + span, :3], samples[start : start + span, 3:]
        assert evidence.acceleration_unit(evidence.length(acceleration)) is Unit.G
        assert evidence.worn_sign(acceleration) is not Sign.IOS
        is_moving = evidence.is_moving(acceleration)
        median = evidence.length(turning)
        assert evidence.angular_unit(median, is_moving=is_moving) is not Unit.DEGREES_PER_SECOND
        if is_moving:
            in_degrees = evidence.angular_unit(float(np.rad2deg(median)), is_moving=True)
            assert in_degrees is Unit.DEGREES_PER_SECOND


def test_what_is_found_out_is_told_once() -> None:
    stream = PhoneStream("p")
    news: list[str] = []
    samples = upright(RECORDINGS[0])
    for (times, acceleration), (_, turning) in zip(batches(-samples[:, :3]), batches(samples[:, 3:]), strict=True):
        message = logger_message(
            times,
            (Sensor.TOTAL_ACCELERATION, acceleration, None, None),
            (Sensor.ANGULAR_VELOCITY, turning, Unit.RADIANS_PER_SECOND, Sign.ANDROID),
        )
        news += stream.push(message, float(times[-1])).news
    found = [*stream.report().facts, *(finding.words for finding in stream.report().findings)]
    assert sorted(news) == sorted(found)
    assert [fact.partition(":")[0].partition(",")[0] for fact in stream.report().facts] == [
        "acceleration in g",
        "acceleration in iOS's sign",
    ]
