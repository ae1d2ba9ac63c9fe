"""The demo: one command, no set-up, with and without a terminal."""

from __future__ import annotations

import json
import os

import pexpect
import pytest

from model.activities import POSTURAL_TRANSITIONS
from model.bundled import load_recordings
from model.decision import ANSWERS
from model.windows import cut
from tests.processes import ROOT, assert_one_sentence, command, environment, run


@pytest.mark.parametrize("path", [os.environ["PATH"], "/nonexistent"])
def test_without_a_terminal_it_prints_plain_lines_and_ends(path: str) -> None:
    done = run("streamer", "demo", "--subjects", "20", "--speed", "max", PATH=path)
    assert done.returncode == 0, done.stderr
    recordings = load_recordings((20,))
    windows = sum(len(cut(r.signals())) for r in recordings)
    lines = done.stdout.splitlines()
    assert all(line.split()[2] in ANSWERS for line in lines[:windows])
    assert {line.split()[1] for line in lines[:windows]} == {r.name for r in recordings}
    assert "\x1b" not in done.stdout
    assert "accuracy" in lines[-1]
    assert f"{windows} windows" in done.stdout


def test_its_machine_output_is_clean() -> None:
    done = run("streamer", "demo", "--subjects", "24", "--speed", "max", "--output", "jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["type"] == "summary"
    assert lines[-1]["lost_messages"] == 0
    assert lines[-1]["accuracy"] > 0.9


def test_the_stream_model_tells_transitions_among_its_lines() -> None:
    done = run("streamer", "demo", "--model", "stream", "--every", "1.28", "--subjects", "20", "--speed", "max")
    assert done.returncode == 0, done.stderr
    spans = sum(len(r.signals()) // 64 for r in load_recordings((20,)))
    assert f"{spans} windows" in done.stdout
    told = [line.split()[2] for line in done.stdout.splitlines()[:-4]]
    assert {*told} & {*POSTURAL_TRANSITIONS}
    assert {*told} <= {*POSTURAL_TRANSITIONS, *ANSWERS}


def test_on_a_terminal_it_draws_and_gives_the_terminal_back() -> None:
    terminal = pexpect.spawn(
        command("streamer", "demo", "--subjects", "24", "--speed", "20")[0],
        command("streamer", "demo", "--subjects", "24", "--speed", "20")[1:],
        dimensions=(24, 100),
        env=environment(TERM="xterm-256color"),
        cwd=str(ROOT),
        timeout=60,
        encoding="utf-8",
    )
    terminal.expect_exact("\x1b[?1049h")  # the alternate screen
    terminal.expect("har-stream.*connected.*2 phones")
    terminal.expect("s24-e[0-9]+.*(WALKING|SITTING|STANDING|LAYING)")
    terminal.sendintr()
    terminal.expect_exact("\x1b[?1049l")
    terminal.expect("windows")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_an_unknown_subject_is_one_sentence() -> None:
    assert_one_sentence(run("streamer", "demo", "--subjects", "99", "--output", "jsonl", "-W", "60"), "99")
