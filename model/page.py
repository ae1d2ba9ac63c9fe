"""A self-contained HTML page: whatever is put in as text is escaped, and nothing is loaded from outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from model.text import printable

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1c1e21; --soft: #5b6169; --line: #d5d8dc; --bar: #0072b238;
  --tile: #f4f5f7; }
@media (prefers-color-scheme: dark) { :root { --page: #16181b; --ink: #e6e8ea; --soft: #a2a8b0; --line: #3c4148;
  --bar: #56b4e93d; --tile: #202328; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 2rem 1.5rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .3rem; border-top: 1px solid var(--line); padding-top: 1.1rem; }
p { margin: .3rem 0 .9rem; max-width: 85ch; color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 1rem 0; font-size: .9rem; }
a { color: inherit; }
svg { display: block; width: 100%; height: auto; color: var(--ink); margin: .6rem 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.tile { background: var(--tile); border-radius: .5rem; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .85rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; margin: .4rem 0 1.2rem; }
th, td { padding: .22rem .8rem .22rem 0; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); }
th:first-child, td:first-child { text-align: left; }
.facts td { text-align: left; overflow-wrap: anywhere; }
.facts td:first-child { white-space: nowrap; color: var(--soft); }
.bar { background: linear-gradient(to right, var(--bar) var(--share), transparent 0); min-width: 11rem; }
@media print { body { max-width: none; } svg, table { break-inside: avoid; } }
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def text(content: object) -> str:
    """Any content as harmless HTML text."""
    return escape(printable(str(content)))


def page(title: str, body: str) -> str:
    """The whole document; a content security policy keeps it from loading anything."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def section(anchor: str, title: str, explanation: str, *contents: str) -> str:
    """A headline, what one sees, and the contents, which are HTML already."""
    head = f"<h2>{text(title)}</h2>\n<p>{text(explanation)}</p>\n"
    return f'<section id="{text(anchor)}">\n{head}{"".join(contents)}</section>'


def table(titles: Sequence[str], rows: Iterable[Sequence[object]], bar: int | None = None) -> str:
    """A table; the column at index ``bar`` holds percentages that are drawn as bars, too."""
    head = "".join(f'<th scope="col">{text(title)}</th>' for title in titles)
    body = "".join(f"<tr>{''.join(_cell(v, n == bar) for n, v in enumerate(row))}</tr>\n" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>\n'


def _cell(value: object, is_bar: bool) -> str:
    style = f' class="bar" style="--share: {text(value)}%"' if is_bar else ""
    return f"<td{style}>{text(value)}</td>"


def facts(values: Iterable[tuple[str, str]]) -> str:
    """Names and what is known of them."""
    rows = "".join(f"<tr><td>{text(name)}</td><td>{text(value)}</td></tr>\n" for name, value in values)
    return f'<div class="wide"><table class="facts"><tbody>{rows}</tbody></table></div>\n'


def tiles(values: Iterable[tuple[str, str]]) -> str:
    """The most important figures, large: (figure, what it is)."""
    each = (f'<div class="tile"><b>{text(value)}</b><span>{text(name)}</span></div>' for value, name in values)
    return f'<div class="tiles">{"".join(each)}</div>\n'
