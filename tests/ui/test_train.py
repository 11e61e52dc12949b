"""The Train screen with real, small trainings."""

from __future__ import annotations

import asyncio
import math
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import at_rest, most_slow, obeyed, text_of, ticked, until
from textual.pilot import Pilot

from difftui.bench.wire import recording_driver
from difftui.engine import Job, JobState
from difftui.engine.watching import Watch
from difftui.runs import HistoryBuilder, Holder, Run, State, Status, create_run, find_run, list_runs, presence
from difftui.runs.presence import write_holder
from difftui.runs.reader import MetricsReader
from difftui.training.recipe import PRESETS, Recipe, Target
from difftui.training.session import Session
from difftui.training.trainer import Trainer
from difftui.ui.app import DifftuiApp
from difftui.ui.panels.estimate import Estimate
from difftui.ui.panels.loss_plot import Ghost
from difftui.ui.panels.plan import Plan
from difftui.ui.panels.recipe_form import RecipeForm
from difftui.ui.panels.run_picker import RunPicker
from difftui.ui.panels.run_preview import RunPreview
from difftui.ui.panels.standing import Standing
from difftui.ui.screens.train import TrainScreen
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.plot import CurvePlot

TINY = Recipe(
    name="tiny", model="patch-unet", model_options={"width": 8}, schedule="cosine", timesteps=50,
    data="bundled", batch_size=8, steps=100_000,
)  # fmt: skip


def shown(app: DifftuiApp, name: str) -> str:
    return text_of(app.screen.query_one(name))


async def opened(app: DifftuiApp, pilot: Pilot[None], recipe: Recipe | None = TINY) -> TrainScreen:
    await until(pilot, lambda: isinstance(app.screen, TrainScreen) and app.engine.device is not None)
    screen = app.screen
    assert isinstance(screen, TrainScreen)
    if recipe is not None:
        screen.plan = Plan(recipe)
    return screen


async def estimated(screen: TrainScreen, pilot: Pilot[None]) -> None:
    await until(pilot, lambda: screen.estimate.seconds is not None)


async def closed(app: DifftuiApp) -> None:
    assert await asyncio.to_thread(app.engine.shutdown, 60)


def step_of(app: DifftuiApp) -> int:
    view = app.training.snapshot if app.training is not None else None
    return view.progress.step if view is not None and view.progress is not None else 0


def state_of(app: DifftuiApp) -> JobState | None:
    return app.training.state if app.training is not None else None


def standing(app: DifftuiApp) -> Standing | None:
    return app.screen._standing


def title(app: DifftuiApp) -> str:
    return str(app.screen.query_one("#loss-panel").border_title)


def toasts(app: DifftuiApp) -> str:
    return "\n".join(toast.message for toast in app._notifications)


def finished_run(name: str, recipe: Recipe, steps: int) -> Run:
    """Really trained, headless."""
    recipe = recipe.with_budget(steps=steps)
    run = create_run(name, recipe.to_json())
    for _ in Session(recipe, run).events():
        pass
    return run


# From the start to the end.


async def test_start_pause_one_step_stop_go_on(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: step_of(app) >= 3)
        assert app.training is not None
        name = app.training.name
        assert name == "tiny-1"
        await until(pilot, lambda: "training" in title(app))

        await pilot.press("space")
        await until(pilot, lambda: state_of(app) is JobState.PAUSED)
        await obeyed(pilot)
        await ticked(pilot)
        held = step_of(app)
        await pilot.pause(0.3)
        assert step_of(app) == held
        await until(pilot, lambda: title(app).startswith("⏸ tiny-1 · paused"))

        await pilot.press("full_stop")
        await until(pilot, lambda: step_of(app) > held and state_of(app) is JobState.PAUSED)
        await pilot.pause(0.2)
        assert step_of(app) == held + 1

        await pilot.press("x")
        await until(pilot, lambda: state_of(app) is JobState.CLOSED)
        run = find_run(name)
        assert (run.status().state, run.status().step) == ("stopped", held + 1)
        await until(pilot, lambda: title(app).startswith("■ tiny-1 · stopped and saved"))

        await pilot.press("backspace")  # put it aside: the screen offers to go on with it
        await until(pilot, lambda: "enter to go on with tiny-1" in shown(app, "#invitation"))
        await pilot.press("enter")
        await until(pilot, lambda: step_of(app) > held + 1)
        assert isinstance(app.training, Job)
        await pilot.press("x")
        await until(pilot, lambda: state_of(app) is JobState.CLOSED)
    await closed(app)


