"""The Compare screen with a real network: tiny, really trained, really raced."""

from __future__ import annotations

import csv
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import at_rest, text_of, ticked, tiny, train_tiny, until
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input

from difftui import paths
from difftui.bench.wire import recording_driver, wire_bytes
from difftui.diffusion.comparison import VIEWS
from difftui.engine.comparing import ComparisonView
from difftui.state import Choices, State
from difftui.ui.app import DifftuiApp
from difftui.ui.panels.comparison_words import misread
from difftui.ui.panels.tiles import Tiles
from difftui.ui.screens.compare import CompareScreen

T = 20
ASKED = tiny(T, label_drop=0.1, batch_size=8)
UNASKED = tiny(T, "lab-unet")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two runs: "asked" can be asked for a digit and be guided, "unasked" cannot."""
    home = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIFFTUI_HOME", str(home))
        for name, recipe in (("unasked", UNASKED), ("asked", ASKED)):
            train_tiny(name, recipe, 16)
    return home


@pytest.fixture(autouse=True)
def runs(trained: Path, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This test's own copy of the two runs, and no shipped network but the recogniser."""
    shutil.copytree(trained / "runs", own_home / "runs", copy_function=shutil.copy2)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "recogniser").symlink_to(paths.checkpoints_dir() / "recogniser")
    monkeypatch.setattr(paths, "checkpoints_dir", lambda: tmp_path / "checkpoints")
    return own_home / "runs"


def shown(screen: CompareScreen, name: str) -> str:
    return text_of(screen.query_one(name))


def titles(screen: CompareScreen) -> list[str]:
    return [text_of(tile.title).strip() for tile in screen.query_one(Tiles).all if tile.display]


async def drawn(pilot: Pilot[None], screen: CompareScreen, view: str) -> ComparisonView:
    """The comparison of this name, whole, shown at its end."""
    await until(
        pilot,
        lambda: screen.view is not None and screen.view.plan.view == view and screen.view.done,
    )
    await pilot.press("end")
    await until(pilot, lambda: "■ finished" in shown(screen, "#status") and all(titles(screen)))
    assert screen.view is not None
    return screen.view


@asynccontextmanager
async def opened(
    view: str = "steps", run: str = "asked", sent: list[str] | None = None
) -> AsyncIterator[tuple[Pilot[None], CompareScreen]]:
    choices = {"compare": {"view": view, "run": run, "steps": 5}}
    app = DifftuiApp(device="cpu", screen="compare", state=State(choices=choices))
    if sent is not None:
        app.driver_class = recording_driver(sent)
    async with app.run_test(headless=sent is None, size=(80, 24)) as pilot:
        assert isinstance(app.screen, CompareScreen)
        yield pilot, app.screen
    assert app.engine.shutdown(60)


async def test_one_key_walks_through_the_views_and_back_to_what_was_drawn() -> None:
    async with opened() as (pilot, screen):
        first = screen.jobs.drawing
        for view in VIEWS:
            what = await drawn(pilot, screen, view)
            names = [title.split("→")[0].replace(" experiment", "") for title in titles(screen)]
            assert names == list(what.plan.names)
            assert all(np.array_equal(x[0], what.x[0][0]) for x in what.x) or view == "variety"
            await pilot.press("tab")
        assert screen.asked.view == "steps"
        await pilot.press("3")
        await pilot.press("8")
        assert screen.jobs.drawing is first, "it is not drawn again"
        await pilot.press("shift+tab")
        assert (await drawn(pilot, screen, "variety")).plan.view == "variety"


