"""What to change in which app's settings for each thing that can be wrong. Pure.

Sensor Logger: awesome-sensor-logger, PUSHING.md (batch period, topic, WebSockets alone) and CROSSPLATFORM.md (units and
frames). SensorSpot: its README and SensorPublisher.kt (sampling period in µs, 200000 by default). phyphox: the
experiment in this package.
"""

from __future__ import annotations

from streamer.formats.names import Format

_SENSOR_LOGGER, _SENSORSPOT, _PHYPHOX, _HAR = Format.SENSOR_LOGGER, Format.SENSORSPOT, Format.PHYPHOX, Format.HAR

_ANY = None
"""For formats that are not named."""

_CHANGES: dict[str, dict[Format | None, str]] = {
    "low-rate": {
        _SENSORSPOT: "in SensorSpot, set the sampling period to 20000 µs (its own is 200000 µs, 5 Hz)",
        _SENSOR_LOGGER: "in Sensor Logger, set accelerometer, gravity and gyroscope to 50 Hz or more",
        _PHYPHOX: "use the phyphox experiment of this package, which takes readings as fast as the phone gives them",
        _ANY: "send 50 readings a second (one every 20 ms), or more",
    },
    "high-rate": {
        _HAR: "send the times in seconds, as they were when the readings were taken",
        _ANY: "send the time at which each reading was taken",
    },
    "more-than-needed": {
        _SENSOR_LOGGER: "to save battery and network, set a sampling frequency of 50 or 100 Hz in Sensor Logger",
        _SENSORSPOT: "to save battery and network, set the sampling period to 20000 µs in SensorSpot",
        _ANY: "50 to 100 Hz are enough, and save battery and network",
    },
    "no-gyroscope": {
        _SENSOR_LOGGER: "in Sensor Logger, turn on Gyroscope",
        _SENSORSPOT: "in SensorSpot, select the gyroscope beside the accelerometer",
        _PHYPHOX: "phyphox sends it if the phone has one: use another phone",
        _ANY: "send the angular velocity, too",
    },
    "no-accelerometer": {
        _SENSOR_LOGGER: "in Sensor Logger, turn on Accelerometer and Gravity",
        _SENSORSPOT: "in SensorSpot, select the accelerometer beside the gyroscope",
        _ANY: "send the acceleration, with gravity",
    },
    "no-gravity": {
        _SENSOR_LOGGER: "in Sensor Logger, turn on Gravity beside Accelerometer",
        _SENSORSPOT: "in SensorSpot, select the accelerometer, not the linear acceleration",
        _ANY: "send the acceleration with gravity",
    },
    "sign-unknown": {
        _SENSOR_LOGGER: "in Sensor Logger, turn on Standardise Units & Frames",
        _ANY: "send what a phone shows that lies still: +1 g along the axis that points up",
    },
    "unit": {
        _SENSOR_LOGGER: "in Sensor Logger, turn on Standardise Units & Frames",
        _HAR: 'say it in the messages: "unit": {"acc": "m/s2", "gyro": "deg/s"}, or send g and rad/s',
        _ANY: "send g or m/s² and rad/s, as the format has it",
    },
    "clock": {
        _HAR: "let the phone set its clock by the network, and send Unix time in seconds",
        _ANY: "in the phone's settings, let the network set date and time",
    },
    "irregular": {_ANY: "close other apps, and keep the phone from saving power while it measures"},
    "standing-times": {_ANY: "send the time at which each reading was taken"},
    "lossy": {_ANY: "keep the phone from saving power while it measures; check its way to the broker"},
    "lost": {
        _HAR: "publish with quality of service 1, and check the phone's way to the broker (Wi-Fi)",
        _ANY: "check the phone's way to the broker (Wi-Fi): the app sends each message once",
    },
    "late": {_ANY: "check the phone's way to the broker (Wi-Fi)"},
    "repeated": {_ANY: "harmless; if all come twice, the app runs twice, or two brokers pass messages to each other"},
    "slow-messages": {
        _SENSOR_LOGGER: "in Sensor Logger, set a shorter batch period",
        _ANY: "send smaller batches: half a second is good",
    },
    "silent": {_ANY: "see that the app still measures, with the screen off, too"},
    "malformed": {_ANY: "compare its messages with the formats in docs/phones.md"},
    "worn": {_ANY: "if nobody lies, run: har-stream calibrate {phone}, or name the axes by --mount"},
}

_SAME = {
    "unit-unknown": "unit",
    "unit-wrong": "unit",
    "angular-unit-wrong": "unit",
    "boot-clock": "clock",
    "clock-off": "clock",
    "clock-jumps": "clock",
    "sensor-clocks": "clock",
}
"""What is changed in the same way."""


def changes_for(code: str, format_name: str | None, phone: str) -> tuple[str, ...]:
    """What the phone's owner is to change, nothing if nothing is known to help."""
    by_format = _CHANGES.get(_SAME.get(code, code), {})
    known = Format(format_name) if format_name in tuple(Format) else None
    words = by_format.get(known, by_format.get(_ANY))
    return () if words is None else (words.replace("{phone}", phone),)
