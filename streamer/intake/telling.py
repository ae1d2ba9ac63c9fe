"""What a phone's owner is told: each thing once, and only so many. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from streamer.intake.report import Finding

MOST_TOLD = 100
"""Things that are told of one phone, each once."""

FINDINGS_S, LOOKS, LATER_FINDINGS_S = 2.0, 10, 10.0
"""How often, in the stream's time, it is looked whether there is something new to tell: ten times, and then."""


class Telling:
    """Of one phone. ``news`` are words for its owner, until they are taken; ``findings`` are what was wrong when it was
    looked for last (:data:`FINDINGS_S`).
    """

    __slots__ = ("_looked_s", "_n_looks", "_told", "findings", "news")

    def __init__(self) -> None:
        self.news: list[str] = []
        self.findings: tuple[Finding, ...] = ()
        self._looked_s: float | None = None
        self._n_looks = 0
        self._told: set[str] = set()

    def is_due(self, now_s: float) -> bool:
        """Whether to look for something new."""
        every_s = FINDINGS_S if self._n_looks <= LOOKS else LATER_FINDINGS_S
        return self._looked_s is None or not 0 <= now_s - self._looked_s < every_s

    def look(self, now_s: float, findings: tuple[Finding, ...], facts: Iterable[str]) -> None:
        """What is wrong now, and what was found out about units and signs."""
        self._looked_s, self._n_looks = now_s, self._n_looks + 1
        self.findings = findings
        news = [(finding.code, finding.words) for finding in findings]
        for code, words in news + [(fact, fact) for fact in facts]:
            if code not in self._told and len(self._told) < MOST_TOLD:
                self._told.add(code)
                self.news.append(words)

    def take_news(self) -> tuple[str, ...]:
        """The news since they were taken last."""
        news, self.news = tuple(self.news), []
        return news
