"""A diagnosis: what is wrong, in words, and what to change. Pure."""

from __future__ import annotations

from dataclasses import dataclass

EXIT_CHANGE, EXIT_NOTHING, EXIT_NO_BROKER = 1, 3, 4
"""Exit statuses: something to change; no phone was heard; the broker is not there or refuses. 0: all is well."""


@dataclass(frozen=True, slots=True)
class Advice:
    """``code`` is for programs, ``words`` say what is wrong, ``changes`` what to do. What ``is_note`` does no harm."""

    code: str
    words: str
    changes: tuple[str, ...] = ()
    is_note: bool = False


@dataclass(frozen=True, slots=True)
class PhoneDiagnosis:
    """One phone: ``summary`` says in a line how it sends."""

    phone: str
    format: str | None
    summary: str
    advice: tuple[Advice, ...]
    facts: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether nothing needs to be changed."""
        return all(each.is_note for each in self.advice)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All phones, and ``general`` advice that is no one phone's."""

    broker: str
    seconds: float
    phones: tuple[PhoneDiagnosis, ...]
    general: tuple[Advice, ...]

    @property
    def exit_status(self) -> int:
        """0, :data:`EXIT_CHANGE` or :data:`EXIT_NOTHING`."""
        if not self.phones:
            return EXIT_NOTHING
        is_well = all(phone.is_well for phone in self.phones) and all(each.is_note for each in self.general)
        return 0 if is_well else EXIT_CHANGE
