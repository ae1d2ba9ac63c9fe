"""Any source of recordings as phones to replay: the bundled recordings, an official HAPT or UCI HAR v1.0 folder or zip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model.recordings import Recording


@dataclass(frozen=True)
class Session:
    """What one simulated phone sends: recordings of one subject, one after the other.

    A session of raw recordings (bundled, HAPT) holds one, from the first sample of the experiment
    (``start`` ZERO, ``stage`` RAW). A session of UCI HAR v1.0 holds one a piece of that subject's stream
    (``start`` STEADY, ``stage`` DENOISED): nothing is known between two pieces, so there must be a gap.

    ``name`` names the phone: ``s02-e03`` (subject, experiment), or ``s02`` where experiments are unknown.
    """

    name: str
    subject: int
    recordings: tuple[Recording, ...]

    @property
    def duration_s(self) -> float:
        """Length of all recordings in seconds, gaps not counted."""
        return sum(recording.duration_s for recording in self.recordings)


def replayable(path: Path | None, split: str, subjects: Sequence[int] | None = None) -> list[Session]:
    """The sessions of a split, in order of the experiments (or subjects).

    Parameters
    ----------
    path : an official UCI HAR v1.0 or HAPT folder or zip; None for the bundled recordings.
    split : ``"train"``, ``"test"`` or ``"all"``, as UCI HAR v1.0 splits the subjects.
    subjects : only these; None for all of the split.

    Raises
    ------
    DataError : the data is neither, is damaged, or has no recording of one of the subjects.
    ValueError : any other split.
    """
    raise NotImplementedError
