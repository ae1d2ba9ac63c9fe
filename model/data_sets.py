"""Recordings to replay, whatever their source: the bundled ones, an official UCI HAR v1.0 or HAPT folder or zip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model import hapt, uci_har
from model.archive import Place, find_folder
from model.bundled import load_recordings
from model.errors import DataError
from model.recordings import Recording, subjects_of


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
    of_split = subjects_of(split)
    wanted = set(of_split if subjects is None else subjects)
    source = "The bundled data set" if path is None else str(path)
    sessions = [session for session in _sessions(path, split) if session.subject in wanted]
    missing = wanted - {session.subject for session in sessions} if subjects is not None else set()
    if missing or not sessions:
        raise DataError(_nothing_of(missing or wanted, split, source))
    return sessions


def _nothing_of(missing: set[int], split: str, source: str) -> str:
    those = ", ".join(map(str, sorted(missing)))
    members = ", ".join(map(str, subjects_of(split)))
    return f"{source} has no recordings of subject {those} in its split {split} (subjects {members})."


def _sessions(path: Path | None, split: str) -> list[Session]:
    """Everything of a split that the source has."""
    if path is None:
        return _one_each(load_recordings(subjects_of(split)))
    root = find_folder(path, (*uci_har.MARKERS, hapt.MARKER))
    if root is None:
        raise DataError(f"{path} is neither UCI HAR v1.0 (train/Inertial Signals) nor HAPT (RawData).")
    if root.joinpath(hapt.MARKER).is_dir():
        return _one_each(hapt.read_recordings(root, subjects_of(split)))
    return _stitched(root, uci_har.SPLITS if split == "all" else (split,))


def _one_each(recordings: list[Recording]) -> list[Session]:
    return [Session(recording.name, recording.subject, (recording,)) for recording in recordings]


def _stitched(root: Place, splits: tuple[str, ...]) -> list[Session]:
    pieces: dict[int, list[Recording]] = {}
    for split in splits:
        for piece in uci_har.stitch(uci_har.read_split(root, split)):
            pieces.setdefault(piece.subject, []).append(piece)
    return [Session(f"s{subject:02d}", subject, tuple(pieces[subject])) for subject in sorted(pieces)]
