"""The Generate screen with real networks: tiny ones, really trained, really sampled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import at_rest, text_of, ticked, tiny, train_tiny, until
from numpy.typing import NDArray
from PIL import Image
from textual.content import Content
from textual.pilot import Pilot
from textual.widget import Widget

from difftui import media, paths
from difftui.diffusion import transitions
from difftui.engine import JobState
from difftui.engine.sampling import SamplingView
from difftui.engine.training import start_training
from difftui.runs import create_run, runs_dir
from difftui.ui.app import DifftuiApp
from difftui.ui.half_blocks import RAMP, grey_levels
from difftui.ui.panels.stage import NARROW, PANES, Stage
from difftui.ui.screens.generate import GenerateScreen
from difftui.ui.sources import find_sources
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.slider import Slider
from difftui.words import short_path

T = 1000
ASKED = tiny(T, batch_size=8, sampler="ddim", sampler_steps=50, temperature=0.9)
UNASKED = tiny(30, "lab-unet")  # draws as the lab does: DDPM, every timestep


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two runs: "asked" can be asked for a digit, "unasked" cannot."""
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIFFTUI_HOME", str(home))
        for moment, (name, recipe) in enumerate((("unasked", UNASKED), ("asked", ASKED))):
            run = train_tiny(name, recipe, 16)
            for path in run.path.iterdir():  # "asked" is the newer one, so the first in the list
                os.utime(path, (moment, moment))
    return home


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for shipped checkpoints, empty until a test fills it."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setattr(paths, "checkpoints_dir", lambda: folder)
    return folder


@pytest.fixture
def runs(trained: Path, own_home: Path) -> Path:
    """This test's own copy of the two runs."""
    shutil.copytree(trained / "runs", own_home / "runs", copy_function=shutil.copy2)
    return own_home / "runs"


def shown(screen: GenerateScreen, name: str) -> str:
    return text_of(screen.query_one(name))


def levels(view: PixelView) -> NDArray[np.int64]:
    """The picture that a view's cells show, as levels of its grey ramp: what the terminal would draw."""
    rows = []
    for strip in view.render_lines(view.size.region):
        upper: list[int] = []
        lower: list[int] = []
        for text, style, _ in strip:
            assert style is not None
            assert style.color is not None
            assert style.bgcolor is not None
            fore = RAMP.index(style.color.get_truecolor().red)
            back = RAMP.index(style.bgcolor.get_truecolor().red)
            for glyph in text:
                upper.append(fore if glyph in "▀█" else back)
                lower.append(fore if glyph in "▄█" else back)
        rows += [upper, lower]
    return np.array(rows)


def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return np.array_equal(a, b)  # in a function of its own, so that a failure prints no arrays


def view_of(screen: GenerateScreen) -> SamplingView:
    assert screen.view is not None
    return screen.view


async def drawn(pilot: Pilot[None], screen: GenerateScreen) -> SamplingView:
    """The newest drawing, whole, shown at its end."""
    await until(pilot, lambda: screen.view is not None and screen.view.done)
    await pilot.press("end")
    await until(pilot, lambda: "■" in shown(screen, "#status"))
    return view_of(screen)


async def at(pilot: Pilot[None], screen: GenerateScreen, index: int) -> None:
    """That frame is asked for, and the clock has drawn it."""
    slider = screen.query_one("#time", Slider)
    await until(
        pilot, lambda: screen.playhead.index == slider.value == index and not screen.lab.pictures_wait
    )


async def says(pilot: Pilot[None], screen: GenerateScreen, name: str, text: str) -> None:
    await until(pilot, lambda: text in shown(screen, name))


Test = Callable[[Pilot[None], GenerateScreen], Awaitable[None]]


async def session(test: Test, size: tuple[int, int] = (80, 24), **options: Any) -> DifftuiApp:
    """Run a test in an open Generate screen; the engine must end well afterwards."""
    app = DifftuiApp(screen="generate", device="cpu", **options)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, GenerateScreen) and app.engine.device is not None)
        screen = app.screen
        assert isinstance(screen, GenerateScreen)
        await test(pilot, screen)
    assert app.engine.shutdown(60)
    return app


