"""A session's report for the terminal, 80 columns wide: pure functions from figures to something to print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from model.activities import ACTIVITIES
from model.text import counted, printable
from streamer.outputs import clock_time
from streamer.report.figures import PhoneFigures, SessionReport
from streamer.report.words import LETTERS, MOST_PHONES, accuracy_rows, changed, columns, conditions, loss_rows

NAME_WIDTH = 14
"""Characters of a phone's name that are shown."""

BESIDE = 24
"""Characters of a time line's row that are not the time line."""

TIMELINES = """
Time lines, labels beneath where known; gaps are blank
W walking, U upstairs, D downstairs, S sitting, T standing, L lying,
- transition, ? unknown"""

COLOURS = {
    "WALKING": "blue",
    "WALKING_UPSTAIRS": "cyan",
    "WALKING_DOWNSTAIRS": "green",
    "SITTING": "yellow",
    "STANDING": "red",
    "LAYING": "magenta",
}


def print_report(report: SessionReport, console: Console) -> None:
    """Print all of it, as wide as the console is."""
    console.print(session_view(report, console.width))


def session_view(report: SessionReport, width: int = 80) -> RenderableType:
    """What was recorded, time lines, time, changes, latency and losses, accuracy, warnings."""
    parts: list[RenderableType] = [
        Text(f"{counted(report.n_windows, 'window')} of {counted(len(report.phones), 'phone')}", style="bold"),
        *(Text(note) for note in conditions(report)),
    ]
    if report.n_windows:
        parts += [Text(TIMELINES), _timelines(report.phones, width - BESIDE), _seconds(report)]
    if any(map(changed, report.changes.values())):
        parts.append(_changes(report))
    if report.transitions:
        counts = ((name, str(count)) for name, count in report.transitions.items())
        parts.append(_facts("Postural transitions", counts))
    parts.append(_facts("Latency and losses", loss_rows(report)))
    if report.accuracy.labelled_windows:
        parts += [_facts("Accuracy", accuracy_rows(report)), _confusion(report.confusion_matrix)]
    if report.reasons:
        parts.append(_reasons(report.reasons))
    return Group(*parts)


def harmless(content: str, most: int) -> Text:
    """Text that is neither markup nor control sequence, cut at ``most`` columns."""
    shown = Text(printable(content))
    shown.truncate(most, overflow="ellipsis")
    return shown


def _timelines(phones: Sequence[PhoneFigures], width: int) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for title in ("phone", "from", ""):
        table.add_column(title, no_wrap=True)
    for phone in [phone for phone in phones if phone.runs][:MOST_PHONES]:
        start = clock_time(phone.runs[0].start_s)
        table.add_row(harmless(phone.phone, NAME_WIDTH), start, strip(phone, width))
        if any(run.label for run in phone.runs):
            table.add_row("", Text("label", style="dim"), strip(phone, width, labels=True))
    if len(phones) > MOST_PHONES:
        table.add_row("…", "", f"and {len(phones) - MOST_PHONES} more phones")
    return table


def strip(phone: PhoneFigures, width: int, *, labels: bool = False) -> Text:
    """A letter a column: what most of the column's time was answered with, or labelled; blank where nothing is."""
    shown = Text()
    for name in columns(phone, width, labels=labels):
        shown.append(LETTERS.get(name, " "), COLOURS.get(name, ""))
    return shown


def _seconds(report: SessionReport) -> Table:
    table = _table("Time for each answer", ("time", "share"))
    total = sum(report.seconds.values())
    for answer, seconds in report.seconds.items():
        table.add_row(answer, f"{seconds:.0f} s", f"{seconds / total:.1%}")
    return table


def _changes(report: SessionReport) -> Table:
    names = [name for name in LETTERS if changed(report.changes[name]) or any(r[name] for r in report.changes.values())]
    table = _table("Changes of activity: from in rows, to in columns", [_short(name) for name in names])
    for before in names:
        table.add_row(before, *(_count(report.changes[before][after]) for after in names))
    return table


def _confusion(matrix: Sequence[Sequence[int]]) -> Table:
    table = _table("Labels in rows, likeliest activity in columns", [_short(name) for name in ACTIVITIES])
    for activity, row in zip(ACTIVITIES, matrix, strict=True):
        table.add_row(_short(activity), *map(_count, row))
    return table


def _reasons(reasons: dict[str, int]) -> Table:
    table = Table(title="\nWarnings", box=None, title_justify="left", show_header=False)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for reason, count in list(reasons.items())[:20]:
        table.add_row(str(count), harmless(reason, 140))
    if len(reasons) > 20:
        table.add_row("…", f"and {len(reasons) - 20} other reasons")
    return table


def _facts(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    table = _table(title, ("",))
    for name, value in rows:
        table.add_row(name, value)
    return table


def _table(title: str, columns: Iterable[str]) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", show_header=any(columns := tuple(columns)))
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _short(name: str) -> str:
    """Without the common prefix the columns fit 80 characters."""
    return name.removeprefix("WALKING_").removesuffix("STAIRS").replace("TRANSITION", "TRANSIT.")


def _count(count: int) -> str:
    return str(count) if count else "·"
