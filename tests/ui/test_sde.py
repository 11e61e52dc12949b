"""The SDE screen with real simulations: what it draws and tells is what sde.simulate yields; its keys."""

from __future__ import annotations

import json
import math
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers import at_rest, text_of, ticked, until
from textual.content import Content
from textual.geometry import Region

from difftui.bench.wire import recording_driver
from difftui.diffusion.sde import Brownian, Geometric, Linear, PathFrame, simulate
from difftui.state import Choices
from difftui.ui.app import DifftuiApp
from difftui.ui.panels.sde_plots import PathPlot
from difftui.ui.panels.sde_scene import TOPICS, Scene
from difftui.ui.screens.sde import SWEEPS, SdeScreen
from difftui.ui.widgets.plot import CurvePlot
from difftui.ui.widgets.slider import Slider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (80, 24), keys: str = "", scene: Scene | None = None
) -> AsyncIterator[tuple[SdeScreen, Pilot[None]]]:
    """The screen, without torch, after these keys; a scene with few paths is swift."""
    app = DifftuiApp(screen="sde", device="cpu")
    app.engine._load = lambda: None  # type: ignore[method-assign]
    if scene is not None:
        app.state.choices["sde"] = scene.to_json()
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, SdeScreen)
        await until(pilot, lambda: screen.view is not None)
        if keys:
            await pilot.press(*keys)
        yield screen, pilot
    assert app.engine.shutdown(60)


SWIFT = Scene(paths=100, steps=100)
UNHURRIED = 5.0  # frames a second: its hundred take so long that a busy machine finds it under way


def frames_of(screen: SdeScreen) -> list[PathFrame]:
    """What the library yields for the scene of the screen."""
    wanted = screen.scene.simulation
    return list(simulate(wanted.equation, paths=wanted.paths, steps=wanted.steps, seed=wanted.seed))


def title(screen: SdeScreen, name: str) -> str:
    plot = screen.query_one(f"#{name}", CurvePlot)
    both = (Content.from_markup(text or "").plain for text in (plot.border_title, plot.border_subtitle))
    return " ".join(both).strip()


def is_playing(screen: SdeScreen) -> bool:
    return screen.playhead.playing


async def at_the_end(screen: SdeScreen, pilot: Pilot[None]) -> None:
    await pilot.press("end")
    await until(pilot, lambda: (v := screen.view) and v.complete and screen._drawn[1:3] == (v.newest, True))
    await ticked(pilot)


async def test_it_starts_by_itself_and_draws_the_paths_of_the_library() -> None:
    async with opened(scene=SWIFT) as (screen, pilot):
        assert screen.playhead.playing
        screen.playhead.rate = UNHURRIED
        await until(pilot, lambda: screen.playhead.index > 3)
        assert screen.playhead.playing
        await pilot.press("space")
        held = screen.playhead.index
        await until(pilot, lambda: screen._drawn[1] == held)
        await pilot.pause(0.2)
        assert screen.playhead.index == held
        frames = frames_of(screen)
        crowd, one, mean = screen.query_one("#paths", PathPlot)._curves
        drawn = np.concatenate([one.y, crowd.y])
        assert np.array_equal(drawn, np.array([f.x for f in frames[: held + 1]])[:, : len(drawn)].T)
        assert crowd.x.tolist() == [frame.t for frame in frames[: held + 1]]
        assert (mean.y == 0.0).all()
        assert f"{len(drawn)} of 100 paths" in text_of(screen.query_one("#paths"))


async def test_moments_are_told_beside_their_theory() -> None:
    async with opened(keys="s") as (screen, pilot):
        await at_the_end(screen, pilot)
        last = frames_of(screen)[-1]
        assert (last.theory_mean, last.theory_variance) == (0.0, 10.0)
        error = 2 * math.sqrt(last.variance / 1000)
        assert title(screen, "mean") == f"mean {last.mean:.3g} ± {error:.2g} · theory 0"
        assert f"variance {last.variance:.3g} ± " in title(screen, "variance")
        assert "theory 10" in title(screen, "variance")
        assert abs(last.mean) < 4 * math.sqrt(10 / 1000)
        assert last.variance == pytest.approx(10.0, rel=5 * math.sqrt(2 / 1000))
        # "Variance sqrt(dt)": one path tells that it is dt, for its squared steps sum up to t.
        steps = np.diff([frame.x[0] for frame in frames_of(screen)])
        assert f"Σ(Δx)² of one path {(steps**2).sum():.3g} · theory 10 · variance √dt: 100" in title(
            screen, "variation"
        )
        assert (steps**2).sum() == pytest.approx(10.0, rel=5 * math.sqrt(2 / 1000))


