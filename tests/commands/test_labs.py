"""``difftui labs`` as a student runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from difftui.cli import main
from difftui.experiments import PAGES, Findings, Setup


def test_the_list_names_every_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["labs"]) == 0
    told = capsys.readouterr().out
    for place, page in enumerate(PAGES, 1):
        assert f"{place:>3}  {page.name:<9} {page.title}" in told


def test_a_page_prints_claim_figures_and_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["labs", "ab", "--schedules", "2", "5", "--at", "1"]) == 0
    told = capsys.readouterr().out
    assert "11. Try: two schedules" in told
    assert "left: clipped-cosine 1000  right: linear 200" in told
    assert "signal left at T   0.0565                     0.364" in told
    assert max(map(len, told.splitlines())) <= 79


def test_pictures_are_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "five.png"
    assert main(["labs", "12", "--out", str(out), "--digit", "3", "--seed", "4"]) == 0
    assert f"wrote {out}" in capsys.readouterr().out
    width, height = Image.open(out).size
    assert width > 6 * 28 * 3 - 1
    assert height < width
    assert main(["labs", "12", "--out", str(out)]) == 1
    assert "exists. Add --force" in capsys.readouterr().err
    assert main(["labs", "12", "--out", str(out), "--force"]) == 0
    assert f"wrote {out}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["14"], "no page '14': 1 to 13"),
        (["line", "--digit", "3"], "no --digit to choose"),
        (["short", "--at", "0.3"], "no --at to choose"),
        (["loop", "--network", "toy"], "this page knows lab, quick"),
        (["short", "--out", "x.gif"], "name a .png file"),
        (["ab", "--schedules", "1", "9"], "from 1 to 7"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["labs", *arguments])
    except SystemExit as end:
        status = int(end.code or 0)
    assert status == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_a_page_without_pictures_says_so_before_it_computes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGES[0]
    pulled = []

    def watched(setup: Setup, device: str) -> Iterator[Findings]:
        for findings in page.run(setup, device):
            pulled.append(findings.done)
            yield findings

    monkeypatch.setattr("difftui.commands.labs.find_page", lambda _: replace(page, run=watched))
    assert main(["labs", "1", "--out", str(tmp_path / "x.png")]) == 1
    assert "This page has no pictures" in capsys.readouterr().err
    assert len(pulled) == 1
