"""Which phones are there: heard of within a stated time. Pure."""

from __future__ import annotations

from collections.abc import Mapping


class Presence:
    """Phones that are online; one that has gone offline is forgotten.

    Parameters
    ----------
    silent_s : seconds of silence after which a phone is offline.
    most : phones that are expected, and that are online, at most; of more, those heard of longest ago go offline.
    """

    def __init__(self, silent_s: float, most: int) -> None:
        self._silent_s = silent_s
        self._most = most
        self._heard_s: dict[str, float] = {}
        self._expected_s: dict[str, float] = {}

    def __contains__(self, phone: str) -> bool:
        """Whether it was heard of, and is not offline."""
        return phone in self._heard_s

    def online(self) -> list[str]:
        """The phones that were heard of."""
        return list(self._heard_s)

    def expect(self, phone: str, at_s: float) -> None:
        """Somebody said earlier that this phone is online: it goes offline unless it is heard of."""
        if phone not in self._heard_s and len(self._expected_s) < self._most:
            self._expected_s[phone] = at_s

    def hear(self, phone: str, at_s: float) -> bool:
        """A phone was heard of; say whether that is the first time since it was offline."""
        self._expected_s.pop(phone, None)
        before_s = self._heard_s.get(phone)
        self._heard_s[phone] = at_s if before_s is None else max(before_s, at_s)
        return before_s is None

    def update(self, arrivals: Mapping[str, float], now_s: float) -> tuple[list[str], list[str]]:
        """Take when each phone was last heard of; give the phones that are online and offline since this moment."""
        recent_s = now_s - self._silent_s
        came = [phone for phone, at_s in arrivals.items() if at_s > recent_s and self.hear(phone, at_s)]
        went = []
        for known in (self._heard_s, self._expected_s):
            silent = [phone for phone, at_s in known.items() if at_s <= recent_s]
            went += silent
            for phone in silent:
                del known[phone]
        if surplus := max(0, len(self._heard_s) - self._most):
            oldest = sorted(self._heard_s, key=self._heard_s.__getitem__)[:surplus]
            went += oldest
            for phone in oldest:
                del self._heard_s[phone]
        return came, went

    def clear(self) -> list[str]:
        """Forget all phones; give those that were online, or were expected to be."""
        phones = [*self._heard_s, *self._expected_s]
        self._heard_s.clear()
        self._expected_s.clear()
        return phones
