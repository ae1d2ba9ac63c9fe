"""What keys mean to the prompt of ``har-stream label``. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from model.activities import ACTIVITIES, POSTURAL_TRANSITIONS

NOTHING = "nothing"
"""In words, for a label of None."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A label was chosen: an activity or a postural transition, None for no label."""

    activity: str | None


@dataclass(frozen=True, slots=True)
class Prompt:
    """Where the user is: choosing among activities, or after ``t`` among transitions."""

    is_transition: bool = False
    is_over: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What the keys 1 to 6 stand for."""
        return POSTURAL_TRANSITIONS if self.is_transition else ACTIVITIES

    @property
    def help(self) -> str:
        """The keys, in one line."""
        keys = "  ".join(f"{number} {name}" for number, name in enumerate(self.names, start=1))
        more = "any other key: back" if self.is_transition else "t a transition  0 nothing  q quit"
        return f"{keys}  {more}"


def press(prompt: Prompt, key: str) -> tuple[Prompt, Choice | None]:
    """The prompt after a key, and the label that was chosen, if one was."""
    if key in ("1", "2", "3", "4", "5", "6"):
        return Prompt(), Choice(prompt.names[int(key) - 1])
    if prompt.is_transition:
        return Prompt(), None
    if key == "0":
        return Prompt(), Choice(None)
    if key in ("t", "T"):
        return Prompt(is_transition=True), None
    return Prompt(is_over=key in ("q", "Q", "\x03", "\x04")), None
