"""Where predictions go: plain lines, JSON lines, a file of windows. One class a destination, all alike."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Protocol, TextIO

import numpy as np

from model.activities import ACTIVITIES
from model.changes import ActivityChange
from model.errors import HarError
from model.signals import CHANNELS
from model.stateful.transitions import PosturalTransition
from model.text import MOST, counted, printable
from model.windows import WINDOW_LENGTH
from streamer.counts import refusal_lines
from streamer.recognition.prediction import Prediction

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about a phone's stream that its owner should know."""

    phone: str | None
    reason: str


class Output(Protocol):
    """A destination; all calls come from the recognising thread, ``finish`` last."""

    def prediction(self, prediction: Prediction) -> None:
        """One more window was classified."""

    def change(self, phone: str, change: ActivityChange) -> None:
        """A phone's activity changed for certain."""

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        """A phone's owner sat down, got up, or the like."""

    def warning(self, warning: Notice) -> None:
        """A message was lost or could not be used."""

    def finish(self, summary: dict[str, Any]) -> None:
        """The run is over."""


class JsonLines:
    """One JSON object a line, ``type`` first: prediction, event, transition, warning, and a last summary."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def _write(self, kind: str, fields: dict[str, Any]) -> None:
        self._stream.write(json.dumps({"type": kind, **fields}) + "\n")
        self._stream.flush()

    def prediction(self, prediction: Prediction) -> None:
        """Write it."""
        self._write("prediction", prediction_fields(prediction))

    def change(self, phone: str, change: ActivityChange) -> None:
        """Write it, as an event."""
        self._write("event", change_fields(phone, change))

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        """Write it."""
        self._write("transition", transition_fields(phone, transition))

    def warning(self, warning: Notice) -> None:
        """Write it."""
        self._write("warning", {"phone": warning.phone, "reason": warning.reason})

    def finish(self, summary: dict[str, Any]) -> None:
        """Write the summary."""
        self._write("summary", summary)


class PlainLines:
    """One line of text a prediction, for pipes and logs; warnings go to the log, each with its ``phone``."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    def prediction(self, prediction: Prediction) -> None:
        """Time at the window's end, phone, activity, confidence, and the label if there is one."""
        window = prediction.window
        label = "" if window.label is None else f"  label {window.label}"
        self._write(
            f"{clock_time(window.end_s)}  {prediction.phone:<10} {prediction.answer:<18} "
            f"{prediction.confidence:4.0%}{label}"
        )

    def change(self, phone: str, change: ActivityChange) -> None:
        """Nothing: the lines show it."""

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        """When, who, what."""
        self._write(_transition_line(phone, transition))

    def warning(self, warning: Notice) -> None:
        """Log it."""
        log.warning("%s", printable(warning.reason, MOST), extra={"phone": warning.phone or "unknown phone"})

    def finish(self, summary: dict[str, Any]) -> None:
        """The figures of the run."""
        self._write("\n".join(summary_lines(summary)))


