"""A recorded session's report: the listener's own figures again, from whatever a file may hold."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from rich.console import Console

from model.activities import ACTIVITIES
from model.bundled import load_recording, load_recordings
from model.classifier import Classifier
from model.errors import HarError
from model.page_file import check_page, write_page
from model.smoothing import FilterSettings
from model.windows import HOP_S
from streamer.formats.har import as_message
from streamer.outputs import JsonLines, Notice
from streamer.readings import PhoneMessage
from streamer.recognition.recognizer import Recognizer
from streamer.recognition.window_engine import WindowEngine
from streamer.report.figures import SessionReport, read_session
from streamer.report.lines import LONGEST_LINE
from streamer.report.page import render_page
from streamer.report.tables import print_report, strip
from streamer.report.words import positions
from streamer.tally import Tally
from streamer.wire import Label, Samples
from tests.processes import assert_one_sentence, run

EPOCH = 1_700_000_000.0
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "[bold red]x[/]\n\r",
    "<script>alert(1)</script>",
    "\u202eevil\u2066",
    "$\\frac{$ &\"'",
)


@pytest.fixture(scope="module")
def session() -> tuple[bytes, dict[str, Any], dict[str, float]]:
    """Subject 20 through the recognizer, with a gap: the lines, the summary, seconds for each answer."""
    stream, tally = io.StringIO(), Tally(max_phones=9)
    output = JsonLines(stream)
    recognizer = Recognizer(WindowEngine(Classifier.load(), FilterSettings()), max_phones=9)
    for recording in load_recordings((20,)):
        for segment in recording.segments:
            activity = segment.activity if segment.activity in ACTIVITIES else None
            label = Label(activity, EPOCH + segment.start / 50, EPOCH + segment.stop / 50)
            recognizer.push(PhoneMessage(recording.name, "har", labels=(label,)), 0.0)
        for seq in range(0, 12_000, 100):
            if seq == 6000:
                continue
            times = EPOCH + (seq + np.arange(100)) / 50
            samples = Samples(recording.samples[seq : seq + 100], times, seq // 100, start=seq == 0)
            taken = recognizer.push(as_message(recording.name, samples), seq / 50)
            tally.message(recording.name, len(times), taken, seq / 50)
            for words in taken.news:
                output.warning(Notice(recording.name, words))
    seconds: dict[str, float] = {}
    for number, prediction in enumerate(recognizer.finish(lambda: 250.0)):
        tally.prediction(prediction, number)
        output.prediction(prediction)
        seconds[prediction.answer] = seconds.get(prediction.answer, 0) + 1.28
        if prediction.change:
            output.change(prediction.phone, prediction.change)
    summary = tally.summary() | {"dropped_messages": 0}
    output.finish(summary)
    return stream.getvalue().encode(), summary, seconds


def read(content: bytes) -> SessionReport:
    return read_session(io.BytesIO(content))


def line(k: int, **changes: Any) -> bytes:
    fields = {"type": "prediction", "phone": "p", "start_s": EPOCH + HOP_S * k, "answer": "SITTING"}
    fields |= {"activity": "SITTING", "label": None, "latency_ms": 1.0 + k}
    return json.dumps(fields | changes).encode() + b"\n"


def terminal(report: SessionReport, width: int = 80) -> str:
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=width, force_terminal=False))
    return stream.getvalue()


def test_the_figures_are_the_listener_s_own(session: tuple[bytes, dict[str, Any], dict[str, float]]) -> None:
    content, summary, seconds = session
    report = read(content)
    assert report.is_complete
    assert report.malformed_lines == 0
    assert (len(report.phones), report.n_windows) == (summary["phones"], summary["windows"])
    assert report.latency is not None
    assert {"p50": report.latency.p50, "p90": report.latency.p90, "p99": report.latency.p99} == pytest.approx(
        summary["latency_ms"], abs=0.002
    )
    assert [list(row) for row in report.confusion_matrix] == summary["confusion_matrix"]
    for name in ("labelled_windows", "right_windows", "answered_windows", "right_answers", "accuracy"):
        assert getattr(report.accuracy, name) == summary[name], name
    assert report.accuracy.answered_accuracy == summary["answered_accuracy"]
    assert summary["labelled_windows"] > 100
    assert report.seconds == pytest.approx(seconds)
    lost = sum(phone.lost_messages for phone in report.phones)
    assert report.losses is not None
    assert lost == report.losses.lost_messages == summary["lost_messages"] == 2
    assert sum(phone.gaps for phone in report.phones) == summary["gaps"] == 2
    assert sum(report.latency.counts) == report.n_windows


def test_changes_are_the_events(session: tuple[bytes, dict[str, Any], dict[str, float]]) -> None:
    content = session[0]
    events = [event for event in map(json.loads, content.splitlines()) if event["type"] == "event"]
    report = read(content)
    assert len(events) > 4
    assert sum(sum(row.values()) for row in report.changes.values()) == len(events)
    first = events[0]
    same = [e for e in events if (e["from"], e["to"]) == (first["from"], first["to"])]
    assert report.changes[first["from"]][first["to"]] == len(same)
    assert sum(phone.n_changes for phone in report.phones) == len(events)


def test_lines_of_a_stream_model_count_for_their_own_span_and_transitions_are_counted() -> None:
    def at(k: int, answer: str) -> bytes:
        return line(0, start_s=EPOCH + 0.48 * k, answer=answer, span_s=0.48)

    lines = [at(k, "SITTING" if k < 25 else "STANDING") for k in range(100)]
    told = [
        json.dumps({"type": "transition", "phone": "p", "transition": name, "time_s": EPOCH + 12}).encode() + b"\n"
        for name in ("SIT_TO_STAND", "SIT_TO_STAND", "LIE_TO_SIT", "FLY")
    ]
    report = read(b"".join([*lines[:25], *told, *lines[25:]]))
    assert report.seconds == pytest.approx({"SITTING": 12.0, "STANDING": 36.0})
    assert [(run.answer, run.n_windows) for run in report.phones[0].runs] == [("SITTING", 25), ("STANDING", 75)]
    assert [run.duration_s for run in report.phones[0].runs] == pytest.approx([12.0, 36.0])
    assert positions(report.phones[0])[1] == pytest.approx(48.0)
    assert report.transitions == {"SIT_TO_STAND": 2, "LIE_TO_SIT": 1}
    assert report.malformed_lines == 1
    assert "SIT_TO_STAND" in terminal(report)
    assert "Postural transitions" in render_page(report, "session")
    assert strip(report.phones[0], 20).plain == "S" * 5 + "T" * 15


def test_a_gap_is_neither_filled_nor_counted_as_time() -> None:
    report = read(b"".join(line(k) for k in (0, 1, 2, 7, 8, 1_000_000)))
    (phone,) = report.phones
    assert [run.n_windows for run in phone.runs] == [3, 2, 1]
    assert report.seconds == {"SITTING": pytest.approx(6 * HOP_S)}
    starts, end_s = positions(phone)
    assert starts == pytest.approx([0, 7 * HOP_S, 9 * HOP_S + 60])
    assert end_s == pytest.approx(10 * HOP_S + 60)
    assert strip(phone, 500).plain.replace(" ", "")[:5] == "SSSSS"
    assert strip(phone, 500).plain[:9] == "SSS    SS"


def test_a_clock_that_drifts_or_jumps_back_makes_no_blanks() -> None:
    drifting = b"".join(line(k, start_s=EPOCH + 1.34 * k) for k in range(200))
    back = b"".join(line(k, start_s=k * HOP_S) for k in range(5))
    (phone,) = read(drifting + back).phones
    assert [run.n_windows for run in phone.runs] == [200, 5]
    assert positions(phone)[1] == pytest.approx(205 * HOP_S)


def test_a_killed_listener_s_file_is_read_to_its_cut_line(
    session: tuple[bytes, dict[str, Any], dict[str, float]],
) -> None:
    content = session[0]
    whole, cut = read(content), read(content[: content.rindex(b'{"type": "summary"') + 40])
    assert cut.n_windows == whole.n_windows
    assert (cut.is_complete, cut.losses, cut.malformed_lines) == (False, None, 1)
    assert cut.first_malformed_line == cut.n_lines
    assert "killed" in terminal(cut)
    assert "lost messages, from warnings" in terminal(cut)


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b"{}\n",
        b'{"type": "other"}\n',
        line(1, answer="\x1b[2J"),
        line(1, label="DANCING"),
        line(1, start_s="now"),
        line(1).replace(b"1.0", b"NaN", 1).replace(b"2.0", b"NaN"),
        line(1, latency_ms=-1),
        line(1, start_s=1e300),
        line(1, phone="x" * 65_536),
        b'{"type": "summary", "gaps": -1}\n',
        b"x" * (2 * LONGEST_LINE) + b"\n",
        b" " * (LONGEST_LINE + 5) + line(1),
    ],
    ids=lambda value: repr(value[:30]),
)
def test_malformed_lines_are_counted_and_the_rest_is_read(bad: bytes) -> None:
    report = read(line(0) + bad + b"\n\n" + line(1))
    assert (report.n_windows, report.malformed_lines, report.first_malformed_line) == (2, 1, 2)
    assert "1 of 3 lines" in terminal(report)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"hello\n", b'{"a": 1}\n', b"\x00" * 3_000_000])
def test_an_empty_or_foreign_file_is_told(content: bytes) -> None:
    with pytest.raises(HarError, match="--output jsonl"):
        read(content)


def hostile_report() -> SessionReport:
    content = b"".join(line(k, phone=name) for name in HOSTILE for k in range(3))
    for reason in (*HOSTILE, "x" * 65_536, "<b>" * 22_000):
        content += json.dumps({"type": "warning", "phone": HOSTILE[0], "reason": reason}).encode() + b"\n"
    return read(content)


@pytest.mark.parametrize("width", [80, 200])
def test_nothing_hostile_reaches_the_terminal(width: int) -> None:
    report = hostile_report()
    shown = terminal(report, width)
    assert len(report.phones) == len(HOSTILE)
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert max(map(len, shown.splitlines())) <= width
    assert "[bold red]" in shown
    assert "<script>" in shown


class Tags(HTMLParser):
    """Which elements and attributes a page has."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}