async def test_the_first_picture_is_born_without_a_key(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = DifftuiApp(screen="generate", device="cpu")
    start = app.engine.start
    monkeypatch.setattr(app.engine, "start", lambda: None)  # until it is slow enough to be seen
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, GenerateScreen) and app.screen.job is not None)
        screen = app.screen
        assert isinstance(screen, GenerateScreen)
        screen.playhead.change(-9)
        start()
        await until(pilot, lambda: screen.view is not None and screen.playhead.index > 0)
        assert screen.playhead.playing
        assert "▶ playing" in shown(screen, "#status")
        screen.playhead.change(9)
        await until(pilot, lambda: view_of(screen).done and not screen.playhead.playing)
        await ticked(pilot)
        view = view_of(screen)
        assert (view.name, view.labels, view.request.seeds) == ("asked", (7,), (0,))
        assert screen.playhead.index == 50
        assert "■ finished" in shown(screen, "#status")
        assert "finished" in str(screen.query_one("#pane-x_t").border_title)
    assert app.engine.shutdown(60)


async def test_every_frame_shown_is_the_samplers_forward_and_back(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        view = await drawn(pilot, screen)
        times = [*(t for t, _ in transitions(T, 50)), -1]
        for key, index in (
            ("left", 49), ("comma", 48), ("shift+left", 38), ("right", 39), ("full_stop", 40),
            ("shift+right", 50), ("right", 50), ("home", 0), ("left", 0), ("shift+right", 10), ("end", 50),
        ):  # fmt: skip
            await pilot.press(key)
            await at(pilot, screen, index)
            assert not screen.playhead.playing
            assert same(levels(screen.query_one("#x_t", PixelView)), grey_levels(view.x[index, 0]))
            assert same(levels(screen.query_one("#x0_hat", PixelView)), grey_levels(view.x0_hat[index, 0]))
            title = str(screen.query_one("#pane-x_t").border_title)
            towards = "clean" if index == 49 else f"{times[index + 1]:>3}" if index < 50 else ""
            assert (f"t = {times[index]:>3} → {towards}" if index < 50 else "finished") in title
            assert f"{index}/50" in shown(screen, "#side")
            noise = 100 * (1 - view.alpha_bars[index])
            assert f" {noise:.1f} %" in shown(screen, "#side")

    await session(test)


async def test_the_mouse_scrubs_and_clicks_choices(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        view = await drawn(pilot, screen)
        slider = screen.query_one("#time", Slider)
        assert (slider.value, slider.last) == (50, 50)
        x = next(x for x in range(slider.size.width) if slider.position_at(x) == 20)
        await pilot.click(slider, offset=(x + slider.gutter.left, 0))
        await at(pilot, screen, 20)
        assert same(levels(screen.query_one("#x_t", PixelView)), grey_levels(view.x[20, 0]))
        lines = shown(screen, "#side").split("\n")
        row = next(y for y, line in enumerate(lines) if "sampler" in line)
        assert "DDIM" in lines[row]
        await pilot.click("#side", offset=(3, row))
        await until(
            pilot, lambda: screen.view is not None and view_of(screen).request.sampler == "dpm-solver++"
        )
        await says(pilot, screen, "#side", "DPM++ 2M")

    await session(test)


async def test_play_hold_and_speed_go_by_the_clock(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await drawn(pilot, screen)
        await pilot.press("F", "F", "F", "F", "F", "F", "F")
        assert screen.playhead.rate == 15 / 16
        await says(pilot, screen, "#side", "fps     0.938")
        await pilot.press(*"ffffffffffff")
        assert screen.playhead.rate == 15 * 64
        await says(pilot, screen, "#side", "fps     960")
        await pilot.press("home")
        await at(pilot, screen, 0)
        await pilot.press("space")  # at this speed it is over at once
        await at(pilot, screen, 50)
        await pilot.press(*"FFFFFFFFF", "home", "space")
        await until(pilot, lambda: screen.playhead.index > 0)
        await pilot.press("space")
        held = screen.playhead.index
        assert 0 < held < 50
        await says(pilot, screen, "#status", "❚❚ held")
        await pilot.pause(0.7)
        assert screen.playhead.index == held

    await session(test)


async def test_seeds_are_shown_and_repeatable(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        first = await drawn(pilot, screen)
        await pilot.press("R")
        assert screen.wish.seed == 0, "there is none below 0"
        assert screen.view is first, "nothing changed, so nothing is drawn anew"
        await pilot.press("r", "r")
        other = await drawn(pilot, screen)
        assert other.request.seeds == (2,)
        assert "seed    2" in shown(screen, "#side")
        assert np.abs(other.x[-1].astype(float) - first.x[-1]).max() > 0.1
        await pilot.press("R", "R")
        again = await drawn(pilot, screen)
        assert again is not first
        assert np.array_equal(again.x, first.x)

    await session(test)


async def test_a_digit_is_asked_for_where_the_network_can_be_asked(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await drawn(pilot, screen)
        await pilot.press("d")
        assert (await drawn(pilot, screen)).labels == (8,)
        await pilot.press("d", "d")
        view = await drawn(pilot, screen)
        assert view.request.label is None
        assert view.labels is not None
        assert f"any {view.labels[0]}" in shown(screen, "#side")
        await pilot.press("d")
        assert (await drawn(pilot, screen)).labels == (0,)
        await pilot.press("m")
        unasked = await drawn(pilot, screen)
        assert (unasked.name, unasked.labels) == ("unasked", None)
        assert "d digit   none" in shown(screen, "#side")
        await pilot.press("d")
        await says(pilot, screen, "#message", "unasked was trained without labels")
        assert screen.view is unasked
        await pilot.press("M")
        assert (await drawn(pilot, screen)).labels == (0,), "the wish is kept for networks that can be asked"

    await session(test)


@pytest.mark.slow
async def test_samplers_and_any_number_of_steps_up_to_T(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await drawn(pilot, screen)
        assert "temperature" in shown(screen, "#side")
        assert " 0.9" in shown(screen, "#side")
        await pilot.press("m")
        advised = await drawn(pilot, screen)
        assert (advised.sampler, len(advised.times), advised.temperature) == ("ddpm", 31, 1.0)
        await pilot.press("m")
        advised = await drawn(pilot, screen)
        assert (advised.sampler, len(advised.times), advised.temperature) == ("ddim", 51, 0.9)
        await pilot.press("A")
        assert (await drawn(pilot, screen)).sampler == "ddpm"
        counts = []
        for key in (*("minus",) * 4, "plus", "equals_sign", *("plus",) * 6):
            await pilot.press(key)
            counts.append(screen.wish.taken(screen.source)[1])
        assert counts == [25, 10, 5, 5, 10, 25, 50, 100, 200, 500, 1000, 1000], "never more than T"
        view = await drawn(pilot, screen)
        assert view.times == tuple(range(999, -2, -1))
        await pilot.press("m")
        assert len((await drawn(pilot, screen)).times) == 31, "this schedule has 30 timesteps"
        await pilot.press("minus")
        assert screen.wish.taken(screen.source)[1] == 25

    await session(test)


@pytest.mark.slow
async def test_a_grid_of_twelve_with_one_chosen(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await drawn(pilot, screen)
        await pilot.press("r", "g")
        view = await drawn(pilot, screen)
        assert view.request.seeds == tuple(range(1, 13))
        assert view.labels == (7,) * 12
        sheet = screen.query_one("#grid", PixelView)
        assert sheet.display
        assert not screen.query_one("#stage").display
        assert sheet.highlighted == 0
        await pilot.press("D", "D", "D", "D", "D", "D", "D", "D")
        view = await drawn(pilot, screen)
        assert view.request.label == "each"
        assert view.labels == (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1)
        await pilot.press("n", "down", "n", "N", "up", "n")
        await until(pilot, lambda: sheet.highlighted == 2)
        x, y = sheet.arrangement.place(9)
        await pilot.click(sheet, offset=(x + 1, y + 1))
        await until(pilot, lambda: sheet.highlighted == 9)
        await says(pilot, screen, "#band", "chosen  10")
        await pilot.press("left", "left", "g")
        await at(pilot, screen, 48)
        await says(pilot, screen, "#side", "seeds   1")
        assert screen.view is view, "the chosen one is there already: nothing is computed again"
        assert same(levels(screen.query_one("#x_t", PixelView)), grey_levels(view.x[48, 9]))
        assert "seed    10" in shown(screen, "#side")
        assert "digit   9" in shown(screen, "#side")
        await pilot.press("g")
        assert screen.view is view
        assert (screen.wish.picture, screen.wish.label) == (9, "each")
        await pilot.press("g", "r")
        alone = await drawn(pilot, screen)
        assert (alone.request.seeds, alone.labels) == ((11,), (9,))
        await pilot.press("g", "r")
        assert (await drawn(pilot, screen)).request.seeds == tuple(range(23, 35)), "the next twelve"

    await session(test)


async def test_pictures_and_films_are_saved_beside_the_run_and_never_over_another(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        view = await drawn(pilot, screen)
        await pilot.press("e")
        saved = "saved asked-ddim50-digit7-seed0.png and asked-ddim50-digit7-seed0.gif"
        await says(pilot, screen, "#message", saved)
        folder = runs / "asked" / "samples"
        assert short_path(folder)[-40:] in shown(screen, "#message")
        with Image.open(folder / "asked-ddim50-digit7-seed0.png") as png:
            assert np.array_equal(np.asarray(png), media.grid(view.x[50, 0], scale=8))
        with Image.open(folder / "asked-ddim50-digit7-seed0.gif") as gif:
            assert gif.n_frames == 51
            for index in (0, 20, 50):
                gif.seek(index)
                pair = np.stack([view.x[index, 0], view.x0_hat[index, 0]])
                assert np.array_equal(np.asarray(gif.convert("L")), media.grid(pair, columns=2, scale=8))
        before = {path: path.read_bytes() for path in folder.iterdir()}
        await pilot.press("e")
        await says(pilot, screen, "#message", "seed0-2.png")
        await pilot.press("left", "g")
        sheet = await drawn(pilot, screen)
        await pilot.press("left", "e")
        await says(pilot, screen, "#message", "seeds0to11-t0.gif")
        with Image.open(folder / "asked-ddim50-digit7-seeds0to11-t0.png") as png:
            assert np.array_equal(np.asarray(png), media.grid(sheet.x[49], columns=4, scale=4))
        assert len(list(folder.glob("asked-*"))) == 6
        assert {path: path.read_bytes() for path in before} == before

    await session(test)


async def test_what_is_drawn_with_a_shipped_network_is_saved_at_home(
    trained: Path, shipped: Path, own_home: Path
) -> None:
    shutil.copytree(trained / "runs" / "asked", shipped / "quick")
    shutil.copytree(trained / "runs" / "unasked", shipped / "lab")
    shutil.copytree(
        trained / "runs" / "unasked", own_home / "runs" / "lab"
    )  # the user's own, of the same name
    found = [(source.name, source.shipped) for source in find_sources(None)]
    assert found == [("quick", True), ("lab", True), ("lab", False)]

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        assert (await drawn(pilot, screen)).name == "quick"
        await pilot.press("e")
        await until(pilot, lambda: "saved" in shown(screen, "#message"))
        names = {path.name for path in (own_home / "exports").iterdir()}
        assert names == {"quick-ddim50-digit7-seed0.png", "quick-ddim50-digit7-seed0.gif"}
        for source in (1, 2, 0):
            await pilot.press("m")
            view = await drawn(pilot, screen)
            assert screen.source == screen.shelf.all[source]
            assert view.request.source == screen.shelf.all[source].run.path
        assert len(list(shipped.rglob("quick-*.png"))) == 0

    await session(test)


async def test_a_folder_that_cannot_be_written_is_one_line(runs: Path) -> None:
    shutil.rmtree(runs / "asked" / "samples")
    (runs / "asked" / "samples").write_text("not a folder")

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await drawn(pilot, screen)
        await pilot.press("e")
        await until(pilot, lambda: "Cannot write" in shown(screen, "#message"))
        await pilot.press("e", "left")
        await at(pilot, screen, 49)  # the screen stays usable

    await session(test)


@pytest.mark.slow
async def test_the_run_in_training_can_draw_and_draws_better_later(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        app = screen.lab
        await pilot.press("minus", "minus")
        recipe = replace(ASKED, steps=10**6)
        training = app.training = app.engine.submit("training", start_training(recipe, "live-1"))
        await until(pilot, lambda: training.version > 3)
        app.wanted_run = "live-1"  # as the Train screen's g does
        await pilot.press("1", "5")
        first = await drawn(pilot, screen)
        assert (first.name, first.live) == ("live-1", True)
        assert "live-1 ▶" in shown(screen, "#side")
        assert "space draws anew with the weights of now" in shown(screen, "#status")
        drawn_with = first.weights_step or 0
        await until(pilot, lambda: training.snapshot.progress.step > drawn_with)
        await pilot.press("space")
        await until(pilot, lambda: screen.view is not first)
        second = await drawn(pilot, screen)
        assert second.weights_step is not None
        assert first.weights_step is not None
        assert second.weights_step > first.weights_step
        assert np.array_equal(second.x[0], first.x[0])
        assert app.training.state is JobState.RUNNING
        app.training.close()
        await until(pilot, lambda: screen.source is not None and not screen.source.live)
        await until(pilot, lambda: "▶" not in shown(screen, "#side"))
        await pilot.press("r")
        saved = await drawn(pilot, screen)
        assert not saved.live
        assert saved.name == "live-1"

    await session(test)


async def test_while_torch_loads_choices_can_be_made_and_it_says_so(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = DifftuiApp(screen="generate", device="cpu")
    start = app.engine.start
    monkeypatch.setattr(app.engine, "start", lambda: None)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, GenerateScreen))
        screen = app.screen
        assert isinstance(screen, GenerateScreen)
        await pilot.press("d", "r", "r", "minus", "left", "e", "home", "n", "x")
        await says(pilot, screen, "#status", "loading torch …")
        await says(pilot, screen, "#side", "digit   8")
        await says(pilot, screen, "#message", "There is nothing to save yet.")
        start()
        view = await drawn(pilot, screen)
        assert (view.labels, view.request.seeds, len(view.times)) == ((8,), (2,), 26)
    assert app.engine.shutdown(60)


async def test_with_no_network_it_says_what_is_missing_and_how_to_get_one() -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        create_run("untrained", ASKED.to_json())
        await pilot.press(*"dDmMaArRgnNfFe+-()", "space", "left", "right", "home", "end", "up", "down")
        await says(pilot, screen, "#nothing", "Press 4 to train one")
        text = " ".join(shown(screen, "#nothing").split())
        assert "No trained network is here" in text
        assert screen.job is None

    await session(test)


async def test_a_run_that_is_not_there_and_one_without_weights(runs: Path) -> None:
    async def nobody(pilot: Pilot[None], screen: GenerateScreen) -> None:
        assert (await drawn(pilot, screen)).name == "asked"

    async def untrained(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await until(pilot, lambda: "has no weights yet" in shown(screen, "#message"))
        await pilot.press("m")
        assert (await drawn(pilot, screen)).name == "asked"
        assert shown(screen, "#message").strip() == ""

    await session(nobody, run="nobody")
    create_run("untrained", ASKED.to_json())
    await session(untrained, run="untrained")


async def test_damaged_weights_are_named_and_the_screen_stays_usable(runs: Path) -> None:
    weights = runs / "asked" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await until(pilot, lambda: "damaged" in shown(screen, "#message"))
        message = screen.query_one("#message")
        await until(pilot, lambda: message.region.height >= 3)
        assert "train again." in " ".join(shown(screen, "#message").split())
        assert message.region.bottom <= screen.key_bar.region.y, "told whole, above the keys"
        await pilot.press("d", "space", "left", "e")
        await until(pilot, lambda: screen.job is not None and screen.job.state is JobState.FAILED)
        await pilot.press("m")
        assert (await drawn(pilot, screen)).name == "unasked"
        await pilot.press("m")
        await says(pilot, screen, "#message", "damaged")
        blank = screen.query_one("#x_t", PixelView)
        assert "▀" not in "".join(strip.text for strip in blank.render_lines(blank.size.region))

    await session(test)


@pytest.mark.slow
async def test_keys_mashed_end_in_what_they_say(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await pilot.press(*"drdrmag+rdM-gnfdRaeF", "space", "left", "end", "home", "space")
        view = await drawn(pilot, screen)
        request = view.request
        assert screen.source is not None
        assert request.source == screen.source.run.path
        assert (request.sampler, request.steps) == screen.wish.taken(screen.source)
        assert request.seeds[screen.wish.picture if not screen.wish.grid else 0] == screen.wish.seed
        await until(pilot, lambda: not screen.lab.engine._pulled)  # what was given up is closed

    await session(test)


@pytest.mark.slow
async def test_another_screen_pauses_the_drawing_and_no_time_passes(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await drawn(pilot, screen)
        await pilot.press("1", "5")  # so that Home is there already, and shown at once below
        await pilot.press("a", "plus", "plus", "plus", "plus", "g")
        job = screen.job
        assert job is not None
        await until(pilot, lambda: job.version > 3)
        await pilot.press("1")
        await until(pilot, lambda: job.state is not JobState.RUNNING)
        paused = job.state
        if paused is JobState.DONE:
            pytest.skip("this machine drew all 500 steps before the other screen was shown")
        assert paused is JobState.PAUSED
        count, index = job.version, screen.playhead.index
        await pilot.pause(0.5)
        assert (job.version, screen.playhead.index) == (count, index)
        await pilot.press("5")
        await until(pilot, lambda: job.version > count)
        await pilot.press("question_mark")
        await pilot.pause(0.2)
        helped = job.state
        assert helped is not JobState.PAUSED, "help leaves it as it is"
        await pilot.press("escape")
        await pilot.press("minus", "minus", "minus", "minus")
        assert (await drawn(pilot, screen)).count == 51, "and what was begun is given up"

    await session(test)


async def test_at_rest_nothing_is_drawn(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await drawn(pilot, screen)
        refreshed: list[str] = []

        def noted(self: Widget, *args: Any, **options: Any) -> Widget:
            refreshed.append(repr(self))
            return refresh(self, *args, **options)

        refresh = Widget.refresh
        monkeypatch.setattr(Widget, "refresh", noted)
        await at_rest(pilot, refreshed)

    await session(test)


SIZES = (
    (80, 24, Stage(1, 2, 20)),
    (76, 22, Stage(1, 2, 16)),
    (110, 30, Stage(1, 3, 20)),
    (120, 40, Stage(2, 2, 0, 56)),
    (140, 24, Stage(1, 4, 20)),
    (150, 45, Stage(2, 2, 34, 56)),
    (260, 60, Stage(2, 4, 28, 56)),
)


@pytest.mark.slow
async def test_everything_fits_at_every_size_and_nothing_overlaps(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await pilot.press("minus", "minus", "minus")
        await drawn(pilot, screen)
        await pilot.press("e")
        await says(pilot, screen, "#message", "saved")
        for columns, rows, stage in SIZES:
            await pilot.resize_terminal(columns, rows)
            await until(pilot, lambda stage=stage: screen.stage == stage)
            for grid in (False, True):
                if screen.wish.grid != grid:
                    await pilot.press("g")
                    await drawn(pilot, screen)
                await ticked(pilot)
                check_layout(screen, grid)

    await session(test)


def check_layout(screen: GenerateScreen, grid: bool) -> None:
    columns, stage = screen.size.width, screen.stage
    parts = [w for w in screen.query("#generate > *") if w.display and w.id != "stage"]
    parts += [w for w in screen.query("#stage > *") if w.display and not grid]
    area = screen.region.shrink((1, 0, 1, 0))
    assert all(area.contains_region(w.region) and w.region.area for w in parts), (columns, grid)
    assert not any(a.region.overlaps(b.region) for i, a in enumerate(parts) for b in parts[i + 1 :])
    assert "…" not in shown(screen, "#status"), "nothing is cut off"
    assert "…" not in shown(screen, "#side" if stage.side and not grid else "#band"), (columns, grid)
    if grid:
        assert screen.query_one("#grid", PixelView).arrangement.image_height >= (10 if columns < 80 else 12)
        return
    for name, _ in PANES[: stage.panes]:
        arrangement = screen.query_one(f"#{name}", PixelView).arrangement
        assert arrangement.image_width == arrangement.image_height == stage.pixels
    large = grey_levels(view_of(screen).x[screen.playhead.index][screen.wish.picture])
    large = large.repeat(stage.scale, 0).repeat(stage.scale, 1)
    assert same(levels(screen.query_one("#x_t", PixelView)), large)


async def test_resizing_keeps_the_frame(runs: Path) -> None:
    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        view = await drawn(pilot, screen)
        await pilot.press("left", "left", "left")
        for columns, rows in ((60, 20), (200, 60), (76, 22)):
            await pilot.resize_terminal(columns, rows)
            await pilot.pause(0.2)
            assert screen.playhead.index == 47
            assert screen.view is view
        await until(pilot, lambda: screen.stage == Stage(1, 2, 16))
        await ticked(pilot)
        assert same(levels(screen.query_one("#x_t", PixelView)), grey_levels(view.x[47, 0]))

    await session(test)


def test_the_users_runs_are_listed_newest_first_and_only_with_weights(runs: Path) -> None:
    live = create_run("live", ASKED.to_json())
    create_run("untrained", ASKED.to_json())
    (create_run("broken", "{").weights_path).write_bytes(b"")
    found = find_sources(live)
    names = [(s.name, s.live, s.recipe and s.recipe.timesteps) for s in found]
    assert sorted(names[:2]) == [("broken", False, None), ("live", True, T)]
    assert names[2:] == [("asked", False, T), ("unasked", False, 30)]
    assert runs_dir() == runs


def test_titles_of_small_panes_are_whole() -> None:
    """A border of w columns has room for w - 6 of a title."""
    small = Stage.fitting(80, 24, 16)
    assert small.is_narrow
    assert not Stage.fitting(80, 24, 28).is_narrow
    assert all(Content.from_markup(title).cell_length <= small.pixels - 4 for title in NARROW.values())
    assert all(Content.from_markup(title).cell_length <= 24 for _, title in PANES)
