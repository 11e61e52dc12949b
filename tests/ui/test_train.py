"""The Train screen with real, small trainings."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from helpers import text_of, until
from textual.pilot import Pilot

from difftui.engine import JobState
from difftui.runs import State, Status, create_run, find_run, list_runs
from difftui.training.recipe import PRESETS
from difftui.ui.app import DifftuiApp
from difftui.ui.screens.train import Budget, TrainScreen
from difftui.ui.widgets.pixels import PixelView


def shown(app: DifftuiApp, name: str) -> str:
    return text_of(app.screen.query_one(name))


async def opened(app: DifftuiApp, pilot: Pilot[None]) -> TrainScreen:
    await until(pilot, lambda: isinstance(app.screen, TrainScreen) and app.engine.device is not None)
    screen = app.screen
    assert isinstance(screen, TrainScreen)
    return screen


def step_of(app: DifftuiApp) -> int:
    view = app.training.snapshot if app.training is not None else None
    return view.progress.step if view is not None and view.progress is not None else 0


def state_of(app: DifftuiApp) -> JobState | None:
    return app.training.state if app.training is not None else None


async def test_start_pause_one_step_stop_resume(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: step_of(app) >= 3)
        assert app.training is not None
        name = app.training.name

        await pilot.press("space")
        await until(pilot, lambda: state_of(app) is JobState.PAUSED)
        await pilot.pause(0.3)
        held = step_of(app)
        await pilot.pause(0.3)
        assert step_of(app) == held
        assert "paused" in str(screen.query_one("#loss").border_title)

        before = step_of(app)
        await pilot.press("full_stop")
        await until(pilot, lambda: step_of(app) > before)
        await pilot.pause(0.2)
        assert step_of(app) == before + 1
        assert state_of(app) is JobState.PAUSED

        await pilot.press("x")
        await until(pilot, lambda: state_of(app) is JobState.CLOSED)
        run = find_run(name)
        assert run.status().state == "stopped"
        assert run.status().step == before + 1

        await until(pilot, lambda: [r.name for r in screen.resumable] == [name])
        await pilot.press("o")  # put it aside, and choose it to go on with
        await until(pilot, lambda: f"{name} stopped at step {before + 1}" in shown(app, "#invitation"))
        await pilot.press("full_stop")
        await until(pilot, lambda: step_of(app) == before + 2 and state_of(app) is JobState.PAUSED)
        assert f"saved at step {before + 1}" in shown(app, "#status")
        assert app.training is not None
        assert app.training.name == name
        await pilot.press("x")
        await until(pilot, lambda: state_of(app) is JobState.CLOSED)
    assert await asyncio.to_thread(app.engine.shutdown, 20)


async def test_a_training_that_ends_shows_its_samples_and_its_facts(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        screen.budgets, screen.budget = (Budget(0.01),), 0
        await pilot.press("space")
        await until(pilot, lambda: state_of(app) is JobState.DONE)
        await pilot.pause(0.3)
        assert app.training is not None
        view = app.training.snapshot
        assert view is not None
        assert view.strip is not None
        assert view.progress is not None
        assert view.strip.step == view.progress.step == len(view.curve)
        strip = screen.query_one("#strip", PixelView)
        assert strip.display
        assert "finished" in str(screen.query_one("#loss").border_title)
        assert "100%" in shown(app, "#bar")
        assert view.run.name in shown(app, "#status")
        assert f"{view.parameters:,}".replace(",", " ") in shown(app, "#facts")
    assert await asyncio.to_thread(app.engine.shutdown, 20)


async def test_a_training_stopped_while_it_waits_never_was() -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space")
        assert state_of(app) is JobState.WAITING
        await pilot.press("x")
        assert app.training is None
        await until(pilot, lambda: "Press space" in shown(app, "#invitation"))
    del app.engine.start
    app.engine.start()
    assert await asyncio.to_thread(app.engine.shutdown, 60)
    assert list_runs() == []


@pytest.mark.parametrize(("state", "told"), [("finished", "is finished"), ("stopped", "stopped at step 7")])
async def test_a_run_asked_for_is_offered_if_something_is_left_to_train(state: State, told: str) -> None:
    run = create_run("asked", PRESETS["quick"].to_json())
    run.write_status(Status(state, step=7, fraction=0.5))
    app = DifftuiApp(device="cpu", screen="train", run="asked")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Press space" in shown(app, "#invitation"))
        toasts = [toast.message for toast in app._notifications]
        assert told in "\n".join([*toasts, shown(app, "#invitation")])
        assert ("go on with asked" in shown(app, "#invitation")) == (state == "stopped")


async def test_quitting_saves_the_training(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: step_of(app) >= 2)
        assert app.training is not None
        name, reached = app.training.name, step_of(app)
        await pilot.press("q")
    assert await asyncio.to_thread(app.engine.shutdown, 20)
    assert find_run(name).status().state == "stopped"
    assert find_run(name).status().step >= reached


async def test_a_home_that_cannot_be_written_is_told_where_the_user_looks(own_home: Path) -> None:
    (own_home / "runs").write_text("a file where the folder should be")
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: state_of(app) is JobState.FAILED)
        await pilot.pause(0.3)
        assert "cannot be written" in shown(app, "#bar")
    assert await asyncio.to_thread(app.engine.shutdown, 20)


async def test_every_recipe_and_length_can_be_chosen() -> None:
    app = DifftuiApp(device="cpu", screen="train")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        seen = set()
        for _ in PRESETS:
            await pilot.press("p")
            await pilot.pause(0.15)
            seen.add(screen.preset)
            assert screen.preset in shown(app, "#invitation")
        assert seen == set(PRESETS)
        await pilot.press("b")
        await pilot.pause(0.15)
        assert "0.5 min" in shown(app, "#facts")
