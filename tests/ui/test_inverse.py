"""The Inverse screen with real fits: what it draws, what its keys do, how it keeps its pace."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers import at_rest, obeyed, text_of, ticked, until

from difftui.engine import JobState
from difftui.engine import device as device_module
from difftui.engine import engine as engine_module
from difftui.inversion import baselines, untrained
from difftui.ui.app import DifftuiApp
from difftui.ui.pace import Pace
from difftui.ui.panels.inverse import regression as regression_module
from difftui.ui.panels.inverse.chosen import HIDDEN, ratio_text
from difftui.ui.panels.inverse.regression import AT_ONCE, PACES
from difftui.ui.screens.inverse import InverseScreen
from difftui.ui.widgets.plot import CurvePlot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.geometry import Region
    from textual.pilot import Pilot
    from textual.strip import Strip
    from textual.widget import Widget

LINE = baselines().line.mse


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (80, 24), keys: str = "", at_once: bool = False
) -> AsyncIterator[tuple[InverseScreen, Pilot[None]]]:
    """The screen, after these keys; ``at_once`` lets its fits come to their end without a wait."""
    app = DifftuiApp(screen="inverse", device="cpu")
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, InverseScreen)
        await until(pilot, lambda: epoch(screen) >= 0)
        if at_once:
            screen.regression.pace.rate = AT_ONCE
        if keys:
            await pilot.press(*keys)
        yield screen, pilot
    assert app.engine.shutdown(60)


def epoch(screen: InverseScreen) -> int:
    view = screen.job.snapshot if screen.job is not None else None
    return view.progress.epoch if view is not None and view.recipe == screen.recipe else -1


def words(screen: InverseScreen, name: str) -> str:
    return text_of(screen.query_one(f"#{name}"))


def title_of(screen: InverseScreen, name: str) -> str:
    return str(screen.query_one(f"#{name}", CurvePlot).border_title)


async def drawn(screen: InverseScreen, pilot: Pilot[None]) -> None:
    """Until the plots show the newest snapshot."""
    await until(pilot, lambda: screen.regression.drawn[:2] == (screen.job, epoch(screen)))
    await ticked(pilot)


@pytest.fixture
def untrained_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown for a second stays until a test says so: a busy machine has no time for a second."""
    monkeypatch.setattr(regression_module, "UNTRAINED_SECONDS", 3600.0)


@pytest.mark.usefixtures("untrained_for_long")
async def test_it_opens_with_the_untrained_network_and_starts_by_itself() -> None:
    async with opened() as (screen, pilot):
        view = screen.job.snapshot if screen.job else None
        assert view is not None
        assert view.progress.epoch == 0
        assert np.array_equal(view.progress.prediction, untrained(screen.recipe).prediction)
        await until(pilot, lambda: "not trained yet" in words(screen, "verdict"))
        screen.regression.pace.start(0, at=time.monotonic())  # the second is over
        await until(pilot, lambda: epoch(screen) > 20)
        assert "▶ learning" in words(screen, "progress")


async def test_the_labs_500_epochs_end_with_the_ratio_to_the_best_straight_line() -> None:
    """Seed 0 is the one that LABS' recipe is shown with: 0.59 of the line's error."""
    async with opened(at_once=True) as (screen, pilot):
        await until(pilot, lambda: epoch(screen) == 500)
        await drawn(screen, pilot)
        view = screen.job.snapshot if screen.job else None
        assert view is not None
        assert view.recipe.hidden_layers == (3, 3)
        assert view.progress.mse_over_line == pytest.approx(view.progress.mse / LINE)
        assert screen.query_one("#ratio").value == f"{view.progress.mse / LINE:.2f}x" == "0.59x"
        verdict = words(screen, "verdict")
        assert f"the best straight line, {LINE:.2e}" in verdict
        assert "it learned more than a line" in verdict
        assert f"MSE {view.progress.mse:.2e} · 22 weights" in verdict
        assert "■ done" in words(screen, "progress")
        assert "epoch   500 of 500" in words(screen, "progress")
        version = screen.job.version if screen.job else 0
        await pilot.pause(0.3)
        assert screen.job is not None
        assert screen.job.version == version, "it rests at its goal"
        await pilot.press("space")
        await until(pilot, lambda: epoch(screen) == 1000)
        await pilot.pause(0.2)
        assert epoch(screen) == 1000
        assert len(screen.job.snapshot.losses) == 1001


