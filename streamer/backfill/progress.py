"""How far it is: a line on a terminal while it goes on, and a last line anywhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from model.text import counted, printable


class Progress:
    """On stderr.

    Parameters
    ----------
    n_files : that there are to do.
    """

    def __init__(self, n_files: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        self._console = Console(stderr=True)
        columns = (TextColumn("files"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"))
        self._bar = Bar(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("", total=n_files)
        self._began_s = time.monotonic()
        self._n_files, self._done, self._failed = n_files, 0, 0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While it goes on."""
        with nullcontext() if self._bar.disable else self._bar:  # that is disabled it would still end a line
            yield

    def seconds(self, done_s: float) -> None:
        """So many seconds of signals have been recognised."""
        self._bar.update(self._task, description=self._figures(done_s))

    def file(self, name: str, error: str | None, damage: str | None) -> None:
        """One more is done."""
        self._done += 1
        self._failed += error is not None
        self._bar.update(self._task, completed=self._done)
        if error or damage:
            self._say(error or f"{name}: {damage}")

    def finish(self, done_s: float, n_predictions: int) -> None:
        """All are done, or it was stopped."""
        files = counted(self._done - self._failed, "file")
        unread = f", {self._failed} not read" if self._failed else ""
        stopped = f" (stopped before the other {self._n_files - self._done})" if self._done < self._n_files else ""
        predictions = counted(n_predictions, "prediction")
        self._say(f"{files}{unread}{stopped}: {predictions}; {self._figures(done_s)}")

    def _figures(self, done_s: float) -> str:
        took_s = max(time.monotonic() - self._began_s, 1e-9)
        return f"{done_s / 3600:.2f} hours of signals in {took_s:.1f} s, {done_s / took_s:,.0f} times real time"

    def _say(self, line: str) -> None:
        """A line above the bar, of text that may quote a file."""
        if self._bar.disable:
            sys.stderr.write(f"{printable(line)}\n")
            sys.stderr.flush()
        else:
            self._console.print(printable(line), markup=False, highlight=False, soft_wrap=True)