class WindowsFile:
    """Keeps every classified window, and writes them to an ``.npz`` at the end.

    Arrays: ``windows`` (n, 128, 9) float32, ``phone``, ``start_sample``, ``start_s``, ``label`` ("" for none).
    Until then the windows lie in a temporary file beside it, so that memory does not grow with them.

    Raises
    ------
    HarError : the file cannot be written there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[tuple[str, int, float, str]] = []
        try:
            self._file = TemporaryFile(dir=path.parent)  # noqa: SIM115 - closed in finish()
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> HarError:
        return HarError(f"The windows cannot be saved to {self._path} ({error.strerror}); give another --save-windows.")

    def prediction(self, prediction: Prediction) -> None:
        """Keep its window."""
        window = prediction.window
        self._file.write(window.values.tobytes())
        self._rows.append((window.phone, window.start_sample, window.start_s, window.label or ""))

    def change(self, phone: str, change: ActivityChange) -> None:
        """Nothing to keep."""

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        """Nothing to keep."""

    def warning(self, warning: Notice) -> None:
        """Nothing to keep."""

    def finish(self, summary: dict[str, Any]) -> None:
        """Write the file."""
        self._file.flush()
        self._file.seek(0)
        shape = (len(self._rows), WINDOW_LENGTH, len(CHANNELS))
        windows = np.memmap(self._file, np.float32, "r", shape=shape) if self._rows else np.empty(shape, np.float32)
        phone, start_sample, start_s, label = (
            (list(c) for c in zip(*self._rows, strict=True)) if self._rows else [[]] * 4
        )
        try:
            with self._path.open("wb") as file:  # a file object, as numpy would add .npz to a name
                np.savez(
                    file,
                    windows=windows,
                    phone=np.array(phone, np.str_),
                    start_sample=np.array(start_sample, np.int64),
                    start_s=np.array(start_s, np.float64),
                    label=np.array(label, np.str_),
                )
        except OSError as error:
            raise self._error(error) from error
        finally:
            self._file.close()


class Recent:
    """The last changes, transitions and warnings as lines, for the dashboard."""

    def __init__(self, most: int = 100) -> None:
        self.lines: deque[str] = deque(maxlen=most)

    def prediction(self, prediction: Prediction) -> None:
        """Nothing: the table shows it."""

    def change(self, phone: str, change: ActivityChange) -> None:
        """Keep a line."""
        self.lines.append(
            f"{clock_time(change.time_s)}  {phone}  {change.before} -> {change.after} after {change.duration_s:.0f} s"
        )

    def transition(self, phone: str, transition: PosturalTransition) -> None:
        """Keep a line."""
        self.lines.append(_transition_line(phone, transition))

    def warning(self, warning: Notice) -> None:
        """Keep a line."""
        self.lines.append(f"warning: {warning.phone or 'unknown phone'}: {printable(warning.reason, MOST)}")

    def finish(self, summary: dict[str, Any]) -> None:
        """Nothing: the summary is printed after the dashboard."""


def prediction_fields(prediction: Prediction) -> dict[str, Any]:
    """A prediction, ready for JSON; times in Unix seconds."""
    window = prediction.window
    probabilities = np.asarray(prediction.probabilities, np.float64).round(6).tolist()
    return {
        "phone": window.phone,
        "start_s": round(window.start_s, 6),
        "end_s": round(window.end_s, 6),
        "span_s": round(window.span_s, 6),
        "start_sample": window.start_sample,
        "answer": prediction.answer,
        "activity": prediction.activity,
        "confidence": round(prediction.confidence, 6),
        "probabilities": dict(zip(ACTIVITIES, probabilities, strict=True)),
        "window_activity": prediction.window_activity,
        "novelty": round(prediction.novelty, 3),
        "label": window.label,
        "latency_ms": round(prediction.latency_ms, 3),
    }


def change_fields(phone: str, change: ActivityChange) -> dict[str, Any]:
    """A change of activity, ready for JSON; ``time_s`` in Unix seconds."""
    return {
        "phone": phone,
        "from": change.before,
        "to": change.after,
        "time_s": round(change.time_s, 6),
        "duration_s": round(change.duration_s, 6),
    }


def transition_fields(phone: str, transition: PosturalTransition) -> dict[str, Any]:
    """A postural transition, ready for JSON; ``time_s``, its middle, in Unix seconds."""
    return {
        "phone": phone,
        "transition": transition.name,
        "time_s": round(transition.time_s, 6),
        "duration_s": round(transition.duration_s, 6),
        "confidence": round(transition.confidence, 6),
    }


def _transition_line(phone: str, transition: PosturalTransition) -> str:
    return f"{clock_time(transition.time_s, tenths=True)}  {phone}  {transition.name}"


def summary_lines(summary: dict[str, Any]) -> Sequence[str]:
    """The figures of a run in a few lines of text."""
    latency = summary["latency_ms"]
    lines = [
        ", ".join(counted(summary[f"{thing}s"], thing) for thing in ("phone", "message", "sample", "window")),
        f"lost {summary['lost_messages']}, malformed {summary['malformed_messages']}, "
        f"repeated {summary['repeated_messages']}, late {summary['late_messages']}, "
        f"dropped {counted(summary['dropped_messages'], 'message')}; {counted(summary['gaps'], 'gap')}",
    ]
    lines += refusal_lines(summary)
    if unpublished := summary.get("unpublished_messages"):
        lines.append(f"{unpublished} predictions and other messages not published")
    if latency["p50"] is not None:
        lines.append(f"latency {latency['p50']:.1f} ms median, {latency['p99']:.1f} ms p99")
    if summary["accuracy"] is not None:
        answered = "" if summary["answered_accuracy"] is None else f"; {summary['answered_accuracy']:.2%} of the "
        answered += f"{summary['answered_windows']} that were answered with an activity" if answered else ""
        lines.append(f"accuracy {summary['accuracy']:.2%} of {summary['labelled_windows']} labelled windows{answered}")
    if recording := summary.get("recording"):
        missed = f"; {recording['missed']} messages are missing" if recording["missed"] else ""
        lines.append(f"recorded {counted(recording['messages'], 'message')} to {printable(recording['file'])}{missed}")
    return lines


def clock_time(time_s: float, *, tenths: bool = False) -> str:
    """``HH:MM:SS`` in local time, with ``tenths`` of a second ``HH:MM:SS.s``; ``--:--:--`` for a time that no calendar
    has.
    """
    try:
        if not tenths:
            at = time.localtime(round(time_s, 6))
            return f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
        return datetime.fromtimestamp(round(time_s, 1), UTC).astimezone().strftime("%H:%M:%S.%f")[:-5]
    except (OverflowError, ValueError, OSError):
        return "--:--:--"