@pytest.mark.parametrize("size", most_slow([(80, 24), (120, 40), (200, 60)], (80, 24)))
async def test_a_training_that_ends_shows_all_there_is_to_know(own_home: Path, size: tuple[int, int]) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot, replace(TINY, steps=40))
        await pilot.press("space")
        await until(pilot, lambda: state_of(app) is JobState.DONE)
        await until(pilot, lambda: title(app).startswith("✓ tiny-1 · finished"))
        await until(pilot, lambda: "step 40 of 40" in shown(app, "#status"))
        await ticked(pilot)
        view = app.training.snapshot
        assert view.strips[-1].step == 40
        assert screen.query_one("#pictures", PixelView).display
        assert "step 40" in shown(app, "#which")
        bars = shown(app, "#bars").split()
        assert all(f"{value:.4f}" in bars for value in view.history.by_timestep)
        assert f"held-out {view.history.validation.y[-1]:.4f}" in text_of(screen.query_one("#bars-panel"))
        assert "100%" in shown(app, "#bar")
        assert re.search(r"took [0-9]+:[0-9]{2}", shown(app, "#bar"))
        assert "step 40 of 40" in shown(app, "#status")
        assert f"gradient {view.progress.gradient_norm:6.3g}" in shown(app, "#status")
        assert screen.query_one("#loss", CurvePlot)._axes.lines[0].y == pytest.approx(1)
        if size[0] >= 100:
            parameters = f"{view.about['parameters']:,}".replace(",", " ")
            assert parameters in shown(app, "#facts")
    await closed(app)


async def test_a_training_stopped_while_it_waits_never_was() -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await ticked(pilot)
        await pilot.press("space")
        assert state_of(app) is JobState.WAITING
        await until(pilot, lambda: "preparing" in title(app))
        await pilot.press("x")
        assert app.training is None
        await until(pilot, lambda: "Press space" in shown(app, "#invitation"))
    del app.engine.start
    app.engine.start()
    await closed(app)
    assert list_runs() == []


@pytest.mark.slow
async def test_quitting_saves_the_training(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: step_of(app) >= 2)
        reached = step_of(app)
        await pilot.press("q")
    await closed(app)
    assert find_run("tiny-1").status().state == "stopped"
    assert find_run("tiny-1").status().step >= reached


# What goes wrong.


async def test_a_home_that_cannot_be_written_is_told_where_the_user_looks(own_home: Path) -> None:
    (own_home / "runs").write_text("a file where the folder should be")
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: state_of(app) is JobState.FAILED)
        await until(pilot, lambda: "cannot be written" in shown(app, "#bar"))
        assert "✗ tiny-1 · failed" in title(app)
    await closed(app)


@pytest.mark.slow
async def test_divergence_is_told_and_half_the_learning_rate_is_one_key_away(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: step_of(app) >= 2)
        await pilot.press("space")
        await until(pilot, lambda: state_of(app) is JobState.PAUSED)
        assert app.engine._bench is not None
        with torch.no_grad():
            app.engine._bench.live["tiny-1"].weights[0].fill_(float("nan"))
        await pilot.press("space")
        await until(pilot, lambda: standing(app) is Standing.DIVERGED)
        await until(pilot, lambda: "learning rate 0.0002" in shown(app, "#bar"))
        assert "✗ tiny-1 · diverged" in title(app)
        assert "/ train anew with learning rate 0.0001" in shown(app, "#status")
        await pilot.press("slash")
        await until(pilot, lambda: step_of(app) >= 1 and state_of(app) is JobState.RUNNING)
        assert app.training.name == "tiny-2"
        assert app.training.snapshot.recipe.learning_rate == 1e-4
        await pilot.press("x")
    await closed(app)


