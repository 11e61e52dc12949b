"""Forward: the timestep scrubber, on the bundled digits and with no engine."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from helpers import at_rest, most_slow, text_of, ticked, until
from numpy.typing import NDArray
from PIL import Image
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static

from difftui.data import bundled
from difftui.ui.app import DifftuiApp
from difftui.ui.panels.maths_text import MathsText
from difftui.ui.screens.forward import SWEEP_SECONDS, TIMESTEPS, ForwardScreen
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.plot import CurvePlot
from difftui.ui.widgets.slider import Slider

Opened = tuple[Pilot[None], ForwardScreen]


@asynccontextmanager
async def opened(size: tuple[int, int] = (80, 24), data: str | None = None) -> AsyncIterator[Opened]:
    """The app on Forward, its digits read; the engine is never started."""
    app = DifftuiApp(screen="forward", device="cpu", data=data)
    app.engine.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, ForwardScreen)
        await until(pilot, lambda: screen.digits is not None and screen._shown == screen.scene)
        await pilot.pause()
        yield pilot, screen


def text(screen: ForwardScreen, where: str) -> str:
    """What a widget shows, border included."""
    return text_of(screen.query_one(where))


def shown(screen: ForwardScreen, where: str) -> NDArray[np.float64]:
    """The pixels given to a view."""
    images = screen.query_one(where, PixelView)._images
    assert images is not None
    return images


def is_playing(screen: ForwardScreen) -> bool:
    return screen.playing


def linear(T: int) -> NDArray[np.float64]:
    """ᾱ of the linear schedule, from its definition."""
    return np.cumprod(1 - np.linspace(1e-4, 0.02, T, dtype=np.float64), dtype=np.float64)


def first_seven() -> NDArray[np.float64]:
    digits = bundled()
    return digits.images[np.flatnonzero(digits.labels == 7)[0]].astype(np.float64) / 127.5 - 1


async def test_scrubbing_keeps_the_noise_and_r_draws_another() -> None:
    x0 = first_seven()
    first, second = (np.random.default_rng(seed).standard_normal((28, 28)) for seed in (0, 1))
    async with opened() as (pilot, screen):
        for key, t, eps in [
            ("right", 250, first),
            ("shift+right", 260, first),
            ("left", 259, first),
            ("r", 259, second),
            ("shift+left", 249, second),
            ("end", 999, second),
            ("right", 999, second),
            ("R", 999, first),
            ("home", 0, first),
            ("left", 0, first),
        ]:
            await pilot.press(key)
            a = linear(1000)[t]
            expected = np.sqrt(a) * x0 + np.sqrt(1 - a) * eps
            assert np.abs(shown(screen, "#x_t PixelView")[0] - expected).max() < 1e-12, key
            assert f"t = {t:>5} of 1000" in text(screen, "#t")
            assert screen.query_one("#slider", Slider).value == t
        await pilot.press("R")
        assert screen.scene.seed == 0  # there is no noise before the first


async def test_strip_has_nine_timesteps_with_the_same_noise() -> None:
    times = [0, 124, 249, 374, 499, 624, 749, 874, 999]
    async with opened() as (pilot, screen):
        strip = screen.query_one("#strip", PixelView)
        assert [int(caption) for caption in strip.captions] == times
        a = linear(1000)[times, None, None]
        noise = np.random.default_rng(0).standard_normal((28, 28))
        assert (
            np.abs(shown(screen, "#strip") - (np.sqrt(a) * first_seven() + np.sqrt(1 - a) * noise)).max()
            < 1e-12
        )
        assert strip.highlighted == 2
        await pilot.press("end")
        assert strip.highlighted == 8
        x, y = strip.arrangement.place(4)
        await pilot.click("#strip", offset=(x + 1, y + 1))
        assert screen.scene.t == 499


async def test_numbers_are_those_of_the_formula() -> None:
    async with opened() as (pilot, screen):
        screen._choose(screen.scene.at(259))
        await pilot.pause()
        a = linear(1000)[259]
        shown_text = text(screen, "#formula")
        assert f"= {a**0.5:.3f} x_0 + {(1 - a) ** 0.5:.3f} ε" in shown_text
        assert f"{a:.4f}" in shown_text
        assert f"{a / (1 - a):.4f}" in shown_text
        assert f"{10 * np.log10(a / (1 - a)):+.2f} dB" in shown_text
        assert "below 1 from t = 259" in text(screen, "#snr")
        assert "0 clean" in text(screen, "#snr")
        assert "noise 999" in text(screen, "#amplitudes")


async def test_schedules_and_T_and_what_signal_they_leave() -> None:
    """Figures of the field: linear at T = 200 and the clipped cosine end far from noise."""
    async with opened() as (pilot, screen):
        await pilot.press("T", "T")  # 1000, 500, 200
        assert "signal left at T 0.364" in text(screen, "#amplitudes")
        assert "below 1 from t = 117" in text(screen, "#snr")
        assert screen.query_one("#strip", PixelView).captions[-1] == "199"
        await pilot.press("c")
        assert "scaled-linear" in text(screen, "#choices")
        assert "below 1 from t = 51" in text(screen, "#snr")
        await pilot.press("t", "t", "c", "c")
        assert "clipped-cosine" in text(screen, "#choices")
        assert "signal left at T 0.0565" in text(screen, "#amplitudes")
        await pilot.press("C", "C", "C")
        assert "linear" in text(screen, "#choices")
        await pilot.press("T", "T", "T", "T", "T", "T", "T")
        assert "T 10 " in text(screen, "#choices")
        assert "never below 1" in text(screen, "#snr")


async def test_changing_T_keeps_the_relative_position() -> None:
    async with opened() as (pilot, screen):
        before = screen.scene
        for _ in TIMESTEPS:
            await pilot.press("T")
        assert (screen.scene.T, screen.scene.t) == (10, round(249 / 999 * 9))
        for _ in TIMESTEPS:
            await pilot.press("t")
        assert (screen.scene.T, screen.scene.t) == (10_000, round(249 / 999 * 9999))
        for _ in range(3):
            await pilot.press("T")
        assert screen.scene == before
        await pilot.press("end")
        await pilot.press("t")
        assert screen.scene.t == screen.scene.T - 1 == 1999


async def test_choosing_digits() -> None:
    digits = bundled()
    async with opened() as (pilot, screen):
        await pilot.press("d", "n", "n")
        eights = np.flatnonzero(digits.labels == 8)
        assert screen.digit_index == eights[2]
        assert f"d digit 8   n example 3/{len(eights)}" in text(screen, "#choices")
        assert f"digit 8 · #{eights[2]}" in text(screen, "#x_t")
        await pilot.press("N", "N", "N")
        assert screen.digit_index == eights[-1]
        await pilot.press("D")
        assert screen.digit_index == np.flatnonzero(digits.labels == 7)[0]
        await pilot.click("#choices", offset=(1, 1))  # clicking a choice does what its key does
        assert screen.scene.label == 8


async def test_play_runs_to_the_end_holds_there_and_starts_again() -> None:
    async with opened() as (pilot, screen):
        await pilot.press("space")
        start = screen.scene.t
        await until(pilot, lambda: screen.scene.t > start + 20)
        assert "▶" in text(screen, "#t")
        await pilot.press("space")
        held = screen.scene
        await ticked(pilot)
        assert screen.scene == held
        assert "▶" not in text(screen, "#t")

        now = screen._ticked_at
        screen.playing = True
        for i in range(1, int(SWEEP_SECONDS * 10)):
            screen.tick(now + i / 10)
        assert screen.scene.t == 999
        assert not is_playing(screen)
        screen.action_play()  # what space does; it moves on at the next tick
        assert is_playing(screen)
        assert screen.scene.t == 0


async def test_no_leap_after_the_screen_was_away() -> None:
    async with opened() as (pilot, screen):
        await pilot.press("space")
        before = screen.scene.t
        screen.tick(screen._ticked_at + 3600)
        assert screen.scene.t <= before + 0.3 / SWEEP_SECONDS * 999 + 1
        assert screen.playing


async def test_the_mouse_drags_the_slider() -> None:
    async with opened() as (pilot, screen):
        slider = screen.query_one("#slider", Slider)
        await pilot.press("space")
        await pilot.mouse_down("#slider", offset=(20, 0))
        await pilot.hover("#slider", offset=(30, 0))
        await pilot.mouse_up("#slider", offset=(30, 0))
        assert screen.scene.t == slider.value == slider.position_at(30) > slider.position_at(20)
        assert not screen.playing
        await pilot.click("#slider", offset=(slider.size.width - 1, 0))
        assert screen.scene.t == 999


async def test_at_rest_nothing_is_drawn() -> None:
    async with opened() as (pilot, screen):
        updates: list[object] = []
        display = screen.app._display

        def counted(*arguments: object) -> None:
            updates.append(arguments[-1])
            display(*arguments)

        screen.app._display = counted  # type: ignore[method-assign, assignment]
        await at_rest(pilot, updates)


EVERY_SIZE = [(76, 22), (80, 24), (80, 40), (120, 24), (120, 40), (200, 60), (280, 70)]


@pytest.mark.parametrize("size", most_slow(EVERY_SIZE, (76, 22), (80, 24), (120, 40)))
async def test_everything_is_whole_at_every_size(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, screen):
        await pilot.press("T", "t", "c", "c", "c", "end", *["r"] * 10)  # the longest texts
        await ticked(pilot)
        parts = [w for w in screen.query("#forward *").results(Widget) if w.display and w.region]
        for widget in parts:
            assert widget.parent is not None
            assert widget.parent.region.contains_region(widget.region), widget
            assert not widget.show_vertical_scrollbar
            assert not widget.show_horizontal_scrollbar
        leaves = [w for w in parts if not w.children]
        for i, one in enumerate(leaves):
            for other in leaves[i + 1 :]:
                assert not one.region.overlaps(other.region), (one, other)
        assert text(screen, "#formula").rstrip().splitlines()
        assert "…" not in text(screen, "#upper #amplitudes") + text(screen, "#upper #snr")
        assert "r seed" in text(screen, "#choices")
        assert " 10" in text(screen, "#choices").split("seed")[1]
        assert "0.998 ε" in text(screen, "#formula").replace("\n", " ")
        strip = screen.query_one("#strip", PixelView)
        assert strip.arrangement.columns == 9
        assert strip.arrangement.width <= strip.size.width
        assert strip.arrangement.height <= strip.size.height
        assert strip.arrangement.image_height >= (8 if size[0] >= 80 else 6)
        picture = screen.query_one("#x_t PixelView", PixelView).arrangement
        if size[1] >= 24:
            side = 56 if size[0] >= 200 else 28
            assert (picture.image_width, picture.image_height) == (side, side)


async def test_the_terms_of_the_sum_stand_beside_it_where_there_is_room() -> None:
    async with opened() as (pilot, screen):
        assert not screen.query_one("#x_0").display
        await pilot.resize_terminal(120, 40)
        await ticked(pilot)
        assert screen.query_one("#x_0").display
        assert np.abs(shown(screen, "#x_0 PixelView")[0] - first_seven()).max() < 1e-12
        eps = np.random.default_rng(0).standard_normal((28, 28))
        assert np.abs(shown(screen, "#eps PixelView")[0] - eps).max() < 1e-12
        assert "√ᾱ left at T" in text(screen, "#formula")


async def test_export_writes_the_strip_and_says_where(own_home: Path) -> None:
    async with opened((120, 40)) as (pilot, screen):
        await pilot.press("e")
        path = own_home / "exports" / "forward-linear-T1000-digit7-15-seed0.png"
        assert path.name in text(screen, "#message")
        image = np.asarray(Image.open(path))
        scale, gap = 8, 2
        assert image.shape == ((28 + 2 * gap) * scale, (9 * 28 + 10 * gap) * scale)
        first = image[gap * scale : (gap + 28) * scale : scale, gap * scale : (gap + 28) * scale : scale]
        clean = bundled().images[15].astype(int)
        assert np.abs(first - np.clip(clean, 0, 255)).max() < 10  # t = 0: hardly any noise
        await pilot.press("right")
        assert not screen.query_one("#message").display
        await pilot.press("e")
        assert (own_home / "exports" / "forward-linear-T1000-digit7-15-seed0-2.png").is_file()


async def test_a_home_that_cannot_be_written_is_told_in_one_line(own_home: Path) -> None:
    (own_home / "exports").write_text("a file where the folder should be")
    async with opened() as (pilot, screen):
        await pilot.press("e")
        message = screen.query_one("#message")
        await until(pilot, lambda: message.has_class("-wrong") and text(screen, "#message").strip())
        assert "Cannot write" in " ".join(text(screen, "#message").split())
        await pilot.press("right")
        assert screen.scene.t == 250


async def test_data_that_is_not_there_is_told_and_the_bundled_digits_shown(tmp_path: Path) -> None:
    async with opened(data=str(tmp_path / "nowhere")) as (pilot, screen):
        await until(pilot, lambda: bool(screen.query_one("#message").display))
        await pilot.pause()
        said = " ".join(text(screen, "#message").split())
        assert "is not a folder" in said.replace("\n", " ")
        assert said.endswith("The bundled digits are shown.")
        assert np.abs(shown(screen, "#x_0 PixelView")[0] - first_seven()).max() < 1e-12


def test_works_before_torch_has_loaded(own_home: Path) -> None:
    """In a process of its own: scrub, change everything, and torch was never imported."""
    code = """
