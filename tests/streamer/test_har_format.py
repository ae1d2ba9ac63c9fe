"""Our own format as messages of a phone."""

from __future__ import annotations

import numpy as np
import pytest

from model.bundled import load_recording
from model.signals import Stage
from streamer.formats import har
from streamer.intake.conventions import Conventions
from streamer.readings import PhoneMessage, Readings, Sensor, Sign, Unit
from streamer.wire import Label, WireError, encode_imu, encode_label

CHUNK = load_recording(3).samples[:25]


def test_samples_come_back_bit_for_bit_with_all_that_the_message_says() -> None:
    payload = encode_imu(CHUNK, time_s=1732428000.12, seq=7, stage=Stage.DENOISED, start=True)
    (message,) = har.decode("har/p1/imu", payload)
    assert (message.phone, message.seq, message.start, message.stage) == ("p1", 7, True, Stage.DENOISED)
    acceleration, angular_velocity = message.readings
    assert np.array_equal(np.concatenate([acceleration.values, angular_velocity.values], axis=1), CHUNK)
    assert acceleration.times is angular_velocity.times
    assert message.n_samples == 25
    assert Conventions().apply(message) is message


def test_labels_come_back_and_other_topics_hold_nothing() -> None:
    label = Label("WALKING", 1732428000.12, 1732428001.5)
    assert har.decode("har/p1/label", encode_label(label)) == [PhoneMessage("p1", "har", labels=(label,))]
    assert har.decode("har/p1/activity", b"what not") == []


@pytest.mark.parametrize(("topic", "phone"), [("har/p1/imu", "p1"), ("har/p1/label", "p1"), ("har/p 1/imu", None)])
def test_a_fault_names_its_phone_if_it_has_one(topic: str, phone: str | None) -> None:
    with pytest.raises(WireError) as raised:
        har.decode(topic, b"{}")
    assert raised.value.phone == phone


def test_units_and_signs_that_are_known_are_converted() -> None:
    times, values = np.arange(2) / 50, np.array([[9.80665, 0.0, 0.0], [0.0, -19.6133, 0.0]])
    acceleration = Readings(Sensor.TOTAL_ACCELERATION, times, values, Unit.METRES_PER_SECOND_SQUARED, Sign.IOS)
    turning = Readings(Sensor.ANGULAR_VELOCITY, times, np.array([[180.0, 0, 0]] * 2), Unit.DEGREES_PER_SECOND)
    converted = Conventions().apply(PhoneMessage("p", "x", (acceleration, turning))).readings
    np.testing.assert_allclose(converted[0].values, [[-1, 0, 0], [0, 2, 0]])
    np.testing.assert_allclose(converted[1].values, [[np.pi, 0, 0]] * 2)
    assert [r.unit for r in converted] == [Unit.G, Unit.RADIANS_PER_SECOND]
    assert converted[0].sign is Sign.ANDROID
