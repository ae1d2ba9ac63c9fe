"""One phone's stream: messages in, windows of the nine channels out, with their times and labels. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.orientation import turned
from model.signals import SAMPLING_RATE, SignalChain, Stage, Start
from model.windows import WINDOW_LENGTH, Window, WindowSlicer
from streamer.continuity import Continuity, Judgement, Verdict, rate_fault
from streamer.intake.conventions import Conventions
from streamer.intake.report import IntakeReport, SensorReport
from streamer.labels import Labels
from streamer.readings import PhoneMessage, Sensor
from streamer.wire import Samples, WireError


@dataclass(frozen=True, slots=True)
class ReadyWindow:
    """A whole window that waits for its classification.

    ``start_sample`` counts from the stream's first sample, ``start_s`` and ``end_s`` are Unix seconds of the
    first sample and of the sample after the last; ``arrived_s`` is the arrival of the message that completed
    the window, on the listener's own clock. ``label`` is None unless the window lies inside one segment that
    is labelled with one of the six activities. ``piece`` counts the phone's pieces of stream: windows of one
    piece follow each other without a gap.
    """

    phone: str
    start_sample: int
    start_s: float
    end_s: float
    values: npt.NDArray[np.float32]
    arrived_s: float
    label: str | None
    piece: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a message: the windows that it completed, what it counts as, and ``news`` for the phone's owner."""

    windows: list[ReadyWindow] = field(default_factory=list)
    lost_messages: int = 0
    late_messages: int = 0
    repeated_messages: int = 0
    gaps: int = 0
    news: tuple[str, ...] = ()


