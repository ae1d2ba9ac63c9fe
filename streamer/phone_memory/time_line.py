"""What a phone's owner did in the last quarter of an hour, one character for every hop of 1.28 s. Pure."""

from __future__ import annotations

import math
from functools import lru_cache

from model.decision import ANSWERS
from model.windows import HOP_S

SLOTS = 720
"""Slots remembered per phone: 15 min 21 s."""

LETTERS: dict[str, str] = dict(zip(ANSWERS, "WUDSTL-?", strict=True))
"""The character of each answer."""

NOTHING = "."
"""The character of a slot in which no window begins: the stream had a gap."""

BEFORE = " "
"""The character of what lies before the first window."""


class TimeLine:
    """Answers by the stream's own time.

    ``codes`` has one character a slot of :data:`model.windows.HOP_S` seconds, the last of slot number ``last`` since
    1970: a string, so that whoever draws shares it with whoever goes on. A clock that is set back writes over what was.
    """

    __slots__ = ("codes", "last")

    def __init__(self) -> None:
        self.codes = ""
        self.last = 0

    def add(self, answer: str, start_s: float, span_s: float = HOP_S) -> None:
        """The answer about the ``span_s`` seconds from ``start_s`` [Unix s] on.

        Of several answers in a slot the last stays; a longer one fills all slots up to where the next begins.
        """
        first, after = (math.floor(at_s / HOP_S + 0.5) for at_s in (start_s, start_s + span_s))
        for slot in range(first, max(after, first + 1)):
            self._set(LETTERS[answer], slot)

    def _set(self, letter: str, slot: int) -> None:
        ahead = slot - self.last if self.codes else 1
        if ahead > 0:
            before = self.codes + NOTHING * (min(ahead, SLOTS) - 1)
        else:
            before = self.codes[: max(len(self.codes) + ahead - 1, 0)]
        self.codes, self.last = (before + letter)[-SLOTS:], slot


@lru_cache(maxsize=4096)
def cells(codes: str, last: int, now: int, slots_a_cell: int, width: int) -> str:
    """The time line in ``width`` cells, one character each: an answer's code, :data:`NOTHING` or :data:`BEFORE`.

    Parameters
    ----------
    codes, last : of a :class:`TimeLine`.
    now : the slot that the last cell holds; what lies between ``last`` and it is a gap.
    slots_a_cell : a cell holds that many slots, whose number divided by it is the same: as time goes on, cells move
        to the left and do not change. It shows what lasted longest in it, of two equals the later.
    """
    end = (now // slots_a_cell + 1) * slots_a_cell
    have = codes + NOTHING * min(max(now - last, 0), width * slots_a_cell)
    known = have[-((width - 1) * slots_a_cell + now % slots_a_cell + 1) :]
    first = end - width * slots_a_cell
    padded = BEFORE * (now + 1 - first - len(known)) + known
    return "".join(_longest(padded[k : k + slots_a_cell]) for k in range(0, width * slots_a_cell, slots_a_cell))


def _longest(slots: str) -> str:
    told = slots.lstrip(BEFORE)
    return max(told, key=lambda code: (told.count(code), code != NOTHING, told.rindex(code))) if told else BEFORE
