"""A diagnosis as rich tables, and as plain data for JSON. Pure."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from model.text import printable
from streamer.doctor.advice import Advice, Diagnosis, PhoneDiagnosis

MOST = 500
"""Characters of one cell, at most: topics and faults may be long."""


def diagnosis_view(diagnosis: Diagnosis) -> RenderableType:
    """A table of the phones, and what is no one phone's below it."""
    parts: list[RenderableType] = []
    if diagnosis.phones:
        parts.append(_phones(diagnosis))
    parts += [_line(each) for each in diagnosis.general]
    parts.append(Text(closing(diagnosis), style="bold"))
    return Group(*parts)


def closing(diagnosis: Diagnosis) -> str:
    """The last line: whether all is well."""
    if not diagnosis.phones:
        return f"No phone was heard at {diagnosis.broker} for {diagnosis.seconds:g} s."
    count = len(diagnosis.phones)
    ill = sum(not phone.is_well for phone in diagnosis.phones)
    if diagnosis.exit_status == 0:
        return f"All is well: {count} phone{'s' if count > 1 else ''}."
    if ill:
        return f"{ill} of {count} phone{'s' if count > 1 else ''}: something to change."
    return f"{count} phone{'s are' if count > 1 else ' is'} well, but there is something to change."


def _phones(diagnosis: Diagnosis) -> Table:
    table = Table(title=f"{printable(diagnosis.broker)}, {diagnosis.seconds:g} s", title_justify="left")
    table.add_column("phone", no_wrap=True)
    table.add_column("what is the matter", overflow="fold", ratio=1)
    for phone in diagnosis.phones:
        table.add_row(Text(printable(phone.phone)), _matter(phone), end_section=True)
    return table


def _matter(phone: PhoneDiagnosis) -> RenderableType:
    told = f"{phone.format}: {phone.summary}" if phone.format else phone.summary
    lines = [_text(told, "dim"), *(_text(fact, "dim") for fact in phone.facts), *(_line(each) for each in phone.advice)]
    if not phone.advice:
        lines.append(_text("all is well", "green"))
    return Group(*lines)


def _line(advice: Advice) -> Text:
    line = Text()
    line.append("note: " if advice.is_note else "", "dim")
    line.append(printable(advice.words, MOST), "" if advice.is_note else "red")
    for change in advice.changes:
        line.append(f"\n-> {printable(change, MOST)}")
    return line


def _text(words: str, style: str) -> Text:
    return Text(printable(words, MOST), style)


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Plain data: ``broker``, ``seconds``, ``well``, ``phones`` and ``general``; pieces of advice are objects."""
    return {
        "broker": diagnosis.broker,
        "seconds": diagnosis.seconds,
        "well": diagnosis.exit_status == 0,
        "phones": [
            {
                "phone": phone.phone,
                "format": phone.format,
                "well": phone.is_well,
                "summary": phone.summary,
                "facts": list(phone.facts),
                "advice": [_plain(each) for each in phone.advice],
            }
            for phone in diagnosis.phones
        ],
        "general": [_plain(each) for each in diagnosis.general],
    }


def _plain(advice: Advice) -> dict[str, Any]:
    return {"code": advice.code, "words": advice.words, "changes": list(advice.changes), "note": advice.is_note}
