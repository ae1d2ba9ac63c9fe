"""What the commands show: JSON, and progress on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from model.learning import EpochReport


def console(*, stderr: bool = False) -> Console:
    """Where things are displayed."""
    from rich.console import Console

    return Console(stderr=stderr)


def print_json(value: object) -> None:
    """Indented, on stdout."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_written(display: Console, path: Path) -> None:
    """Say where a file went, on one line however long the path."""
    display.print(f"Written to {path}", highlight=False, markup=False, soft_wrap=True)


@contextmanager
def epoch_progress(display: Console) -> Iterator[Callable[[EpochReport], None]]:
    """A bar on a terminal, a line an epoch elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("training, epoch"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
    progress = Progress(*columns, TextColumn("{task.description}"), console=display, disable=not display.is_terminal)

    def on_epoch(report: EpochReport) -> None:
        figures = f"loss {report.loss:.4f}, accuracy on training windows {100 * report.accuracy:.2f} %"
        progress.update(task, completed=report.epoch, total=report.epochs, description=figures)
        if not display.is_terminal:
            click.echo(f"epoch {report.epoch} of {report.epochs}: {figures}", err=True)

    with progress:
        task = progress.add_task("", total=None)
        yield on_epoch


@contextmanager
def steps(display: Console) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each name that progress is reported of; nothing where there is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    tasks: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, console=display, transient=True, disable=not display.is_terminal)

    def on_progress(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = progress.add_task(name, total=total)
        progress.update(tasks[name], completed=done)

    with progress:
        yield on_progress
