"""The log on stderr: lines for people, or one JSON object a line for programs."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from model.command import EXIT_FAILURE
from model.errors import HarError
from model.text import printable

CALM = logging.getLogger("har-stream")
"""What is said at level INFO whatever the level is: that it listens, and where."""

_EXTRA = ("phone",)
"""What records may carry beside their message."""


class TextFormatter(logging.Formatter):
    """The message; from warnings on with the level before it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback if there is one."""
        phone = getattr(record, "phone", None)
        words = f"{phone}: {record.getMessage()}" if phone is not None else record.getMessage()
        line = printable(words)
        if record.levelno >= logging.WARNING:
            line = f"{record.levelname.lower()}: {line}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``; ``phone`` and ``error``, a traceback, if any."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        time = datetime.fromtimestamp(record.created, UTC)
        fields: dict[str, Any] = {
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {name: value for name in _EXTRA if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields).decode()


@contextlib.contextmanager
def logging_to(handler: logging.Handler) -> Iterator[None]:
    """Log records of all modules to this handler while the block runs."""
    root = logging.getLogger()
    root.addHandler(handler)
    before = CALM.level
    CALM.setLevel(logging.INFO)
    try:
        yield
    finally:
        CALM.setLevel(before)
        root.removeHandler(handler)


def stderr_handler(log_format: str, stream: TextIO | None = None) -> logging.Handler:
    """What writes to stderr, in one of :data:`streamer.operation.options.LOG_FORMATS`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    return handler


def say(words: str, log_format: str, level: int = logging.INFO) -> None:
    """One line on stderr before there is a log, or after it."""
    stderr_handler(log_format).handle(logging.LogRecord(CALM.name, level, "", 0, "%s", (words,), None))


@contextlib.contextmanager
def errors_logged(log_format: str) -> Iterator[None]:
    """With ``json``, an error that ends the program is an object like the others; else it is passed on.

    Raises
    ------
    SystemExit : with the error's exit status.
    """
    try:
        yield
    except HarError as error:
        if log_format != "json":
            raise
        say(str(error), log_format, logging.ERROR)
        raise SystemExit(getattr(error, "exit_code", EXIT_FAILURE)) from error
