"""``har-stream classify`` as a process: what it writes, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from model.activities import ACTIVITIES
from streamer.backfill.outcome import BackfillOptions
from streamer.backfill.run import RunOptions
from streamer.backfill.run import run as run_here
from streamer.report.figures import read_session
from tests.processes import ROOT, TIMEOUT_S, assert_one_sentence, command, environment, run
from tests.streamer.archives import signals, table


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tables, and a file among them that is none."""
    folder = tmp_path_factory.mktemp("archive")
    for number, name in enumerate(("a", "c", "d"), start=1):
        table({f"phone-{name}": signals(number, 50, 40.0)}).to_csv(folder / f"{name}.csv", index=False)
    (folder / "b.csv").write_text("no,table\n1,2\n")
    return folder


def classify_here(archive: Path, out: Path) -> int:
    return run_here(RunOptions((archive,), None, out, 1, BackfillOptions(is_table=out.suffix == ".parquet")))


def test_many_processes_write_what_one_writes_and_a_table_says_the_same(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = run("streamer", "classify", archive, "--workers", "2")
    assert classify_here(archive, tmp_path / "one.jsonl") == two.returncode == 1  # b.csv cannot be read
    assert (tmp_path / "one.jsonl").read_text() == two.stdout
    written = [json.loads(line) for line in two.stdout.splitlines()]
    summary = written[-1]
    for told in (two.stderr.splitlines(), capsys.readouterr().err.splitlines()):
        assert len(told) == 2 and "b.csv has the columns no, table" in told[0]
        assert told[1].startswith(f"3 files, 1 not read: {summary['windows']} predictions; 0.03 hours of signals in ")
    assert (summary["type"], summary["files"], summary["unread_files"], summary["phones"]) == ("summary", 4, 1, 3)
    predictions = [line for line in written if line["type"] == "prediction"]
    assert list(dict.fromkeys(line["phone"] for line in predictions)) == ["phone-a", "phone-c", "phone-d"]
    with (tmp_path / "one.jsonl").open("rb") as file:
        assert read_session(file).n_windows == summary["windows"]
    assert classify_here(archive, tmp_path / "one.parquet") == 1
    frame = pd.read_parquet(tmp_path / "one.parquet")
    same = ["file", "phone", "answer", "activity", "window_activity", "start_sample"]
    assert frame[same].to_dict("records") == [{name: line[name] for name in same} for line in predictions]
    probabilities = frame[[f"p_{activity.lower()}" for activity in ACTIVITIES]].to_numpy()
    np.testing.assert_allclose(probabilities, [[*line["probabilities"].values()] for line in predictions], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), ("nothing to classify", "--bundled")),
        (("--bundled", "test", "-o", "x.csv"), ("x.csv would be JSON lines",)),
        (("--bundled", "test", "-o", "no/x.jsonl"), ("Nothing can be written to no/x.jsonl",)),
        (("--bundled", "test", "--model", "stream", "--lag", "2"), ("--lag is for a window model",)),
        (("--bundled", "test", "--model", "nothing.har", "--workers", "2"), ("nothing.har",)),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: tuple[str, ...], told: tuple[str, ...]) -> None:
    assert_one_sentence(run("streamer", "classify", *arguments), *told)


def test_an_input_is_not_overwritten(archive: Path) -> None:
    assert_one_sentence(run("streamer", "classify", archive / "a.csv", "-o", archive / "../" / archive.name / "a.csv"))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_can_be_stopped_and_leaves_no_process_and_no_half_of_a_table(
    tmp_path: Path, number: int, status: int
) -> None:
    arguments = ("--bundled", "all", "--workers", "2", "-o", tmp_path / "all.parquet")
    with subprocess.Popen(
        command("streamer", "classify", *arguments),
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=ROOT,
        start_new_session=True,
    ) as process:
        own = psutil.Process(process.pid)
        while not (children := [child for child in own.children() if "spawn_main" in " ".join(child.cmdline())]):
            assert process.poll() is None
        # As a terminal does: Ctrl-C reaches the processes that share the work, too.
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        assert process.wait(TIMEOUT_S) == status
        assert process.stderr
        said = process.stderr.read().strip()  # click ends the line of ^C
        assert len(said.splitlines()) == 1 and "stopped before the other" in said, said
    psutil.wait_procs(children, timeout=10)
    assert not any(child.is_running() for child in children)
    assert list(tmp_path.iterdir()) == []
