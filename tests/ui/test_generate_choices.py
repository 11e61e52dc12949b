"""What Generate offers and applies: every sampler, guidance with its convention, colours, pipelines."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import text_of, tiny, until
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from difftui import paths
from difftui.diffusion import EXPERIMENTS, SAMPLERS
from difftui.engine import JobState
from difftui.engine.sampling import SamplingView
from difftui.experiments.quoted import QUOTED
from difftui.runs import Run, create_run
from difftui.runs.checkpoint import save_tensors
from difftui.state import State
from difftui.training.recipe import Recipe
from difftui.ui.app import DifftuiApp
from difftui.ui.panels.network_picker import NetworkPicker, names_of
from difftui.ui.pipeline_sources import find_pipelines, named_network, opened_as
from difftui.ui.screens.generate import GenerateScreen
from difftui.ui.sources import Source
from difftui.ui.widgets.pixels import PixelView

GUIDED = tiny(20, label_drop=0.1, guidance=0.3, sampler="dpm-solver++", sampler_steps=5)
COLOURED = Recipe(
    name="tiny", model="attention-unet", data="pictures",
    model_options={"channels": 3, "size": 8, "num_classes": 3},
    timesteps=20, schedule="cosine", target="v", label_drop=0.1, sampler="ddim", sampler_steps=4, steps=3,
)  # fmt: skip
ONE_LOOK = Recipe(
    name="denoiser", model="autoencoder", data="bundled", model_options={"noise": 0.5}, timesteps=1,
    schedule_options={"beta_start": 0.5, "beta_end": 0.5}, target="x0", sampler="looped-x0", steps=3,
)  # fmt: skip

Test = Callable[[Pilot[None], GenerateScreen], Awaitable[None]]


@pytest.fixture(autouse=True)
def nothing_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoints").mkdir()
    monkeypatch.setattr(paths, "checkpoints_dir", lambda: tmp_path / "checkpoints")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)


def keep(name: str, recipe: Recipe) -> None:
    """A run with random weights."""
    import torch

    from difftui import models

    torch.manual_seed(0)
    model = models.build(recipe.model, **recipe.model_options)
    for weight in model.parameters():
        weight.data += 0.1 * torch.randn(weight.shape)  # networks begin silent
    run = create_run(name, recipe.to_json())
    header = {"recipe": recipe.to_json(), "step": "3"}
    save_tensors(run.weights_path, model.state_dict(), header)


def shown(screen: GenerateScreen, name: str) -> str:
    return text_of(screen.query_one(name))


async def drawn(pilot: Pilot[None], screen: GenerateScreen) -> SamplingView:
    await until(pilot, lambda: screen.view is not None and screen.view.done)
    await pilot.press("end")
    await until(pilot, lambda: "■" in shown(screen, "#status"))
    assert screen.view is not None
    return screen.view


async def says(pilot: Pilot[None], screen: GenerateScreen, name: str, text: str) -> None:
    await until(pilot, lambda: text in " ".join(shown(screen, name).split()))


async def session(test: Test, size: tuple[int, int] = (80, 24), **options: Any) -> DifftuiApp:
    app = DifftuiApp(screen="generate", device="cpu", **options)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, GenerateScreen) and app.engine.device is not None)
        screen = app.screen
        assert isinstance(screen, GenerateScreen)
        await test(pilot, screen)
    assert app.engine.shutdown(60)
    return app


async def test_every_sampler_and_experiment_is_offered_and_told(own_home: Path) -> None:
    keep("guided", GUIDED)

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        assert (await drawn(pilot, screen)).sampler == "dpm-solver++"
        assert "DPM++ 2M" in shown(screen, "#side")
        screen.wish.steps, seen = 5, []
        for _ in range(len(SAMPLERS) + len(EXPERIMENTS)):
            await pilot.press("a")
            name, _ = screen.wish.taken(screen.source)
            seen.append(name)
            await says(pilot, screen, "#message", (SAMPLERS.get(name) or EXPERIMENTS[name])[:40])
            await until(pilot, lambda name=name: screen.view is not None and screen.view.sampler == name)
        assert sorted(seen) == sorted([*SAMPLERS, *EXPERIMENTS])
        await pilot.press("A", "A", "r")
        view = await drawn(pilot, screen)
        assert view.sampler == "ddpm"
        await pilot.press("A", "r")
        assert (await drawn(pilot, screen)).sampler == "looped-x0"
        await says(pilot, screen, "#message", "looped-x0 Experiment:")
        assert "x̂0 loop!" in shown(screen, "#side"), "an experiment stays marked"

    await session(test)


async def test_guidance_is_shown_applied_and_changed(own_home: Path) -> None:
    keep("guided", GUIDED)
    state = State()

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        advised = await drawn(pilot, screen)
        assert advised.guidance == 0.3
        assert "guide w = 0.3" in shown(screen, "#side")
        await pilot.press("greater_than_sign")
        stronger = await drawn(pilot, screen)
        assert stronger.guidance == 0.5
        await says(pilot, screen, "#message", "c + w (c - u)")
        await says(pilot, screen, "#message", "1 + w = 1.5")
        assert np.abs(stronger.x[-1].astype(float) - advised.x[-1]).max() > 0
        await pilot.press(*["less_than_sign"] * 9)
        weakest = await drawn(pilot, screen)
        assert weakest.guidance == -1.0
        assert "temperature" not in shown(screen, "#side"), "1 goes without saying"
        while screen.wish.label is not None:
            await pilot.press("d")
        assert (await drawn(pilot, screen)).guidance == 0.0
        assert "guide none" in shown(screen, "#side")
        await pilot.press("greater_than_sign")
        await says(pilot, screen, "#message", "nothing is: d asks for a digit")

    app = await session(test, state=state)
    remembered = app.state.choices["generate"]
    assert remembered["guidance"] == -1.0


async def test_what_cannot_be_combined_is_one_line(own_home: Path) -> None:
    keep("denoiser", ONE_LOOK)
    keep("told", replace(GUIDED, label_drop=0.0, guidance=0.0))

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        assert (await drawn(pilot, screen)).name == "told"
        await pilot.press("greater_than_sign")
        await says(pilot, screen, "#message", "told cannot be guided")
        await pilot.press("a")  # a sampler that the next network cannot be drawn with
        chosen = screen.wish.sampler
        assert chosen not in (None, "looped-x0")
        await pilot.press("m")
        view = await drawn(pilot, screen)
        assert (view.name, view.sampler, len(view.times)) == ("denoiser", "looped-x0", 2)
        await pilot.press("a")
        await says(pilot, screen, "#message", "no other sampler can draw with it")
        assert screen.job is not None
        assert screen.job.state is JobState.DONE
        await pilot.press("M")
        view = await drawn(pilot, screen)
        assert (view.name, view.sampler) == ("told", chosen), "not the one look's, which nobody chose"

    await session(test, run="told")


async def test_colours_are_drawn_and_saved_as_colours(own_home: Path) -> None:
    keep("coloured", COLOURED)

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        view = await drawn(pilot, screen)
        assert view.x.shape == (5, 1, 8, 8, 3)
        assert view.labels == (1,), "7 of three classes"
        assert "class 1" in " ".join(shown(screen, "#side").split())
        pane = screen.query_one("#x_t", PixelView)
        colours = {
            (style.color.get_truecolor().red, style.color.get_truecolor().blue)
            for strip in pane.render_lines(pane.size.region)
            for _, style, _ in strip
            if style is not None and style.color is not None
        }
        assert any(red != blue for red, blue in colours)
        await pilot.press("e")
        await until(pilot, lambda: "saved" in shown(screen, "#message"))
        folder = own_home / "runs" / "coloured" / "samples"
        with Image.open(next(folder.glob("*.png"))) as png:
            assert png.mode == "RGB"
            expected = np.rint((np.clip(view.x[-1, 0].astype(np.float64), -1, 1) + 1) * 127.5)
            assert np.abs(np.asarray(png)[::8, ::8] - expected).max() <= 1
        with Image.open(next(folder.glob("*.gif"))) as gif:
            assert gif.n_frames == 5
        await pilot.press("g")
        assert (await drawn(pilot, screen)).x.shape == (5, 12, 8, 8, 3)

    await session(test)


async def test_a_pipeline_is_drawn_with_in_a_grid_of_sixteen(tiny: Path, own_home: Path) -> None:
    shutil.copytree(tiny, own_home / "pipelines" / "tiny")
    keep("guided", GUIDED)

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        view = await drawn(pilot, screen)
        assert (view.name, view.model, view.sampler, view.labels) == ("tiny", "UNet2DModel", "ddpm", None)
        assert len(view.times) == 21, "it has only 20 timesteps"
        assert "parameters" in shown(screen, "#side")
        await pilot.press("g")
        assert (await drawn(pilot, screen)).x.shape == (21, 16, 8, 8, 3)
        await pilot.press("minus", "e")
        assert len((await drawn(pilot, screen)).times) == 11
        await pilot.press("e")
        await until(pilot, lambda: list((own_home / "exports").glob("tiny-ddpm10-seeds0to15*.gif")))
        await pilot.press("M")
        assert (await drawn(pilot, screen)).name == "guided"
        await pilot.press("d", "greater_than_sign", "m")
        assert (await drawn(pilot, screen)).guidance == 0.0

    await session(test, run="tiny")


def test_two_networks_of_one_name_are_told_apart(tmp_path: Path) -> None:
    kept = [
        Source(Run(tmp_path / name), shipped, False, None)
        for name, shipped in (("quick", True), ("lab", True), ("quick", False))
    ]
    assert names_of(kept) == ["quick (ships)", "lab", "quick (yours)"]


async def test_the_table_of_networks_measures_and_opens_what_is_typed(tiny: Path, own_home: Path) -> None:
    keep("guided", GUIDED)

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await drawn(pilot, screen)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(screen.app.screen, NetworkPicker))
        picker = screen.app.screen
        options = picker.query_one(OptionList)

        def rows() -> list[str]:
            return [str(options.get_option_at_index(i).prompt) for i in range(options.option_count)]

        view = screen.view
        assert view is not None
        parameters = f"{view.parameters:,}".replace(",", " ")
        await until(pilot, lambda: parameters in rows()[0])
        assert "28×28" in rows()[0]
        assert "dpm-solver++ 5" in rows()[0]
        assert "s" in rows()[0].split()[-1]
        assert len(rows()[0]) <= 74, "at 80 columns the window has 76, and a scroll bar takes two"
        assert "google/ddpm-cifar10-32" in rows()[1]
        assert "not here" in rows()[1]
        scale = text_of(picker.query_one("#scale"))
        assert all(quoted.parameters in " ".join(scale.split()) for quoted in QUOTED)
        assert "not measured" in scale
        await until(pilot, lambda: "238 689" in text_of(picker.query_one("#scale")))
        await pilot.press("down", "enter")
        await until(pilot, lambda: screen.app.screen is screen)
        await says(pilot, screen, "#nothing", "difftui networks --fetch google/ddpm-cifar10-32")
        assert "143 MB" in shown(screen, "#nothing")
        assert screen.job is None
        await pilot.press("g", "r", "a", "space", "left", "e", "d", "f")
        await pilot.press("o", "tab")
        screen.app.screen.query_one(Input).value = str(tiny)
        await pilot.press("enter")
        assert (await drawn(pilot, screen)).name == "tiny"
        assert str(tiny) in screen.shelf.opened
        assert str(tiny) in str(screen.remember()["opened"])

    app = await session(test)
    assert not app.engine._pulled, "the measuring has ended with its table"


async def test_a_picture_remembered_of_sixteen_is_one_of_twelve(own_home: Path) -> None:
    keep("guided", GUIDED)

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await drawn(pilot, screen)
        assert screen.wish.picture == 11
        await pilot.press("g", "g")

    await session(test, state=State(choices={"generate": {"grid": True, "picture": 15, "label": "each"}}))


async def test_what_is_typed_wrong_is_one_line(own_home: Path) -> None:
    keep("guided", GUIDED)
    (own_home / "empty").mkdir()

    async def test(pilot: Pilot[None], screen: GenerateScreen) -> None:
        await drawn(pilot, screen)
        for typed, told in (
            ("nothing", "neither a folder nor a name on the Hugging Face hub"),
            (str(own_home / "empty"), "there is no model_index.json in it"),
        ):
            await pilot.press("o", "tab")
            screen.app.screen.query_one(Input).value = typed
            await pilot.press("enter")
            await says(pilot, screen, "#message", told)
            await pilot.press("m")
            assert (await drawn(pilot, screen)).name == "guided"

    await session(test)


def test_pipelines_are_named_by_folder_or_by_hub(tiny: Path, own_home: Path) -> None:
    kept = Path(shutil.copytree(tiny, own_home / "pipelines" / "kept"))
    found = find_pipelines([str(tiny), "people/unknown"])
    assert [source.name for source in found] == ["kept", "tiny", "people/unknown"]
    assert [source.absent for source in found] == [False, False, True]
    assert (found[0].side, found[0].timesteps, found[0].together) == (8, 20, 16)
    assert found[0].exports == own_home / "exports"
    assert named_network(str(kept)).facts is not None
    assert named_network("google/ddpm-cifar10-32").absent
    assert opened_as("google/ddpm-cifar10-32") == "google/ddpm-cifar10-32"
