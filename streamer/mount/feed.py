"""The windows of one phone as its messages come in, not turned; and who else is heard."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

import numpy as np

from streamer.phone_stream import PhoneStream, ReadyWindow
from streamer.readings import PhoneMessage
from streamer.wire import WireError

MAX_HEARD = 20
"""Other phones that are remembered by name."""


class Feed:
    """Takes messages from the network thread by :meth:`receive`; gives one phone's windows on the caller's.

    ``heard`` are the names of phones that have sent anything, ``fault`` is why a message of this one was not used.

    Parameters
    ----------
    phone : the one that is followed.
    decode : topic and payload to the messages in it; raises :class:`WireError`.
    """

    def __init__(self, phone: str, decode: Callable[[str, bytes], Sequence[PhoneMessage]]) -> None:
        self.heard: dict[str, None] = {}
        self.fault: str | None = None
        self._phone = phone
        self._decode = decode
        self._stream = PhoneStream(phone, time.time() - time.monotonic())
        self._stream.rotation = np.eye(3)  # not None: what points up does not yet tell the acceleration's sign
        self._messages: SimpleQueue[tuple[str, bytes]] = SimpleQueue()

    @property
    def unsure(self) -> str | None:
        """Why the calibration may be a mirror image, if it may: the sign of the acceleration is not known.

        With the other sign, up and forward are measured the other way round, and come right; left and right do not.
        """
        found = (finding.words for finding in self._stream.report().findings if finding.code == "sign-unknown")
        return next(found, None)

    def receive(self, topic: str, payload: bytes) -> None:
        """Take a message; quick."""
        self._messages.put((topic, payload))

    def take(self, timeout_s: float) -> list[ReadyWindow]:
        """The windows that all messages so far have completed, after waiting for a first message."""
        windows: list[ReadyWindow] = []
        try:
            message = self._messages.get(timeout=timeout_s)
            while True:
                windows += self._use(*message)
                message = self._messages.get_nowait()
        except Empty:
            return windows

    def _use(self, topic: str, payload: bytes) -> list[ReadyWindow]:
        try:
            messages = self._decode(topic, payload)
            return [window for message in messages for window in self._push(message)]
        except WireError as error:
            if error.phone == self._phone:
                self.fault = str(error)
            return []

    def _push(self, message: PhoneMessage) -> list[ReadyWindow]:
        if len(self.heard) < MAX_HEARD:
            self.heard[message.phone] = None
        if message.phone != self._phone:
            return []
        try:
            return self._stream.push(message, time.monotonic()).windows
        except WireError as error:
            raise error.of(message.phone) from error
