"""From what was seen at a broker to what is wrong and what to change. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from model.text import counted
from streamer.doctor.advice import Advice, Diagnosis, PhoneDiagnosis
from streamer.doctor.general import general_advice
from streamer.doctor.seen import PhoneSeen, Seen
from streamer.doctor.settings import changes_for
from streamer.intake.limits import LOW_RATE_HZ, MAX_RATE_HZ, MIN_RATE_HZ, SILENT_S
from streamer.intake.report import IntakeReport
from streamer.readings import Sensor

HIGH_RATE_HZ = 150.0
"""Above this a rate is called more than needed; the model sees nothing above 20 Hz."""

SLOW_MESSAGES_S = 2.5
"""Messages that come less often than a window lasts (2.56 s) add as much delay."""

TOLERABLE = 0.01
"""Share of the messages that may be lost or late without a change being asked for."""

_HARMLESS = ("sensor-clocks",)
"""Codes of the intake's findings that it makes up for itself."""

Rule = Callable[[PhoneSeen, Seen], Iterator[tuple[str, str, bool]]]
"""Gives code, words, and whether it is a note."""


def diagnose(seen: Seen) -> Diagnosis:
    """The diagnosis, phones in the order of their names, what needs a change first."""
    phones = tuple(_phone(phone, seen) for phone in sorted(seen.phones, key=lambda phone: phone.phone))
    return Diagnosis(seen.broker, seen.seconds, phones, tuple(general_advice(seen)))


def _phone(phone: PhoneSeen, seen: Seen) -> PhoneDiagnosis:
    report = phone.report
    name = report.format if report else None
    found: dict[str, Advice] = {}
    for rule in _RULES:
        for code, words, is_note in rule(phone, seen):
            found.setdefault(code, Advice(code, words, changes_for(code, name, phone.phone), is_note))
    advice = tuple(sorted(found.values(), key=lambda each: each.is_note))
    return PhoneDiagnosis(phone.phone, name, summary(phone), advice, report.facts if report else ())


def summary(phone: PhoneSeen) -> str:
    """How a phone sends, in a line: its sensors' rates, messages, windows."""
    sensors = phone.report.sensors if phone.report else ()
    rates = [f"{each.sensor.value} {'?' if each.rate_hz is None else f'{each.rate_hz:.3g}'} Hz" for each in sensors]
    return ", ".join([*rates, counted(phone.messages, "message"), counted(phone.windows, "window")])


def _malformed(phone: PhoneSeen, seen: Seen) -> Iterator[tuple[str, str, bool]]:
    if phone.malformed:
        total = phone.malformed + phone.messages
        yield (
            "malformed",
            f"{phone.malformed} of {counted(total, 'message')} cannot be used, the last as {phone.last_fault}",
            False,
        )


def _rates(phone: PhoneSeen, seen: Seen) -> Iterator[tuple[str, str, bool]]:
    rates = {each.sensor.value: each.rate_hz for each in _report(phone).sensors if each.rate_hz is not None}
    slow = [f"{name} at {rate:.3g} Hz" for name, rate in rates.items() if rate < LOW_RATE_HZ]
    fast = [f"{name} at {rate:.3g} Hz" for name, rate in rates.items() if HIGH_RATE_HZ < rate <= MAX_RATE_HZ]
    if slow:
        what = "anything" if min(rates.values()) < MIN_RATE_HZ else "much"
        yield "low-rate", f"{', '.join(slow)}: too slow to recognise {what}", False
    if fast:
        yield "more-than-needed", f"{', '.join(fast)}: more than needed", True


def _intake(phone: PhoneSeen, seen: Seen) -> Iterator[tuple[str, str, bool]]:
    for finding in _report(phone).findings:
        yield finding.code, finding.words, finding.code in _HARMLESS


def _missing(phone: PhoneSeen, seen: Seen) -> Iterator[tuple[str, str, bool]]:
    """Only where the intake has not told why: a phone that sends but one sensor for a moment."""
    codes = {finding.code for finding in _report(phone).findings}
    if phone.report is None or not phone.report.sensors or codes & {"no-gyroscope", "no-accelerometer", "no-gravity"}:
        return
    for sensor in phone.report.missing:
        code = "no-gyroscope" if sensor is Sensor.ANGULAR_VELOCITY else "no-gravity"
        yield code, f"no {sensor.value} has come", False


def _messages(phone: PhoneSeen, seen: Seen) -> Iterator[tuple[str, str, bool]]:
    report, total = _report(phone), max(phone.messages, 1)
    if phone.lost:
        share = phone.lost / (total + phone.lost)
        words = f"{counted(phone.lost, 'message')} lost ({share:.1%}); windows around them are left out"
        yield "lost", words, share <= TOLERABLE
    if report.late:
        yield "late", f"{counted(report.late, 'message')} came too late to be used", report.late / total <= TOLERABLE
    if report.reordered:
        yield "reordered", f"{counted(report.reordered, 'message')} overtook others, and were put in order", True
    if report.repeated:
        yield "repeated", f"{counted(report.repeated, 'message')} came twice, and were used once", True


def _pace(phone: PhoneSeen, seen: Seen) -> Iterator[tuple[str, str, bool]]:
    if phone.silent_s > SILENT_S and phone.messages:
        yield "silent", f"nothing has come for the last {phone.silent_s:.0f} s", False
    elif phone.messages and seen.seconds / phone.messages > SLOW_MESSAGES_S:
        every_s = seen.seconds / phone.messages
        yield "slow-messages", f"a message comes every {every_s:.1f} s, and predictions as much later", True


def _worn(phone: PhoneSeen, seen: Seen) -> Iterator[tuple[str, str, bool]]:
    if phone.worn:
        yield "worn", phone.worn, False


_RULES: tuple[Rule, ...] = (_malformed, _rates, _intake, _missing, _messages, _pace, _worn)


def _report(phone: PhoneSeen) -> IntakeReport:
    return phone.report or IntakeReport(phone.phone)
