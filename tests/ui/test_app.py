"""The shell: screens, keys, help, small terminals, errors."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers import text_of, ticked, until

from difftui.errors import DifftuiError
from difftui.pixel_modes import PixelMode
from difftui.ui.app import DifftuiApp, run_app
from difftui.ui.keys import GLOBAL, PLACES, SCREENS
from difftui.ui.screens.help import HelpScreen
from difftui.ui.screens.home import HomeScreen
from difftui.ui.widgets.bars import KeyBar, TopBar
from difftui.ui.widgets.pixels import PixelView


async def test_home_tells_what_there_is_and_what_was_found() -> None:
    app = DifftuiApp(device="cpu")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.engine.device is not None and app.screen.found is not None)
        await ticked(pilot)
        shown = text_of(app.screen.query_one("#home"))
        assert "4 Tr" in text_of(app.screen.query_one(TopBar))
        assert "10 000 bundled MNIST digits" in text_of(app.screen.query_one("#found"))
        assert "none yet" in text_of(app.screen.query_one("#found"))
        assert shown is not None
    assert app.engine.shutdown(60)


async def test_lines_from_before_the_app_are_shown_when_it_opens() -> None:
    app = DifftuiApp(device="cpu", notices=("MNIST [could not] be downloaded.",))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(app._notifications) > 0)
        assert [toast.message for toast in app._notifications] == ["MNIST [could not] be downloaded."]
    assert app.engine.shutdown(60)


async def test_the_banner_is_a_real_digit_with_the_real_noise() -> None:
    import numpy as np

    from difftui.data import bundled
    from difftui.diffusion import make_schedule
    from difftui.ui.screens.home import BANNER_DIGIT, BANNER_TIMES, _banner

    frames = _banner(14)
    x0 = bundled().images[BANNER_DIGIT] / 127.5 - 1
    noise = np.random.default_rng(0).standard_normal(x0.shape)
    levels = make_schedule("linear", 1000).alpha_bars
    for frame, large, t in zip(frames, _banner(28), BANNER_TIMES, strict=True):
        whole = np.sqrt(levels[t]) * x0 + np.sqrt(1 - levels[t]) * noise
        assert np.abs(frame[3, 4] - whole[6:8, 8:10].mean()) < 1e-12
        assert np.abs(large - whole).max() < 1e-12


@pytest.mark.parametrize(
    ("size", "side"), [((80, 24), 14), ((120, 40), 21), ((150, 45), 28), ((200, 60), 28), ((200, 30), 14)]
)
async def test_home_is_whole_and_larger_where_there_is_room(size: tuple[int, int], side: int) -> None:
    app = DifftuiApp(device="cpu")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(app.screen.query(PixelView)) == 1)
        await pilot.resize_terminal(*size)
        await ticked(pilot)
        view = app.screen.query_one(PixelView)
        assert (view.arrangement.image_height, view.arrangement.columns) == (side, 5)
        for part in ("PixelView", "#introduction", "#found"):
            widget = app.screen.query_one(part)
            assert app.screen.region.contains_region(widget.region)
        words = [app.screen.query_one(part).region for part in ("#introduction", "#found")]
        assert not words[0].intersection(words[1])
        assert "begin anywhere." in text_of(app.screen.query_one("#found"))


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 40), marks=pytest.mark.slow)])
async def test_every_screen_opens_by_its_number(size: tuple[int, int]) -> None:
    app = DifftuiApp(device="cpu")
    async with app.run_test(size=size) as pilot:
        for place in PLACES:
            await pilot.press(place.key)
            await ticked(pilot)
            assert app.current_mode == place.name
            bar = text_of(app.screen.query_one(KeyBar))
            assert "? help" in bar
            assert "q quit" in bar
    assert app.engine.shutdown(60)


async def test_help_lists_every_key_of_the_screen() -> None:
    app = DifftuiApp(device="cpu", screen="forward")
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen) and app.screen.query("Static"))
        shown = "\n".join(text_of(w) for w in app.screen.query("Static"))
        for action in (*SCREENS["forward"], *GLOBAL):
            assert action.help in shown
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, HelpScreen))


def test_a_key_means_one_thing_on_a_screen() -> None:
    for actions in SCREENS.values():
        keys = [key for action in (*actions, *GLOBAL) for key in action.keys.split(",")]
        assert len(keys) == len(set(keys))


@pytest.mark.slow
async def test_every_action_of_the_table_exists() -> None:
    app = DifftuiApp(device="cpu")
    async with app.run_test(size=(80, 24)) as pilot:
        for name, actions in SCREENS.items():
            app.action_go(name)
            await ticked(pilot)
            for action in actions:
                method = action.name.partition("(")[0]
                assert callable(getattr(app.screen, f"action_{method}", None)), f"{name}: {action.name}"


async def test_a_small_terminal_is_told_its_size_and_recovers() -> None:
    app = DifftuiApp(device="cpu")
    async with app.run_test(size=(60, 20)) as pilot:
        note = app.screen.query_one("#too-small")
        await until(pilot, lambda: note.display and "60×20" in text_of(note))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not note.display)


async def test_home_goes_on_with_an_interrupted_run_at_one_key(own_home: Path) -> None:
    from difftui.runs import Status, create_run
    from difftui.training import preset

    run = create_run("lab-1", preset("lab").to_json())
    run.write_status(Status("training", step=12, fraction=0.1))  # and no process holds its lock
    app = DifftuiApp(device="cpu")
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and app.screen.found is not None)
        await until(pilot, lambda: "lab-1 interrupted at 10%" in text_of(app.screen.query_one("#found")))
        assert "enter to go on with lab-1" in text_of(app.screen.query_one("#found"))
        await pilot.press("enter")
        await until(pilot, lambda: app.own_training() is not None)
        assert app.current_mode == "train"
        assert app.training.name == "lab-1"


def test_unknown_names_are_told_before_the_screen_is_taken() -> None:
    with pytest.raises(DifftuiError, match=r"no screen called 'nope'. Known: home"):
        run_app("nope", None, "cpu", None)
    with pytest.raises(DifftuiError, match="no run called 'nope'"):
        run_app(None, "nope", "cpu", None)


def test_the_first_paint_needs_no_torch() -> None:
    script = (
        "import sys, difftui.ui.app, difftui.ui.screens.home\n"
        "bad = {'torch', 'torchvision', 'plotext', 'PIL', 'numpy'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_banner_view_has_room_for_its_captions() -> None:
    assert PixelView(shape=(5, 14, 14), columns=5, captions=("a",) * 5).arrangement.width == 5 * 14 + 4


async def test_every_picture_is_drawn_in_the_way_that_the_app_says() -> None:
    app = DifftuiApp(device="cpu", screen="forward", pixels=PixelMode.ASCII)
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: len(app.screen.query(PixelView)) >= 3)
        await ticked(pilot)
        for view in app.screen.query(PixelView):
            assert view.mode is PixelMode.ASCII
            drawn = "".join(strip.text for strip in view.render_lines(view.size.region))
            assert drawn.strip()
            assert drawn.isascii()


@pytest.mark.parametrize(("term", "mode"), [("xterm-256color", "256"), ("linux", "8")])
def test_without_a_wish_pictures_suit_the_terminal(
    term: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    assert DifftuiApp().pixel_mode is PixelMode(mode)


async def test_the_clock_stands_still_while_the_app_is_taken_down() -> None:
    app = DifftuiApp(screen="home", device="cpu")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.current_mode == "home" and app.screen.query(PixelView))
        assert app._tick(typed=True)
        app._running = False  # as Textual says before it takes the screens apart
        still = app._tick(typed=True)
        app._running = True
        assert not still