async def test_out_of_memory_offers_half_the_batch(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Trainer.train_step

    def too_large(trainer: Trainer) -> torch.Tensor:
        if trainer.recipe.batch_size > 4:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return step(trainer)

    monkeypatch.setattr(Trainer, "train_step", too_large)
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: standing(app) is Standing.NO_MEMORY)
        await until(pilot, lambda: "2.0 GiB were asked for" in shown(app, "#bar"))
        assert "/ train with batches of 4" in shown(app, "#status")
        await pilot.press("slash")
        await until(pilot, lambda: step_of(app) >= 1)
        assert app.training.snapshot.recipe.batch_size == 4
        await pilot.press("x")
    await closed(app)


# What is chosen.


@pytest.mark.slow
async def test_every_recipe_and_length_can_be_chosen() -> None:
    app = DifftuiApp(device="cpu", screen="train")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot, None)
        seen = set()
        for _ in PRESETS:
            await pilot.press("p")
            seen.add(screen.plan.recipe.name)
            await until(pilot, lambda: f"train {screen.plan.recipe.name}" in shown(app, "#invitation"))
        assert seen == set(PRESETS)
        first = screen.plan.recipe
        await pilot.press("b")
        await until(pilot, lambda: "0.5 min" in shown(app, "#facts"))
        await pilot.press("B")
        assert screen.plan.recipe == first
        await pilot.press("z")
        await until(pilot, lambda: "go on" in shown(app, "#facts"))
        assert screen.plan.keep
    await closed(app)


@pytest.mark.slow
async def test_what_the_form_says_is_what_is_trained(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, RecipeForm) and app.screen.focused is not None)
        app.screen.query_one("#batch_size").focus()
        await pilot.press("backspace", "6", "enter")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        await pilot.press("space")
        await until(pilot, lambda: step_of(app) >= 1)
        assert app.training.snapshot.recipe == replace(TINY, batch_size=6)
        await pilot.press("x")
        await until(pilot, lambda: state_of(app) is JobState.CLOSED)
    await closed(app)


# The view.


@pytest.mark.slow
async def test_zoom_survives_new_steps_and_says_how_to_go_back(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: step_of(app) >= 20)
        plot = app.screen.query_one("#loss", CurvePlot)
        await until(pilot, lambda: plot.shown[1] > 15)
        await pilot.press("plus", "plus", "left")
        await ticked(pilot)
        seen, at = plot.shown, step_of(app)
        assert seen[1] - seen[0] < at / 2
        await until(pilot, lambda: step_of(app) > at + 15)
        await pilot.pause(0.7)
        assert plot.shown == seen
        assert "* shows all" in title(app)
        await pilot.press("asterisk")
        await until(pilot, lambda: plot.shown[1] > at + 10 and "* shows all" not in title(app))
        assert plot.viewport.live
        await pilot.press("x")
        await until(pilot, lambda: state_of(app) is JobState.CLOSED)
    await closed(app)


@pytest.mark.slow
async def test_samples_are_scrubbed_through_training_time(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: step_of(app) >= 1)
        for count in (1, 2, 3):
            await pilot.press("s")
            await until(pilot, lambda count=count: len(app.training.snapshot.strips) >= count)
        await pilot.press("space")
        await until(pilot, lambda: state_of(app) is JobState.PAUSED)
        await ticked(pilot)
        strips = app.training.snapshot.strips
        assert f"step {strips[-1].step}" in shown(app, "#which")
        newest = np.array(app.screen.query_one("#pictures", PixelView)._images)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: f"step {strips[-2].step} " in shown(app, "#which"))
        assert not np.array_equal(app.screen.query_one("#pictures", PixelView)._images, newest)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: app.screen._samples.chosen is None)  # the newest is followed
        await pilot.click("#scrub", offset=(1, 0))
        await until(pilot, lambda: app.screen._samples.chosen == strips[0].step)
        await pilot.press("x")
        await until(pilot, lambda: state_of(app) is JobState.CLOSED)
    await closed(app)