def test_nothing_hostile_is_live_in_the_page_and_nothing_is_loaded() -> None:
    content = render_page(hostile_report(), "<img src=x onerror=alert(1)>" * 9)
    page = Tags(content)
    assert not page.tags & {"script", "img", "iframe", "link", "object", "image"}
    assert "<b><b>" not in content
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    links = [value for name, value in page.attributes if name.endswith("href")]
    assert links
    assert all(link.startswith("#") for link in links)
    assert not re.search(r"url\((?!#)", content)
    assert all(c.isprintable() or c == "\n" for c in content)
    assert "&lt;script&gt;" in content
    assert len(content) < 1_000_000


def test_the_text_fits_80_columns_and_tells_everything(
    session: tuple[bytes, dict[str, Any], dict[str, float]],
) -> None:
    shown = terminal(read(session[0]))
    assert max(map(len, shown.splitlines())) <= 80
    for words in ("Time lines", "Time for each answer", "Changes of activity", "latency, p99", "Accuracy", "Labels in"):
        assert words in shown
    assert f"{read(session[0]).accuracy.accuracy:.2%}" in shown
    first = load_recording(40).name
    (row,) = [row for row in shown.splitlines() if row.startswith(first)]
    assert set("TSL") <= set(row.split(maxsplit=2)[2])