async def test_seeds_and_nets_give_every_verdict_there_is() -> None:
    async with opened(at_once=True) as (screen, pilot):

        async def ends(keys: str) -> str:
            await pilot.press(*keys)
            await until(pilot, lambda: epoch(screen) == 500)
            await drawn(screen, pilot)
            return words(screen, "verdict")

        assert "so far worse than a straight line" in await ends("r")
        assert screen.chosen.seed == 1
        dead = await ends("rrrr")
        assert "dead: it answers one constant" in dead
        assert f"MSE {baselines().constant_mse:.3f}" in dead
        assert "3 of 6 units dead" in dead
        assert "no better than a straight line" in await ends("R")
        assert screen.chosen.seed == 4
        assert "a straight line is all that it can be" in await ends("WW")
        choices = " ".join(words(screen, "choices").split())
        assert choices == "w hidden none a activation - r seed 4 f speed all at once"
        job = screen.job
        await pilot.press("a")
        assert screen.job is job, "a straight line has no activation to choose"


@pytest.mark.usefixtures("untrained_for_long")
async def test_choices_start_anew_and_walk_both_ways() -> None:
    async with opened() as (screen, pilot):
        seen = []
        for _ in HIDDEN:
            await pilot.press("w")
            await until(pilot, lambda: epoch(screen) >= 0)
            view = screen.job.snapshot if screen.job else None
            assert view is not None
            assert view.progress.epoch == 0
            seen.append(view.recipe.hidden_layers)
        assert seen == [(8, 8), (16, 16), (64, 64), (), (3,), (3, 3)]
        await pilot.press("W", "a")
        assert (screen.recipe.hidden_layers, screen.recipe.activation) == ((3,), "tanh")
        await until(pilot, lambda: "1-[3]-1 tanh" in title_of(screen, "fit"))
        await pilot.press("A", "A")
        assert screen.recipe.activation == "silu"
        await pilot.press("R")
        assert screen.chosen.seed == 0, "there is no seed before 0"
        await pilot.press("f")
        assert screen.regression.pace.rate == 100.0
        await pilot.press("F", "F", "F")
        assert screen.regression.pace.rate == PACES[-1]
        await pilot.press("v")
        await until(pilot, lambda: "linear" in title_of(screen, "mse"))
        await pilot.click("#choices", offset=(2, 0))  # the letter h
        assert screen.recipe.hidden_layers == (3, 3)


async def test_hold_one_epoch_and_restart() -> None:
    async with opened() as (screen, pilot):
        await until(pilot, lambda: epoch(screen) > 3)
        await pilot.press("space")
        await obeyed(pilot)
        held = epoch(screen)
        await pilot.pause(0.3)
        assert epoch(screen) == held
        assert "⏸ held" in words(screen, "progress")
        await pilot.press(".", ".", ".")
        await until(pilot, lambda: epoch(screen) == held + 3)
        mse = screen.job.snapshot.losses.y.copy()
        await pilot.press("backspace")
        await until(pilot, lambda: epoch(screen) == 0)
        await pilot.pause(0.3)
        assert epoch(screen) == 0, "what was held stays held"
        await pilot.press(*"." * (held + 3))
        await until(pilot, lambda: epoch(screen) == held + 3)
        assert np.array_equal(screen.job.snapshot.losses.y, mse), "the same fit again"
        await pilot.press("space")
        await until(pilot, lambda: epoch(screen) > held + 3)


async def test_one_epoch_beyond_the_end_moves_the_end() -> None:
    async with opened(at_once=True) as (screen, pilot):
        await until(pilot, lambda: epoch(screen) == 500)
        await pilot.press(".")
        await until(pilot, lambda: epoch(screen) == 501)
        await until(pilot, lambda: "epoch   501 of 1000" in words(screen, "progress"))
        assert "⏸ held" in words(screen, "progress")


async def test_another_screen_holds_it() -> None:
    async with opened() as (screen, pilot):
        await until(pilot, lambda: epoch(screen) > 3)
        await pilot.press("1")
        await until(pilot, lambda: screen.job is not None and screen.job.state is JobState.PAUSED)
        await obeyed(pilot)
        away = epoch(screen)
        await pilot.pause(0.5)
        assert epoch(screen) == away
        await pilot.press("2")
        await until(pilot, lambda: epoch(screen) > away)


async def test_it_learns_while_torch_is_still_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = threading.Event()

    def slow(request: str) -> object:
        assert loaded.wait(60)
        return device_module.pick_device(request)

    monkeypatch.setattr(engine_module, "pick_device", slow)
    try:
        async with opened(at_once=True) as (screen, pilot):
            await until(pilot, lambda: epoch(screen) == 500)
            assert screen.lab.engine.device is None
            assert "loading torch" in str(screen.lab.pulse())
            loaded.set()
            await until(pilot, lambda: screen.lab.engine.device is not None)
    finally:
        loaded.set()