async def test_pictures_and_figures_are_those_of_the_moment() -> None:
    async with opened("samplers") as (pilot, screen):
        view = await drawn(pilot, screen, "samplers")
        tiles = screen.query_one(Tiles)
        heun = list(view.plan.names).index("Heun")
        assert view.most_looks == 9
        assert "calls    9" in text_of(tiles.all[heun].figures)
        assert "RMS" in text_of(tiles.all[heun].figures)
        assert "experiment" in titles(screen)[4]
        await pilot.press("home", "full_stop", "full_stop", "full_stop")
        await until(pilot, lambda: "held at call 3 of 9" in shown(screen, "#status"))
        for way, x in enumerate(view.x):
            index = 1 if way == heun else 3
            await until(
                pilot,
                lambda w=way, p=x[index, 0]: np.array_equal(tiles.all[w].picture._images[0], p),  # type: ignore[index]
            )
        assert "t " in text_of(tiles.all[heun].figures)
        assert "RMS" not in text_of(tiles.all[heun].figures)
        await pilot.press("space")
        await until(pilot, lambda: "■ finished" in shown(screen, "#status"))
        screen.playhead.rate = 0.1  # so slow that even a busy machine sees it
        await pilot.press("space")
        await until(pilot, lambda: "racing" in shown(screen, "#status"))
        assert screen.playhead.index < 9


async def test_a_caption_is_typed_and_mapped_to_its_label() -> None:
    async with opened("labels") as (pilot, screen):
        await drawn(pilot, screen, "labels")
        job = screen.jobs.drawing
        await pilot.press("i", *"a two", "enter")
        await until(pilot, lambda: "“a two” → label 2: a mapping and nothing more" in shown(screen, "#note"))
        assert screen.asked.label == 2
        assert screen.jobs.drawing is job, "all labels are drawn already"
        await pilot.press("i", *"two or three", "enter")
        await until(pilot, lambda: "the mapping finds 2 digits" in shown(screen, "#note"))
        assert screen.asked.label == 2
        await pilot.press("i", "escape")
        assert not screen.query_one("#caption", Input).display
        await pilot.press("d")
        await until(pilot, lambda: "“a three” → label 3" in shown(screen, "#note"))
        await pilot.press("tab")
        view = await drawn(pilot, screen, "guidance")
        assert {way.label for way in view.plan.ways} == {3}
        assert "c + w (c - u)" in shown(screen, "#note")


@pytest.mark.slow
async def test_measuring_shows_figures_of_many_and_can_be_stopped() -> None:
    async with opened("guidance") as (pilot, screen):
        await drawn(pilot, screen, "guidance")
        await pilot.press("b", "b", "b", "s")
        await until(pilot, lambda: "measuring 1024 each" in shown(screen, "#status"))
        await pilot.press("s")
        await until(pilot, lambda: "stopped" in shown(screen, "#note"))
        assert screen.jobs.measurement is None
        await pilot.press("B", "B", "B", "B", "s")
        await until(pilot, lambda: "Fréchet distance of 64" in shown(screen, "#status"))
        assert "agree" in text_of(screen.query_one(Tiles).all[0].figures)
        await pilot.press("tab")
        await drawn(pilot, screen, "variety")
        await pilot.press("s")
        await until(pilot, lambda: "single pictures" in shown(screen, "#note"))


async def test_a_network_without_labels_is_told_in_one_line() -> None:
    async with opened("guidance", run="unasked") as (pilot, screen):
        await until(pilot, lambda: "without labels and cannot be guided" in shown(screen, "#nothing"))
        assert not screen.query_one(Tiles).display
        await pilot.press("tab")
        await drawn(pilot, screen, "variety")
        assert screen.query_one(Tiles).display
        await pilot.press("d")
        await until(pilot, lambda: "cannot be asked for a digit" in shown(screen, "#note"))


async def test_what_is_shown_is_saved_with_its_figures(runs: Path) -> None:
    async with opened("steps") as (pilot, screen):
        view = await drawn(pilot, screen, "steps")
        await pilot.press("e")
        await until(pilot, lambda: "saved" in shown(screen, "#note"))
        folder = runs / "asked" / "samples"
        (png,) = folder.glob("asked-compare-steps*.png")
        with png.with_suffix(".csv").open() as file:
            rows = list(csv.DictReader(file))
        assert [int(row["steps"]) for row in rows] == [way.steps for way in view.plan.ways]
        assert float(rows[0]["rms"]) == view.figures[0].distance
        with Image.open(png) as sheet:
            assert sheet.size[0] > 28 * 8 * len(rows)


