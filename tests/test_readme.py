"""The README and the pages that it leads to are true: every flag is told, commands and links are what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.processes import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(ROOT.glob("docs/*.md"))
TEXT = "\n".join([README, *(page.read_text(encoding="utf-8") for page in PAGES)])

MOST_LINES = 200
"""Of the README: what is longer is read by nobody."""


def commands() -> Iterator[tuple[str, click.Command]]:
    from model.cli import cli as model_cli
    from replay.cli import command as replay_cli
    from streamer.cli import cli as stream_cli

    for name, command in (("har-model", model_cli), ("har-replay", replay_cli), ("har-stream", stream_cli)):
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", command.commands[sub]) for sub in command.commands)
        else:
            yield name, command


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_flag_is_told(name: str, command: click.Command) -> None:
    assert name.split()[0] in README
    assert name in TEXT
    flags = [flag for p in command.params for flag in (*p.opts, *p.secondary_opts) if flag.startswith("-")]
    missing = [flag for flag in flags if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", TEXT)]
    assert missing == [flag for flag in missing if flag in ("--help", "--version", "-h")]


def test_every_command_that_is_shown_is_one() -> None:
    names = dict(commands())
    shown = set(re.findall(r"^(har-(?:stream|model) [a-z-]+|har-replay)\b", TEXT, re.MULTILINE))
    assert len(shown) > 10
    assert shown <= set(names)


def test_the_two_commands_that_it_opens_with_are_make_s() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    opening = README[: README.index("## ")]
    assert re.findall(r"^make (\w+)$", opening, re.MULTILINE) == ["demo", "test"]
    for target in ("demo", "test"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith("make test")


def test_it_is_short_and_leads_to_every_page() -> None:
    assert len(README.splitlines()) <= MOST_LINES
    for page in PAGES:
        assert f"](docs/{page.name}" in README


def anchors(path: Path) -> set[str]:
    """As GitHub makes them of headings: lower case, dashes for blanks, punctuation left out."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            file = page.parent / target if target else page
            assert file.exists(), target
            assert not anchor or anchor in anchors(file), anchor


def test_nothing_is_said_twice() -> None:
    lines = [line for line in TEXT.splitlines() if len(line) > 60 and not line.startswith(("| `--", "har-"))]
    assert sorted({line for line in lines if lines.count(line) > 1}) == []


def test_what_is_promised_has_a_test() -> None:
    """Every test that docs/trust.md names is there."""
    named = set(re.findall(r"::(test_\w+)", (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")))
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert named
    assert sorted(name for name in named if f"def {name}(" not in sources) == []