@pytest.mark.slow
async def test_a_finished_run_is_pinned_beside_the_live_one(own_home: Path) -> None:
    await asyncio.to_thread(finished_run, "before", TINY, 30)
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: step_of(app) >= 40)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, RunPicker))
        entries = [entry.run.name for entry in app.screen.entries]
        await pilot.press(*["down"] * entries.index("before"))
        preview = app.screen.query_one(RunPreview)
        reader = MetricsReader(find_run("before").metrics.path, whole=True)
        reader.read(math.inf)
        losses = reader.builder.view().loss.y
        await until(
            pilot, lambda: preview.history is not None and np.array_equal(preview.history.loss.y, losses)
        )
        assert "loss, smoothed" in str(preview.render())
        await pilot.press("p")
        await until(pilot, lambda: screen.ghost is not None)
        await until(pilot, lambda: "before" in shown(app, "#loss"))
        assert toasts(app) == ""

        screen._set_ghost(Ghost("other", replace(TINY, target="v"), HistoryBuilder().view()))
        await until(pilot, lambda: "other is not drawn" in toasts(app))
        assert "target v instead of eps" in toasts(app)
        assert "other" not in shown(app, "#loss")
        await pilot.press("u")
        assert screen.ghost is None
        await pilot.press("x")
        await until(pilot, lambda: state_of(app) is JobState.CLOSED)
    await closed(app)


@pytest.mark.parametrize("target", ["x0", "v", "x_prev"])
async def test_the_line_of_answering_nothing_is_worked_out_for(target: Target, own_home: Path) -> None:
    run = await asyncio.to_thread(finished_run, "other", replace(TINY, target=target), 5)
    app = DifftuiApp(device="cpu", screen="train", run=run.name)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "always answering 0" in shown(app, "#loss"))
        assert "1: always" not in shown(app, "#loss")
    await closed(app)


# What others train.


@pytest.mark.parametrize(("state", "mark"), [("finished", "✓"), ("stopped", "■")])
async def test_a_run_asked_for_is_shown_and_goes_on_with_one_key(state: State, mark: str) -> None:
    run = create_run("asked", TINY.to_json())
    run.write_status(Status(state, step=7, fraction=0.5))
    app = DifftuiApp(device="cpu", screen="train", run="asked")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: title(app).startswith(f"{mark} asked"))
        assert isinstance(app.training, Watch)
        assert ("enter go on with it here" in shown(app, "#status")) == (state == "stopped")
        await pilot.press("enter")
        assert isinstance(app.training, Job) == (state == "stopped")


async def test_a_run_of_another_machine_is_watched_until_it_falls_silent(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "STALE_SECONDS", 600.0)  # it writes no more, and we may need long
    run = create_run("far", TINY.to_json())
    run.write_status(Status("training", step=7, fraction=0.5))
    run.metrics.append({"step": 9, "seconds": 1.0, "loss": 0.4, "rate": 50.0, "lr": 2e-4, "fraction": 0.6})
    now = time.time()
    holder = Holder(1, "elsewhere", "ann", "H200", "training", 3, now - 60, now, boot="another")
    write_holder(run.holder_path, holder)
    app = DifftuiApp(device="cpu", screen="train", run="far")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: standing(app) is Standing.TRAINING)
        await until(pilot, lambda: "watching process 1 on elsewhere" in title(app))
        assert "50 images/s" in shown(app, "#bar")
        assert "goes on without this terminal" in shown(app, "#device")
        write_holder(run.holder_path, replace(holder, beat=now - 1000))
        os.utime(run.holder_path, (now - 1000, now - 1000))
        app.training.leave()
        app.watch_run(run)
        await until(pilot, lambda: standing(app) is Standing.LOST)
        await until(pilot, lambda: "? far · presumed dead" in title(app))
        assert "enter go on with it here" in shown(app, "#status")
        await pilot.press("backspace")
        await until(pilot, lambda: "Press enter" in shown(app, "#invitation"))
        assert "far: presumed dead at 50%" in shown(app, "#invitation")
    await closed(app)


