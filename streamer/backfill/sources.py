"""What an item holds: phones, and of each its messages, or its windows where those are all there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from model import hapt, uci_har
from model.activities import ACTIVITIES
from model.archive import Place, find_folder
from model.bundled import load_recording
from model.errors import DataError
from model.recordings import Recording, WindowSet
from model.signals import SAMPLING_RATE
from model.windows import HOP, WINDOW_LENGTH
from streamer.backfill.items import Item, Kind
from streamer.backfill.messages import PAUSE_S, of_phone, of_recordings
from streamer.backfill.tables import read_phones
from streamer.backfill.units import TableOptions
from streamer.phone_stream import ReadyWindow
from streamer.readings import PhoneMessage


@dataclass(frozen=True, slots=True)
class Messages:
    """A phone's messages; ``is_dated``: they have times of their own, and what is odd about them is worth telling."""

    phone: str
    messages: Iterable[PhoneMessage]
    is_dated: bool = True


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of one subject of UCI HAR v1.0, which are past the signal chain."""

    phone: str
    windows: WindowSet

    def ready(self, phone: str) -> Iterator[ReadyWindow]:
        """The windows of this phone: those that overlap follow each other, with a pause before any other.

        Times are counted from 0 s, as the data set has none.
        """
        first = 0
        for piece, (begin, end) in enumerate(uci_har.pieces(self.windows), start=1):
            for number, row in enumerate(range(begin, end)):
                start = first + number * HOP
                yield ReadyWindow(
                    phone,
                    start,
                    start / SAMPLING_RATE,
                    (start + WINDOW_LENGTH) / SAMPLING_RATE,
                    self.windows.windows[row],
                    arrived_s=0.0,
                    label=ACTIVITIES[self.windows.labels[row]],
                    piece=piece,
                )
            first += (end - begin + 1) * HOP + round(PAUSE_S * SAMPLING_RATE)


Source = Messages | Windows


def open_source(item: Item, tables: TableOptions, *, takes_windows: bool) -> list[Source]:
    """The phones of an item that is no capture.

    Parameters
    ----------
    takes_windows : the model is one of windows; for one that follows streams, those of UCI HAR v1.0 are stitched into
        the streams that they were cut from.

    Raises
    ------
    DataError : it cannot be read.
    """
    if item.kind is Kind.BUNDLED:
        return [_recorded(load_recording(item.session[0]))]
    assert item.path is not None
    if item.kind is Kind.RAW:
        return [_recorded(hapt.read_session(_raw_folder(item), item.session))]
    if item.kind is Kind.TABLE:
        return [Messages(phone.name, of_phone(phone)) for phone in read_phones(item.path, tables)]
    windows = uci_har.read_uci_har(item.path, item.split)
    subjects = list(dict.fromkeys(windows.subjects.tolist()))
    return [_of_subject(windows, subject, takes_windows) for subject in subjects]


def _recorded(recording: Recording) -> Source:
    return Messages(recording.name, of_recordings(recording.name, [recording]), is_dated=False)


def _raw_folder(item: Item) -> Place:
    """The folder of a raw recording's two files, which may be in a data set's zip."""
    assert item.path is not None
    if item.path.is_dir() and item.session in hapt.sessions(item.path):
        return item.path
    root = find_folder(item.path, (hapt.MARKER,))
    if root is None:
        raise DataError(f"{item.path} has no folder {hapt.MARKER} any more; give the folder or zip of HAPT.")
    return root.joinpath(hapt.MARKER)


def _of_subject(windows: WindowSet, subject: int, takes_windows: bool) -> Source:
    rows = np.flatnonzero(windows.subjects == subject)
    own = WindowSet(windows.windows[rows], windows.labels[rows], windows.subjects[rows])
    name = f"s{subject:02d}"
    return Windows(name, own) if takes_windows else Messages(name, of_recordings(name, uci_har.stitch(own)), False)
