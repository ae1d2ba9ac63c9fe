"""The predictions that come back: which window each is of, and how long it took."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.load.schedule import Cut, Expected
from model.signals import SAMPLING_RATE

_TIME = b'"time":'


class Heard:
    """Keeps what comes on ``har/<phone>/activity``, as cheaply as can be: phone, window's end, arrival."""

    def __init__(self, name_at: slice) -> None:
        self._name_at = name_at
        self.phone = array("l")
        self.end_s = array("d")
        self.at_s = array("d")
        self.unreadable = 0

    def take(self, body: memoryview, now_s: float) -> None:
        """A PUBLISH of quality 0: the phone's number from the topic, the window's end from the payload."""
        payload = bytes(body[:200])
        begin = payload.find(_TIME)
        try:
            phone, end_s = int(payload[self._name_at]), float(payload[begin + len(_TIME) : payload.index(b",", begin)])
        except ValueError:
            self.unreadable += 1
            return
        self.phone.append(phone)
        self.end_s.append(end_s)
        self.at_s.append(now_s)

    def __len__(self) -> int:
        return len(self.phone)


@dataclass(frozen=True, slots=True)
class Matched:
    """``at_s`` ``(n,)`` is when the prediction of each expected window came first, NaN if it did not."""

    at_s: npt.NDArray[np.float64]
    repeated: int
    strange: int

    @property
    def missing(self) -> int:
        """Windows without a prediction."""
        return int(np.isnan(self.at_s).sum())


def match(heard: Heard, expected: Expected, cut: Cut, begins_s: npt.NDArray[np.float64]) -> Matched:
    """Which prediction is of which window. ``begins_s`` ``(phones,)`` is the time of each phone's first sample."""
    n_phones = len(begins_s)
    phone = np.frombuffer(heard.phone, np.int_).astype(np.int64)
    arrived = np.frombuffer(heard.at_s)
    known = (phone >= 0) & (phone < n_phones)
    since_s = np.frombuffer(heard.end_s) - begins_s[np.where(known, phone, 0)]
    number = (since_s * SAMPLING_RATE - cut.length) / cut.hop
    known &= np.abs(number - np.round(number)) < 0.25
    place = np.full((n_phones, int(expected.number.max(initial=-1)) + 1), -1)
    place[expected.phone, expected.number] = np.arange(len(expected.phone))
    whole = np.round(number).astype(np.int64)
    known &= (whole >= 0) & (whole < place.shape[1])
    at = np.full(len(expected.phone), np.nan)
    found = place[phone[known], whole[known]]
    is_ours = found >= 0
    found, came = found[is_ours][::-1], arrived[known][is_ours][::-1]  # the first of several is written last
    at[found] = came
    return Matched(at, len(found) - len(np.unique(found)), len(phone) - len(found))
