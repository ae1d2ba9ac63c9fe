"""The runner that the three command lines share."""

from __future__ import annotations

import sys

import click
import pytest

from model.command import CONTEXT_SETTINGS, run, version_option
from model.errors import HarError


class RefusedError(HarError):
    exit_code = 5


@click.command(context_settings=CONTEXT_SETTINGS)
@version_option
@click.argument("what")
def example(what: str) -> int | None:
    """An example."""
    if what == "user":
        raise HarError("The file x is missing; give another.")
    if what == "refused":
        raise RefusedError("The broker refused the password.")
    if what == "interrupt":
        raise KeyboardInterrupt
    if what == "bug":
        raise KeyError(what)
    return int(what) if what.isdigit() else None


def status_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["example", *arguments])
    with pytest.raises(SystemExit) as ended:
        run(example)
    return ended.value.code


@pytest.mark.parametrize(
    ("argument", "status"), [("fine", 0), ("27", 27), ("user", 1), ("refused", 5), ("interrupt", 130)]
)
def test_exit_status(monkeypatch: pytest.MonkeyPatch, argument: str, status: int) -> None:
    assert status_of(monkeypatch, argument) == status


def test_a_user_error_is_one_sentence_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status_of(monkeypatch, "user")
    assert capsys.readouterr() == ("", "Error: The file x is missing; give another.\n")


def test_an_error_cannot_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(RefusedError, "__str__", lambda self: "a\x1b[2Jb\nc\u202ed")
    status_of(monkeypatch, "refused")
    assert capsys.readouterr().err == "Error: a\\x1b[2Jb\\nc\\u202ed\n"


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["example", "bug"])
    with pytest.raises(KeyError):
        run(example)


def test_wrong_usage_exits_with_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(monkeypatch, "--nonsense") == 2
    assert "No such option" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["-h", "--help", "--version"])
def test_help_and_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert status_of(monkeypatch, flag) == 0
    out = capsys.readouterr().out
    assert ("example 0." if flag == "--version" else "example [OPTIONS] WHAT") in out.splitlines()[0]
