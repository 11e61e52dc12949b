"""Every curve on every screen can be read, by keys and by the mouse."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import text_of, ticked, until
from textual.events import MouseMove
from textual.pilot import Pilot

from difftui.ui.app import DifftuiApp
from difftui.ui.screens.sde import SdeScreen
from difftui.ui.widgets.plot import CurvePlot

SIZE = (120, 40)


def shown(app: DifftuiApp) -> list[CurvePlot]:
    """The plots that a user sees curves in."""
    return [plot for plot in app.screen.query(CurvePlot) if plot.region and plot.has_curves]


def read_out(plot: CurvePlot) -> str:
    """The line below the axis."""
    return text_of(plot).split("\n")[plot.size.height - 1 + plot.gutter.top].strip("│ ")


async def reads_every_plot(pilot: Pilot[None]) -> list[str]:
    """Walk through the plots by keys, then point at each with the mouse; what they said."""
    app = pilot.app
    assert isinstance(app, DifftuiApp)
    plots = shown(app)
    said: dict[CurvePlot, str] = {}
    assert plots
    axes = {plot: read_out(plot) for plot in plots}
    await pilot.press("left_parenthesis")
    for _ in plots:
        await pilot.pause(0.05)
        said |= {plot: read_out(plot) for plot in plots if plot.cursor is not None}
        await pilot.press("right_curly_bracket")
    assert set(said) == set(plots), [plot.id for plot in plots if plot not in said]
    assert not any(axes[plot] == words for plot, words in said.items())
    await pilot.press("right_parenthesis", "left_curly_bracket", "vertical_line")
    await pilot.pause(0.05)
    assert all(plot.cursor is None for plot in plots)
    for plot in plots:
        x, y = plot.size.width // 2, plot.size.height // 2
        plot.post_message(MouseMove(plot, x, y, 0, 0, 0, False, False, False, screen_x=x, screen_y=y))
        await until(pilot, lambda plot=plot: plot.cursor is not None)
    await pilot.press("vertical_line")
    return list(said.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("screen", "keys"), [("forward", ""), ("sde", "s"), ("inverse", "tt"), ("labs", "n")]
)
async def test_what_needs_no_network(screen: str, keys: str) -> None:
    app = DifftuiApp(screen=screen, device="cpu")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.current_mode == screen and shown(app))
        await until(
            pilot, lambda: len(shown(app)) >= {"forward": 2, "sde": 4, "inverse": 2, "labs": 1}[screen]
        )
        said = await reads_every_plot(pilot)
        assert all(any(letter.isdigit() for letter in words) for words in said), said
        for key in keys:
            await pilot.press({"t": "tab"}.get(key, key))
            await pilot.pause(0.3)
            await until(pilot, lambda: shown(app))
            await reads_every_plot(pilot)


@pytest.mark.slow
@pytest.mark.parametrize("screen", ["denoise", "compare"])
async def test_what_networks_answer(screen: str) -> None:
    app = DifftuiApp(screen=screen, device="cpu")
    async with app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda: app.current_mode == screen and shown(app))
        said = await reads_every_plot(pilot)
        assert any(words.startswith(("t = ", "noise ", "call ")) for words in said), said


async def test_the_law_is_read_along_its_own_axis() -> None:
    app = DifftuiApp(screen="sde", device="cpu")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.current_mode == "sde" and len(shown(app)) >= 2)
        await pilot.press("end")
        screen = app.screen
        assert isinstance(screen, SdeScreen)
        law = app.screen.query_one("#law", CurvePlot)
        await until(pilot, lambda: screen.view is not None and screen.view.complete)
        view = screen.view
        assert view is not None
        await until(pilot, lambda: screen._drawn[1:3] == (view.newest, True))
        await ticked(pilot)
        law.read_at(0.0)
        place = law.cursor
        assert place is not None
        exact = float(view.density(np.array([place - 1e-9, place]), view.newest)[1])
        assert f"{exact:.4g}"[:5] in read_out(law)
        rows = [y for y, line in enumerate(text_of(law).split("\n")) if "━━━" in line]
        law.read_on(3)
        assert law.cursor is not None
        assert law.cursor > place
        await pilot.pause(0.05)
        assert min(rows) > 0
