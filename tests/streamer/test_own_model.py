"""``har-model train --from``: from a recorded and labelled session to a model of one's own, as a user does it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from model.activities import ACTIVITIES
from model.artefact import read_artefact, write_artefact
from model.cli import cli
from model.dataset import training_windows
from model.errors import HarError
from tests.model.small_artefact import small_artefact
from tests.processes import ROOT, assert_one_sentence, command, environment, run
from tests.streamer.captures import record

pytest.importorskip("tensorflow", reason="the extra 'train' is not installed")


def save(path: Path, most: int) -> None:
    """As ``listen --save-windows`` would, of subject 1."""
    windows = training_windows((1,))
    labels = [ACTIVITIES[number] for number in windows.labels[:most]]
    count = len(labels)
    phones = ["nobody-knows-ann"] * count
    np.savez(path, windows=windows.windows[:most], phone=phones, start_s=3.0 * np.arange(count), label=labels)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model, a capture with labels, one without, and saved windows."""
    folder = tmp_path_factory.mktemp("own")
    write_artefact(folder / "small.har", small_artefact())
    record(folder / "session.cap", 3)
    record(folder / "silent.cap", 3, labels=False)
    save(folder / "saved.npz", 10_000)
    save(folder / "few.npz", 5)
    return folder


def test_captures_and_saved_windows_become_a_model(files: Path) -> None:
    output = files / "mine.har"
    arguments = ("--from", files / "session.cap", files / "saved.npz", "--model", files / "small.har", "--epochs", "2")
    process = command("model", "train", *arguments, "--output", output, "--json")
    done = subprocess.run(process, capture_output=True, text=True, env=environment(), cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told["learnt_from"]) == set(told["held_out_from"]) == set(ACTIVITIES)
    learnt, held_out = sum(told["learnt_from"].values()), sum(told["held_out_from"].values())
    assert held_out == pytest.approx((learnt + held_out) / 4, rel=0.1)
    both = told["held_out"]
    assert both["after"]["accuracy"] > both["before"]["accuracy"] + 0.2  # of a model that knew nothing
    assert both["before"]["n_windows"] == held_out
    card = read_artefact(output).card
    assert card.name == "mine"
    assert card.metrics["recorded"].accuracy == pytest.approx(both["after"]["accuracy"])
    assert card.training.options["epochs"] == 2
    for personal in ("nobody-knows-ann", "s03-e05", str(files)):
        assert personal not in json.dumps(told) + repr(card)
    assert "epoch 2 of 2" in done.stderr
    assert str(output) in done.stderr


def test_the_table_tells_before_and_after(files: Path, tmp_path: Path) -> None:
    """In this process, which has TensorFlow loaded already."""
    output = tmp_path / "table.har"
    arguments = ["--from", files / "saved.npz", "--model", files / "small.har", "--output", output, "--epochs", 1]
    done = CliRunner().invoke(cli, ["train", *map(str, arguments), "--held-out", "0.5"], env={"COLUMNS": "100"})
    assert done.exception is None
    for words in ("before", "after", "held out", "training subjects", "Learnt from windows of WALKING 4", *ACTIVITIES):
        assert words in done.stdout
    assert read_artefact(output).card.training.options["held_out"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "few.npz"], "too few labelled windows"),
        (["--from", "none.cap"], "no recording"),
        (["--from", "small.har"], "small.har"),
        (["--from", "nonsense"], "is no recording"),
        (["saved.npz"], "--from RECORDING"),
        (["--model", "small.har"], "--model is for training with --from"),
        (["--from", "saved.npz", "--units", "3"], "--units is for training without --from"),
        (["--from", "saved.npz", "--output", "none/x.har"], "cannot be written"),
        (["--from", "saved.npz", "--model", "saved.npz"], "saved.npz"),
    ],
)
def test_what_cannot_be_learnt_from_is_told(
    files: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    (files / "nonsense").write_text("nonsense")
    monkeypatch.chdir(files)
    failure = CliRunner().invoke(cli, ["train", *arguments]).exception
    assert isinstance(failure, HarError)
    assert told in str(failure)
    assert not list(files.glob("window*.har")) + list(files.glob("finetuned.har"))


def test_a_session_without_labels_is_one_sentence(files: Path) -> None:
    train = ("model", "train", "--model", files / "small.har", "--from")
    assert_one_sentence(run(*train, files / "silent.cap"), "is labelled", "har-stream label")
    assert_one_sentence(run(*train, files / "session.cap", HAR_MOUNT="sideways"), "HAR_MOUNT")
