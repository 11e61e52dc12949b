"""Windows over a screen: closed, and used, by clicks on what they show."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import text_of, ticked, until
from textual.pilot import Pilot
from textual.widgets import Input

from difftui.experiments import PAGES
from difftui.training.recipe import PRESETS
from difftui.ui.app import DifftuiApp
from difftui.ui.panels.network_picker import NetworkPicker
from difftui.ui.panels.page_list import PageList
from difftui.ui.panels.page_text import PageText
from difftui.ui.panels.plan import Plan
from difftui.ui.panels.recipe_form import Choice, RecipeForm
from difftui.ui.panels.run_picker import RunPicker
from difftui.ui.screens.forward import ForwardScreen
from difftui.ui.screens.help import HelpScreen
from difftui.ui.screens.home import HomeScreen
from difftui.ui.sources import find_sources
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.window import Window

ONLY = set("difftui needs × characters. This terminal has Make it larger, or its letters smaller; q quits.\n")
ONLY |= set("0123456789")
PLAN = Plan(next(iter(PRESETS.values())))


def lines_of(app: DifftuiApp) -> list[str]:
    """What the screen shows."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def place_of(app: DifftuiApp, text: str) -> tuple[int, int]:
    """Where it stands on the screen."""
    return next((line.index(text), y) for y, line in enumerate(lines_of(app)) if text in line)


async def opened(pilot: Pilot[None], window: Window[Any]) -> list[object]:
    """The window is shown; what it will have answered."""
    answers: list[object] = []
    pilot.app.push_screen(window, answers.append)
    await until(pilot, lambda: pilot.app.screen is window and window.children and window.children[0].size)
    return answers


@pytest.mark.slow
async def test_every_window_closes_by_a_click_on_its_word_beside_it_and_by_key() -> None:
    size = (100, 30)
    app = DifftuiApp(device="cpu")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=size) as pilot:
        windows: list[tuple[Any, str]] = [
            (lambda: HelpScreen("forward"), "esc close"),
            (lambda: RunPicker([]), "esc close"),
            (lambda: NetworkPicker([], None, app.engine), "esc close"),
            (lambda: PageList(0), "esc close"),
            (lambda: PageText(PAGES[0], None), "esc close"),
            (lambda: RecipeForm(PLAN, lambda _plan: "about a minute"), "esc cancel"),
        ]
        for make, word in windows:
            answers = await opened(pilot, make())
            await pilot.click(offset=place_of(app, word))
            await pilot.pause()
            assert answers == [None], word
            answers = await opened(pilot, make())
            await pilot.press("escape")
            await pilot.pause()
            assert answers == [None]
            answers = await opened(pilot, make())
            box = app.screen.children[0].region
            beside = (size[0] - 1, box.y) if box.right < size[0] else (box.x, size[1] - 1)
            if not box.contains(*beside):
                await pilot.click(offset=beside)
            else:
                await pilot.press("escape")
            await pilot.pause()
            assert answers == [None]


async def test_the_words_of_the_form_do_what_they_say() -> None:
    app = DifftuiApp(device="cpu")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(100, 30)) as pilot:
        answers = await opened(pilot, RecipeForm(PLAN, lambda _plan: "about a minute"))
        form = app.screen
        assert isinstance(form, RecipeForm)
        model = form.query_one("#model", Choice)
        before = model.value
        await pilot.click(offset=place_of(app, "choose"))
        await pilot.pause()
        assert model.value != before
        focused = form.focused
        await pilot.click(offset=place_of(app, "field   "))
        await pilot.pause()
        assert form.focused is not focused
        await pilot.click(offset=place_of(app, "enter keep"))
        await pilot.pause()
        (plan,) = answers
        assert isinstance(plan, Plan)
        assert plan.recipe.model == model.value


async def test_a_list_opens_its_line_by_a_click_on_the_word_for_that() -> None:
    app = DifftuiApp(device="cpu")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(100, 30)) as pilot:
        pages = await opened(pilot, PageList(2))
        await pilot.press("j", "j", "k")
        await pilot.click(offset=place_of(app, "enter open"))
        await until(pilot, lambda: pages == [3])
        (source, *_) = find_sources(None)
        networks = await opened(pilot, NetworkPicker([source], source, app.engine))
        await pilot.click(offset=place_of(app, "type a pipeline"))
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.click(offset=place_of(app, "enter draw"))
        await until(pilot, lambda: networks == [source])


async def test_a_terminal_too_small_is_told_so_and_shows_nothing_else() -> None:
    app = DifftuiApp(device="cpu", screen="train")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(60, 20)) as pilot:
        for key in "431":
            await pilot.press(key)
            for columns, rows in ((60, 20), (75, 30), (120, 21), (12, 4)):
                await pilot.resize_terminal(columns, rows)
                await pilot.pause()
                shown = "\n".join(lines_of(app))
                assert set(shown) <= ONLY
                assert not any(app.screen.scrollbars_enabled)
                assert columns < 60 or "needs 76×22" in shown


async def test_what_home_and_train_tell_to_press_can_be_clicked() -> None:
    app = DifftuiApp(device="cpu")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: len(app.screen.query(PixelView)) == 1)
        await ticked(pilot)
        await pilot.click(offset=place_of(app, "watch a digit"))
        await until(pilot, lambda: app.current_mode == "generate")
        await pilot.press("4")
        await until(pilot, lambda: "Press space" in text_of(app.screen.query_one("#invitation")))
        await pilot.click(offset=place_of(app, "space to train"))
        await until(pilot, lambda: app.training is not None)
        await pilot.press("x")
    assert app.engine.shutdown(60)


async def test_a_line_of_the_help_page_does_what_it_says() -> None:
    app = DifftuiApp(device="cpu", screen="forward")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ForwardScreen) and app.screen.digits is not None)
        forward = app.screen
        assert isinstance(forward, ForwardScreen)
        before = forward.scene.t
        await opened(pilot, HelpScreen("forward"))
        await pilot.click(offset=place_of(app, "Ten timesteps towards the clean digit"))
        await until(pilot, lambda: app.screen is forward and forward.scene.t == before - 10)
        await opened(pilot, HelpScreen("forward"))
        await pilot.press("end")
        box = app.screen.query_one("VerticalScroll")
        await until(pilot, lambda: box.scroll_y == box.max_scroll_y > 0)  # at rest
        await ticked(pilot)
        await pilot.click(offset=place_of(app, "Train: "))
        await until(pilot, lambda: app.current_mode == "train")


async def test_a_window_that_is_closed_twice_closes_nothing_below_it() -> None:
    app = DifftuiApp(device="cpu", screen="home")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        window = app.screen
        assert isinstance(window, HelpScreen)
        window.dismiss(None)
        window.dismiss(None)
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
    assert app.engine.shutdown(60)
