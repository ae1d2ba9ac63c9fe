"""A listener's care for how its phones are worn: their turns, and news for their owners."""

from __future__ import annotations

import logging

from model.novelty import THRESHOLD, Novelty
from model.signals import FloatArray
from streamer.mount.book import MountBook
from streamer.mount.watch import MountWatch
from streamer.recognition.prediction import Prediction

log = logging.getLogger(__name__)


class MountMinder:
    """Keeps the phones' turns up to date, and watches where their gravity points.

    Parameters
    ----------
    book : the phones' turns.
    novelty : the model's checks; None: nothing is watched.
    """

    def __init__(self, book: MountBook, novelty: Novelty | None) -> None:
        self._book = book
        self._novelty = novelty
        self._watches: dict[str, MountWatch] = {}

    def refresh(self, now_s: float) -> bool:
        """Whether the turns may have changed since the last call."""
        if not self._book.refresh(now_s):
            return False
        if self._book.problem:
            log.warning("%s", self._book.problem)
        return True

    def rotation(self, phone: str) -> FloatArray | None:
        """The turn of a phone, as :meth:`MountBook.rotation`."""
        return self._book.rotation(phone)

    def news(self, prediction: Prediction) -> str | None:
        """What the phone's owner should know after one more prediction, if anything."""
        phone = prediction.window.phone
        if self._novelty is None or prediction.compared is None:
            return None
        watch = self._watches.setdefault(phone, MountWatch())
        novelty = self._novelty if prediction.novelty > THRESHOLD else None
        return watch.push(phone, prediction.compared, novelty, self._book.rotation(phone))
