"""The Train screen with real, small trainings."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import text_of, until
from textual.pilot import Pilot

from difftui.engine import JobState
from difftui.runs import State, Status, create_run, find_run, list_runs
from difftui.training.recipe import PRESETS
from difftui.ui.app import DifftuiApp
from difftui.ui.panels.sample_scrubber import SampleScrubber
from difftui.ui.screens.train import TrainScreen


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
        assert "paused" in str(screen.query_one("#loss-panel").border_title)

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

        await pilot.press("enter")  # go on with it
        await until(pilot, lambda: step_of(app) > before + 1)
        assert app.training is not None
        assert app.training.name == name
        await pilot.press("x")
        await until(pilot, lambda: state_of(app) is JobState.CLOSED)
    assert await asyncio.to_thread(app.engine.shutdown, 20)


async def test_a_training_that_ends_shows_its_samples_and_its_facts(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        screen.plan = replace(screen.plan, recipe=screen.plan.recipe.with_budget(minutes=0.01))
        await pilot.press("space")
        await until(pilot, lambda: state_of(app) is JobState.DONE)
        await pilot.pause(0.3)
        assert app.training is not None
        view = app.training.snapshot
        assert view is not None
        assert view.progress is not None
        assert view.strips[-1].step == view.progress.step == view.history.loss.x[-1]
        assert view.history.by_timestep is not None
        assert screen.query_one("#samples", SampleScrubber).display
        assert "finished" in str(screen.query_one("#loss-panel").border_title)
        assert "100%" in shown(app, "#bar")
        assert view.run.name in str(screen.query_one("#loss-panel").border_title)
        assert f"{view.about['parameters']:,}".replace(",", " ") in shown(app, "#facts")
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


@pytest.mark.parametrize(("state", "shown_as"), [("finished", JobState.DONE), ("stopped", JobState.CLOSED)])
async def test_a_run_asked_for_is_shown(state: State, shown_as: JobState) -> None:
    run = create_run("asked", PRESETS["quick"].to_json())
    run.write_status(Status(state, step=7, fraction=0.5))
    app = DifftuiApp(device="cpu", screen="train", run="asked")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.training is not None and app.training.snapshot is not None)
        await until(pilot, lambda: state_of(app) is shown_as)
        assert app.training.name == "asked"
        await until(pilot, lambda: "asked" in str(app.screen.query_one("#loss-panel").border_title))
        app.stop_watching()


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
            seen.add(screen.plan.recipe.name)
            assert screen.plan.recipe.name in shown(app, "#invitation")
        assert seen == set(PRESETS)
        await pilot.press("b")
        await pilot.pause(0.15)
        assert "0.5 min" in shown(app, "#facts")
