"""Which phones are followed: who is let in, who makes room, who is forgotten. Pure.

When there is no more room a phone that has been silent for some time makes room for another, the one that has been
silent longest first; if none is, the newcomer is refused. A phone that has been silent for very long is forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from streamer.faults import Fault
from streamer.limits import Limits
from streamer.phone_stream import PhoneStream
from streamer.wire import WireError

SWEEPS = 60
"""So many times in the time after which a phone is forgotten it is looked for such phones."""


LOOK_S = 1.0
"""Seconds between two looks at all phones for idle ones, however many newcomers ask."""


class Roll:
    """The streams of the phones that are followed, by name; times are Unix time [s].

    Parameters
    ----------
    max_phones : phones at most.
    """

    def __init__(self, max_phones: int) -> None:
        self.streams: dict[str, PhoneStream] = {}
        self.gone: list[tuple[str, bool]] = []
        """Phones that are followed no longer, and whether they were evicted, until somebody takes them away."""
        self._max_phones = max_phones
        self._idle: deque[tuple[str, float]] = deque()
        self._none_idle_before_s = float("-inf")
        self._next_sweep_s = float("-inf")

    def admit(self, stream: PhoneStream, now_s: float, limits: Limits) -> None:
        """Follow another phone.

        Raises
        ------
        WireError : there is no room.
        """
        if len(self.streams) >= self._max_phones and not self._make_room(now_s, limits.evict_s):
            reason = f"there are {self._max_phones} phones already, and none is silent (--max-phones)"
            raise WireError(reason, Fault.NO_ROOM)
        self.streams[stream.phone] = stream

    def sweep(self, now_s: float, limits: Limits) -> None:
        """Forget who has been silent for very long; looks at them only now and then."""
        if now_s < self._next_sweep_s:
            return
        self._next_sweep_s = now_s + limits.forget_s / SWEEPS
        for name in [name for name, s in self.streams.items() if s.heard_s <= now_s - limits.forget_s]:
            self._drop(name, evicted=False)

    def _make_room(self, now_s: float, evict_s: float) -> bool:
        """Whether a phone has gone; all are looked at only when those that were found last have been used up."""
        if (name := self._next_idle()) is None and now_s >= self._none_idle_before_s:
            heard = sorted((stream.heard_s, name) for name, stream in self.streams.items())
            self._idle.extend((name, at_s) for at_s, name in heard if at_s <= now_s - evict_s)
            self._none_idle_before_s = max(heard[0][0] + evict_s, now_s + LOOK_S)
            name = self._next_idle()
        if name is None:
            return False
        self._drop(name, evicted=True)
        return True

    def _next_idle(self) -> str | None:
        """The phone that has been silent longest of those that were when it was looked, and still are."""
        while self._idle:
            name, heard_s = self._idle.popleft()
            stream = self.streams.get(name)
            if stream is not None and stream.heard_s == heard_s:
                return name
        return None

    def _drop(self, name: str, *, evicted: bool) -> None:
        del self.streams[name]
        self.gone.append((name, evicted))

    def take_gone(self) -> Iterator[tuple[str, bool]]:
        """Those that have gone since this was asked last."""
        gone, self.gone = self.gone, []
        return iter(gone)