async def test_no_title_is_cut_where_there_is_room_for_three_plots() -> None:
    async with opened((120, 40)) as (screen, pilot):
        await at_the_end(screen, pilot)
        await pilot.press("left")  # where figures have all their digits
        plots = [screen.query_one(f"#{name}", CurvePlot) for name in ("mean", "variance", "variation")]
        await until(pilot, lambda: "√dt: 99." in text_of(plots[2]))
        assert not any("…" in text_of(plot) for plot in plots)


async def test_the_histogram_has_all_paths_and_lies_on_the_law() -> None:
    async with opened((120, 40)) as (screen, pilot):
        await at_the_end(screen, pilot)
        theory, measured = screen.query_one("#law", CurvePlot)._curves
        x = frames_of(screen)[-1].x
        gap = measured.x[1] - measured.x[0]
        assert (measured.y * gap).sum() == pytest.approx(np.mean(np.abs(x) < measured.x[-1]), abs=2e-3)
        exact = np.exp(-(theory.x**2) / 20) / math.sqrt(20 * math.pi)
        assert np.allclose(theory.y, exact)
        in_bin = 1000 * gap * 2 * np.interp(measured.x, theory.x, exact)
        deviation = np.sqrt(np.maximum(in_bin, 1)) / (1000 * gap * 2)
        assert (np.abs(measured.y - np.interp(measured.x, theory.x, exact)) < 6 * deviation).all()
        assert title(screen, "law") == "1 000 paths at t = 10"


async def test_the_labs_demos_are_one_key_away() -> None:
    async with opened(scene=Scene(paths=20, steps=50, numbers=(("sigma", 2.0),))) as (screen, pilot):
        await pilot.press("enter")
        lab = screen.scene.simulation
        assert (lab.equation, lab.paths, lab.steps) == (Brownian(1.0, 0.0, 10.0), 5, 1000)
        await pilot.press("p")
        lab = screen.scene.simulation
        assert (lab.equation, lab.paths, lab.steps) == (Linear(0.1, 0.0, 1.0, 10.0, 10.0), 5, 1000)
        assert "dx = 0.1 x dt + dW" in text_of(screen.query_one("#formula"))
        await at_the_end(screen, pilot)
        curves = screen.query_one("#paths", PathPlot)._curves
        assert len(curves) == 5 + 2
        assert curves[-1].y[-1] == pytest.approx(10 * math.e)  # the noise-free path
        await pilot.press("p")
        assert screen.scene.simulation.equation == Geometric()
        await pilot.press("P", "P", "P")
        assert screen.scene.name == "round-trip"


async def test_the_error_is_shown_with_its_orders() -> None:
    async with opened(keys="pps", scene=SWIFT) as (screen, pilot):
        await until(pilot, lambda: screen.errors and (e := screen.errors.snapshot) and e.complete)
        await at_the_end(screen, pilot)
        await until(pilot, lambda: "strong ∝ dt^0." in title(screen, "errors"))
        last = frames_of(screen)[-1]
        assert last.exact is not None
        assert f"error {np.abs(last.x - last.exact).mean():.3g} strong" in title(screen, "errors")
        assert screen.errors is not None
        errors = screen.errors.snapshot
        assert errors is not None
        assert f"strong ∝ dt^{errors.strong:.2f} · weak ∝ dt^{errors.weak:.2f}" in title(screen, "errors")
        strong, weak = screen.query_one("#errors", CurvePlot)._curves[:2]
        assert (10**strong.x).tolist() == pytest.approx([error.dt for error in errors.errors])
        assert (10**strong.y).tolist() == pytest.approx([error.strong for error in errors.errors])
        assert (weak.kind, strong.kind) == ("dashes", "line")
        assert not screen.query_one("#mean").display
        assert screen.query_one("#errors").display
        await pilot.press("s")
        assert screen.query_one("#mean").display
        assert not screen.query_one("#errors").display


