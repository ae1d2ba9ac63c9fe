"""``har-model`` as a process: every command, its outputs and its refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from model.activities import ACTIVITIES
from model.artefact import read_artefact, write_artefact
from model.bundled import official_windows
from model.classifier import Classifier
from model.commands.evaluate import robustness
from model.commands.train import NETWORKS as OFFERED
from tests.model.tiny_artefact import tiny_artefact, tiny_probabilities

HEAVY = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "pandas", "scipy", "matplotlib")
COMMANDS: list[list[str]] = [[], ["train"], ["evaluate"], ["robustness"], ["predict"], ["info"], ["export"]]


def har_model(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "model.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100", **environment},
        timeout=280,
    )


def output_of(*arguments: str | Path) -> str:
    result = har_model(*arguments)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


def refusal(*arguments: str | Path) -> str:
    """One sentence on stderr, nothing on stdout, status 1."""
    result = har_model(*arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture
def tiny_path(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.har"
    write_artefact(path, tiny_artefact())
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: list[str]) -> None:
    assert output_of(*command, "-h") == output_of(*command, "--help")
    assert "Usage: " in output_of(*command, "-h")


def test_version() -> None:
    from importlib.metadata import version

    assert output_of("--version").split()[-1] == version("har-stream")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_nothing_heavy(command: list[str]) -> None:
    program = (
        "import sys\n"
        "from model.cli import main\n"
        f"sys.argv = ['har-model', *{command!r}, '--help']\n"
        "try:\n    main()\n"
        f"finally:\n    print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.startswith("Usage: ")
    assert result.stderr.strip() == ""


def test_the_networks_offered_are_the_networks_there_are() -> None:
    from model.training import NETWORKS

    assert sorted(OFFERED) == sorted(NETWORKS)


def test_info_shows_the_card(tiny_path: Path) -> None:
    card = read_artefact(tiny_path).card
    shown = output_of("info", tiny_path)
    for fact in ("tiny", "TRANSITION", "body_acc_x [g]", "50 Hz", "hop 64", "order 10"):
        assert fact in shown
    assert card.sha256["model.onnx"] in shown.replace("\n", "") or card.sha256["model.onnx"][:40] in shown


def test_info_as_json_is_the_card(tiny_path: Path) -> None:
    with zipfile.ZipFile(tiny_path) as archive:
        assert json.loads(output_of("info", tiny_path, "--json")) == json.loads(archive.read("card.json"))


def test_info_is_of_the_model_in_the_box_by_default() -> None:
    card = json.loads(output_of("info", "--json"))
    assert (card["name"], card["network"]) == ("window", "window")
    assert card["metrics"]["official"]["accuracy"] >= 0.95


def test_a_card_cannot_write_markup_or_control_sequences(tmp_path: Path) -> None:
    path = tmp_path / "hostile.har"
    write_artefact(path, tiny_artefact(name="[bold]x\x1b[2J", hyperparameters={"\x1b]0;t\x07": "[red]a\nb"}))
    shown = output_of("info", path)
    assert "[bold]x" in shown and "[red]a" in shown
    assert "\x1b" not in shown and "\x07" not in shown


def test_evaluate_as_json(tiny_path: Path) -> None:
    metrics = json.loads(output_of("evaluate", tiny_path, "--json", "--no-robustness"))
    data = official_windows("test")
    predictions = tiny_probabilities(data.windows)[:, :6].argmax(axis=1)
    official = metrics["official"]
    assert official["n_windows"] == 2947
    assert official["accuracy"] == pytest.approx(np.mean(predictions == data.labels), abs=1e-3)
    for name in ("official", "streaming"):
        scores = metrics[name]
        matrix = np.array(scores["confusion_matrix"])
        assert matrix.shape == (6, 6)
        assert matrix.sum() == scores["n_windows"]
        assert scores["accuracy"] == pytest.approx(np.trace(matrix) / matrix.sum())
        assert list(scores["recall"]) == list(ACTIVITIES)
        assert list(scores["recall"].values()) == pytest.approx(np.diag(matrix) / matrix.sum(axis=1))
        assert 0 < scores["macro_f1"] < 1
    assert {"smoothed", "calibration", "coverage", "subjects", "timelines", "card"} <= metrics.keys()
    assert metrics["robustness"] is None
    assert metrics["subjects"]["24"]["official"] == official["subjects"]["24"]


def test_evaluate_shows_tables(tiny_path: Path) -> None:
    result = har_model("evaluate", tiny_path, "--no-robustness", COLUMNS="80")
    assert (result.returncode, result.stderr) == (0, "")
    shown = result.stdout
    assert "2947" in shown and "macro F1" in shown and "accuracy subject 24" in shown
    assert "false switches" in shown and "told UNKNOWN" in shown and "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_evaluate_writes_a_report_beside_its_json(tmp_path: Path, tiny_path: Path) -> None:
    report = tmp_path / "report.html"
    result = har_model("evaluate", tiny_path, "--no-robustness", "--json", "--report", report)
    assert (result.returncode, result.stderr) == (0, f"Written to {report}\n")
    accuracy = json.loads(result.stdout)["official"]["accuracy"]
    assert f"{100 * accuracy:.2f} %" in report.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_is_refused_before_the_evaluation(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere" / "report.html"):
        assert "report cannot be written" in refusal("evaluate", tmp_path / "no.har", "--report", place)


def test_a_report_without_matplotlib_says_how_to_get_it(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom importlib import util\nfrom model.cli import main\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'matplotlib' else find(name, *more)\n"
        "sys.argv = ['har-model', 'evaluate', '--report', sys.argv[1]]\nmain()\n"
    )
    output = str(tmp_path / "report.html")
    result = subprocess.run([sys.executable, "-c", program, output], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert "pip install 'har-stream[report]'" in result.stderr


def test_robustness_is_of_training_subjects_unless_told_otherwise(tiny_path: Path) -> None:
    result = json.loads(output_of("robustness", tiny_path, "--json", "--subjects", "test", "--seed", "3"))
    assert (result["n_windows"], result["seed"], result["subjects"]) == (2947, 3, [2, 4, 9, 10, 12, 13, 18, 20, 24])
    assert result["cases"][0]["group"] == "undisturbed"
    split = next(parameter for parameter in robustness.params if parameter.name == "split")
    assert split.default == "train"


@pytest.mark.parametrize("name", ["windows.npy", "windows.npz"])
def test_predict_writes_one_object_a_window(tmp_path: Path, name: str) -> None:
    windows = official_windows("test").windows[::300]
    if name.endswith("npy"):
        np.save(tmp_path / name, windows)
    else:
        np.savez(tmp_path / name, windows=windows, phone=np.array(["s02-e03"] * len(windows)))
    lines = [json.loads(line) for line in output_of("predict", tmp_path / name).splitlines()]
    expected = Classifier.load().probabilities(windows)
    assert [list(line["probabilities"]) for line in lines] == [list(ACTIVITIES)] * len(windows)
    np.testing.assert_allclose([list(line["probabilities"].values()) for line in lines], expected, atol=1e-6)
    assert [line["activity"] for line in lines] == [ACTIVITIES[i] for i in expected.argmax(axis=1)]


def test_predict_takes_another_model_and_any_number_of_windows(tmp_path: Path, tiny_path: Path) -> None:
    windows = np.random.default_rng(0).normal(size=(600, 128, 9))
    np.save(tmp_path / "many.npy", windows)
    np.save(tmp_path / "none.npy", windows[:0])
    lines = output_of("predict", tmp_path / "many.npy", "--model", tiny_path).splitlines()
    six = tiny_probabilities(windows.astype(np.float32))[:, :6]
    assert [json.loads(line)["activity"] for line in lines] == [ACTIVITIES[i] for i in six.argmax(axis=1)]
    assert output_of("predict", tmp_path / "none.npy", "--model", tiny_path) == ""


def test_predict_refuses_what_are_no_windows(tmp_path: Path) -> None:
    np.save(tmp_path / "raw.npy", np.zeros((2, 128, 6)))
    assert "(2, 128, 6)" in refusal("predict", tmp_path / "raw.npy")


def test_predict_refuses_windows_that_are_not_finite(tmp_path: Path, tiny_path: Path) -> None:
    windows = np.zeros((300, 128, 9))
    windows[257, 17, 2] = np.nan
    np.save(tmp_path / "nan.npy", windows)
    result = har_model("predict", tmp_path / "nan.npy", "--model", tiny_path)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: Window 257 of nan.npy ")


@pytest.mark.parametrize("command", [["evaluate"], ["info"], ["predict", "w.npy", "--model"]])
def test_an_unreadable_artefact_is_one_sentence(tmp_path: Path, command: list[str]) -> None:
    np.save(tmp_path / "w.npy", np.zeros((1, 128, 9)))
    (tmp_path / "broken.har").write_bytes(b"PK\x05\x06 cut off")
    arguments = [str(tmp_path / a) if a == "w.npy" else a for a in command]
    assert "broken.har" in refusal(*arguments, tmp_path / "broken.har")


def test_a_missing_artefact_is_one_sentence(tmp_path: Path) -> None:
    assert "No such file" in refusal("info", tmp_path / "nowhere.har")


def test_train_writes_a_scored_model(tmp_path: Path) -> None:
    path = tmp_path / "small.har"
    settings = ("--epochs", "2", "--batch-size", "256", "--units", "4", "--dropout", "0.1", "--seed", "3")
    result = har_model("train", "--network", "lstm", *settings, "--output", path)
    assert result.returncode == 0, result.stderr
    lines = result.stderr.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert lines[2:] == [f"Written to {path}"]
    card = json.loads(output_of("info", path, "--json"))
    assert card["hyperparameters"] == {"units": 4, "dropout": 0.1}
    assert card["training"]["seed"] == 3
    assert (card["training"]["options"]["epochs"], card["training"]["options"]["batch_size"]) == (2, 256)
    evaluated = json.loads(output_of("evaluate", path, "--json", "--no-robustness"))
    for name, scores in card["metrics"].items():
        assert scores == evaluated[name]
    assert "macro F1" in result.stdout


def test_train_writes_a_scored_model_for_streams(tmp_path: Path) -> None:
    path = tmp_path / "small.har"
    settings = ("--epochs", "1", "--batch-size", "64", "--units", "4", "--seed", "3")
    result = har_model("train", "--network", "stream", *settings, "--output", path)
    assert result.returncode == 0, result.stderr
    assert "macro F1" in result.stdout
    report = tmp_path / "report.html"
    told = har_model("evaluate", path, "--json", "--report", report)
    assert (told.returncode, told.stderr) == (0, f"Written to {report}\n")
    evaluated = json.loads(told.stdout)
    for name, scores in json.loads(output_of("info", path, "--json"))["metrics"].items():
        assert scores == evaluated[name]
    assert set(evaluated["protocol"]["arrangements"]) == {"natural", "cut", "kept", "reversed"}
    assert evaluated["transitions"]["together"]["labelled"] > 100
    assert "STAND_TO_SIT" in report.read_text("utf-8")
    assert "not for windows" in refusal("robustness", path)


def test_train_without_tensorflow_says_how_to_get_it(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom model.cli import main\n"
        "sys.modules['tensorflow'] = None\n"
        "sys.argv = ['har-model', 'train', '--output', sys.argv[1]]\nmain()\n"
    )
    output = str(tmp_path / "w.har")
    result = subprocess.run([sys.executable, "-c", program, output], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "pip install 'har-stream[train]'" in result.stderr


def test_train_says_before_training_that_it_cannot_write(tmp_path: Path) -> None:
    assert "cannot be written" in refusal("train", "--output", tmp_path / "nowhere" / "w.har")
    assert "cannot be written" in refusal("train", "--output", tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--network", "cnn"],
        ["train", "--epochs", "0"],
        ["predict"],
        ["fly"],
        ["robustness", "--subjects", "all"],
    ],
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    result = har_model(*arguments)
    assert result.returncode == 2
    assert "Error: " in result.stderr and "Traceback" not in result.stderr


def test_export_writes_the_official_folder(tmp_path: Path) -> None:
    result = har_model("export", tmp_path / "UCI HAR Dataset")
    assert result.returncode == 0, result.stderr
    test = tmp_path / "UCI HAR Dataset" / "test"
    assert len(list((test / "Inertial Signals").iterdir())) == 9
    labels = np.loadtxt(test / "y_test.txt", dtype=int) - 1
    np.testing.assert_array_equal(labels, official_windows("test").labels)
