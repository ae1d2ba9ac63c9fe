"""One phone's stream: messages in, windows of the nine channels out, with their times and labels. Pure.

For a model that follows streams the windows are spans that follow each other without overlap: each is what has come
since the last prediction.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.orientation import turned
from model.signals import SAMPLING_RATE, SignalChain, Start
from model.windows import HOP, WINDOW_LENGTH, Window, WindowSlicer
from streamer.intake.chunks import Chunk, Piece
from streamer.intake.intake import Counts, Intake
from streamer.intake.report import Finding, IntakeReport
from streamer.labels import Labels
from streamer.readings import PhoneMessage


@dataclass(frozen=True, slots=True)
class ReadyWindow:
    """A whole window that waits for its prediction; ``values`` are its samples, ``(n, 9)``.

    ``start_sample`` counts from the stream's first sample, ``start_s`` and ``end_s`` are Unix seconds of the
    first sample and of the sample after the last; ``arrived_s`` is the arrival of the message that completed
    the window, on the listener's own clock. ``label`` is None unless the window lies inside one segment that
    is labelled with one of the six activities. ``piece`` counts the phone's pieces of stream: windows of one
    piece follow each other without a gap, each ``hop`` samples after the one before.
    """

    phone: str
    start_sample: int
    start_s: float
    end_s: float
    values: npt.NDArray[np.float32]
    arrived_s: float
    label: str | None
    piece: int
    hop: int = HOP

    @property
    def span_s(self) -> float:
        """The seconds that its prediction stands for: from its start to the start of the next."""
        return self.hop / SAMPLING_RATE


@dataclass(frozen=True, slots=True)
class Cut:
    """How a stream is cut into windows: their length, and from the start of one to the next, in samples."""

    length: int = WINDOW_LENGTH
    hop: int = HOP


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a message: the windows that it completed, what it counts as, and ``news`` for the phone's owner."""

    windows: list[ReadyWindow] = field(default_factory=list)
    lost_messages: int = 0
    late_messages: int = 0
    repeated_messages: int = 0
    reordered_messages: int = 0
    bridged_samples: int = 0
    gaps: int = 0
    news: tuple[str, ...] = ()


class PhoneStream:
    """The signal chain and the window of one phone, across messages, losses and restarts.

    Where a gap or a jump in time ends a piece of the stream, the filters start anew from the next sample's steady
    state and no window straddles the gap. Samples are numbered by time, so numbers go on across a gap.
    ``rotation`` ``(3, 3)`` turns the phone's axes into the data set's, v to ``rotation @ v``; None leaves them.

    Parameters
    ----------
    unix_offset_s : what makes Unix time of the clock that arrivals are told by.
    cut : into which windows it is cut.
    """

    def __init__(self, phone: str, unix_offset_s: float = 0.0, cut: Cut | None = None) -> None:
        self.phone = phone
        self.labels = Labels()
        self.rotation: npt.NDArray[np.float64] | None = None
        self._intake = Intake(phone)
        self._counted = Counts()
        self._unix_offset_s = unix_offset_s
        self._cut = cut or Cut()
        self._slicer = WindowSlicer(self._cut.length, self._cut.hop)
        self._chain = SignalChain()
        self._times: deque[tuple[int, float]] = deque()
        self._stream_start_s = 0.0
        self._next_sample = 0
        self._arrived_s = 0.0
        self._piece = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was wrong with how the phone sends when the intake looked last, a few seconds ago at most."""
        return self._intake.findings

    def report(self) -> IntakeReport:
        """What is known of how the phone sends."""
        return self._intake.report()

    def push(self, message: PhoneMessage, arrived_s: float) -> Taken:
        """Take one message; give what came of it, all windows that it completes among it.

        Raises
        ------
        WireError : the readings cannot be used; they are ignored.
        """
        for label in message.labels:
            self.labels.add(label)
        if not message.readings:
            return Taken()
        self._arrived_s = arrived_s
        self._intake.conventions.is_turned = self.rotation is not None
        chunks = self._intake.push(message, arrived_s + self._unix_offset_s)
        return self._taken([window for chunk in chunks for window in self._follow(chunk)])

    @property
    def is_waiting(self) -> bool:
        """Whether something is held back as what is missing before it may still come."""
        return self._intake.is_waiting

    def release(self, now_s: float) -> Taken:
        """What comes of what has been held back for too long by now, on the clock that arrivals are told by."""
        chunks = self._intake.release(now_s + self._unix_offset_s)
        return self._taken([window for chunk in chunks for window in self._follow(chunk)])

    def finish(self) -> list[ReadyWindow]:
        """End the stream: the windows of all that was still waited with, and of the median's last sample."""
        windows = [window for chunk in self._intake.finish() for window in self._follow(chunk)]
        return windows + self._end_piece()

    def _taken(self, windows: list[ReadyWindow]) -> Taken:
        before, now = self._counted, self._intake.counts()
        news, self._intake.news = tuple(self._intake.news), []
        self._counted = now
        if now == before:
            return Taken(windows, news=news)
        return Taken(
            windows,
            lost_messages=now.lost - before.lost,
            late_messages=now.late - before.late,
            repeated_messages=now.repeated - before.repeated,
            reordered_messages=now.reordered - before.reordered,
            bridged_samples=now.bridged - before.bridged,
            gaps=now.gaps - before.gaps,
            news=news,
        )

    def _follow(self, chunk: Chunk) -> list[ReadyWindow]:
        """The windows that the next samples complete."""
        ended = []
        if chunk.piece is not None:
            ended = self._end_piece()
            self._begin(chunk.piece, chunk.time_s)
        self._times.append((self._next_sample, chunk.time_s))
        self._next_sample += len(chunk.values)
        return ended + self._ready(self._slicer.push(self._chain.push(self._turned(chunk.values))))

    def _turned(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Both sensors' vectors turned by :attr:`rotation`, ``(n_samples, 6)``."""
        return values if self.rotation is None else turned(values, self.rotation)

    def _end_piece(self) -> list[ReadyWindow]:
        """The window that only the median's last sample still completes, if any."""
        return self._ready(self._slicer.push(self._chain.finish()))

    def remount(self, rotation: npt.NDArray[np.float64] | None) -> list[ReadyWindow]:
        """Turn from now on by this; another turn than before ends the piece of the stream."""
        if rotation is self.rotation or (
            rotation is not None and self.rotation is not None and np.array_equal(rotation, self.rotation)
        ):
            return []
        self.rotation = rotation
        ended = self._end_piece()
        self._chain = SignalChain(start=Start.STEADY, stage=self._chain.stage)
        self._slicer.reset(self._next_sample)
        self._piece += 1
        return ended

    def _begin(self, piece: Piece, first_s: float) -> None:
        if piece.anew:
            self._stream_start_s, self._next_sample = first_s, 0
        else:
            by_time = round((first_s - self._stream_start_s) * SAMPLING_RATE)
            self._next_sample = max(self._next_sample, by_time)
        self._chain = SignalChain(start=piece.start, stage=piece.stage)
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
        end_s = start_s + self._cut.length / SAMPLING_RATE
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
            self._cut.hop,
        )