async def test_there_and_back_two_modes_become_noise_and_two_modes_again() -> None:
    async with opened((120, 40), "P", Scene(paths=1000, steps=200)) as (screen, pilot):
        await at_the_end(screen, pilot)
        x = np.array([frame.x for frame in frames_of(screen)])
        inner = [float((np.abs(row) < 0.4).mean()) for row in (x[0], x[100], x[-1])]
        assert inner[0] < 0.01  # nobody between the modes
        assert inner[1] == pytest.approx(math.erf(0.4 / math.sqrt(2)), abs=0.08)  # as of N(0, 1)
        assert inner[2] < 0.05
        above, ends = x[0] > 0, x[-1] > 0
        told = f"end above: {ends[above].mean():.0%} of upper starts, {ends[~above].mean():.0%} of lower"
        assert title(screen, "paths") == told
        below, upper, _ = screen.query_one("#paths", PathPlot)._curves
        assert (below.y[:, 0] < 0).all()
        assert (upper.y[:, 0] > 0).all()
        assert screen.query_one("#signal").display
        assert "signal left 1.000" in title(screen, "signal")
        assert "at the noisiest 0.0066" in title(screen, "signal")
        axis = text_of(screen.query_one("#paths"))
        assert "from below" in axis
        assert axis.splitlines()[-2].split()[1:-1] == ["data", "noise", "data"]


async def test_numbers_are_picked_and_changed() -> None:
    async with opened(scene=SWIFT) as (screen, pilot):
        assert "1 … 20 000" in text_of(screen.query_one("#picked"))
        await pilot.press("plus")
        assert screen.scene.paths == 1000
        await pilot.press("n")
        await until(pilot, lambda: "√dt" in text_of(screen.query_one("#picked")))
        assert "100 steps · each dW has deviation √dt = 0.316, variance dt" in text_of(
            screen.query_one("#picked")
        )
        await pilot.press("minus")
        assert screen.scene.steps == 50
        await pilot.press("t", "t")
        assert screen.scene.steps == 200
        await pilot.press("T", "down", "plus")
        assert screen.scene.simulation.equation == Brownian(sigma=1.5)
        await pilot.press("up", "N", "minus", "minus", "minus", "minus", "minus", "minus")
        assert screen.scene.paths == 1
        await pilot.click("#numbers", offset=(32, 0))
        assert screen.scene.parameter.name == "time"
        await at_the_end(screen, pilot)
        assert "1 path at t = 10" in title(screen, "law")
        assert "±" not in title(screen, "mean")


async def test_the_picked_number_is_marked_though_its_letters_stay() -> None:
    async with opened(scene=SWIFT) as (screen, pilot):
        numbers = screen.query_one("#numbers")

        def marked() -> str:
            """The one that is drawn in reverse."""
            (line,) = numbers.render_lines(Region(0, 0, *numbers.size))
            return "".join(text for text, style, _ in line if style is not None and style.reverse)

        await until(pilot, lambda: marked() == "paths 100")
        await pilot.press("n")
        await until(pilot, lambda: marked() == "dt 0.1")


async def test_other_noise_and_back() -> None:
    async with opened(scene=SWIFT) as (screen, pilot):
        await at_the_end(screen, pilot)
        assert screen.view is not None
        first = screen.view.x
        await pilot.press("r")
        await at_the_end(screen, pilot)
        assert screen.view.x[-1, 0] != first[-1, 0]
        await pilot.press("R", "R")
        assert screen.scene.seed == 0
        await at_the_end(screen, pilot)
        assert np.array_equal(screen.view.x, first)