@pytest.mark.slow
async def test_k_hands_the_training_over_to_a_process_of_its_own(own_home: Path) -> None:
    app = DifftuiApp(device="cpu", screen="train", data="bundled")
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await pilot.press("space")
        await until(pilot, lambda: step_of(app) >= 3)
        await pilot.press("z")
        await until(pilot, lambda: "moves to a process of its own" in shown(app, "#bar"))
        await until(pilot, lambda: isinstance(app.training, Watch), 120)
        run = find_run("tiny-1")
        assert run.holder() is not None
        assert run.holder().pid != os.getpid()
        left_at = run.status().step
        await until(pilot, lambda: standing(app) is Standing.TRAINING and step_of(app) > left_at)
        assert "watching process" in title(app)
        await pilot.press("space")
        await until(pilot, lambda: standing(app) is Standing.PAUSED)
        await pilot.press("space")
        await until(pilot, lambda: standing(app) is Standing.TRAINING)
        await pilot.press("x")
        await until(pilot, lambda: standing(app) is Standing.STOPPED)
        assert run.liveness().state == "not running"
        assert run.status().state == "stopped"
        assert run.status().step > left_at
    await closed(app)


@pytest.mark.slow
async def test_a_screen_on_which_nothing_moves_sends_nothing(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(finished_run, "before", TINY, 5)
    sent: list[str] = []
    for run in (None, "before"):
        app = DifftuiApp(device="cpu", screen="train", data="bundled", run=run)
        app.driver_class = recording_driver(sent)
        async with app.run_test(headless=False, size=(120, 40)) as pilot:
            screen = await opened(app, pilot)
            await until(pilot, lambda app=app: app.engine.device is not None)  # it says that torch loads
            if run is None:
                await estimated(screen, pilot)
            await at_rest(pilot, sent, 1.2)
        await closed(app)


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", text)]


async def test_the_loss_is_read_by_keys_and_its_legend_stays(own_home: Path) -> None:
    run = await asyncio.to_thread(finished_run, "before", TINY, 60)
    app = DifftuiApp(device="cpu", screen="train", data="bundled", run="before")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(160, 45)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, TrainScreen) and "smoothed" in shown(app, "#loss"))
        await ticked(pilot)
        await pilot.press("left_parenthesis", "right_parenthesis", "right_parenthesis")
        await pilot.pause()
        loss, gradient = (app.screen.query_one(f"#{name}", CurvePlot) for name in ("loss", "gradient"))
        step = loss.cursor
        assert step is not None
        assert step == gradient.cursor
        reader = MetricsReader(run.metrics.path)
        reader.read(math.inf)
        history = reader.builder.view()
        at = int(np.flatnonzero(history.loss.x == step)[0])
        lines = shown(app, "#loss").splitlines()
        assert "each batch" in lines[0]
        assert "smoothed" in lines[0]
        assert f"step {step:.0f}" in lines[-1]
        told = numbers(lines[-1])  # with as many digits as fit
        for value in (history.loss.y[at], history.loss.smooth[at]):
            assert any(number == pytest.approx(float(value), rel=1e-3) for number in told)
        gradient_told = numbers(shown(app, "#gradient"))
        norm = float(history.gradient_norm.y[at])
        assert any(number == pytest.approx(norm, rel=1e-3) for number in gradient_told)
        await pilot.press("vertical_line")
        await pilot.pause()
        assert f"step {step:.0f}" not in shown(app, "#loss")


async def test_all_of_the_invitation_is_seen_whatever_it_comes_to_say(own_home: Path) -> None:
    await asyncio.to_thread(finished_run, "before", TINY, 5)
    for size in ((80, 24), (120, 40), (200, 60)):
        app = DifftuiApp(device="cpu", screen="train", data="bundled")
        app.engine.start = lambda: None  # type: ignore[method-assign]
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda app=app: "all your runs" in shown(app, "#invitation"))
            screen = app.screen
            assert isinstance(screen, TrainScreen)
            screen.estimate = Estimate(60.0, "by a guess")
            await until(pilot, lambda app=app: "takes about" in shown(app, "#invitation"))
            await pilot.pause()
            assert "all your runs" in shown(app, "#invitation")
            assert "torch is still loading" in shown(app, "#invitation")
            assert "all of it" in shown(app, "#facts")
            assert app.screen.region.contains_region(screen.query_one("#facts").region)
