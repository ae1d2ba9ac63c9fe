"""A session's report as one HTML file with plots, readable without a network, in dark and in light."""

from __future__ import annotations

from model.decision import ANSWERS
from model.page import facts, page, section, table, text, tiles
from streamer.report.figures import PhoneFigures, SessionReport
from streamer.report.words import LONGEST_GAP_S, MOST_PHONES, accuracy_rows, changed, conditions, loss_rows

MOST_ROWS = 1000
"""Lines of a table at most."""


def render_page(report: SessionReport, name: str) -> str:
    """The report as HTML; the same session gives the same text. Needs Matplotlib."""
    sections = {"Time": _time(report), "Phones": _phones(report)} if report.n_windows else {}
    if any(map(changed, report.changes.values())):
        sections["Changes"] = _changes(report)
    if report.transitions:
        sections["Postural transitions"] = _transitions(report)
    sections["Latency and losses"] = _losses(report)
    if report.accuracy.labelled_windows:
        sections["Accuracy"] = _accuracy(report)
    if report.reasons:
        sections["Warnings"] = _warnings(report)
    links = " ".join(f'<a href="#{_anchor(title)}">{text(title)}</a>' for title in sections)
    title = f"Session “{name if len(name) <= 80 else name[:79] + '…'}”"
    notes = "".join(f"<p>{text(note)}</p>\n" for note in conditions(report))
    head = f"<h1>{text(title)}</h1>\n{notes}{_headline(report)}<nav>{links}</nav>"
    return page(title, "\n".join([head, *sections.values()]))


def _anchor(title: str) -> str:
    return "section-" + title.lower().replace(" ", "-")


def _headline(report: SessionReport) -> str:
    figures = [
        (f"{len(report.phones)}", "phones"),
        (f"{report.n_windows}", "windows of 2.56 s, a new one every 1.28 s"),
    ]
    if report.accuracy.accuracy is not None:
        each = report.accuracy
        figures.append((f"{each.accuracy:.2%}", f"accuracy: {each.right_windows} of {each.labelled_windows} labelled"))
    if report.latency:
        figures.append((f"{report.latency.p50:.1f} ms", f"median latency; p99 {report.latency.p99:.1f} ms"))
    return tiles(figures)


def _time(report: SessionReport) -> str:
    from streamer.report.plots import seconds_plot, timeline_plot

    phones = [phone for phone in report.phones if phone.runs]
    more = f" Drawn are {MOST_PHONES} of {len(phones)} phones." if len(phones) > MOST_PHONES else ""
    explanation = (
        "What each phone was answered, and thinly beneath it the label where one lies over the whole window. Every "
        f"window stands for its hop of 1.28 s; gaps are blank, and drawn no longer than {LONGEST_GAP_S:.0f} s.{more}"
    )
    plots = (timeline_plot(phones[:MOST_PHONES]), seconds_plot(report.seconds))
    return section(_anchor("Time"), "Time lines", explanation, *plots)


def _phones(report: SessionReport) -> str:
    answers = [answer for answer in ANSWERS if answer in report.seconds]
    titles = (
        "phone",
        "windows",
        *(_words(answer) for answer in answers),
        "changes",
        "gaps",
        "lost",
        "warnings",
        "right",
    )
    more = f"; the first {MOST_ROWS} of {len(report.phones)} phones" if len(report.phones) > MOST_ROWS else ""
    explanation = f"Seconds for each answer; gaps and lost messages as far as warnings tell{more}."
    rows = [_phone(phone, answers) for phone in report.phones[:MOST_ROWS]]
    return section(_anchor("Phones"), "Each phone", explanation, table(titles, rows))


def _phone(phone: PhoneFigures, answers: list[str]) -> tuple[object, ...]:
    share = phone.accuracy.accuracy
    return (
        phone.phone,
        phone.n_windows,
        *(f"{phone.seconds.get(answer, 0):.0f}" for answer in answers),
        phone.n_changes,
        phone.gaps,
        phone.lost_messages,
        phone.n_warnings,
        "-" if share is None else f"{share:.1%}",
    )


def _changes(report: SessionReport) -> str:
    counts = report.changes
    names = [name for name in ANSWERS if changed(counts[name]) or any(row[name] for row in counts.values())]
    rows = [(_words(before), *(counts[before][after] or "·" for after in names)) for before in names]
    explanation = "How often an activity in a row was followed by one in a column, once that was certain."
    return section(_anchor("Changes"), "Changes of activity", explanation, table(("", *map(_words, names)), rows))


def _transitions(report: SessionReport) -> str:
    rows = [(name, str(count)) for name, count in report.transitions.items()]
    title = "Postural transitions"
    return section(_anchor(title), title, "How often each was told, by a stream model.", facts(rows))


def _words(name: str) -> str:
    """Short, so that a column for each answer fits the page."""
    return name.removeprefix("WALKING_").removesuffix("STAIRS").lower()


def _losses(report: SessionReport) -> str:
    from streamer.report.plots import latency_plot

    explanation = "Latency counts from the arrival of the message that completed a window to its prediction. " + (
        "Losses are those of the summary." if report.losses else "Without a summary, losses are what warnings tell."
    )
    plots = [latency_plot(report.latency)] if report.latency else []
    return section(_anchor("Latency and losses"), "Latency and losses", explanation, *plots, facts(loss_rows(report)))


def _accuracy(report: SessionReport) -> str:
    from streamer.report.plots import confusion_plot

    explanation = (
        "Windows that lie inside one labelled activity: of all of them the likeliest activity counts, also where the "
        "answer was UNKNOWN or TRANSITION; the second figure leaves these out. Shades are shares of a label's windows."
    )
    contents = (facts(accuracy_rows(report)), confusion_plot(report.confusion_matrix))
    return section(_anchor("Accuracy"), "Accuracy", explanation, *contents)


def _warnings(report: SessionReport) -> str:
    rows = [(str(count), reason) for reason, count in report.reasons.items()]
    rest = report.n_warnings - sum(report.reasons.values())
    explanation = "How often each was told." + (f" {rest} more are not listed." if rest else "")
    return section(_anchor("Warnings"), "Warnings", explanation, facts(rows))
