"""The stateful model at work: the next steps of many streams in, probabilities and new states out; ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.artefact import Artefact, default_artefact_path, read_artefact
from model.card import STREAM, Card
from model.errors import ArtefactError
from model.inference import check_ends, open_session
from model.novelty import Novelty
from model.signals import CHANNELS
from model.stateful.shape import CLASSES, STEP, Shape, shape_of

States = npt.NDArray[np.float32]
"""Shape ``(n, state_size)``: one row for each of n streams."""

Probabilities = npt.NDArray[np.float32]
"""Shape ``(n, steps, 12)``, over :data:`model.stateful.shape.CLASSES`."""

SLICE = 256
"""Streams per inference call at most: bounds the memory, and larger batches are no faster per stream."""


class StreamClassifier:
    """Advances streams of the nine channels, in g and rad/s, by steps of 8 samples (160 ms).

    What has come in any pieces gives what it gives in one: all that a stream's future can depend on is in its state.

    Parameters
    ----------
    artefact : a checked model, see :func:`model.artefact.read_artefact`.

    Raises
    ------
    ArtefactError : it is no stream model, ONNX Runtime cannot run its graph, or the graph does not fit the card.
    """

    classes: tuple[str, ...] = CLASSES

    def __init__(self, artefact: Artefact) -> None:
        self.card: Card = artefact.card
        if self.card.network != STREAM or self.card.classes != CLASSES:
            raise ArtefactError(
                f"{self.card.name} is no model for streams; give one that --network stream has trained."
            )
        self.shape: Shape = _shape_of(self.card)
        self.novelty = None if self.card.novelty is None else Novelty.from_json(self.card.novelty)
        """The model's checks of whether 128 samples are like those that it was trained on; None in one without."""

        self._session = open_session(artefact)
        state = [self.shape.state_size]
        inputs = [("signals", [len(CHANNELS)]), ("state", state)]
        check_ends(self._session, inputs, [("probabilities", [len(CLASSES)]), ("state_after", state)], self.card)

    @classmethod
    def load(cls, path: Path | None = None) -> StreamClassifier:
        """Read an artefact, the one in the box unless told otherwise.

        Raises
        ------
        ArtefactError : it cannot be read or does not fit this program.
        """
        return cls(read_artefact(path or default_artefact_path(STREAM)))

    def first_states(self, n: int) -> States:
        """The states of ``n`` streams before their first samples."""
        return np.zeros((n, self.shape.state_size), np.float32)

    def advance(self, signals: npt.ArrayLike, states: States) -> tuple[Probabilities, States]:
        """The next steps of n streams.

        Parameters
        ----------
        signals : shape ``(n, steps * 8, 9)``, one step or more; converted to float32.
        states : shape ``(n, state_size)``, the streams' states so far.

        Returns
        -------
        The probabilities at the end of each step, ``(n, steps, 12)``, and the states behind them.

        Raises
        ------
        ValueError : other shapes.
        """
        batch = np.ascontiguousarray(signals, np.float32)
        if batch.ndim != 3 or batch.shape[2] != len(CHANNELS) or batch.shape[1] % STEP or not batch.shape[1]:
            raise ValueError(f"Parameter signals has shape {batch.shape}, expected (n, steps * {STEP}, 9)!")
        if states.shape != (len(batch), self.shape.state_size):
            raise ValueError(
                f"Parameter states has shape {states.shape}, expected {(len(batch), self.shape.state_size)}!"
            )
        probabilities = np.empty((len(batch), batch.shape[1] // STEP, len(CLASSES)), np.float32)
        after = np.empty_like(states)
        for start in range(0, len(batch), SLICE):
            part = slice(start, start + SLICE)
            given = {"signals": batch[part], "state": states[part]}
            probabilities[part], after[part] = self._session.run(None, given)
        return probabilities, after

    def answers(self, signals: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """A whole stream from its beginning: ``(n_samples, 9)`` to probabilities ``(n_samples // 8, 12)``."""
        values = np.asarray(signals, np.float32)
        whole = values[np.newaxis, : len(values) // STEP * STEP]
        if not whole.shape[1]:
            return np.empty((0, len(CLASSES)), np.float32)
        probabilities, _ = self.advance(whole, self.first_states(1))
        return np.asarray(probabilities[0], np.float32)


def _shape_of(card: Card) -> Shape:
    try:
        of_network = {name: card.hyperparameters[name] for name in ("filters", "kernels", "units")}
        return shape_of(**of_network)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtefactError(f"The card of {card.name} names no network ({error}); train the model again.") from error
