"""From a model's name or file to the engine that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from model.artefact import GRAPH, Artefact, default_artefact_path, read_artefact
from model.boxed import IN_THE_BOX
from model.card import STREAM
from model.errors import HarError
from model.smoothing import FilterSettings
from streamer.recognition.names import DEFAULT_MODEL, EVERY_S
from streamer.recognition.prediction import Engine


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """``model`` is a name of those in the box (:mod:`streamer.recognition.names`), or an artefact's path.

    ``every_s`` is for models that follow streams (None: as usual), ``smoothing`` for those of windows (None: each
    window alone).
    """

    model: str = DEFAULT_MODEL
    every_s: float | None = None
    smoothing: FilterSettings | None = field(default_factory=FilterSettings)


def load_engine(options: EngineOptions) -> Engine:
    """The model at work.

    Raises
    ------
    HarError : it cannot be read, or is not of the kind that the other options are for.
    """
    return load_engines(options)()


def load_engines(options: EngineOptions) -> Callable[[], Engine]:
    """As :func:`load_engine`, for as many as are wanted: each has streams of its own, and all share the model."""
    is_known = options.model in IN_THE_BOX
    artefact = read_artefact(default_artefact_path(options.model) if is_known else Path(options.model))
    if artefact.card.network == STREAM:
        return _stream_engine(artefact, options)
    return _window_engine(artefact, options)


def _window_engine(artefact: Artefact, options: EngineOptions) -> Callable[[], Engine]:
    from model.classifier import Classifier
    from streamer.recognition.window_engine import WindowEngine

    if options.every_s is not None:
        raise HarError("--every is for a stream model, and this one predicts every 1.28 s; give --model stream too.")
    return partial(
        WindowEngine, Classifier(artefact), options.smoothing, f"{artefact.card.sha256[GRAPH]} {options.smoothing}"
    )


def _stream_engine(artefact: Artefact, options: EngineOptions) -> Callable[[], Engine]:
    from model.stateful.classifier import StreamClassifier
    from streamer.recognition.stream_engine import StreamEngine, steps_for

    if options.smoothing is None:
        raise HarError("--no-smoothing is for a window model; a stream model hears everything before: leave it out.")
    if options.smoothing.lag:
        raise HarError("--lag is for a window model; leave it out, or give --model window.")
    classifier = StreamClassifier(artefact)
    steps = steps_for(options.every_s or EVERY_S)
    return partial(StreamEngine, classifier, steps, f"{artefact.card.sha256[GRAPH]} {steps}")
