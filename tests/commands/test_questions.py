"""``difftui questions`` as a student runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from difftui.cli import main
from difftui.experiments.questions import QUESTIONS
from difftui.worksheet import load_worksheet, worksheet_path

PREDICTED = "4"


def said_by(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["questions", *arguments]) == 0
    told = capsys.readouterr().out
    # A path is as long as it is.
    assert max((len(line) for line in told.splitlines() if not line.startswith("wrote ")), default=0) <= 79
    return told


def test_the_list_has_all_and_says_how_many_are_answered(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said_by(capsys)
    for question in QUESTIONS:
        assert f"{question.number:>4} ·  {'P' if question.predict else ' '}  {question.topic}" in told
    assert f"0 of {len(QUESTIONS)} questions answered" in told
    assert not worksheet_path().exists()
    said_by(capsys, "7", "--answer", "that hangs on the schedule")
    assert "   7 ✓ " in said_by(capsys)


def test_a_question_is_told_answered_and_measured(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said_by(capsys, "8")
    assert "Look: difftui --screen labs." in told
    assert "difftui labs noises --schedules 5 5 --at 0.5" in told
    assert "Answer: not yet (difftui questions 8 --answer TEXT)" in told
    assert "A good answer weighs" not in told
    told = said_by(capsys, "8", "--measure", "--answer", "ε is drawn anew\nfor each")
    assert "signal √ᾱ, the same in all five               0.772" in told  # linear 200
    assert "A good answer weighs" in told
    notes = load_worksheet()[8]
    assert notes.answered == "ε is drawn anew\nfor each"
    assert "They share the signal" in notes.measured
    assert told.count("They share the signal") == 1, "it is told once"
    assert "Measured: just now" in told
    assert said_by(capsys, "8").count("They share the signal") == 1
    assert "0.0" in said_by(capsys, "8", "--measure", "--at", "1", "--digit", "3", "--schedules", "4", "4")


def test_a_prediction_comes_first(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["questions", PREDICTED, "--measure"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "--predict TEXT; or add --unpredicted" in said
    assert load_worksheet() == {}
    assert "Predicted (" in said_by(capsys, PREDICTED, "--predict", "the start")
    assert load_worksheet()[int(PREDICTED)].predicted == "the start"


def test_the_sheet_is_written_and_never_over_another(
    tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sheet.md"
    assert said_by(capsys, "7", "--answer", "t = 117", "--out", str(out)).endswith(f"wrote {out}\n")
    assert "> t = 117" in out.read_text("utf-8")
    assert main(["questions", "--out", str(out)]) == 1
    assert "exists. Add --force" in capsys.readouterr().err
    said_by(capsys, "--out", str(out), "--force")
    assert out.read_text("utf-8").startswith("# Worksheet of ")
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.md"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["99"], "there is no question '99'"),
        (["seven"], "there is no question 'seven'"),
        (["--measure"], "--measure is for one question: name its number"),
        (["--answer", "x"], "--answer is for one question"),
        (["7", "--digit", "3"], "--digit goes with --measure"),
        (["4", "--unpredicted"], "--unpredicted goes with --measure"),
        (["7", "--measure", "--at", "0.3"], "no --at to choose"),
        (["7", "--predict", "x"], "question 7 asks for no prediction"),
        (["--out", "x.txt"], "name a .md file"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(
    arguments: list[str], told: str, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["questions", *arguments])
    except SystemExit as end:
        status = int(end.code or 0)
    assert status == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert not worksheet_path().exists()


def test_a_damaged_worksheet_is_told(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    worksheet_path().write_text("{")
    for arguments in ([], ["7"], ["7", "--answer", "x"], ["7", "--measure"]):
        assert main(["questions", *arguments]) == 1
        assert "is damaged, or of another version" in capsys.readouterr().err
    assert worksheet_path().read_text() == "{"
