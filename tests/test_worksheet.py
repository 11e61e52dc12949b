"""The worksheet: what is written stays, in its order, whatever else happens to the file."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difftui import worksheet
from difftui.errors import DifftuiError
from difftui.worksheet import MOST_LETTERS, Notes, load_worksheet, worksheet_path

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def test_without_a_file_nothing_is_known(own_home: Path) -> None:
    assert load_worksheet() == {}
    assert not worksheet_path().exists()


@settings(max_examples=25)
@given(predicted=texts, answered=texts, number=st.integers(1, 99))
def test_what_is_written_is_read(predicted: str, answered: str, number: int) -> None:
    worksheet_path().unlink(missing_ok=True)
    worksheet.predict(number, predicted)
    written = worksheet.answer(number, answered)
    assert written.predicted == predicted.strip()
    assert written.answered == answered.strip()
    assert bool(written.answered_at) is bool(answered.strip())
    assert load_worksheet() == ({} if written == Notes() else {number: written})


def test_a_prediction_comes_before_the_measurement(own_home: Path) -> None:
    worksheet.predict(4, "x_T")
    first = worksheet.measured(4, "apart by 21.3")
    with pytest.raises(DifftuiError, match="Question 4 was measured at"):
        worksheet.predict(4, "I knew it")
    again = worksheet.measured(4, "apart by 20")
    assert again.measured_at == first.measured_at
    assert load_worksheet()[4] == again
    assert (again.predicted, again.measured) == ("x_T", "apart by 20")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]",
     '{"format": 2, "questions": {}}', '{"format": 1}', '{"format": 1, "questions": {"x": {}}}',
     '{"format": 1, "questions": {"4": {"predicted": 3}}}', '{"format": 1, "questions": {"4": "x"}}',
     "[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_told_and_never_written_over(content: str, own_home: Path) -> None:
    worksheet_path().write_text(content)
    for act in (load_worksheet, lambda: worksheet.answer(4, "x"), lambda: worksheet.measured(4, "x")):
        with pytest.raises(DifftuiError, match="is damaged, or of another version") as told:
            act()
        assert "\n" not in str(told.value)
    assert worksheet_path().read_text() == content


def test_bytes_that_are_no_text_are_told(own_home: Path) -> None:
    worksheet_path().write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DifftuiError, match="it is not UTF-8"):
        load_worksheet()


def test_where_nothing_can_be_written_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DIFFTUI_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(DifftuiError, match=r"answers.json cannot be"):
        worksheet.answer(4, "x")


def test_an_answer_has_an_end(own_home: Path) -> None:
    assert worksheet.answer(4, "x" * MOST_LETTERS).answered
    with pytest.raises(DifftuiError, match=f"{MOST_LETTERS + 1} letters"):
        worksheet.answer(4, "x" * (MOST_LETTERS + 1))
    assert len(load_worksheet()[4].answered) == MOST_LETTERS


def test_two_writers_leave_a_whole_file(own_home: Path) -> None:
    """Each reads it anew before it writes: of two in turn nothing is lost, of two at once no half a file."""
    worksheet.answer(1, "one terminal")
    worksheet.answer(2, "another")
    assert {n: notes.answered for n, notes in load_worksheet().items()} == {1: "one terminal", 2: "another"}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: worksheet.answer(n, "at once"), range(3, 15)))
    known = load_worksheet()
    assert known
    assert set(known) <= set(range(1, 15))
    assert json.loads(worksheet_path().read_text("utf-8"))["format"] == 1
    assert [path.name for path in own_home.iterdir()] == ["answers.json"]
