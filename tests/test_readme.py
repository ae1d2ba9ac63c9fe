"""The README is true: it names every flag, and its commands are the commands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from tests.processes import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


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
def test_every_flag_is_in_the_readme(name: str, command: click.Command) -> None:
    assert name.split()[0] in README
    flags = [flag for p in command.params for flag in (*p.opts, *p.secondary_opts) if flag.startswith("-")]
    missing = [flag for flag in flags if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", README)]
    assert missing == [flag for flag in missing if flag in ("--help", "--version", "-h")]


def test_the_two_commands_that_it_opens_with_are_make_s() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    opening = README[: README.index("## ")]
    assert re.findall(r"^make (\w+)$", opening, re.MULTILINE) == ["demo", "test"]
    for target in ("demo", "test"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith("make test")


def test_every_link_leads_to_a_file() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target