class PhoneStream:
    """The signal chain and the window of one phone, across messages, losses and restarts.

    A loss or a jump in time ends a piece of the stream: the filters start anew from the next sample's steady
    state and no window straddles the gap. Samples are numbered by time, so numbers go on across a gap.
    ``rotation`` ``(3, 3)`` turns the phone's axes into the data set's, v to ``rotation @ v``; None leaves them.
    """

    def __init__(self, phone: str) -> None:
        self.phone = phone
        self.labels = Labels()
        self.rotation: npt.NDArray[np.float64] | None = None
        self._conventions = Conventions()
        self._report = IntakeReport(phone)
        self._continuity = Continuity()
        self._slicer = WindowSlicer()
        self._chain = SignalChain()
        self._times: deque[tuple[int, float]] = deque()
        self._stream_start_s = 0.0
        self._next_sample = 0
        self._arrived_s = 0.0
        self._piece = 0

    def report(self) -> IntakeReport:
        """What is known of how the phone sends."""
        return self._report

    def push(self, message: PhoneMessage, arrived_s: float) -> Taken:
        """Take one message; give what came of it, all windows that it completes among it.

        Raises
        ------
        WireError : the readings are not regular at 50 Hz; they are ignored.
        """
        for label in message.labels:
            self.labels.add(label)
        if not message.readings:
            return Taken()
        samples = _samples(self._conventions.apply(message))
        if fault := rate_fault(samples):
            raise WireError(fault)
        judgement = self._continuity.judge(samples)
        self._note(message, judgement)
        return _taken(judgement, self._push(samples, judgement, arrived_s))

    def _push(self, samples: Samples, judgement: Judgement, arrived_s: float) -> list[ReadyWindow]:
        if judgement.verdict in (Verdict.REPEATED, Verdict.LATE):
            return []
        ended = []
        if judgement.verdict is not Verdict.CONTINUES or samples.stage is not self._chain.stage:
            ended = self.finish()
            self._begin(samples, judgement.verdict)
        self._arrived_s = arrived_s
        self._times.append((self._next_sample, float(samples.times[0])))
        self._next_sample += len(samples.values)
        return ended + self._ready(self._slicer.push(self._chain.push(self._turned(samples.values))))

    def _turned(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Both sensors' vectors turned by :attr:`rotation`, ``(n_samples, 6)``."""
        return values if self.rotation is None else turned(values, self.rotation)

    def _note(self, message: PhoneMessage, judgement: Judgement) -> None:
        before = {sensor.sensor: sensor.readings for sensor in self._report.sensors}
        for readings in message.readings:
            before[readings.sensor] = before.get(readings.sensor, 0) + len(readings.times)
        self._report = replace(
            self._report,
            format=message.format,
            clock=message.clock,
            sensors=tuple(SensorReport(sensor, count) for sensor, count in before.items()),
            repeated=self._report.repeated + (judgement.verdict is Verdict.REPEATED),
            late=self._report.late + (judgement.verdict is Verdict.LATE),
            gaps=self._report.gaps + (judgement.verdict is Verdict.GAP),
            facts=message.facts,
        )

    def finish(self) -> list[ReadyWindow]:
        """End the piece of the stream: the window that only the median's last sample still completes, if any."""
        return self._ready(self._slicer.push(self._chain.finish()))

    def remount(self, rotation: npt.NDArray[np.float64] | None) -> list[ReadyWindow]:
        """Turn from now on by this; another turn than before ends the piece of the stream."""
        if rotation is self.rotation or (
            rotation is not None and self.rotation is not None and np.array_equal(rotation, self.rotation)
        ):
            return []
        self.rotation = rotation
        ended = self.finish()
        self._chain = SignalChain(start=Start.STEADY, stage=self._chain.stage)
        self._slicer.reset(self._next_sample)
        self._piece += 1
        return ended

    def _begin(self, samples: Samples, verdict: Verdict) -> None:
        first_s = float(samples.times[0])
        if verdict is Verdict.START:
            self._stream_start_s, self._next_sample = first_s, 0
        else:
            by_time = round((first_s - self._stream_start_s) * SAMPLING_RATE)
            self._next_sample = max(self._next_sample, by_time)
        self._chain = SignalChain(start=Start.ZERO if samples.start else Start.STEADY, stage=Stage(samples.stage))
        self._slicer.reset(self._next_sample)
        self._times.clear()
        self._piece += 1

    def _time_of(self, sample: int) -> float:
        """Unix time of a sample of the current piece, by the message that brought it."""
        while len(self._times) > 1 and self._times[1][0] <= sample:
            self._times.popleft()
        first, time_s = self._times[0]
        return time_s + (sample - first) / SAMPLING_RATE

    def _ready(self, windows: list[Window]) -> list[ReadyWindow]:
        return [self._describe(window) for window in windows]

    def _describe(self, window: Window) -> ReadyWindow:
        start_s = self._time_of(window.start_sample)
        end_s = start_s + WINDOW_LENGTH / SAMPLING_RATE
        label = self.labels.covering(start_s, end_s)
        label = label if label in ACTIVITIES else None
        return ReadyWindow(
            self.phone,
            window.start_sample,
            start_s,
            end_s,
            window.values,
            self._arrived_s,
            label,
            self._piece,
        )


def _samples(message: PhoneMessage) -> Samples:
    """The six raw channels of a message whose two sensors share their times."""
    by_sensor = {readings.sensor: readings for readings in message.readings}
    acceleration = by_sensor.get(Sensor.TOTAL_ACCELERATION)
    angular_velocity = by_sensor.get(Sensor.ANGULAR_VELOCITY)
    if acceleration is None or angular_velocity is None:
        raise WireError("acceleration and angular velocity do not come together")
    if not np.array_equal(acceleration.times, angular_velocity.times):
        raise WireError("acceleration and angular velocity have different times")
    values = np.concatenate([acceleration.values, angular_velocity.values], axis=1)
    return Samples(values, acceleration.times, message.seq, message.stage, message.start)


def _taken(judgement: Judgement, windows: list[ReadyWindow]) -> Taken:
    is_gap = judgement.verdict is Verdict.GAP
    lost = f"{judgement.lost_messages} messages lost" if judgement.lost_messages else "the stream jumped"
    return Taken(
        windows,
        lost_messages=judgement.lost_messages,
        late_messages=int(judgement.verdict is Verdict.LATE),
        repeated_messages=int(judgement.verdict is Verdict.REPEATED),
        gaps=int(is_gap),
        news=(f"gap: {lost}",) if is_gap else (),
    )
