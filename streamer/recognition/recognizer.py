"""Many phones: their streams, and the windows that wait for the next batch. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container

from model.smoothing import FloatArray
from streamer.faults import Fault
from streamer.intake.report import IntakeReport
from streamer.limits import LIMITS, Limits, leaked
from streamer.phone_stream import PhoneStream, ReadyWindow, Taken, windows_together
from streamer.readings import PhoneMessage
from streamer.recognition.prediction import Clock, Engine, Prediction
from streamer.recognition.roll import Roll
from streamer.wire import WireError


def _as_it_is(_phone: str) -> FloatArray | None:
    return None


class Recognizer:
    """The streams of all phones, and the windows that wait for the next batch.

    Parameters
    ----------
    engine : the model at work.
    max_phones : phones that are followed at most.
    rotation_of : the turn of each phone's axes into the data set's; None for a phone leaves its as they are.
    unix_offset_s : what makes Unix time of the clock that arrivals are told by, for phones that come.
    limits : of what a phone may send, and of how long it is kept.
    """

    kept = ("streams", "_waiting", "unix_offset_s")

    def __init__(
        self,
        engine: Engine,
        *,
        max_phones: int,
        rotation_of: Callable[[str], FloatArray | None] = _as_it_is,
        unix_offset_s: float = 0.0,
        limits: Limits = LIMITS,
    ) -> None:
        self.limits = limits
        self._engine = engine
        self._roll = Roll(max_phones)
        self._rotation_of = rotation_of
        self.unix_offset_s = unix_offset_s
        self._streams = self._roll.streams
        self._unfiltered: dict[str, PhoneStream] = {}
        self._pending: list[ReadyWindow] = []
        self._waiting: set[str] = set()

    def _stream(self, message: PhoneMessage, arrived_s: float) -> PhoneStream:
        """The stream of a message's phone, which has sent it now; a new one if need be."""
        name, now_s, limits = message.phone, arrived_s + self.unix_offset_s, self.limits
        stream = self._streams.get(name)
        if stream is None:
            stream = PhoneStream(name, self.unix_offset_s, self._engine.cut)
            self._roll.admit(stream, now_s, limits)
            stream.rotation = self._rotation_of(name)
        sent = leaked(stream.sent, limits.samples_per_s, now_s - stream.heard_s) + message.n_readings
        stream.heard_s = now_s
        if sent > limits.samples_at_once:
            stream.sent = sent - message.n_readings
            reason = f"it sends more than {limits.samples_per_s:.0f} samples a second: what is too much is refused"
            raise WireError(reason, Fault.TOO_FAST)
        stream.sent = sent
        return stream

    def push(self, message: PhoneMessage, arrived_s: float) -> Taken:
        """Take one message of a phone, its labels first; its samples join the next batch.

        Raises
        ------
        WireError : one phone or one sample too many, or readings that cannot be used; they are ignored.
        """
        stream = self._stream(message, arrived_s)
        taken = stream.take(message, arrived_s)
        self._join(stream, taken)
        if stream.is_waiting:
            self._waiting.add(message.phone)
        return taken

    def _join(self, stream: PhoneStream, taken: Taken) -> None:
        self._pending += taken.windows
        if stream.is_unfiltered:
            self._unfiltered[stream.phone] = stream

    def tick(self, now_s: float, behind: Container[str] = ()) -> dict[str, Taken]:
        """What comes by now of messages that were held back for others, of phones that sent nothing after them.

        Only phones that hold something back are looked at, and none of those that are ``behind``: what they sent after
        it waits elsewhere. Phones that have been silent for very long are forgotten. ``now_s`` is on the clock that
        arrivals are told by.
        """
        self._roll.sweep(now_s + self.unix_offset_s, self.limits)
        taken = {}
        for name in tuple(self._waiting):
            if name in behind or name not in self._streams:
                continue
            stream = self._streams[name]
            taken[name] = stream.release(now_s)
            self._join(stream, taken[name])
            if not stream.is_waiting:
                self._waiting.discard(name)
        return taken

    def wait_on(self, by_s: float) -> None:
        """Nobody listened for so long: what is held back for what may still come has waited for so much less."""
        for name in self._waiting:
            self._streams[name].wait_on(by_s)
        for stream in self._streams.values():
            stream.heard_s += by_s

    @property
    def streams(self) -> dict[str, PhoneStream]:
        """By phone, in order of their first messages."""
        return self._streams

    @streams.setter
    def streams(self, streams: dict[str, PhoneStream]) -> None:
        self._streams.clear()
        self._streams.update(streams)

    @property
    def has_gone(self) -> bool:
        """Whether :meth:`gone` has something to tell."""
        return bool(self._roll.gone)

    def gone(self) -> list[tuple[str, bool]]:
        """Phones whose streams have been given up since this was asked last, and whether to make room for others; none
        of their windows will come.
        """
        gone = list(self._roll.take_gone()) if self._roll.gone else []
        names = {name for name, _ in gone}
        if names:
            self._pending = [window for window in self._pending if window.phone not in names]
        for name in names:
            self._unfiltered.pop(name, None)
            self._waiting.discard(name)
        return gone

    def remount(self) -> None:
        """Ask for every phone's turn again; a phone whose turn has changed begins a new piece of its stream."""
        for name, stream in self._streams.items():
            self._pending += stream.remount(self._rotation_of(name))

    def stream(self, phone: str) -> PhoneStream | None:
        """The stream of a phone, None if there is none of that name."""
        return self._streams.get(phone)

    def reports(self) -> list[IntakeReport]:
        """What the intake knows of each phone, in order of their first messages."""
        return [stream.report() for stream in self._streams.values()]

    @property
    def is_waiting(self) -> bool:
        """Whether samples or windows wait for :meth:`classify`."""
        return bool(self._unfiltered or self._pending)

    def classify(self, clock: Clock) -> list[Prediction]:
        """Filter all samples that wait, and recognise the windows that they complete, in one batch; a phone's
        predictions are in its windows' order.
        """
        unfiltered, self._unfiltered = self._unfiltered, {}
        windows = self._pending + windows_together(unfiltered.values())
        self._pending = []
        return self._engine.recognise(windows, clock) if windows else []

    def finish(self, clock: Clock) -> list[Prediction]:
        """End all streams: the predictions that their last samples and the smoothing's lag still held back."""
        self._unfiltered.clear()
        for stream in self._streams.values():
            self._pending += stream.finish()
        return self.classify(clock) + self._engine.finish(clock)
