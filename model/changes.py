"""Changes of activity as events: told once, when the new activity is stable, and dated back to where it began."""

from __future__ import annotations

from dataclasses import dataclass

from model.activities import ACTIVITIES, TRANSITION


@dataclass(frozen=True)
class ChangeSettings:
    """When a new activity is stable; the defaults were chosen on held-out training subjects.

    Parameters
    ----------
    answers : consecutive answers that must name it, 1 or more.
    probability : what the last of them must at least be sure of it, in [0, 1).
    memory : answers that an event may be dated back by.

    Raises
    ------
    ValueError : a value outside its range.
    """

    answers: int = 2
    probability: float = 0.9
    memory: int = 8

    def __post_init__(self) -> None:
        if self.answers < 1 or self.memory < self.answers or not 0 <= self.probability < 1:
            raise ValueError(f"Parameters of {self} are not 1 <= answers <= memory, 0 <= probability < 1!")


@dataclass(frozen=True, slots=True)
class ActivityChange:
    """``before`` ended and ``after`` began at ``time_s``; ``duration_s`` is how long ``before`` had lasted."""

    before: str
    after: str
    time_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class _Answer:
    """The middle of the window that an answer is about [s], the answer, and what the window alone looked like."""

    centre_s: float
    activity: str
    window_activity: str


class ChangeDetector:
    """Debounces the answers about one phone's windows.

    An answer that is none of the six activities (unknown, transition) speaks neither for nor against a change.
    The first stable activity of a stream is no change. Times are whatever clock the caller's windows have.
    """

    def __init__(self, settings: ChangeSettings | None = None) -> None:
        self.settings = settings or ChangeSettings()
        self._recent: list[_Answer] = []
        self.reset()

    def reset(self) -> None:
        """Forget the stream (a gap, a restart): what was done before is not known to have lasted."""
        self._recent.clear()
        self._run = 0
        self.activity: str | None = None
        self.since_s: float | None = None

    def push(
        self,
        activity: str,
        probability: float,
        *,
        start_s: float,
        end_s: float,
        window_activity: str | None = None,
    ) -> ActivityChange | None:
        """Take the next answer; give the change that is now stable, if any.

        Parameters
        ----------
        activity, probability : the (smoothed) answer.
        start_s, end_s : the window that it is about.
        window_activity : what this window alone looked like, an activity or TRANSITION; dates the change better.
        """
        if activity not in ACTIVITIES:
            return None
        self._run = self._run + 1 if self._recent and self._recent[-1].activity == activity else 1
        self._recent.append(_Answer((start_s + end_s) / 2, activity, window_activity or activity))
        del self._recent[: -self.settings.memory - 1]
        is_stable = self._run >= self.settings.answers and probability >= self.settings.probability
        return self._turn_to(activity) if is_stable and activity != self.activity else None

    def _turn_to(self, activity: str) -> ActivityChange | None:
        before, since_s, began_s = self.activity, self.since_s, self._began_s(activity)
        self.activity, self.since_s = activity, began_s
        if before is None or since_s is None:
            return None
        return ActivityChange(before, activity, began_s, began_s - since_s)

    def _began_s(self, activity: str) -> float:
        """The middle of the windows that look like a transition before the first window of the new activity, or, if
        none does, half-way between that window and the one before.

        The first is sought back through the answers and then through the windows, which tell sooner than the
        smoothed answers do.
        """
        recent = self._recent
        first = len(recent) - 1
        while first and recent[first - 1].activity == activity:
            first -= 1
        while first and recent[first - 1].window_activity == activity:
            first -= 1
        begin = first
        while begin and recent[begin - 1].window_activity == TRANSITION:
            begin -= 1
        if begin < first:
            return (recent[begin].centre_s + recent[first - 1].centre_s) / 2
        return (recent[max(first - 1, 0)].centre_s + recent[first].centre_s) / 2