async def test_every_size_shows_all_pictures_one_beside_the_other() -> None:
    async with opened("samplers") as (pilot, screen):
        await drawn(pilot, screen, "samplers")
        for size in ((120, 40), (40, 10), (200, 60), (80, 24)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: screen._laid and screen._laid[0] == screen.size)
            if size == (40, 10):
                continue  # too small, and it says so
            await ticked(pilot)
            room = screen.query_one("#room").region
            regions = [tile.picture.region for tile in screen.query_one(Tiles).all if tile.display]
            assert len(regions) == 6
            assert all(room.contains_region(region) for region in regions)
            assert all(not a.overlaps(b) for i, a in enumerate(regions) for b in regions[:i])


async def test_at_rest_nothing_is_sent() -> None:
    sent: list[str] = []
    async with opened("guidance", sent=sent) as (pilot, screen):
        await drawn(pilot, screen, "guidance")
        await at_rest(pilot, sent, 1.2)  # once the header no more tells the pace
        assert wire_bytes(sent) > 10_000


def test_what_was_chosen_is_remembered() -> None:
    screen = CompareScreen()
    screen.asked = replace(screen.asked, view="labels", seed=12, label=None, count=512, sampler="heun")
    again = CompareScreen()
    again.recall(Choices(screen.remember()))
    assert again.asked == screen.asked
    again.recall(Choices({"view": "nope", "seed": -1, "label": 11, "count": 3, "sampler": "naive-stride"}))
    assert again.asked == CompareScreen().asked


async def test_a_picture_that_is_not_what_was_asked_for_is_said_to_be_none() -> None:
    """The network that ships, from a start where guidance alone draws the seven."""
    ours = paths.checkpoints_dir()
    (ours / "quick").symlink_to((ours / "recogniser").resolve().parent / "quick")
    choices = {"compare": {"run": "quick", "view": "guidance", "seed": 3}}
    app = DifftuiApp(device="cpu", screen="compare", state=State(choices=choices))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        view = await drawn(pilot, screen, "guidance")
        by_scale = {
            way.guidance: figure.reading.digit
            for way, figure in zip(view.plan.ways, view.figures, strict=True)
            if figure.reading is not None
        }
        assert by_scale[0.0] == 9
        least = min(w for w, digit in by_scale.items() if digit == 7 and w > 0)
        told = f"A 7 was asked for: w = 0 draws a 9, w = {least:g} the 7."
        await until(pilot, lambda: told in shown(screen, "#note"))
        await pilot.press("home")
        await until(pilot, lambda: "asked for" not in shown(screen, "#note"))
        others = tuple(replace(way, label=5) for way in view.plan.ways)
        told = misread(replace(view, plan=replace(view.plan, view="samplers", ways=others)))
        assert told.startswith("A 5 was asked for; none of these draws it. Guidance may")
        assert misread(replace(view, plan=replace(view.plan, view="samplers"))) == "", "some of them draw it"
    assert app.engine.shutdown(30)


@pytest.mark.parametrize("view", ["labels", "guidance"])
async def test_what_is_shown_first_is_what_was_asked_for(view: str) -> None:
    """With the network, the start and the label that a newcomer meets."""
    ours = paths.checkpoints_dir()
    (ours / "quick").symlink_to((ours / "recogniser").resolve().parent / "quick")
    app = DifftuiApp(device="cpu", screen="compare", state=State(choices={"compare": {"view": view}}))
    async with app.run_test(size=(80, 24)) as pilot:
        assert isinstance(app.screen, CompareScreen)
        found = await drawn(pilot, app.screen, view)
        assert found.name == "quick"
        for way, figure in zip(found.plan.ways, found.figures, strict=True):
            if way.guidance >= 0:  # below it the label is not asked for
                assert figure.reading is not None
                assert figure.reading.digit == way.label
    assert app.engine.shutdown(30)
