"""One phone's stream: messages in, windows of the nine channels out, with their times and labels. Pure.

For a model that follows streams the windows are spans that follow each other without overlap: each is what has come
since the last prediction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.orientation import turned
from model.signals import SAMPLING_RATE, SignalChain, Start, push_together
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
    """What came of a message: windows that are known by then, what it counts as, and ``news`` for the phone's owner."""

    windows: list[ReadyWindow] = field(default_factory=list)
    lost_messages: int = 0
    late_messages: int = 0
    repeated_messages: int = 0
    reordered_messages: int = 0
    bridged_samples: int = 0
    gaps: int = 0
    news: tuple[str, ...] = ()


NOTHING_TAKEN = Taken()
"""Of a message that follows on the one before it, which is the usual case."""


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
        self._times: list[tuple[int, float]] = []
        self._stream_start_s = 0.0
        self._next_sample = 0
        self._arrived_s = 0.0
        self._piece = 0
        self._unfiltered: list[tuple[Chunk, float]] = []
        self.heard_s = float("-inf")
        """Unix time of the arrival of its last message."""
        self.sent = 0.0
        """Samples that it has sent of late beyond what it may go on sending; see :class:`streamer.limits.Limits`."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was wrong with how the phone sends when the intake looked last, a few seconds ago at most."""
        return self._intake.telling.findings

    def report(self) -> IntakeReport:
        """What is known of how the phone sends."""
        return self._intake.report()

    def push(self, message: PhoneMessage, arrived_s: float) -> Taken:
        """Take one message; give what came of it, all windows that it completes among it.

        Raises
        ------
        WireError : the readings cannot be used; they are ignored.
        """
        taken = self.take(message, arrived_s)
        return replace(taken, windows=taken.windows + windows_together([self]))

    def take(self, message: PhoneMessage, arrived_s: float) -> Taken:
        """The same, but its samples wait for :func:`windows_together`, which goes over many phones' at once.

        Raises
        ------
        WireError : the readings cannot be used; they are ignored.
        """
        earlier = windows_together([self]) if message.labels else []  # a label holds for what comes behind it
        for label in message.labels:
            self.labels.add(label)
        if not message.has_readings:
            return Taken(earlier)
        self._arrived_s = arrived_s
        intake = self._intake
        intake.conventions.is_turned = self.rotation is not None
        self._keep(intake.push(message, arrived_s + self._unix_offset_s))
        if intake.went_straight_on and not earlier and not intake.telling.news:
            return NOTHING_TAKEN
        return self._taken(earlier)

    def _keep(self, chunks: list[Chunk]) -> None:
        self._unfiltered.extend((chunk, self._arrived_s) for chunk in chunks)

    @property
    def is_unfiltered(self) -> bool:
        """Whether samples wait for :func:`windows_together`."""
        return bool(self._unfiltered)

    @property
    def is_waiting(self) -> bool:
        """Whether something is held back as what is missing before it may still come."""
        return self._intake.is_waiting

    def release(self, now_s: float) -> Taken:
        """What comes of what has been held back for too long by now, on the clock that arrivals are told by; its
        samples wait for :func:`windows_together`.
        """
        self._keep(self._intake.release(now_s + self._unix_offset_s))
        return self._taken([])

    def wait_on(self, by_s: float) -> None:
        """What is held back has waited for so much less: nobody listened meanwhile."""
        self._intake.wait_on(by_s)

    def finish(self) -> list[ReadyWindow]:
        """End the stream: the windows of all that was still waited with, and of the median's last sample."""
        self._keep(self._intake.finish())
        return windows_together([self]) + self._end_piece()

    def _taken(self, windows: list[ReadyWindow]) -> Taken:
        before, now = self._counted, self._intake.counts()
        news = self._intake.telling.take_news()
        if now == before:
            return Taken(windows, news=news) if windows or news else NOTHING_TAKEN
        self._counted = now
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

    def _next_chunk(self) -> tuple[npt.NDArray[np.float64], list[ReadyWindow]]:
        """The next samples to be filtered, and the windows of the piece that ends before them, if one does."""
        chunk, self._arrived_s = self._unfiltered.pop(0)
        ended = []
        if chunk.piece is not None:
            ended = self._end_piece()
            self._begin(chunk.piece, chunk.time_s)
        self._times.append((self._next_sample, chunk.time_s))
        self._next_sample += len(chunk.values)
        return self._turned(chunk.values), ended

    def _cut_up(self, signals: npt.NDArray[np.float64]) -> list[ReadyWindow]:
        """The windows that the next samples of the nine channels complete."""
        return self._ready(self._slicer.push(signals))

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
        ended = windows_together([self])
        self.rotation = rotation
        ended += self._end_piece()
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
            self._times.pop(0)
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


def windows_together(streams: Iterable[PhoneStream]) -> list[ReadyWindow]:
    """Filter what waits in these streams, all of them at once: the windows that it completes, each phone's in order.

    Bit for bit what each would give by itself (:func:`model.signals.push_together`).
    """
    windows: list[ReadyWindow] = []
    while streams := [stream for stream in streams if stream.is_unfiltered]:
        chunks = []
        for stream in streams:
            values, ended = stream._next_chunk()
            chunks.append(values)
            windows += ended
        signals = push_together([stream._chain for stream in streams], chunks)
        for stream, own in zip(streams, signals, strict=True):
            windows += stream._cut_up(own)
    return windows