import asyncio, sys
from difftui.ui.app import DifftuiApp
from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.plot import CurvePlot

async def main():
    app = DifftuiApp(screen="forward")
    app.engine.start = lambda: None
    async with app.run_test(size=(80, 24)) as pilot:
        while app.screen.digits is None:
            await pilot.pause(0.02)
        await pilot.press("right", "end", "home", "r", "d", "n", "c", "t", "e", "space")
        await pilot.pause(0.2)
        assert app.screen.query_one("#strip", PixelView)._images is not None
        print(app.screen.scene)
    print("torch" in sys.modules, "torchvision" in sys.modules)

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ}, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert "T=2000" in done.stdout
    assert "False False" in done.stdout
    assert list((own_home / "exports").glob("*.png"))


async def test_the_curves_are_read_at_a_cursor_and_a_click_goes_there() -> None:
    async with opened((120, 40)) as (pilot, screen):
        before = screen.scene.t
        await pilot.press("right_parenthesis")
        await pilot.press("left_parenthesis")
        await pilot.pause()
        amplitudes, snr = (screen.query_one(f"#{name}", CurvePlot) for name in ("amplitudes", "snr"))
        t = amplitudes.cursor
        assert t is not None
        assert t == snr.cursor
        assert screen.scene.t == before, "reading is not going"
        alpha_bar = linear(1000)[int(t)]
        assert f"t {t:.0f}" in text(screen, "#amplitudes")
        assert f"{np.sqrt(alpha_bar):.6g}" in text(screen, "#amplitudes")
        assert f"{np.sqrt(1 - alpha_bar):.6g}" in text(screen, "#amplitudes")
        assert f"{10 * np.log10(alpha_bar / (1 - alpha_bar)):.6g}" in text(screen, "#snr")
        await pilot.press("vertical_line")
        await pilot.pause()
        assert {amplitudes.cursor, snr.cursor} == {None}
        assert "noise 999" in text(screen, "#snr")
        await pilot.hover("#snr", offset=(40, 5))
        await until(pilot, lambda: amplitudes.cursor is not None and amplitudes.cursor == snr.cursor)
        place = amplitudes.cursor
        await pilot.click("#snr", offset=(40, 5))
        await until(pilot, lambda: screen.scene.t == place)
        await pilot.pause(0.6)  # two clicks within half a second are a double one
        await pilot.click("#snr", offset=(1, 5))
        await until(pilot, lambda: screen.scene.t == 0)  # a place like others