@pytest.mark.parametrize("size", [(76, 22), (80, 24), (120, 40)])
async def test_all_of_it_is_on_the_screen(size: tuple[int, int]) -> None:
    async with opened(size, keys="www", at_once=True) as (screen, pilot):  # the longest texts
        await until(pilot, lambda: epoch(screen) > 10)
        await drawn(screen, pilot)
        shown = list(screen.query("#views, #fit, #mse, #error, #ratio, #verdict, #choices, #progress"))
        for widget in shown:
            assert screen.region.contains_region(widget.region), widget
            assert not widget.show_vertical_scrollbar
        for one in shown:
            assert not any(one.region.overlaps(other.region) for other in shown if other is not one), one
        assert "…" not in "".join(words(screen, name) for name in ("fit", "error", "choices", "progress"))
        verdict_text = words(screen, "verdict")
        assert "4353 weights" in verdict_text
        assert " of 128 units dead" in verdict_text
        for name in ("fit", "error"):
            legend = words(screen, name).splitlines()[1]
            assert "line" in legend
            assert "network" in legend
        assert "no inverse" in words(screen, "fit").splitlines()[-1]
        assert f"best line {LINE:.2e}" in words(screen, "mse").splitlines()[-1]


def watch(widget: Widget, drawings: list[Widget]) -> None:
    """Note each time that the widget draws itself."""
    original = widget.render_lines

    def noted(crop: Region) -> list[Strip]:
        drawings.append(widget)
        return original(crop)

    widget.render_lines = noted  # type: ignore[method-assign]


async def test_at_rest_nothing_is_drawn() -> None:
    async with opened(at_once=True) as (screen, pilot):
        await until(pilot, lambda: epoch(screen) == 500)
        await drawn(screen, pilot)
        drawings: list[Widget] = []
        for widget in screen.query("*"):
            watch(widget, drawings)
        await at_rest(pilot, drawings)


@pytest.mark.slow
async def test_mashed_keys_leave_one_job_alive() -> None:
    async with opened() as (screen, pilot):
        await pilot.press(*"rwa0.r RWAf vfF..0  wwrpP" * 2)
        await pilot.pause(0.3)
        await until(pilot, lambda: epoch(screen) >= 0)
        await until(pilot, lambda: len(screen.lab.engine._pulled) == 1)
        assert screen.lab.engine._pulled[0].job is screen.job
        assert screen.job is not None
        assert screen.job.error is None


async def test_a_failed_fit_says_so_and_x_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from difftui.inversion import mlp

    async with opened() as (screen, pilot):
        await until(pilot, lambda: epoch(screen) > 3)
        with monkeypatch.context() as broken:
            broken.setattr(mlp.Adam, "step", lambda self, gradient: 1 / 0)
            await until(pilot, lambda: screen.job is not None and screen.job.error is not None)
            await until(pilot, lambda: "ZeroDivisionError" in words(screen, "verdict"))
            assert "✗ failed" in words(screen, "progress")
        await pilot.press("backspace")
        await until(pilot, lambda: epoch(screen) > 3)


def paced(rate: float, frames: float, seconds: float, done: Callable[[Pace], int]) -> Pace:
    pace = Pace(rate)
    pace.start(0)
    for frame in range(int(frames * seconds) + 1):
        pace.due(frame / frames, done(pace), 10**6)
    return pace


@pytest.mark.parametrize("rate", [10.0, 30.0, 100.0])
def test_a_pace_is_kept_whatever_the_frame_rate(rate: float) -> None:
    for frames in (7.0, 15.0, 60.0):
        assert paced(rate, frames, 20.0, lambda pace: pace.asked).asked == pytest.approx(20 * rate, abs=1.5)


def test_a_pace_asks_for_no_more_while_what_it_asked_for_is_not_done() -> None:
    assert paced(100.0, 15.0, 20.0, lambda pace: 0).asked <= 25


def test_a_pace_waits_stops_at_the_goal_and_makes_up_for_nothing() -> None:
    pace = Pace(30.0)
    pace.start(0, at=5.0)
    assert pace.due(4.0, 0, 500) == 0
    assert pace.due(5.0, 0, 500) == 0
    assert pace.due(5.11, 0, 500) == 3
    assert pace.due(1000.0, 3, 500) == 7, "a quarter of a second's worth"
    assert pace.due(1001.0, 10, 12) == 2
    assert pace.due(1002.0, 12, 12) == 0
    at_once = Pace(AT_ONCE)
    at_once.start(0, at=0.0)
    assert at_once.due(0.01, 0, 500) == 500


def test_ratios_are_told_in_about_two_digits() -> None:
    shown = {470.35: "470", 21.95: "21.9", 5.086: "5.09", 0.9996: "1.00", 0.591: "0.59", 0.0837: "0.084",
             0.0021: "0.0021", 99.7: "100", 9.97: "10.0"}  # fmt: skip
    assert {ratio: ratio_text(ratio) for ratio in shown} == shown
