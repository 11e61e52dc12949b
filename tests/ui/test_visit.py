"""Visiting: a screen shows what is asked for, whether it was never shown or is in the middle of something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from helpers import most_slow, ticked, until

from difftui.experiments.questions import QUESTIONS
from difftui.training.recipe import PRESETS
from difftui.ui.app import DifftuiApp
from difftui.ui.screens.base import LabScreen
from difftui.ui.screens.train import TrainScreen
from difftui.ui.widgets.bars import KeyBar

if TYPE_CHECKING:
    from textual.pilot import Pilot

TOY = PRESETS["toy"].to_json()

VISITS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "forward": ({"kind": "cosine", "T": 200, "position": 0.5, "label": 3}, ["c", "t", "d", "right"]),
    "labs": ({"page": "noises", "left": "linear 200", "time": 0.5}, ["c", "right", "n"]),
    "generate": ({"run": "lab", "sampler": "ddim", "steps": 50, "seed": 3}, ["r", "m", "a", "g"]),
    "denoise": ({"run": "lecture", "showing": 1, "seed": 1}, ["tab", "m", "r"]),
    "compare": ({"run": "quick", "view": "samplers", "steps": 25, "seed": 2}, ["tab", "r", "m", "i"]),
    "inverse": ({"view": 2, "problem": "y = x² on [-1, 1]", "paths": True}, ["tab", "p", "r", "v"]),
    "sde": ({"name": "diffusion", "paths": 5, "seed": 4}, ["p", "r", "t", "plus"]),
    "train": ({"recipe": TOY, "keep": True}, ["p", "b", "z"]),
}
"""What is asked for, and keys that change it afterwards."""


@asynccontextmanager
async def at_home() -> AsyncIterator[tuple[DifftuiApp, Pilot[None]]]:
    """The app on its first screen; nothing is computed in it."""
    app = DifftuiApp(device="cpu")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.query(KeyBar))
        yield app, pilot


async def came(pilot: Pilot[None], name: str) -> LabScreen:
    app = pilot.app
    await until(pilot, lambda: app.current_mode == name and app.screen.query(KeyBar))
    await ticked(pilot)
    assert isinstance(app.screen, LabScreen)
    return app.screen


def shows(screen: LabScreen, asked: dict[str, Any]) -> bool:
    known = screen.remember()
    return {name: known[name] for name in asked} == asked


def work_of(screen: Any) -> object:
    """The job that draws what was asked for, where a screen has such."""
    if screen.NAME == "compare":
        return screen.jobs.drawing
    if screen.NAME == "denoise":
        return screen.bench.job
    if screen.NAME == "inverse":
        return screen.diffusion.learning
    return getattr(screen, "job", None)


@pytest.mark.parametrize("name", most_slow(VISITS, "forward", "generate", "labs"))
async def test_what_is_asked_for_is_shown_and_shown_again(name: str) -> None:
    asked, keys = VISITS[name]
    async with at_home() as (app, pilot):
        app.visit(name, asked)
        screen = await came(pilot, name)
        assert shows(screen, asked), screen.remember()
        await pilot.press(*keys)
        if name == "compare":
            await pilot.press("escape")
        await until(pilot, lambda: not shows(screen, asked))
        before = work_of(screen)
        await pilot.press("1")
        await came(pilot, "home")
        app.visit(name, asked)
        assert await came(pilot, name) is screen
        assert shows(screen, asked), screen.remember()
        assert work_of(screen) is not before or before is None
        for question in (question for question in QUESTIONS if question.screen == name):
            app.visit(name, question.choices)  # while it is shown
            await ticked(pilot)
            assert shows(screen, dict(question.choices)), question.number


async def test_a_training_is_never_touched() -> None:
    async with at_home() as (app, pilot):
        app.visit("train", {"recipe": PRESETS["quick"].to_json()})
        screen = await came(pilot, "train")
        assert isinstance(screen, TrainScreen)
        training: Any = app.engine.submit_light("a training", lambda: iter(()))
        app.training = training
        app.visit("train", {"recipe": TOY})
        await came(pilot, "train")
        assert screen.plan.recipe.name == "quick"
        assert app.training is training
        assert not training.state.final
        app.training = None


async def test_numbers_of_another_equation_are_left_behind() -> None:
    async with at_home() as (app, pilot):
        app.visit("sde", {"name": "geometric"})
        screen = await came(pilot, "sde")
        await pilot.press("n", "n", "plus")
        changed = screen.remember()
        app.visit("sde", {"name": "geometric"})
        assert (await came(pilot, "sde")).remember() != changed
