"""The Labs screen with real pages: what it shows and keeps, what its keys do, and the game."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers import most_slow, obeyed, text_of, ticked, until

from difftui.engine import JobState
from difftui.experiments import PAGES, Pictures, find_page
from difftui.state import Choices, State
from difftui.ui.app import DifftuiApp
from difftui.ui.keys import PLACES
from difftui.ui.panels.guess_game import GuessGame
from difftui.ui.panels.page_list import GAME, PageList
from difftui.ui.panels.page_text import PageText
from difftui.ui.screens.labs import LabsScreen
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.plot import CurvePlot

if TYPE_CHECKING:
    from textual.pilot import Pilot

QUICK = {"ab": 10, "noises": 11}  # places of pages that are there at once, with NumPy alone


@asynccontextmanager
async def opened(
    page: str, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[LabsScreen, Pilot[None]]]:
    """The screen at a page, when that has something to show."""
    app = DifftuiApp(screen="labs", device="cpu", state=State(choices={"labs": {"page": page}}))
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, LabsScreen)
        await until(pilot, lambda: shown(screen))
        yield screen, pilot
    assert app.engine.shutdown(60)


def shown(screen: LabsScreen) -> bool:
    """Whether the newest snapshot of this page is drawn."""
    work = screen.work
    return (
        work is not None
        and work.setup == screen.page.chosen(screen.setup)
        and work.job.snapshot is not None
        and screen._drawn[:3] == (screen.page.name, work.job, work.job.version)
    )


def ended(screen: LabsScreen) -> bool:
    return shown(screen) and screen.work.job.state is JobState.DONE and screen._drawn[3] is JobState.DONE


def words(screen: LabsScreen, name: str) -> str:
    return text_of(screen.query_one(f"#{name}"))


async def test_a_page_has_its_claim_its_figures_and_what_they_come_to() -> None:
    async with opened("short") as (screen, pilot):
        await until(pilot, lambda: PAGES[2].title in words(screen, "title"))
        assert f"3/{len(PAGES)}" in words(screen, "title")
        assert "Modules:" in words(screen, "says")
        crossings = [f"t = {t}" for t in (117, 51, 99, 259, 496)]
        await until(pilot, lambda: all(told in words(screen, "table") for told in crossings))
        assert "Which of the five" in words(screen, "seen")
        screen.action_open(QUICK["noises"])
        await until(pilot, lambda: ended(screen))
        await until(pilot, lambda: "✓ measured now" in words(screen, "title"))
        await until(pilot, lambda: "They share the signal" in " ".join(words(screen, "seen").split()))


@pytest.mark.parametrize("size", most_slow([(76, 22), (80, 24), (120, 40), (200, 60)], (76, 22), (120, 40)))
async def test_every_page_that_needs_no_torch_fits_every_size(size: tuple[int, int]) -> None:
    async with opened("ab", size) as (screen, pilot):
        for name, place in QUICK.items():
            screen.action_open(place)
            await until(pilot, lambda name=name: screen._drawn[:1] == (name,) and shown(screen))
            await ticked(pilot)
            for widget in screen.query("#title, #says, #table, #seen, #choices"):
                assert widget.region.bottom <= size[1] - 1
                assert widget.region.height > 0
            pictures = [view for view in screen.query(PixelView) if view.parent.display and view.region]
            assert all(view.arrangement.image_height >= (10 if size[1] > 22 else 8) for view in pictures)
            needed = screen.work.job.snapshot.needed
            blocks = len(pictures) + sum(
                plot.display and plot.parent.display for plot in screen.query(CurvePlot)
            )
            assert blocks >= needed
            if size[1] >= 40:
                assert blocks == len(screen.work.job.snapshot.blocks)


@pytest.mark.slow
async def test_pages_are_turned_and_keep_what_they_found() -> None:
    async with opened("ab") as (screen, pilot):
        first = screen.work
        await pilot.press("n")
        await until(pilot, lambda: screen.page.name == "noises" and shown(screen))
        await pilot.press("pageup")
        await until(pilot, lambda: screen.page.name == "ab" and shown(screen))
        assert screen.work is first
        await pilot.press("N", "pagedown", "down", "shift+tab", "tab", "k", "j")
        assert screen.page.name == "noises"
        await pilot.press(*["pagedown"] * (len(PAGES) - screen.place))
        assert screen.place == 0  # round


async def test_choices_are_taken_by_pages_that_offer_them() -> None:
    async with opened("ab") as (screen, pilot):
        before = screen.work.job.snapshot
        await pilot.press("c", "semicolon", "d", "right", "shift+right")
        await until(pilot, lambda: shown(screen))
        assert (screen.setup.left, screen.setup.right) == ("cosine 1000", "clipped-cosine 1000")
        assert screen.setup.label == 8
        assert screen.setup.time == pytest.approx(0.61)
        after = screen.work.job.snapshot
        assert after.time == (609, 999)
        assert not np.array_equal(before.blocks[0].images, after.blocks[0].images)
        assert "right: clipped-cosine 1000" in words(screen, "table")
        screen.action_open(PAGES.index(find_page("line")))
        await pilot.press("d", "right", "end", "c", "m")
        assert screen.setup.label == 8
        assert screen.setup.time == pytest.approx(0.61)


async def test_the_slider_is_where_time_is_after_a_page_without_one() -> None:
    async with opened("line", (120, 40)) as (screen, pilot):
        screen.action_open(QUICK["noises"])
        await until(pilot, lambda: shown(screen) and screen.page.name == "noises")
        rail = screen.query_one("#slider")
        await until(pilot, lambda: 0.4 < text_of(rail).index("●") / rail.size.width < 0.6)


async def test_the_mouse_moves_time() -> None:
    async with opened("noises") as (screen, pilot):
        slider = screen.query_one("#slider")
        await pilot.click(slider, offset=(slider.size.width - 1, 0))
        await until(pilot, lambda: shown(screen) and screen.work.job.snapshot.time == (999, 999))
        assert "999" in words(screen, "t")


@pytest.mark.slow
async def test_a_page_is_held_goes_on_and_is_computed_again() -> None:
    async with opened("line") as (screen, pilot):
        await pilot.press("space")
        await until(pilot, lambda: screen.work.job.state is JobState.PAUSED)
        await until(pilot, lambda: "held" in words(screen, "title"))
        await obeyed(pilot)
        version = screen.work.job.version
        await pilot.pause(0.2)
        assert screen.work.job.version == version
        await pilot.press("space")
        await until(pilot, lambda: screen.work.job.version > version)
        job = screen.work.job
        await pilot.press("backspace")
        await until(pilot, lambda: screen.work is not None and screen.work.job is not job and shown(screen))
        assert job.state.final


async def test_a_page_rests_while_another_is_read() -> None:
    async with opened("line") as (screen, pilot):
        line = screen.work
        screen.action_open(QUICK["ab"])
        await until(pilot, lambda: line.job.state is JobState.PAUSED)
        await obeyed(pilot)
        version = line.job.version
        screen.action_open(0)
        await until(pilot, lambda: line.job.version > version)


async def test_a_network_draws_live_and_its_pictures_are_saved(own_home: Path) -> None:
    async with opened("stride") as (screen, pilot):
        assert screen.query_one("#time").display is False
        await until(pilot, lambda: ended(screen))
        await pilot.press("e")
        path = own_home / "exports" / "labs-stride.png"
        await until(pilot, path.exists)
        await pilot.press("m")
        await until(pilot, lambda: screen.setup.network == "quick" and shown(screen))
        assert "quick" in words(screen, "choices")


async def test_a_failure_is_told_in_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from difftui.experiments import materials

    monkeypatch.setattr(materials, "shipped_runs", list)
    app = DifftuiApp(screen="labs", device="cpu")
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.action_open(3)
        await until(pilot, lambda: "None of the networks" in words(app.screen, "seen"))
        await until(pilot, lambda: "failed" in words(app.screen, "title"))
    assert app.engine.shutdown(60)


async def test_the_list_opens_pages_and_the_game() -> None:
    async with opened("ab") as (screen, pilot):
        await pilot.press("g")
        await until(pilot, lambda: isinstance(pilot.app.screen, PageList))
        await pilot.press("j", "enter")
        await until(pilot, lambda: screen.page.name == "noises")
        await pilot.press("g")
        await until(pilot, lambda: isinstance(pilot.app.screen, PageList))
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, GuessGame))
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert len(PAGES) == GAME


@pytest.mark.slow
async def test_the_whole_page_is_there_in_words() -> None:
    async with opened("losses") as (screen, pilot):
        assert screen.query_one("#more").display is False  # no room for it
        await pilot.press("asterisk")
        await until(pilot, lambda: isinstance(pilot.app.screen, PageText))
        told = "\n".join(text_of(part) for part in pilot.app.screen.query("Static"))
        assert "Computed: The error of ε" in told
        assert "+30 dB" in told
        await pilot.press("j", "j", "asterisk")
        await until(pilot, lambda: pilot.app.screen is screen)


async def test_digits_answer_in_the_game_and_go_to_screens_after_it() -> None:
    async with opened("noises") as (screen, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, GuessGame))
        game = pilot.app.screen
        await until(pilot, lambda: "trial 1 of 20" in text_of(game.query_one("#asked")))
        await pilot.press("1", "9", "0")
        assert game.game.answers == (1, 9, 0)
        assert "trial 4 of 20" in text_of(game.query_one("#asked"))
        assert f"was a {game.game.labels[2]}" in str(game.query_one("#before").border_title)
        await pilot.press("c")
        assert game.game.answers == ()
        assert game.game.name == "scaled-linear 200"
        await pilot.press("plus", "plus", "plus", "r")
        assert (game.game.looks, game.game.seed) == (100, 1)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("3")
        await until(pilot, lambda: pilot.app.current_mode == "forward")


async def test_the_end_of_a_game_tells_luck_and_machines() -> None:
    async with opened("noises") as (_, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, GuessGame))
        game = pilot.app.screen
        for label in game.game.labels:
            await pilot.press(str(label))
        await until(pilot, lambda: "recogniser, which" in text_of(game.query_one("#score")))
        await until(
            pilot, lambda: "Yours was" in text_of(game.query_one("#score"))
        )  # both are worked out apart
        told = text_of(game.query_one("#score"))
        assert "20 of 20 for you: blind guessing does as well with probability 1.0e-20" in told
        assert "Yours was no luck: the schedule leaks, √ᾱ = 0.364 at T." in told
        assert game.query_one("#score").region.bottom <= 23
        await pilot.press("5", "r")
        assert game.game.answers == ()


async def test_what_was_chosen_is_there_at_the_next_start() -> None:
    async with opened("ab") as (screen, pilot):
        await pilot.press("c", "d", "r", "right")
        kept = screen.remember()
    again = LabsScreen()
    again.recall(Choices(kept))
    assert again.remember() == kept
    again.recall(Choices({"page": "gone", "label": 77, "left": 3, "time": "x", "network": 1}))
    assert again.page is PAGES[0]


def test_it_has_its_place() -> None:
    (place,) = [place for place in PLACES if place.name == "labs"]
    assert (place.key, place.label, place.short) == ("9", "Labs", "Lab")


def test_pictures_of_every_kind_are_legible_at_the_least_size() -> None:
    from textual.geometry import Size

    from difftui.ui.panels.experiment_stage import _best

    pictures = [Pictures("", np.zeros((6, 28, 28), np.float32), ("",) * 6)]
    alone, beside = _best(Size(80, 12), pictures, 0)[3], _best(Size(80, 12), pictures, 1)[3]
    assert alone >= 12
    assert beside < 10  # so the curve is left out
    assert _best(Size(12, 3), pictures, 2)[3] == 0
