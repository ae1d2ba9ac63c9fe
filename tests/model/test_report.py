"""The report: one file that loads nothing, holds the figures, and shows text as text."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import msgspec
import pytest

from model.activities import ACTIVITIES
from model.classifier import Classifier
from model.distortions import DISTORTIONS
from model.evaluation import Evaluation, evaluate_fully
from model.report import render_report
from model.tables import percent
from tests.model.tiny_artefact import tiny_artefact

SECTIONS = ["confusion", "subjects", "time-lines", "smoothing", "calibration", "not-knowing", "robustness", "card"]
PLOTS = ["confusion", "subjects", "timelines", "reliability", "coverage", "rotation"]
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Reader(HTMLParser):
    """Every element with its attributes, the visible text, and the ends that no beginning belongs to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.stray: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.stray.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate_fully(Classifier.load(), subjects=(2,))


@pytest.fixture(scope="module")
def html(evaluation: Evaluation) -> str:
    return render_report(evaluation)


@pytest.fixture(scope="module")
def reader(html: str) -> Reader:
    return Reader(html)


def test_it_is_one_well_formed_page_with_every_section_and_plot(reader: Reader) -> None:
    assert (reader.stray, reader.open) == ([], [])
    assert [a["id"] for tag, a in reader.elements if tag == "section"] == SECTIONS
    links = [a["href"] for tag, a in reader.elements if tag == "a"]
    assert links == [f"#{name}" for name in SECTIONS]
    assert sum(tag == "svg" for tag, _ in reader.elements) == len(PLOTS)
    assert all(a.get("aria-label") for tag, a in reader.elements if tag == "svg")


def test_nothing_is_loaded_from_outside(html: str, reader: Reader) -> None:
    assert not {"script", "link", "img", "image", "iframe", "object", "embed"} & {tag for tag, _ in reader.elements}
    policies = [a["content"] for tag, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert re.findall(r"https?:|//\w|@import|data:", html) == []
    targets = [a[name] or "" for _, a in reader.elements for name in ("href", "xlink:href", "src") if name in a]
    assert targets and all(target.startswith("#") for target in targets)
    assert set(re.findall(r"url\((.)", html)) <= {"#"}


def test_ids_are_unique_and_references_lead_to_them(html: str, reader: Reader) -> None:
    ids = Counter(a["id"] for _, a in reader.elements if "id" in a)
    assert [name for name, count in ids.items() if count > 1] == []
    used = {a[n] or "" for _, a in reader.elements for n in ("href", "xlink:href") if n in a}
    used |= {f"#{name}" for name in re.findall(r"url\(#([^)]+)\)", html)}
    assert {name.removeprefix("#") for name in used} <= ids.keys()


def test_it_tells_the_figures(evaluation: Evaluation, reader: Reader) -> None:
    assert evaluation.robustness is not None
    shares = [evaluation.official.accuracy, evaluation.streaming.accuracy, evaluation.smoothed.scores.accuracy]
    shares += [s.accuracy for s in evaluation.smoothed.lags.values()]
    shares += [recall for recall in evaluation.official.recall.values() if recall is not None]
    assert [percent(share) for share in shares if percent(share) not in reader.text] == []
    assert [d.name for d in DISTORTIONS if f"{d.group} {d.name}" not in reader.text] == []
    for recording in evaluation.timelines:
        assert f"{recording.name}  truth" in reader.text or f"{recording.name} truth" in reader.text
    assert f"ECE {evaluation.official.calibration_error:.3f}" in reader.text
    assert evaluation.card.sha256["model.onnx"] in reader.text
    assert all(activity in reader.text for activity in ACTIVITIES)


def test_it_follows_the_reader_s_dark_or_light(html: str) -> None:
    assert "prefers-color-scheme: dark" in html
    assert "currentColor" in html and "var(--line)" in html
    assert "#010101" not in html and "#020202" not in html
    assert re.search(r"(fill|stroke): ?(#000000|#ffffff|black|white)", html) is None


def test_text_of_a_card_is_text() -> None:
    hostile = "<script>alert(1)</script>&\"'\x1b[2J"
    card = tiny_artefact(name=hostile, hyperparameters={hostile: hostile}, created_by={"har-stream": hostile})
    evaluation = evaluate_fully(Classifier(card), subjects=(4,), robustness=False)
    html = render_report(msgspec.structs.replace(evaluation, name=hostile))
    assert "<script" not in html and "\x1b" not in html
    reader = Reader(html)
    assert (reader.stray, reader.open) == ([], [])
    assert reader.text.count("<script>alert(1)</script>&\"'") >= 4
    assert "robustness" not in [a.get("id") for tag, a in reader.elements if tag == "section"]


def test_the_same_evaluation_gives_the_same_file(evaluation: Evaluation, html: str) -> None:
    assert render_report(evaluation) == html
