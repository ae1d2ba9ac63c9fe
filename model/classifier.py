"""A trained model at work: windows in, probabilities out, on ONNX Runtime and one thread; no TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.activities import ACTIVITIES
from model.artefact import Artefact, default_artefact_path, read_artefact
from model.card import STREAM, Card
from model.errors import ArtefactError
from model.inference import check_ends, open_session
from model.novelty import Novelty

SLICE = 256
"""Windows per inference call at most: bounds the memory, and larger batches are no faster per window."""

Probabilities = npt.NDArray[np.float32]
"""Shape ``(n_windows, n_classes)``, rows sum to 1."""


class Classifier:
    """Classifies windows of the nine channels, ``(n, 128, 9)`` in g and rad/s.

    Parameters
    ----------
    artefact : a checked model, see :func:`model.artefact.read_artefact`.

    Raises
    ------
    ArtefactError : it is no window model, ONNX Runtime cannot run its graph, or the graph does not fit the card.
    """

    def __init__(self, artefact: Artefact) -> None:
        if artefact.card.network == STREAM:
            raise ArtefactError(f"{artefact.card.name} is a model for streams, not for windows; give a window model.")
        self.card: Card = artefact.card
        self.classes: tuple[str, ...] = artefact.card.classes
        self._window_shape = (artefact.card.input.window_length, len(artefact.card.input.channels))
        self.novelty = None if artefact.card.novelty is None else Novelty.from_json(artefact.card.novelty)
        """The model's checks of whether a window is like those that it was trained on; None in an artefact without."""

        self._session = open_session(artefact)
        self._activities = [self.classes.index(activity) for activity in ACTIVITIES]
        windows, probabilities = ("windows", [*self._window_shape]), ("probabilities", [len(self.classes)])
        check_ends(self._session, [windows], [probabilities], artefact.card)

    @classmethod
    def load(cls, path: Path | None = None) -> Classifier:
        """Read an artefact, the one in the box unless told otherwise.

        Raises
        ------
        ArtefactError : it cannot be read or does not fit this program.
        """
        return cls(read_artefact(path or default_artefact_path()))

    def class_probabilities(self, windows: npt.ArrayLike) -> Probabilities:
        """Probabilities over :attr:`classes`, ``(n, n_classes)``.

        Parameters
        ----------
        windows : shape ``(n, 128, 9)``, any n; converted to float32.

        Raises
        ------
        ValueError : another shape.
        """
        batch = np.ascontiguousarray(windows, np.float32)
        if batch.shape[1:] != self._window_shape or batch.ndim != 3:
            raise ValueError(f"Parameter windows has shape {batch.shape}, expected (n, 128, 9)!")
        probabilities = np.empty((len(batch), len(self.classes)), np.float32)
        for start in range(0, len(batch), SLICE):
            part = slice(start, start + SLICE)
            (probabilities[part],) = self._session.run(None, {"windows": batch[part]})
        return probabilities

    def probabilities(self, windows: npt.ArrayLike) -> Probabilities:
        """Probabilities over the six :data:`model.activities.ACTIVITIES`, ``(n, 6)``.

        A model's further classes are left out and the rest scaled to sum to 1. Parameters and errors as
        :meth:`class_probabilities`.
        """
        activities = self.class_probabilities(windows)[:, self._activities]
        # A window that is surely none of the six keeps a defined row: tiny, not zero.
        activities = np.maximum(activities, np.finfo(np.float32).tiny)
        return np.asarray(activities / activities.sum(axis=1, keepdims=True), np.float32)
