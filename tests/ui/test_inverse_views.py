"""The other two views of Inverse, with real nets: a hundred seeds, and diffusion; the walk through all."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
import pytest
from helpers import at_rest, obeyed, text_of, ticked, until
from textual.geometry import Region
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from difftui.engine import conditional as engine_module
from difftui.inversion import PROBLEMS, ConditionalRecipe, Problem, baselines
from difftui.ui.app import DifftuiApp
from difftui.ui.panels.inverse import diffusion as diffusion_module
from difftui.ui.panels.inverse.chosen import Chosen, problem_title
from difftui.ui.panels.inverse.diffusion import Diffusion
from difftui.ui.panels.inverse.paths import Paths
from difftui.ui.panels.inverse.plane import Plane, shade_words
from difftui.ui.panels.inverse.regression import AT_ONCE
from difftui.ui.panels.inverse.seeds import Seeds
from difftui.ui.screens.inverse import InverseScreen
from difftui.ui.widgets.slider import Slider

STEPS = 260  # of learning: too few to draw well, enough to look once


@pytest.fixture(autouse=True)
def short_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "CLOUD", 400)
    monkeypatch.setattr(engine_module, "PER_PROBE", 100)
    monkeypatch.setattr(diffusion_module, "ConditionalRecipe", partial(ConditionalRecipe, steps=STEPS))


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (80, 24), *keys: str
) -> AsyncIterator[tuple[InverseScreen, Pilot[None]]]:
    app = DifftuiApp(screen="inverse", device="cpu")
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, InverseScreen)
        await until(pilot, lambda: screen.regression.view is not None)
        screen.regression.pace.rate = AT_ONCE
        await pilot.press(*keys)
        yield screen, pilot
    assert app.engine.shutdown(60)


def words(screen: InverseScreen, name: str) -> str:
    return text_of(screen.query_one(f"#{name}"))


async def drawn(screen: InverseScreen, pilot: Pilot[None]) -> None:
    """Until the drawing is there, held at its end."""
    view = screen.diffusion
    await until(pilot, lambda: view.view is not None and view.view.done)
    await pilot.press("end")
    await until(pilot, lambda: view.drawn[:2] == (view.drawing, view.newest))
    await ticked(pilot)


@pytest.mark.slow
async def test_one_key_walks_through_the_views_and_another_through_the_problems() -> None:
    async with opened() as (screen, pilot):
        body = screen.query_one(ContentSwitcher)
        seen = [body.current]
        for _ in range(3):
            await pilot.press("tab")
            seen.append(body.current)
        assert seen == ["regression", "seeds", "diffusion", "regression"]
        await pilot.press("shift+tab")
        assert body.current == "diffusion"
        await pilot.press("p")
        assert screen.diffusion.of == screen.recipe.problem == PROBLEMS[1]
        await until(pilot, lambda: "y = sin x on [-π, π]" in words(screen, "views"))
        await pilot.press("tab")
        for problem in (*PROBLEMS[2:], PROBLEMS[0]):
            await pilot.press("p")
            await until(pilot, lambda p=problem: problem_title(p) in words(screen, "views"))
            assert screen.recipe.problem == problem
        await pilot.press("P")
        assert screen.recipe.function == "bishop"


async def test_a_many_valued_regression_ends_at_the_average() -> None:
    """On [0, π] every net that lives answers π/2, and no better can be done than the best line does."""
    async with opened((80, 24), "p", "p", "w") as (screen, pilot):
        known = baselines(Problem("sin", (0.0, math.pi)))
        await until(pilot, lambda: screen.regression.epoch == 500)
        await until(pilot, lambda: "average of the branches" in words(screen, "verdict"))
        view = screen.regression.view
        assert view is not None
        assert view.progress.mse == pytest.approx(known.average_mse, rel=0.02)
        assert "every regression ≥ 0.822" in words(screen, "verdict")
        assert screen.query_one("#ratio").value in ("1.00x", "1.01x")


@pytest.mark.slow
async def test_a_hundred_seeds() -> None:
    async with opened((80, 24), "tab") as (screen, pilot):
        seeds = screen.seeds
        await until(pilot, lambda: seeds.view is not None and seeds.view.epoch == 500)
        await until(pilot, lambda: seeds.drawn[:2] == (seeds.job, 500))
        view = seeds.view
        assert view is not None
        near, dead = int(view.near_line.sum()), int(view.dead.sum())
        assert screen.query_one("#near").value == str(near)
        assert f"{dead} are dead (13 to 28 %)" in words(screen, "census")
        assert f"median MSE {np.median(view.mse):.2e}" in words(screen, "census")
        assert f"{dead} dead" in words(screen, "strip")
        await pilot.press("home")
        assert seeds.seed == int(np.argmin(view.mse))
        await pilot.press("right", "n", "H")
        assert seeds.seed == int(np.argmin(view.mse)), "ten back from the third is the first"
        await pilot.press("l", "j")
        assert seeds.seed == int(np.argsort(view.mse, kind="stable")[2])
        await until(pilot, lambda: f"seed {seeds.seed}: MSE" in words(screen, "one"))
        await pilot.press("end")
        worst = int(np.argsort(view.mse, kind="stable")[-1])
        assert seeds.seed == worst
        await pilot.click("#strip", offset=(12, 5))
        assert seeds.seed != worst
        chosen = seeds.seed
        await pilot.press("enter")
        assert screen.query_one(ContentSwitcher).current == "regression"
        await until(pilot, lambda: screen.regression.epoch == 500)
        fit = screen.regression.view
        assert fit is not None
        assert fit.recipe.seed == chosen
        assert fit.progress.mse == pytest.approx(view.mse[chosen], rel=1e-6), "the same net"
        job = seeds.job
        await pilot.press("tab")
        assert seeds.job is job, "what was trained is kept"
        assert seeds.seed == chosen
        await pilot.press("r")
        assert seeds.recipe is not None
        assert seeds.recipe.seed == 100


@pytest.mark.slow
async def test_seeds_are_held_and_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = replace(Chosen().recipe(), epochs=1_000_000)  # 500 may be learnt before the key comes
    monkeypatch.setattr(Seeds, "wanted", lambda _: endless)
    async with opened((80, 24), "tab") as (screen, pilot):
        await until(pilot, lambda: screen.seeds.view is not None and screen.seeds.view.epoch > 0)
        await pilot.press("space")
        await until(pilot, lambda: "⏸ held" in words(screen, "progress"))
        epoch = screen.seeds.view.epoch
        await pilot.press("1")
        await pilot.pause(0.2)
        await pilot.press("2")
        await pilot.pause(0.2)
        assert screen.seeds.view.epoch <= epoch + 5, "what the user holds stays held"
        await pilot.press("space")
        await until(pilot, lambda: screen.seeds.view.epoch > epoch + 5)


async def test_diffusion_learns_and_then_draws() -> None:
    async with opened((80, 24), "p", "tab", "tab") as (screen, pilot):
        view: Diffusion = screen.diffusion
        await until(pilot, lambda: "learning" in words(screen, "progress") or view.view is not None)
        await until(pilot, lambda: view.drawing is not None)
        assert view.models.keys() == {PROBLEMS[1]}
        await drawn(screen, pilot)
        frames = view.view
        assert frames is not None
        y = float(frames.probes[view.probe])
        assert y == pytest.approx(0.4)
        plane = screen.query_one("#plane", Plane)
        assert "finished" in str(plane.border_title)
        cloud = plane._curves[-1]
        assert np.isin(cloud.y.astype(np.float32), frames.cloud[-1]).all(), "what is shown was drawn"
        low = math.asin(0.4)
        share = np.mean(
            np.abs(frames.at[-1, view.probe] - low) < np.abs(frames.at[-1, view.probe] - math.pi + low)
        )
        lesson = words(screen, "lesson")
        assert f"y = 0.4 has x = {low:.2f} and {math.pi - low:.2f}" in lesson
        assert f"nearest x: {100 * share:.0f} % · {100 - 100 * share:.0f} %   (exactly 50 % · 50 %)" in lesson
        await until(pilot, lambda: screen.regression.epoch == 500)
        await until(pilot, lambda: "the regression says" in words(screen, "lesson"))
        assert "regression" in words(screen, "counts")


@pytest.mark.slow
async def test_diffusion_is_scrubbed_and_played() -> None:
    async with opened((80, 24), "p", "tab", "tab") as (screen, pilot):
        view = screen.diffusion
        await until(pilot, lambda: view.drawing is not None)
        await drawn(screen, pilot)
        assert view.view is not None
        frames = len(view.view.times)
        await pilot.press("left", "H")
        assert view.playhead.index == frames - 12
        await pilot.press("home")
        await until(pilot, lambda: "t = 99" in words(screen, "plane"))
        assert screen.query_one("#time", Slider).value == 0
        await pilot.press("space")
        await until(pilot, lambda: 0 < view.playhead.index < frames - 1)
        await pilot.press("space", "l")
        at = view.playhead.index
        await pilot.pause(0.3)
        assert view.playhead.index == at
        before, job = view.view.cloud[0].copy(), view.drawing
        await pilot.press("r")
        await until(pilot, lambda: view.drawing is not job and view.newest > 0)
        assert not np.array_equal(view.view.cloud[0], before)
        await pilot.press("a")
        await until(pilot, lambda: view.newest > 0 and view.view.request.sampler == "ddim")
        await pilot.press("n", "N", "N")
        assert view.probe == 7
        await pilot.click("#plane", offset=(8, 5))
        assert view.probe < 4
        learning = view.learning
        await pilot.press("tab", "shift+tab")
        assert view.learning is learning
        await pilot.press("backspace")
        assert view.learning is not learning, "it learns anew"


@pytest.mark.slow
async def test_where_no_x_is_it_says_so() -> None:
    async with opened((120, 40), "p", "tab", "tab") as (screen, pilot):
        await until(pilot, lambda: screen.diffusion.drawing is not None)
        await drawn(screen, pilot)
        await pilot.press(*"nnnnnnnnnn")
        await until(pilot, lambda: "there is no x with this y" in words(screen, "lesson"))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(76, 22), (120, 40), (200, 60)])
async def test_all_of_it_is_on_the_screen(size: tuple[int, int]) -> None:
    async with opened(size, "p", "p", "p", "p", "tab") as (screen, pilot):  # sin 3x, with the longest texts
        await until(pilot, lambda: screen.seeds.view is not None)
        await ticked(pilot)
        await check(screen, "#views, #strip, #one, #near, #census, #choices, #progress")
        await pilot.press("tab")
        await until(pilot, lambda: screen.diffusion.drawing is not None)
        await drawn(screen, pilot)
        await check(screen, "#views, #plane, #counts, #time, #lesson, #choices, #progress")
        assert "(exactly 33 % · 33 % · 33 %)" in words(screen, "lesson")


async def check(screen: InverseScreen, names: str) -> None:
    shown = list(screen.query(names))
    assert len(shown) == names.count("#")
    for widget in shown:
        assert screen.region.contains_region(widget.region), widget
        assert widget.size.area > 0, widget
        assert "…" not in text_of(widget).replace("0 … 99", ""), text_of(widget)
    for one, other in combinations(shown, 2):
        assert not one.region.overlaps(other.region), (one, other)


def watch(widget: Widget, drawings: list[Widget]) -> None:
    """Note each time that the widget draws itself."""
    original = widget.render_lines

    def noted(crop: Region) -> list[Strip]:
        drawings.append(widget)
        return original(crop)

    widget.render_lines = noted  # type: ignore[method-assign]


@pytest.mark.slow
async def test_at_rest_nothing_is_drawn() -> None:
    async with opened((80, 24), "p", "tab", "tab") as (screen, pilot):
        await until(pilot, lambda: screen.diffusion.drawing is not None and screen.regression.epoch == 500)
        await drawn(screen, pilot)
        drawings: list[Widget] = []
        for widget in screen.query("*"):
            watch(widget, drawings)
        await at_rest(pilot, drawings)


@pytest.mark.slow
async def test_leaving_holds_and_coming_back_goes_on() -> None:
    async with opened((80, 24), "p", "tab", "tab") as (screen, pilot):
        view = screen.diffusion
        await until(pilot, lambda: view.learning is not None and view.learning.snapshot is not None)
        await pilot.press("1")
        await obeyed(pilot)
        assert view.learning is not None
        version = view.learning.version
        await pilot.pause(0.3)
        assert view.learning.version == version
        await pilot.press("2")
        await until(pilot, lambda: view.drawing is not None)


@pytest.mark.slow
async def test_mashed_keys_leave_no_jobs_behind() -> None:
    async with opened() as (screen, pilot):
        keys = [
            "tab",
            "p",
            "r",
            "shift+tab",
            "w",
            "backspace",
            "a",
            "n",
            "enter",
            "space",
            "R",
            "P",
            "end",
            "l",
        ]
        await pilot.press(*keys)
        await pilot.pause(0.3)
        await until(pilot, lambda: len(screen.lab.engine._pulled) <= 4)
        for job in (screen.job, screen.seeds.job, screen.diffusion.learning, screen.diffusion.drawing):
            assert job is None or job.error is None


async def test_choices_are_remembered() -> None:
    async with opened((80, 24), "p", "p", "tab") as (screen, _):
        kept = screen.remember()
        assert (kept["view"], kept["problem"]) == (1, "y = sin x on [0, π]")


def test_shades_are_named_for_what_they_are() -> None:
    named = [shade_words(problem) for problem in PROBLEMS]
    assert named[0] == "shaded: no data · |y| > 1: no inverse"
    assert named[1] == "shaded: |y| > 1: no inverse"
    assert named[3] == "shaded: no data · y < 0: no inverse"
    assert named[5] == "shaded: no data"


@pytest.mark.slow
async def test_paths_are_those_of_the_draws_and_go_no_further_than_the_frame() -> None:
    async with opened((80, 24), "p", "tab", "tab", "g") as (screen, pilot):
        view, paths = screen.diffusion, screen.query_one(Paths)
        await until(pilot, lambda: view.drawing is not None)
        assert paths.display
        assert not screen.query_one("#plane").display
        await drawn(screen, pilot)
        frames = view.view
        assert frames is not None
        assert "noise is added" in words(screen, "paths")
        for place, curve in enumerate(paths._curves):
            assert np.array_equal(curve.y, frames.at[:, view.probe, place].astype(np.float64))
        assert sorted(line.y for line in paths._axes.lines) == pytest.approx(
            [math.asin(0.4), math.pi - math.asin(0.4)]
        )
        await pilot.press("H", "H", "n")
        await until(pilot, lambda: "at y = 0.6" in words(screen, "paths"))
        assert len(paths._curves[0].x) == frames.count - 20
        await pilot.press("a")
        await until(pilot, lambda: "the start alone decides" in words(screen, "paths"))
        assert screen.remember()["paths"] is True
        await pilot.press("g")
        assert screen.query_one("#plane").display
        plane = screen.query_one("#plane", Plane)
        await until(
            pilot, lambda: len(plane._curves[-1].x) >= 200
        )  # not the one that a hidden plane has room for


@pytest.mark.slow
async def test_while_it_learns_its_loss_stands_where_the_paths_will(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion_module, "ConditionalRecipe", partial(ConditionalRecipe, steps=100_000))
    async with opened((120, 40), "tab", "tab") as (screen, pilot):
        await until(pilot, lambda: "loss by step" in words(screen, "paths"))
        assert "Here each y has one x" in words(screen, "lesson"), "no word of branches where there are none"
        paths = screen.query_one(Paths)
        points = len(paths._curves[0].x)
        await until(pilot, lambda: len(paths._curves[0].x) > points)
        assert "average of the branches" not in words(screen, "lesson")


@pytest.mark.slow
async def test_with_room_the_paths_stand_beside_the_plane() -> None:
    async with opened((120, 40), "tab", "tab") as (screen, pilot):
        await until(pilot, lambda: screen.diffusion.drawing is not None)
        await drawn(screen, pilot)
        await check(screen, "#views, #plane, #paths, #counts, #time, #lesson, #choices, #progress")
        await pilot.press("g")
        await ticked(pilot)
        await check(screen, "#views, #plane, #counts, #time, #lesson, #choices, #progress")
        assert not screen.query_one("#paths").display
