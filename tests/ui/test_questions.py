"""The Questions screen as a student uses it: predict, look, come back, answer, measure, save."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers import most_slow, obeyed, text_of, ticked, until

from difftui import worksheet
from difftui.engine import JobState
from difftui.experiments.questions import QUESTIONS
from difftui.state import Choices, State
from difftui.ui.app import DifftuiApp
from difftui.ui.keys import PLACES
from difftui.ui.panels.question_list import QuestionList
from difftui.ui.panels.question_text import QuestionText
from difftui.ui.screens.questions import QuestionsScreen
from difftui.ui.widgets.pixels import PixelView
from difftui.worksheet import load_worksheet, worksheet_path

if TYPE_CHECKING:
    from textual.pilot import Pilot

PREDICTED, PLAIN = 4, 8  # one to predict first, and one that is measured at once, with NumPy alone


@asynccontextmanager
async def opened(
    number: int, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[QuestionsScreen, Pilot[None]]]:
    """The screen at a question."""
    app = DifftuiApp(
        screen="questions", device="cpu", state=State(choices={"questions": {"question": number}})
    )
    if number == PREDICTED:  # whose page needs torch
        app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, QuestionsScreen) and app.screen._drawn)
        screen = app.screen
        assert isinstance(screen, QuestionsScreen)
        yield screen, pilot
    assert app.engine.shutdown(60)


def all_of(pilot: Pilot[None]) -> str:
    """What the terminal shows, in one line."""
    lines = [strip.text for strip in pilot.app.screen._compositor.render_strips()]
    return " ".join(" ".join(lines).split())


def measured(screen: QuestionsScreen) -> bool:
    work = screen.work
    return work is not None and work.job.state is JobState.DONE and bool(screen.notes.measured)


async def typed(pilot: Pilot[None], text: str, *last: str) -> None:
    await pilot.press(*("space" if letter == " " else letter for letter in text), *last)


async def test_nothing_is_computed_before_it_is_asked_for() -> None:
    async with opened(PLAIN) as (screen, pilot):
        await until(pilot, lambda: screen.question.text in all_of(pilot))
        await pilot.press("d", "r", "right", "c", "space", "backspace", "tab")
        await ticked(pilot)
        assert screen.works.of(PLAIN) is None
        assert not screen.app.engine.has_work
        assert screen.setup == screen.question.setup
        assert not worksheet_path().exists()


async def test_a_student_predicts_looks_comes_back_and_answers() -> None:
    async with opened(PREDICTED) as (screen, pilot):
        await pilot.press("enter")
        assert screen.app.current_mode == "questions"
        await until(pilot, lambda: "Predict first: i writes what you expect. enter again" in all_of(pilot))
        await typed(pilot, "ix T", "enter")
        await until(pilot, lambda: "Predicted x T" in all_of(pilot))
        assert load_worksheet()[PREDICTED].predicted == "x T"
        await pilot.press("enter")
        app = pilot.app
        await until(pilot, lambda: app.current_mode == screen.question.screen)
        await until(pilot, lambda: f"question {PREDICTED}" in text_of(app.screen.key_bar))
        await until(pilot, lambda: f"question {PREDICTED}: look" in all_of(pilot))
        known = app.screen.remember()
        assert {name: known[name] for name in screen.question.choices} == dict(screen.question.choices)
        await pilot.press("0")
        await until(pilot, lambda: app.screen is screen and screen.lab.errand == ())
        await typed(pilot, "iit is", "ctrl+j")
        await typed(pilot, "0q1", "escape")
        await until(pilot, lambda: "Answer saved" in all_of(pilot))
        assert load_worksheet()[PREDICTED].answered == "it is\n0q1"
        await until(pilot, lambda: "A good answer weighs: " + screen.question.weigh in all_of(pilot))
        await typed(pilot, "I", "!", "enter")
        await until(pilot, lambda: load_worksheet()[PREDICTED].predicted == "x T!")


async def test_measuring_without_a_prediction_is_asked_twice_and_told() -> None:
    async with opened(PREDICTED) as (screen, pilot):
        await pilot.press("s")
        await until(pilot, lambda: "s again measures without" in all_of(pilot))
        assert screen.works.of(PREDICTED) is None
        await pilot.press("s")
        await until(pilot, lambda: screen.work is not None)
        await until(pilot, lambda: "Predicted: nothing: measured without a prediction" in all_of(pilot))
        await pilot.press("I")
        await until(pilot, lambda: "a prediction comes before that" in all_of(pilot))
        assert not screen.box.display
        await pilot.press("i")
        assert screen.typing == (PREDICTED, "answer")
        await pilot.press("escape", "tab", "enter")
        await until(pilot, lambda: pilot.app.current_mode == screen.question.screen)
        assert screen.work.held  # another screen is shown
        await pilot.press("0")
        await until(pilot, lambda: not screen.work.held)


async def test_what_was_measured_is_shown_kept_and_changed() -> None:
    async with opened(PLAIN) as (screen, pilot):
        await pilot.press("s")
        await until(pilot, lambda: measured(screen))
        await until(pilot, lambda: "✓ measured now" in all_of(pilot))
        assert load_worksheet()[PLAIN].measured == screen.work.findings.seen
        await until(pilot, lambda: " ".join(screen.work.findings.seen.split()) in all_of(pilot))
        assert screen.work.findings.time == (100, 199)  # as the question is looked at
        views = screen.query(PixelView)
        await until(pilot, lambda: any(v.region and v.arrangement.image_height >= 10 for v in views))
        first = screen.work.job
        await pilot.press("end", "d")
        await until(pilot, lambda: measured(screen) and screen.work.findings.time == (199, 199))
        await pilot.press("space")
        await until(pilot, lambda: measured(screen) and screen.work.job is not first)
        await pilot.press("tab")
        await until(pilot, lambda: "A good answer weighs" in all_of(pilot))
        await pilot.press("d")
        assert screen.setup.label == 8  # choices are taken where they can be seen
        await pilot.press("s")
        await until(pilot, lambda: "tab notes" in all_of(pilot))
        place = screen.place
        await pilot.press("N")
        assert not screen.asked
        await obeyed(pilot)
        await pilot.press("n")
        assert (screen.place, screen.asked, screen.setup.label) == (place, True, 8)


async def test_nothing_typed_is_lost(own_home: Path) -> None:
    async with opened(PLAIN) as (screen, pilot):
        await typed(pilot, "ione", "escape", "i")
        assert screen.box.text == "one"
        await pilot.press("ctrl+a", "ctrl+k", "escape")  # an empty box, left by Esc
        assert load_worksheet()[PLAIN].answered == "one"
        await typed(pilot, "i two")
        screen.app.action_go("home")
        await until(pilot, lambda: pilot.app.current_mode == "home")
        await until(pilot, lambda: load_worksheet()[PLAIN].answered == "one two")
        await pilot.press("0")
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("i", "ctrl+a", "ctrl+k", "enter")
        await until(pilot, lambda: "Answer taken away" in all_of(pilot))
        assert load_worksheet() == {}
        await typed(pilot, "ithree")
        app = screen.lab
    app.keep_state()  # as the app does at its end, whatever ends it
    assert load_worksheet()[PLAIN].answered == "three"


async def test_what_cannot_be_saved_is_told_and_kept(own_home: Path) -> None:
    async with opened(PLAIN) as (screen, pilot):
        worksheet_path().write_text("{")
        await typed(pilot, "ione", "enter")
        await until(pilot, lambda: "is damaged, or of another version" in all_of(pilot))
        assert screen.typing == (PLAIN, "answer")
        await pilot.press("escape")
        await until(pilot, lambda: not screen.box.display)
        assert worksheet_path().read_text() == "{"
        await pilot.press("e", "s")
        await until(pilot, lambda: screen.work is not None and screen.work.job.state is JobState.DONE)
        await ticked(pilot)
        assert worksheet_path().read_text() == "{"
        worksheet_path().unlink()
        await pilot.press("i")
        assert screen.box.text == "one"
        await pilot.press("enter")
        assert load_worksheet()[PLAIN].answered == "one"
        await pilot.press("i")
        screen.box.box.load_text("x" * 3000)
        await pilot.press("enter")
        await until(pilot, lambda: "3000 letters" in all_of(pilot))


@pytest.mark.parametrize("size", most_slow([(76, 22), (80, 24), (100, 24), (120, 40)], (76, 22), (120, 40)))
async def test_it_fits_every_size_before_and_after_measuring(size: tuple[int, int]) -> None:
    worksheet.answer(PLAIN, "a long answer " * 60)
    async with opened(PLAIN, size) as (screen, pilot):
        for keys, wanted in (
            ("", "#title, #text"),
            ("i", "#title, #asked, TextBox"),
            ("s", "#table, #seen, #choices"),
        ):
            await pilot.press(*(["escape"] if keys == "s" else []), *keys)
            if keys == "s":
                await until(pilot, lambda: measured(screen))
            await ticked(pilot)
            parts = screen.query(wanted)
            await until(pilot, lambda parts=parts: all(p.region.height > 0 for p in parts))
            await until(pilot, lambda parts=parts: all(p.region.bottom <= size[1] - 1 for p in parts))
        pictures = [view for view in screen.query(PixelView) if view.region and view.parent.display]
        least = 10 if size[1] > 22 else 8
        await until(pilot, lambda: all(view.arrangement.image_height >= least for view in pictures))
        assert screen.query_one("#contents").display is (size[0] >= 116)
        counted = f"{screen.place + 1}/{len(QUESTIONS)}"
        await until(pilot, lambda: text_of(screen.query_one("#title")).rstrip().endswith(counted))


async def test_all_are_listed_and_one_is_chosen() -> None:
    worksheet.answer(PLAIN, "x")
    async with opened(PREDICTED, (120, 40)) as (screen, pilot):
        await until(pilot, lambda: "M1 forward" in text_of(screen.query_one("#contents")))
        await until(pilot, lambda: f"{PLAIN} ✓" in text_of(screen.query_one("#contents")))
        before = screen.place
        await pilot.press("g")
        await until(pilot, lambda: isinstance(pilot.app.screen, QuestionList))
        await pilot.press("j", "enter")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.place == before + 1
        await pilot.press("asterisk")
        await until(pilot, lambda: isinstance(pilot.app.screen, QuestionText))
        told = "\n".join(text_of(part) for part in pilot.app.screen.query("Static"))
        assert f"difftui {screen.question.command}" in " ".join(told.split())
        await pilot.press("asterisk")
        await until(pilot, lambda: pilot.app.screen is screen)


async def test_the_sheet_is_saved_and_never_over_another(own_home: Path) -> None:
    async with opened(PLAIN) as (_, pilot):
        await typed(pilot, "ione", "enter", "e", "e")
        second = own_home / "exports" / "worksheet-2.md"
        await until(pilot, second.exists)
        assert "> one" in second.read_text("utf-8")
        await until(pilot, lambda: "worksheet-2.md" in all_of(pilot))


@pytest.mark.parametrize(("columns", "gap"), [(80, " "), (100, "  "), (120, "  ")])
async def test_the_header_names_ten_screens_and_leaves_room(columns: int, gap: str) -> None:
    async with opened(PLAIN, (columns, 24)) as (screen, _):
        screen.top_bar.show_pulse(("CPU, 2 cores", "▶ 34% toy-12"))
        line = text_of(screen.top_bar)
        names = [place.label if columns == 120 else place.short for place in PLACES[:-1]]
        assert gap.join(f"{(number + 1) % 10} {name}" for number, name in enumerate(names)) in line
        assert "0 Questions" in line
        assert "▶ 34% toy" in line


async def test_home_has_room_for_ten() -> None:
    app = DifftuiApp(device="cpu")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Press enter to" in all_of(pilot))
        await until(pilot, lambda: "0 Questions predict, look, answer" in all_of(pilot))
        app.engine.shutdown(60)


async def test_the_question_is_there_at_the_next_start() -> None:
    again = QuestionsScreen()
    again.recall(Choices({"question": PLAIN}))
    assert again.question.number == PLAIN
    assert again.remember() == {"question": PLAIN}
    again.recall(Choices({"question": "gone"}))
    assert again.question is QUESTIONS[0]
