"""A capture's report: its messages recognised anew, by the listener's own pipeline, and added up as its lines are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from model.changes import ActivityChange
from model.stateful.transitions import PosturalTransition
from model.text import counted
from streamer.capture.reader import Capture
from streamer.formats import detect
from streamer.formats.names import AUTO
from streamer.inbox import Message
from streamer.limits import MAX_PHONES
from streamer.listener import Listener, ListenerOptions
from streamer.mount.book import MountOptions
from streamer.outputs import Notice
from streamer.recognition.loading import EngineOptions, load_engine
from streamer.recognition.prediction import Prediction
from streamer.report.figures import Figures, SessionReport
from streamer.report.lines import EventLine, Losses, PredictionLine, TransitionLine, WarningLine


@dataclass(frozen=True, slots=True)
class RecogniseOptions:
    """How to recognise: what recognises, how phones are worn, and the format that messages have."""

    engine: EngineOptions = field(default_factory=EngineOptions)
    mount: MountOptions = field(default_factory=MountOptions)
    format: str = AUTO


class _Lines:
    """An output of the listener that counts what the lines of ``--output jsonl`` would say."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def prediction(self, prediction: Prediction) -> None:
        """Count it, without its latency: nobody waited for it."""
        window, told = prediction.window, cast(Any, prediction)
        line = PredictionLine(
            window.phone,
            window.start_s,
            told.answer,
            told.activity,
            told.window.label,
            latency_ms=None,
            confidence=prediction.confidence,
            novelty=prediction.novelty,
            span_s=window.span_s,
        )
        self._figures.count(line)

    def change(self, phone: str, change: ActivityChange) -> None:
        """Count it."""
        told = cast(Any, change)
        self._figures.count(EventLine(phone, told.before, told.after))

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        """Count it."""
        self._figures.count(TransitionLine(phone, cast(Any, transition.name)))

    def warning(self, warning: Notice) -> None:
        """Count it."""
        self._figures.count(WarningLine(warning.phone, warning.reason))

    def finish(self, summary: dict[str, Any]) -> None:
        """Count the summary."""
        self._figures.count(Losses(**{name: summary[name] for name in Losses.__struct_fields__}))


def recognise_capture(capture: Capture, options: RecogniseOptions, figures: Figures | None = None) -> SessionReport:
    """Recognise all of a capture; its times are those of the recording, its latencies nobody's and left out.

    What is recognised is counted by ``figures`` if they are given.

    Raises
    ------
    HarError : the model or the capture cannot be read.
    """
    figures = figures or Figures()
    settings = ListenerOptions(max_phones=MAX_PHONES)
    decode = partial(detect.decode, format_name=options.format)
    lines = _Lines(figures)
    listener = Listener(settings, load_engine(options.engine), [lines], decode, options.mount.book())
    listener.finish(listener.recognise(_messages(capture)))
    began = datetime.fromtimestamp(capture.started_s, UTC).astimezone()
    messages = counted(capture.count, "message")
    note = f"A capture of {messages}, begun {began:%Y-%m-%d %H:%M:%S}, recognised anew: without latency."
    damage = () if capture.damage is None else (capture.damage,)
    return figures.report((note, *damage), is_cut=bool(damage))


def _messages(capture: Capture) -> Iterator[Message]:
    for record in capture:
        yield Message(record.topic, record.payload, record.arrived_s)
