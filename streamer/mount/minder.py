"""A listener's care for how its phones are worn: their turns, and news for their owners."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.novelty import THRESHOLD, Novelty
from model.signals import FloatArray
from streamer.mount.book import MountBook
from streamer.mount.watch import MountWatch, are_strange
from streamer.recognition.prediction import Prediction

log = logging.getLogger(__name__)


class MountMinder:
    """Keeps the phones' turns up to date, and watches where their gravity points.

    Parameters
    ----------
    book : the phones' turns.
    novelty : the model's checks; None: nothing is watched.
    """

    kept = ("_watches",)

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

    def forget(self, phone: str) -> None:
        """A phone is followed no longer."""
        self._watches.pop(phone, None)

    def news(self, predictions: Sequence[Prediction]) -> dict[int, str]:
        """What phones' owners should know after each of these predictions, by its place among them."""
        compared = [(place, p.compared) for place, p in enumerate(predictions) if p.compared is not None]
        if self._novelty is None or not compared:
            return {}
        are_novel = np.array([predictions[place].novelty > THRESHOLD for place, _ in compared])
        strange = are_strange(np.stack([window for _, window in compared]), are_novel, self._novelty)
        news = {}
        for (place, window), is_strange in zip(compared, strange.tolist(), strict=True):
            if words := self._follow(predictions[place].phone, window, is_strange):
                news[place] = words
        return news

    def _follow(self, phone: str, window: npt.NDArray[np.float32], is_strange: bool) -> str | None:
        if not is_strange and phone not in self._watches:
            return None
        watch = self._watches.setdefault(phone, MountWatch())
        return watch.push(phone, window, is_strange, self._book.rotation(phone))
