"""Labelled windows that a user has recorded: read from files, and a part held out by time.

This package knows ``.npz`` files of ``har-stream listen --save-windows``. Whoever records in another form offers a
loader as an entry point of :data:`GROUP`: called with a path, it gives the labelled windows, or None for a file that
is not its kind.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.errors import DataError, HarError
from model.signals import SAMPLING_RATE
from model.window_files import check_finite, read_windows
from model.windows import WINDOW_LENGTH, Windows

GROUP: Final = "har_model.recordings"
"""Entry points that read recordings of other kinds."""

FEWEST = 10
"""Windows of an activity that it is learnt from at least: with a hop of 1.28 s, 14 s without a break."""

_ARRAYS = ("phone", "start_s", "label")


@dataclass(frozen=True)
class RecordedWindows:
    """Windows labelled with one of the six activities.

    ``windows`` ``(n, 128, 9)`` float32; ``labels`` ``(n,)`` int64, indices into :data:`model.activities.ACTIVITIES`;
    ``start_s`` ``(n,)``, Unix time of their first samples; ``streams`` ``(n,)`` int64: equal numbers are of one phone
    in one recording. ``n_unlabelled`` windows had no label.
    """

    windows: Windows
    labels: npt.NDArray[np.int64]
    start_s: npt.NDArray[np.float64]
    streams: npt.NDArray[np.int64]
    n_unlabelled: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, chosen: npt.NDArray[np.bool_]) -> RecordedWindows:
        """Some of the windows."""
        return RecordedWindows(
            self.windows[chosen], self.labels[chosen], self.start_s[chosen], self.streams[chosen], self.n_unlabelled
        )

    def counts(self) -> dict[str, int]:
        """Windows of each activity that there is."""
        counts = np.bincount(self.labels, minlength=len(ACTIVITIES)).tolist()
        return {activity: count for activity, count in zip(ACTIVITIES, counts, strict=True) if count}


Loader = Callable[[Path], RecordedWindows | None]


def labelled(
    windows: Windows, phones: Sequence[str], start_s: npt.ArrayLike, labels: Sequence[str], source: str
) -> RecordedWindows:
    """Those of a recording's windows that have a label.

    Parameters
    ----------
    windows, phones, start_s, labels : as in a file of ``--save-windows``; "" for no label.
    source : names the recording in errors.

    Raises
    ------
    DataError : a label is none of the six activities.
    """
    unknown = sorted(set(labels) - {"", *ACTIVITIES})
    if unknown:
        raise DataError(f"{source} has windows labelled {unknown[0]!r}; an activity is one of {', '.join(ACTIVITIES)}.")
    chosen = np.array([label != "" for label in labels], np.bool_)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(phones))}
    return RecordedWindows(
        np.asarray(windows, np.float32)[chosen],
        np.array([ACTIVITIES.index(label) for label in labels if label], np.int64),
        np.asarray(start_s, np.float64)[chosen],
        np.array([numbers[phone] for phone in phones], np.int64)[chosen],
        int(len(labels) - chosen.sum()),
    )


def load_labelled(path: Path) -> RecordedWindows:
    """The labelled windows of a recording.

    Raises
    ------
    DataError : it cannot be read, nobody knows what it is, or a label is none of the six activities.
    """
    if zipfile.is_zipfile(path):
        return _load_npz(path)
    if not path.is_file():
        raise DataError(f"There is no recording {path}; give a file of har-stream listen --record or --save-windows.")
    for loader in _loaders():
        if (found := loader(path)) is not None:
            return found
    raise DataError(f"{path.name} is no recording; give a file of har-stream listen --record or --save-windows.")


def _loaders() -> Iterator[Loader]:
    for entry in entry_points(group=GROUP):
        yield entry.load()


def _load_npz(path: Path) -> RecordedWindows:
    windows = np.asarray(read_windows(path), np.float32)
    check_finite(windows, 0, path.name)
    try:
        with np.load(path, allow_pickle=False) as content:
            phones, start_s, labels = (content[name] for name in _ARRAYS)
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{path.name} has no arrays {', '.join(_ARRAYS)}; give a file of har-stream listen --save-windows."
        ) from error
    if not len(phones) == len(start_s) == len(labels) == len(windows) or start_s.dtype.kind not in "fiu":
        raise DataError(f"The arrays in {path.name} do not fit each other; save the windows again.")
    return labelled(windows, phones.astype(str).tolist(), start_s, labels.astype(str).tolist(), path.name)


def load_all(paths: Sequence[Path]) -> RecordedWindows:
    """The labelled windows of several recordings, also of activities of which there are too few.

    Raises
    ------
    HarError : as :func:`load_labelled`; or no window is labelled, or of no activity there are enough.
    """
    parts = [load_labelled(path) for path in paths]
    offsets = np.cumsum([0, *(int(part.streams.max(initial=-1)) + 1 for part in parts)])
    every = RecordedWindows(
        np.concatenate([part.windows for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.start_s for part in parts]),
        np.concatenate([part.streams + offset for part, offset in zip(parts, offsets[:-1], strict=True)]),
        sum(part.n_unlabelled for part in parts),
    )
    if not len(every):
        raise HarError(
            f"None of the {every.n_unlabelled} recorded windows is labelled; record again while har-stream label says "
            "what you do."
        )
    if not len(learnable(every)):
        found = ", ".join(f"{count} of {activity}" for activity, count in every.counts().items())
        raise HarError(f"There are too few labelled windows, {found}; record each activity for a minute or more.")
    return every


def learnable(recorded: RecordedWindows) -> RecordedWindows:
    """The windows of those activities of which there are at least :data:`FEWEST`."""
    enough = np.bincount(recorded.labels, minlength=len(ACTIVITIES)) >= FEWEST
    return recorded.of(enough[recorded.labels])


def hold_out(recorded: RecordedWindows, share: float) -> tuple[RecordedWindows, RecordedWindows]:
    """Windows to learn from, and windows held out: of each activity of each stream the last ``share`` by time.

    Windows overlap by half: those to learn from that share samples with one held out are left out of both.
    """
    held_out = np.zeros(len(recorded), np.bool_)
    learnt = np.zeros(len(recorded), np.bool_)
    for stream, label in {*zip(recorded.streams.tolist(), recorded.labels.tolist(), strict=True)}:
        members = np.flatnonzero((recorded.streams == stream) & (recorded.labels == label))
        members = members[np.argsort(recorded.start_s[members], kind="stable")]
        first = members[round(len(members) * (1 - share)) :]
        held_out[first] = True
        if len(first):
            before = recorded.start_s[members] + WINDOW_LENGTH / SAMPLING_RATE <= recorded.start_s[first[0]] + 1e-3
            learnt[members[before]] = True
        else:
            learnt[members] = True
    return recorded.of(learnt), recorded.of(held_out)
