"""Denoise with the networks that ship: its pictures, its figures, its four views at every size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import text_of, ticked, until
from numpy.typing import NDArray
from PIL import Image
from textual.pilot import Pilot

from difftui import models
from difftui.data import held_out
from difftui.engine.denoising import REPEATS, DenoisingView
from difftui.engine.training import start_training
from difftui.runs import Run, create_run
from difftui.runs.checkpoint import load_tensors
from difftui.state import State
from difftui.training.recipe import preset
from difftui.ui.app import DifftuiApp
from difftui.ui.panels.single_looks import LooksStage
from difftui.ui.screens.denoise import AGAIN, INSIDE, LOOK, VIEWS, WORTH, DenoiseScreen
from difftui.ui.sources import Source
from difftui.ui.time_pair import pair_of, what_to_train
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.slider import Slider

Opened = tuple[Pilot[None], DenoiseScreen]


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (80, 24), run: str | None = None, **choices: object
) -> AsyncIterator[Opened]:
    """The app on Denoise, its first network asked."""
    app = DifftuiApp(screen="denoise", run=run, device="cpu", state=State(choices={"denoise": choices}))
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, DenoiseScreen)
        await answered(pilot, screen)
        yield pilot, screen
    assert app.engine.shutdown(60)


async def answered(pilot: Pilot[None], screen: DenoiseScreen) -> DenoisingView:
    """Wait until the newest wish is answered and drawn."""

    def there() -> bool:
        view, wish = screen.view, screen.wish
        assert not screen.bench.failed
        if view is None or screen.bench.busy:
            return False
        return (view.wish.seed, view.wish.chosen) == (wish.seed, wish.chosen)

    await until(pilot, there)
    await ticked(pilot)
    assert screen.view is not None
    return screen.view


def shown(screen: DenoiseScreen, where: str) -> NDArray[Any]:
    images = screen.query_one(where, PixelView)._images
    assert images is not None
    return images


def said(screen: DenoiseScreen, where: str) -> str:
    return text_of(screen.query_one(where))


def whole(screen: DenoiseScreen) -> str:
    """Everything on the screen."""
    return "\n".join(strip.text for strip in screen._compositor.render_strips())


async def test_looks_move_with_the_keys() -> None:
    async with opened() as (pilot, screen):
        view = await answered(pilot, screen)
        assert screen.source is not None
        assert screen.source.name == "toy"
        assert np.array_equal(shown(screen, "#looks-shown"), view.looks.shown)
        assert np.array_equal(shown(screen, "#looks-cleaned"), view.looks.cleaned)
        captions = screen.query_one("#looks-cleaned", PixelView).captions
        assert captions == tuple(f"MSE {error:.4f}" for error in view.looks.error)
        assert screen.query_one("#looks-shown", PixelView).captions == (
            "t = 25",
            "t = 50",
            "t = 100",
            "t = 150",
        )
        facts = said(screen, "#looks-facts")
        assert f"{view.looks.error[0]:.4f}" in facts
        assert f"{-10 * np.log10(view.looks.error[0]):.1f}" in facts

        for key, rungs, chosen in [
            ("right", (26, 50, 100, 150), 0),
            ("shift+right", (36, 50, 100, 150), 0),
            ("down", (36, 50, 100, 150), 1),
            ("left", (36, 49, 100, 150), 1),
            ("plus", (36, 59, 100, 150), 1),
            ("up", (36, 59, 100, 150), 0),
            ("end", (199, 59, 100, 150), 0),
            ("home", (0, 59, 100, 150), 0),
            ("minus", (0, 59, 100, 150), 0),
            ("backspace", (25, 50, 100, 150), 0),
        ]:
            await pilot.press(key)
            view = await answered(pilot, screen)
            assert (view.wish.rungs, view.wish.chosen) == (rungs, chosen), key
            assert screen.query_one("#noise", Slider).value == rungs[chosen]
        await pilot.press("r")
        other = await answered(pilot, screen)
        assert not np.array_equal(other.looks.shown, view.looks.shown)
        await pilot.press("R", "R", "d", "n")
        last = await answered(pilot, screen)
        eights = np.flatnonzero(held_out().labels == 8)
        assert (last.wish.seed, last.index, last.count) == (0, eights[1], len(eights))
        assert "d digit 8   n example 2/" in said(screen, "#choices")

        await pilot.press("space")  # the noise of the chosen look grows
        screen._sweep.rate = 10.0  # so slowly that a busy machine finds it growing
        await until(pilot, lambda: screen.rungs[0] > 28)
        await pilot.press("space")
        held = screen.rungs
        view = await answered(pilot, screen)
        assert screen.rungs == held == view.wish.rungs
        assert held[1:] == (50, 100, 150)


async def test_again_and_again_step_by_step() -> None:
    async with opened(run="denoiser") as (pilot, screen):  # as difftui --screen denoise --run denoiser
        await pilot.press("tab")
        await until(pilot, lambda: screen.view is not None and screen.view.repeats is not None)
        assert screen.showing == AGAIN
        await pilot.press("home")
        await ticked(pilot)
        assert screen.head.index == 0
        assert "the look, its change of a pixel of [0, 1]" in text_of(
            screen.query_one("#repeats-digit-title")
        )
        await pilot.press("right", "right", "right")
        view = await answered(pilot, screen)
        repeats = view.repeats
        assert repeats is not None
        strip = screen.query_one("#repeats-noise", PixelView)
        assert strip.captions[3] == f"look 3 {repeats.moved[1, 2]:.3f}".replace(" 0.", " .")
        assert strip.captions[4] == ""  # not looked at yet
        assert strip.highlighted == 3
        assert np.array_equal(shown(screen, "#repeats-noise")[3], repeats.pictures[1, 3])
        assert f"after look 3: {repeats.error[2]:.4f}" in said(screen, "#repeats-told")
        await pilot.press("space")
        await until(pilot, lambda: screen.head.index >= 4)
        await pilot.press("end")
        await ticked(pilot)
        assert np.array_equal(shown(screen, "#repeats-digit")[-1], repeats.pictures[0, REPEATS])
        assert "from digit 7, noise 0.10" in whole(screen)


async def test_what_the_time_is_worth_is_measured() -> None:
    async with opened(showing=WORTH) as (pilot, screen):
        await until(pilot, lambda: screen.meter.errors is not None)
        first = screen.meter.job
        await pilot.press("shift+left")
        assert screen.told == 89
        await until(pilot, lambda: screen.meter.job is not first)
        job = screen.meter.job
        assert job is not None
        assert screen.meter.errors is not None  # the first stay until there are new ones
        await until(pilot, lambda: job.snapshot is not None)
        job.close()
        await until(pilot, lambda: job.state.final)
        await ticked(pilot)
        errors = screen.meter.errors
        assert errors is job.snapshot
        assert errors.told == 89
        assert errors.fixed is not None
        told = said(screen, "#errors-told")
        assert f"mean over t  {errors.own.mean_loss:.4f}   its lab's target, about 0.05" in told
        ratio = errors.fixed.mean_loss / errors.own.mean_loss
        assert f"always told t = 89: {errors.fixed.mean_loss:.4f} = {ratio:.1f} ×" in told
        assert "is not here" not in told, "the lecture's net ships"
        assert "target of the mean 0.05" in said(screen, "#errors-plot")


async def test_inside_are_the_weights_of_the_file_and_pictures_are_saved(own_home: Path) -> None:
    async with opened(showing=INSIDE) as (pilot, screen):
        view = await answered(pilot, screen)
        assert screen.source is not None
        template = models.build("toy-unet").state_dict()
        weights = load_tensors(screen.source.run.weights_path, template)["down_1.weight"].numpy()[:, 0]
        filters = shown(screen, "#inside-filters")
        for filter_shown, weight in zip(filters, weights, strict=True):
            assert np.abs(filter_shown * np.abs(weight).max() - weight).max() < 1e-6
        facts = said(screen, "#inside-facts")
        for figure in ("238 689", "100 000", "231 297", "0.0444", "0.05", "110 656", "32 filters"):
            assert figure in facts
        assert not view.network.one_shot

        await pilot.press("e")
        screen.action_open(LOOK)
        await pilot.press("e")
        await until(pilot, lambda: len(list((own_home / "exports").glob("*.png"))) == 2)
        first, second = sorted(path.name for path in (own_home / "exports").glob("*.png"))
        assert (first, second) == ("denoise-toy-7-0-seed0-t25-50-100-150.png", "denoise-toy-filters.png")
        with Image.open(own_home / "exports" / first) as sheet:
            assert sheet.size == (7 * (4 * 18 + 2), 7 * (3 * 18 + 2))
        screen.action_open(WORTH)
        await pilot.press("e")
        await ticked(pilot)
        assert "There are no pictures here to save" in said(screen, "#message")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_nothing_is_cut_off_at_any_size(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, screen):
        for source in ("toy", "denoiser"):
            while screen.source is None or screen.source.name != source:
                await pilot.press("m")
            await answered(pilot, screen)
            for showing, name in enumerate(VIEWS):
                screen.action_open(showing)
                await ticked(pilot)
                lines = whole(screen).splitlines()
                assert len(lines) == size[1]
                assert name in lines[1]
                assert lines[-2].strip(), "the line that tells what is seen"
                assert f"m network {source}" in lines[-3]
        screen.action_open(LOOK)
        await ticked(pilot)
        assert screen.query_one("#looks-plot").display == (size[1] > 24)


@pytest.mark.slow
async def test_a_storm_of_sizes_views_and_networks() -> None:
    async with opened() as (pilot, screen):
        for columns, rows in ((200, 60), (12, 4), (80, 24)):
            await pilot.resize_terminal(columns, rows)
            for key in ("m", "tab", "space", "right", "d", "shift+tab", "tab", "r", "v", "N", "end", "e"):
                screen.app.simulate_key(key)  # the pilot would wait until nothing is computed
                await pilot.pause(0.01)
        screen.app.simulate_key("2")
        await until(pilot, lambda: screen.app.screen is not screen)
        screen.app.simulate_key("7")
        await until(pilot, lambda: screen.app.screen is screen)
        assert screen.bench.job is not None
        assert not screen.bench.failed


def test_the_lectures_pair_is_found_by_what_was_trained() -> None:
    def net(name: str, **changes: Any) -> Source:
        return Source(Run(Path(name)), False, False, replace(preset("lecture"), **changes))

    plain, timed = net("plain"), net("timed", model_options={"time": True, "size": 28}, seed=3)
    shorter = net("shorter", model_options={"time": True}, timesteps=200)
    toy = Source(Run(Path("toy")), True, False, preset("toy"))
    assert pair_of(plain, [toy, shorter, plain, timed]) is timed
    assert pair_of(timed, [toy, plain]) is plain
    assert pair_of(plain, [toy, shorter]) is None  # its loss is of another schedule
    assert pair_of(toy, [plain, timed]) is None
    assert what_to_train(plain, [plain, timed]) == ""
    assert what_to_train(plain, [plain]).endswith("difftui train --preset lecture --model-option time=yes")
    assert what_to_train(timed, [timed]).endswith("difftui train --preset lecture")
    assert what_to_train(toy, [toy]).endswith("is not here: difftui train --preset lecture")
    assert what_to_train(toy, [toy, plain]) == ""


async def test_a_network_that_cannot_be_opened_is_one_line(own_home: Path) -> None:
    run = create_run("broken", preset("toy").to_json())
    run.weights_path.write_bytes(b"no weights")
    async with opened() as (pilot, screen):
        while screen.source is None or screen.source.name != "broken":
            await pilot.press("m")
        await until(pilot, lambda: screen.bench.failed)
        await until(pilot, lambda: "broken" in said(screen, "#message"))
        await pilot.press("m")
        view = await answered(pilot, screen)
        assert view.network.name != "broken"


async def test_a_run_that_is_gone_is_told_and_the_network_stays() -> None:
    async with opened() as (pilot, screen):
        await answered(pilot, screen)
        screen.lab.wanted_run = "gone"  # as another screen hands it on
        await pilot.press("2", "7")
        await until(pilot, lambda: "gone" in said(screen, "#message"))
        assert screen.source is not None
        assert screen.source.name == "toy"


@pytest.mark.slow
async def test_a_network_is_marked_as_long_as_it_trains() -> None:
    recipe = replace(preset("toy"), data="bundled", batch_size=8)
    async with opened() as (pilot, screen):
        app = screen.lab
        training = app.training = app.engine.submit("live", start_training(recipe, "live-1"))
        await until(pilot, lambda: training.version > 1)
        app.wanted_run = "live-1"
        await pilot.press("2", "7")
        await until(pilot, lambda: "live-1 ▶" in said(screen, "#choices"))
        training.close()
        await until(pilot, lambda: screen.source is not None and not screen.source.live)
        await until(pilot, lambda: "▶" not in said(screen, "#choices"))


@pytest.mark.parametrize(
    ("room", "side", "expected"),
    [
        ((80, 18), 16, (16, 12, 0)),
        ((80, 18), 28, (15, 16, 0)),
        ((120, 34), 16, (16, 19, 16)),
        ((120, 34), 28, (23, 24, 8)),
        ((200, 54), 28, (28, 29, 24)),
    ],
)
def test_the_room_is_used(room: tuple[int, int], side: int, expected: tuple[int, int, int]) -> None:
    stage = LooksStage.fitting(*room, side)
    assert (stage.pixels, stage.left, stage.plot) == expected
