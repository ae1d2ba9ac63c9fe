"""A capture's labelled windows, to fine-tune a model on: by the very pipeline that recognises.

The entry point of ``har_model.recordings`` in pyproject.toml leads here: ``model`` knows no captures.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.changes import ActivityChange
from model.errors import DataError
from model.novelty import Novelty
from model.recorded import RecordedWindows, labelled
from model.signals import CHANNELS
from model.stateful.transitions import PosturalTransition
from model.windows import WINDOW_LENGTH
from streamer.capture.reader import is_capture, open_capture
from streamer.inbox import Message
from streamer.limits import MAX_PHONES
from streamer.listener import Listener, ListenerOptions
from streamer.mount.book import MountOptions
from streamer.mount.notation import parse_mount
from streamer.outputs import Notice
from streamer.phone_stream import ReadyWindow
from streamer.recognition.prediction import Prediction
from streamer.recognition.window_engine import WindowEngine

log = logging.getLogger(__name__)


class _Undecided:
    """A classifier for those who only want the windows."""

    classes = ACTIVITIES
    novelty: Novelty | None = None

    def class_probabilities(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """All alike, ``(n, 6)``."""
        return np.full((len(windows), len(ACTIVITIES)), 1 / len(ACTIVITIES), np.float32)


class _Labelled:
    """An output of the listener that keeps the labelled windows, and counts the others."""

    def __init__(self) -> None:
        self.kept: list[ReadyWindow] = []
        self.others = 0

    def prediction(self, prediction: Prediction) -> None:
        """Keep its window, or count it."""
        if prediction.window.label is None:
            self.others += 1
        else:
            self.kept.append(prediction.window)

    def change(self, phone: str, change: ActivityChange) -> None:
        """Nothing to keep."""

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        """Nothing to keep."""

    def warning(self, warning: Notice) -> None:
        """Nothing to keep."""

    def finish(self, summary: dict[str, Any]) -> None:
        """Nothing to do."""


def labelled_windows(path: Path, mount: MountOptions | None = None) -> RecordedWindows:
    """The windows of a capture that lie inside one labelled segment of one of the six activities.

    A capture that was cut gives what lies before the cut, with a log message.

    Parameters
    ----------
    mount : how the phones are worn; None: as the data set's.

    Raises
    ------
    DataError : it cannot be read, or is no capture.
    """
    found = _Labelled()
    settings = ListenerOptions(max_phones=MAX_PHONES)
    listener = Listener(settings, WindowEngine(_Undecided()), [found], mounts=(mount or MountOptions()).book())
    with open_capture(path) as capture:
        listener.recognise(Message(record.topic, record.payload, record.arrived_s) for record in capture)
    if capture.damage:
        log.warning("%s: %s", path.name, capture.damage)
    empty = np.empty((0, WINDOW_LENGTH, len(CHANNELS)), np.float32)
    windows = labelled(
        np.stack([window.values for window in found.kept]) if found.kept else empty,
        [window.phone for window in found.kept],
        [window.start_s for window in found.kept],
        [window.label or "" for window in found.kept],
        path.name,
    )
    return replace(windows, n_unlabelled=found.others)


def load(path: Path) -> RecordedWindows | None:
    """As :func:`labelled_windows`, with the phones worn as ``har-stream listen`` would take them to be: by their
    calibrations, unless the environment's ``HAR_MOUNT`` and ``HAR_STATE`` say otherwise. None for what is no capture.

    Raises
    ------
    DataError : the capture cannot be read, or HAR_MOUNT is not understood.
    """
    if not is_capture(path):
        return None
    folder = os.environ.get("HAR_STATE")
    try:
        choice = parse_mount(os.environ.get("HAR_MOUNT") or "auto")
    except ValueError as error:
        raise DataError(f"HAR_MOUNT is not understood: {error}.") from error
    return labelled_windows(path, MountOptions(choice, Path(folder) if folder else None))
