"""How much each may keep of what is too much for all. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def allowance(amounts: Sequence[int], surplus: int) -> int:
    """The most that each may keep so that at least ``surplus`` goes: who has less loses nothing.

    0 only if one each is too much already.
    """
    low, high = 0, max(amounts)
    while high - low > 1:
        middle = (low + high) // 2
        if sum(max(0, amount - middle) for amount in amounts) >= surplus:
            low = middle
        else:
            high = middle
    return low