async def test_without_colours_the_title_shows_how_each_curve_is_dashed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened((120, 40)) as (_, screen):
        assert "⠒⠒⠒⠒⠒⠒ √ᾱ and ⠒⠒ ⠒⠒ √(1-ᾱ)" in text(screen, "#amplitudes")


async def test_on_a_vast_terminal_pictures_are_twice_as_large() -> None:
    async with opened((200, 60)) as (pilot, screen):
        for pane in ("x_t", "x_0", "eps"):
            view = screen.query_one(f"#{pane} PixelView", PixelView)
            assert view.arrangement.image_height == view.arrangement.image_width == 56
        assert screen.query_one("#amplitudes").size.height >= 12
        await pilot.resize_terminal(199, 60)
        await ticked(pilot)
        assert screen.query_one("#x_t PixelView", PixelView).arrangement.image_height == 28


async def test_the_maths_three_ways_follow_the_timestep() -> None:
    async with opened() as (pilot, screen):
        await pilot.press("space", "asterisk")
        await pilot.pause()
        window = screen.app.screen
        assert isinstance(window, MathsText)
        assert not is_playing(screen)
        t = screen.scene.t
        for key, moved in ((None, 0), ("right", 1), ("shift+left", -9), ("h", -10)):
            if key:
                await pilot.press(key)
            a = float(linear(1000)[t + moved])
            said = text_of(window.query_one(Static))
            assert f"to t = {t + moved} in one leap" in said
            assert f"{np.sqrt(a):#.4g} x_0 + {np.sqrt(1 - a):#.4g} ε" in said
            assert "x_t = sqrt(alpha_bar) * x_0" in said
        assert window.query_one(VerticalScroll).size.width >= 74  # the longest line of code
        await pilot.press("asterisk")
        await pilot.pause()
        assert screen.app.screen is screen
        assert screen.scene.t == t - 10
