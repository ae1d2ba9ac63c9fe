"""The console draws what is recorded, cell by cell and colour by colour; the README's pictures are what it draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.streamer.renderings import CASES, FOLDER, PICTURE_CASES, PICTURES, picture, record


@pytest.mark.parametrize("name", CASES)
def test_it_draws_what_is_recorded(name: str) -> None:
    recorded = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    drawn = record(CASES[name])
    assert drawn == recorded, f"{name} is drawn otherwise; if that is right, run `make renderings`"


def test_nothing_else_is_recorded() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_rendering_fills_its_screen_and_keeps_to_its_means(name: str) -> None:
    case = CASES[name]
    width, height = case.size
    characters, styles, meanings = record(case).split("-" * width + "\n")
    lines = characters.splitlines()
    assert len(lines) == len(styles.splitlines()) == height
    assert max(map(len, lines)) <= width
    assert not case.ascii_only or characters.isascii()
    colours = [word for word in meanings.split() if word.removeprefix("bright_") in COLOURS]
    assert bool(colours) is not case.no_color or name.startswith("log")


COLOURS = ("red", "green", "yellow", "blue", "magenta", "cyan", "white", "black")


@pytest.mark.parametrize("name", PICTURE_CASES)
def test_the_readme_s_pictures_are_what_it_draws(name: str, tmp_path: Path) -> None:
    picture(PICTURE_CASES[name], name, tmp_path)
    drawn = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
    kept = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert drawn == kept, f"docs/{name}.svg is not what the console draws; run `make screenshot`"
    assert f"](docs/{name}.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")