async def test_time_is_scrubbed_by_keys_and_by_hand() -> None:
    async with opened(scene=SWIFT) as (screen, pilot):
        await at_the_end(screen, pilot)
        assert "■" in text_of(screen.query_one("#time"))
        await pilot.press("left", "h", "comma", "shift+left")
        assert screen.playhead.index == 100 - 13
        await pilot.press("l", "full_stop", "H", "L")
        assert screen.playhead.index == 100 - 11
        await until(pilot, lambda: screen._drawn[1] == 89)
        assert len(screen.query_one("#paths", PathPlot)._curves[0].x) == 90
        assert "8.900" in text_of(screen.query_one("#time"))
        await pilot.press("home")
        await until(pilot, lambda: screen._drawn[1] == 0)
        assert "1 000" not in title(screen, "law")
        assert len(screen.query_one("#law", CurvePlot)._curves) == 1  # all in one point: no density
        slider = screen.query_one("#slider", Slider)
        await pilot.click(slider, offset=(slider.size.width // 2, 0))
        assert 30 < screen.playhead.index < 70
        assert not screen.playhead.playing
        screen.playhead.rate = UNHURRIED
        await pilot.press("end")
        await until(pilot, lambda: screen.playhead.index == 100)
        await pilot.press("space")
        assert is_playing(screen)
        assert screen.playhead.index < 50
        await pilot.press("end")
        await until(pilot, lambda: screen.playhead.index == 100)
        await pilot.press("backspace")
        assert is_playing(screen)
        await pilot.press("F", "f", "f")
        assert screen.sweep == SWEEPS[3]


async def test_another_screen_holds_it() -> None:
    async with opened(scene=SWIFT) as (screen, pilot):
        head = screen.playhead
        head.rate = UNHURRIED
        await until(pilot, lambda: head.index > 3)
        await pilot.press("1")
        away = head.index
        await pilot.pause(0.5)
        assert head.index == away
        head.advance(time.monotonic() + 3600, newest=100, complete=True)  # as if it were shown in an hour
        assert head.index == away, "the time away does not count"
        head.rest()
        await pilot.press("6")
        await until(pilot, lambda: head.index > away)
        assert head.playing


@pytest.mark.slow
@pytest.mark.parametrize("size", [(76, 22), (100, 31), (200, 60)])
async def test_every_equation_is_drawn_in_every_size(size: tuple[int, int]) -> None:
    async with opened(size, scene=Scene(paths=20, steps=20)) as (screen, pilot):
        for name in TOPICS if size[0] < 80 else ("brownian", "drift"):
            assert screen.scene.name == name
            await at_the_end(screen, pilot)
            assert screen.scene.topic.title in text_of(screen.query_one("#formula"))
            shown = "\n".join(strip.text for strip in screen._compositor.render_strips())
            assert shown.count("┤") > 6, "all plots have an axis"
            for bar in ("numbers", "picked"):
                assert text_of(screen.query_one(f"#{bar}")).rstrip()[-1:] not in ("…", "")
            await pilot.press("p")


async def test_a_resting_screen_sends_nothing() -> None:
    app = DifftuiApp(screen="sde", device="cpu")
    app.engine._load = lambda: None  # type: ignore[method-assign]
    app.state.choices["sde"] = SWIFT.to_json()
    sent: list[str] = []
    app.driver_class = recording_driver(sent)
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        screen = app.screen
        assert isinstance(screen, SdeScreen)
        await until(pilot, lambda: screen.view is not None)
        await at_the_end(screen, pilot)
        await at_rest(pilot, sent, 1.2)  # once the header no more tells the rate of the last two seconds
        assert sent
    assert app.engine.shutdown(60)


def test_what_was_chosen_is_remembered() -> None:
    screen = SdeScreen()
    screen.recall(Choices({"name": "flow", "paths": 20, "sweep": 2.0, "showing_error": True}))
    kept = json.loads(json.dumps(screen.remember()))
    again = SdeScreen()
    again.recall(Choices(kept))
    assert (again.scene.name, again.scene.paths, again.sweep, again.showing_error) == ("flow", 20, 2.0, True)
    again.recall(Choices({"name": 7, "paths": "x", "sweep": "fast", "showing_error": 1}))
    assert again.scene == Scene(numbers=again.scene.numbers)
