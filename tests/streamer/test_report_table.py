"""The predictions of a session as a table: what other programs read is what the listener said."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from model.errors import HarError
from streamer.report import export
from streamer.report.export import PredictionTable, check_table
from streamer.report.figures import Figures, read_session
from tests.processes import assert_one_sentence, run
from tests.streamer.captures import record

EPOCH = 1_700_000_000.0
COLUMNS = ["phone", "start", "start_s", "answer", "activity", "label", "confidence", "novelty", "latency_ms"]


def prediction(number: int, **more: Any) -> dict[str, Any]:
    usual = {"type": "prediction", "phone": "s02-e03", "start_s": EPOCH + 1.28 * number, "answer": "WALKING"}
    rest = {"activity": "WALKING", "label": None, "latency_ms": 2.5, "confidence": 0.75, "novelty": 0.1}
    return usual | rest | more


LINES = [
    prediction(0),
    {"type": "event", "phone": "s02-e03", "from": "STANDING", "to": "WALKING", "time_s": 1.0, "duration_s": 1.0},
    prediction(1, label="SITTING", answer="UNKNOWN", novelty=3.0),
    prediction(2, phone='a "phone", with\nall', latency_ms=None),
    prediction(3, start_s=1e12),
]


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES), "utf-8")
    return path


def read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "OUT.CSV"])
def test_the_table_has_the_lines_of_the_predictions_in_their_order(recorded: Path, name: str) -> None:
    out = recorded.parent / name
    done = run("streamer", "report", recorded, "--table", out)
    assert done.returncode == 0, done.stderr
    table = read(out)
    assert list(table.columns) == COLUMNS
    told = [line for line in LINES if line["type"] == "prediction"]
    assert table["phone"].tolist() == [line["phone"] for line in told]
    assert table["start_s"].tolist() == pytest.approx([line["start_s"] for line in told])
    assert table["answer"].tolist() == ["WALKING", "UNKNOWN", "WALKING", "WALKING"]
    assert table["label"].isna().tolist() == [True, False, True, True]
    assert table["confidence"].tolist() == [0.75] * 4
    assert table["latency_ms"].isna().tolist() == [False, False, True, False]
    starts = pd.to_datetime(table["start"], utc=True)
    assert starts[1] == pd.Timestamp("2023-11-14T22:13:21.280Z")
    assert starts.isna().tolist() == [False, False, False, True]  # the year 33658 is no date of theirs


def test_a_capture_s_table_has_what_is_recognised_of_it(tmp_path: Path) -> None:
    done = run("streamer", "report", record(tmp_path / "x.cap", 3), "--table", tmp_path / "x.parquet", "--json")
    figures, table = json.loads(done.stdout), pd.read_parquet(tmp_path / "x.parquet")
    assert len(table) == figures["n_windows"] > 300
    labelled = table[table["label"].notna()]
    assert len(labelled) == figures["accuracy"]["labelled_windows"]
    right = (labelled["activity"].astype(str) == labelled["label"].astype(str)).sum()
    assert right == figures["accuracy"]["right_windows"]
    assert table["latency_ms"].isna().all()
    assert table["confidence"].between(0, 1).all()
    assert str(table["answer"].dtype) == "category"


def test_without_predictions_there_is_a_table_without_rows(tmp_path: Path) -> None:
    PredictionTable().write(tmp_path / "empty.csv")
    assert (tmp_path / "empty.csv").read_text().strip() == ",".join(COLUMNS)
    PredictionTable().write(tmp_path / "empty.parquet")
    assert read(tmp_path / "empty.parquet").shape == (0, len(COLUMNS))


def test_older_files_lack_no_more_than_the_newer_columns() -> None:
    old = {key: value for key, value in LINES[0].items() if key not in ("confidence", "novelty")}
    table = PredictionTable()
    read_session(io.BytesIO(json.dumps(old).encode()), Figures(table.add))
    assert math.isnan(table.frame()["confidence"][0])


def test_what_cannot_be_written_is_one_sentence_and_told_first(recorded: Path) -> None:
    out = recorded.parent
    assert_one_sentence(run("streamer", "report", recorded, "--table", out / "x.xlsx"), "no format that is known")
    assert_one_sentence(run("streamer", "report", recorded, "--table", out / "none" / "x.csv"), "cannot be written")
    same = recorded.rename(out / "session.csv")
    before = same.read_bytes()
    assert_one_sentence(run("streamer", "report", same, "--table", same), "overwrite")
    assert same.read_bytes() == before
    (out / "folder.csv").mkdir()
    assert_one_sentence(run("streamer", "report", same, "--table", out / "folder.csv"), "cannot be written")


def test_without_pyarrow_the_extra_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    with pytest.raises(HarError, match=r"har-stream\[report\]"):
        check_table(tmp_path / "x.parquet")
    check_table(tmp_path / "x.csv")
