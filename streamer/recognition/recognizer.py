"""Many phones: their streams, and the windows that wait for the next batch. Pure."""

from __future__ import annotations

from collections.abc import Callable

from model.smoothing import FloatArray
from streamer.intake.report import IntakeReport
from streamer.phone_stream import PhoneStream, ReadyWindow, Taken, windows_together
from streamer.readings import PhoneMessage
from streamer.recognition.prediction import Clock, Engine, Prediction
from streamer.wire import WireError


def _as_it_is(_phone: str) -> FloatArray | None:
    return None


class Recognizer:
    """The streams of all phones, and the windows that wait for the next batch.

    Parameters
    ----------
    engine : the model at work.
    max_phones : a further phone is refused.
    rotation_of : the turn of each phone's axes into the data set's; None for a phone leaves its as they are.
    unix_offset_s : what makes Unix time of the clock that arrivals are told by, for phones that come.
    """

    kept = ("_streams", "_waiting", "unix_offset_s")

    def __init__(
        self,
        engine: Engine,
        *,
        max_phones: int,
        rotation_of: Callable[[str], FloatArray | None] = _as_it_is,
        unix_offset_s: float = 0.0,
    ) -> None:
        self._engine = engine
        self._max_phones = max_phones
        self._rotation_of = rotation_of
        self.unix_offset_s = unix_offset_s
        self._streams: dict[str, PhoneStream] = {}
        self._unfiltered: dict[str, PhoneStream] = {}
        self._pending: list[ReadyWindow] = []
        self._waiting: set[str] = set()

    def _stream(self, name: str) -> PhoneStream:
        stream = self._streams.get(name)
        if stream is None:
            if len(self._streams) >= self._max_phones:
                raise WireError(f"there are {self._max_phones} phones already (--max-phones)")
            rotation = self._rotation_of(name)
            stream = self._streams[name] = PhoneStream(name, self.unix_offset_s, self._engine.cut)
            stream.rotation = rotation
        return stream

    def push(self, message: PhoneMessage, arrived_s: float) -> Taken:
        """Take one message of a phone, its labels first; its samples join the next batch.

        Raises
        ------
        WireError : one phone too many, or readings that cannot be used; they are ignored.
        """
        stream = self._stream(message.phone)
        taken = stream.take(message, arrived_s)
        self._join(stream, taken)
        if stream.is_waiting:
            self._waiting.add(message.phone)
        return taken

    def _join(self, stream: PhoneStream, taken: Taken) -> None:
        self._pending += taken.windows
        if stream.is_unfiltered:
            self._unfiltered[stream.phone] = stream

    def tick(self, now_s: float) -> dict[str, Taken]:
        """What comes by now of messages that were held back for others, of phones that sent nothing after them.

        Only phones that hold something back are looked at. ``now_s`` is on the clock that arrivals are told by.
        """
        taken = {}
        for name in tuple(self._waiting):
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