def test_the_page_is_the_same_each_time_and_holds_every_plot(
    session: tuple[bytes, dict[str, Any], dict[str, float]], tmp_path: Path
) -> None:
    report = read(session[0])
    write_page(tmp_path / "a.html", render_page(report, "a.jsonl"))
    content = (tmp_path / "a.html").read_text("utf-8")
    assert content == render_page(report, "a.jsonl")
    assert content.count("<svg") == 4
    assert f"{report.accuracy.accuracy:.2%}" in content


def test_without_windows_there_is_still_a_report() -> None:
    report = read(b'{"type": "warning", "phone": null, "reason": "not JSON"}\n')
    assert "0 windows of 0 phones" in terminal(report)
    assert "not JSON" in render_page(report, "x")


def test_ten_thousand_phones_are_summed_and_a_few_drawn() -> None:
    report = read(b"".join(line(0, phone=f"p{k}") for k in range(10_000)))
    assert len(report.phones) == report.n_windows == 10_000
    assert len(terminal(report).splitlines()) < 120
    assert len(render_page(report, "x")) < 1_000_000


def test_a_long_restless_session_stays_a_small_page() -> None:
    answers = ("SITTING", "STANDING", "UNKNOWN")
    restless = b"".join(line(k, answer=answers[k * k % 7 % 3], activity="SITTING") for k in range(20_000))
    report = read(restless)
    assert len(report.phones[0].runs) > 10_000
    assert len(render_page(report, "x")) < 500_000


def test_the_command_writes_text_page_and_json(
    session: tuple[bytes, dict[str, Any], dict[str, float]], tmp_path: Path
) -> None:
    recorded, page = tmp_path / "s.jsonl", tmp_path / "s.html"
    recorded.write_bytes(session[0])
    done = run("streamer", "report", recorded, "--html", page, COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Time lines" in done.stdout
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    done = run("streamer", "report", recorded, "--json")
    assert json.loads(done.stdout) == json.loads(json.dumps(msgspec.to_builtins(read(session[0]))))


def test_what_cannot_be_read_or_written_is_one_sentence(tmp_path: Path) -> None:
    good, empty = tmp_path / "good.jsonl", tmp_path / "empty.jsonl"
    good.write_bytes(line(0))
    empty.touch()
    assert_one_sentence(run("streamer", "report", tmp_path / "none"), "cannot be read")
    assert_one_sentence(run("streamer", "report", tmp_path), "cannot be read")
    assert_one_sentence(run("streamer", "report", empty), "is empty")
    assert_one_sentence(run("streamer", "report", good, "--html", tmp_path / "none" / "x.html"), "cannot be written")
    assert_one_sentence(run("streamer", "report", good, "--html", tmp_path), "cannot be written")
    assert_one_sentence(run("streamer", "report", good, "--html", good), "overwrite")
    assert good.read_bytes() == line(0)


def test_without_matplotlib_the_extra_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("model.page_file.find_spec", lambda name: None)
    with pytest.raises(HarError, match=re.escape("pip install 'har-stream[report]'")):
        check_page(tmp_path / "x.html")
