"""Values read off a plot, and curves told apart without colours: what a terminal shows."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from textual.app import ComposeResult
from textual.events import MouseMove

from difftui.pixel_modes import PixelMode
from difftui.ui.pixels.display import PixelApp
from difftui.ui.theme import DARK, HIGH_CONTRAST, MONOCHROME
from difftui.ui.widgets.plot import CurvePlot, Series

SIZE = (60, 14)
X = np.arange(1000.0)
Y = np.sqrt(X / 999)


class Stage(PixelApp):
    CSS = "Screen { background: $background; }"

    def __init__(self, plot: CurvePlot, theme: str = DARK.name, mode: PixelMode = PixelMode.PALETTE) -> None:
        super().__init__(mode, ansi_color=True if theme == MONOCHROME.name else None)
        for known in (DARK, HIGH_CONTRAST, MONOCHROME):
            self.register_theme(known)
        self.theme = theme
        self.plot = plot

    def compose(self) -> ComposeResult:
        yield self.plot


def mouse(plot: CurvePlot, x: int, y: int = 5) -> MouseMove:
    return MouseMove(plot, x, y, 0, 0, 0, False, False, False, screen_x=x, screen_y=y)


async def settle(pilot: Any, wire: Any) -> None:
    await pilot.pause(0.1)
    wire.take()


@pytest.mark.parametrize("log", [False, True], ids=["linear", "log"])
async def test_keys_and_mouse_read_the_data_and_not_the_dots(terminal: Any, log: bool) -> None:
    plot = CurvePlot(x_name="step")
    async with terminal(lambda: Stage(plot), SIZE) as (pilot, wire):
        plot.set_series([Series(X, Y, "root"), Series(X[::100], 2 * Y[::100], "twice", "blue")], log_y=log)
        await settle(pilot, wire)
        ticks = wire.text(13)
        plot.read_on(1)
        await settle(pilot, wire)
        place = int(plot.cursor or 0)
        assert place in (499, 500)
        assert f"step {place}  ━━ root {Y[place]:.6g}  ━━ twice {2 * Y[500]:.6g}" in wire.text(13)
        line = [wire.text(y).index("┃") for y in range(1, 11) if "┃" in wire.text(y)]
        assert len(line) >= 8
        assert len(set(line)) == 1
        column = line[0]
        plot.read_on(-1)
        await settle(pilot, wire)
        assert place - 20 < (plot.cursor or 0) < place, "one column of dots"
        plot.on_mouse_move(mouse(plot, column + 10))
        await settle(pilot, wire)
        place = int(plot.cursor or 0)
        assert wire.text(5).index("┃") == column + 10
        assert f"root {Y[place]:.6g}" in wire.text(13)
        plot.on_leave(None)
        await settle(pilot, wire)
        assert plot.cursor is None
        assert wire.text(13) == ticks
        assert not any("┃" in line for line in wire.screen.display)


async def test_a_value_says_where_it_is_and_what_it_stands_for(terminal: Any) -> None:
    plot = CurvePlot(x_name="step")
    band = Series([0, 10, 20], [1, 2, 3], "batch", kind="band", low=[0.5, 1.5, 2.5], high=[1.5, 2.75, 3.5])
    late = Series([18, 20], [np.nan, 7], "late", "blue")
    async with terminal(lambda: Stage(plot), (80, 14)) as (pilot, wire):
        plot.set_series([band, late], x_range=(0, 20))
        plot.read_at(10)
        await settle(pilot, wire)
        assert "step 10  ▒▒ batch 2 (1.5 to 2.75)" in wire.text(13)
        assert "late" not in wire.text(13), "it has not begun"
        plot.read_at(17.9)
        await settle(pilot, wire)
        assert plot.cursor == 18
        assert "step 18  ▒▒ batch 3 (2.5 to 3.5) at 20  ━━ late -" in wire.text(13)
        plot.read_on(1)
        plot.read_on(1)
        assert plot.cursor == 20, "the end"


async def test_every_data_point_can_be_reached_where_there_are_few(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), SIZE) as (pilot, wire):
        x = [0.0, 1.0, 5.0, 5.5, 20.0]
        plot.set_series([Series(x, x)])
        await settle(pilot, wire)
        plot.read_at(0)
        seen = [plot.cursor]
        for _ in x[1:]:
            plot.read_on(1)
            seen.append(plot.cursor)
        assert seen == x


PATTERNS = ["⠒⠒⠒⠒⠒⠒", "⠒⠒ ⠒⠒", "⠒  ⠒"]


@pytest.mark.parametrize("how", ["no colour", "high contrast", "two colours", "colours"])
async def test_without_colours_lines_differ_in_their_dashes(terminal: Any, how: str) -> None:
    theme = {"no colour": MONOCHROME, "high contrast": HIGH_CONTRAST}.get(how, DARK).name
    mode = PixelMode.MONO if how == "two colours" else PixelMode.PALETTE
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot, theme, mode), SIZE) as (pilot, wire):
        flat = [Series([0, 1], [level, level], name) for level, name in ((3, "a"), (2, "b"), (1, "c"))]
        plot.set_series(flat, y_range=(0, 4))
        await settle(pilot, wire)
        drawn = [line for line in wire.screen.display[1:11] if re.search("[⠁-⣿]", line)]
        shapes = [re.sub("[⠁-⣿]", "#", re.split("[│┤]", line)[1]) for line in drawn]
        assert len(shapes) == 3
        if how == "colours":
            assert wire.text(0).split() == ["━━", "a", "━━", "b", "━━", "c"]
            assert all(set(shape) == {"#"} for shape in shapes)
            return
        assert wire.text(0).rstrip() == "  ".join(f"{p} {n}" for p, n in zip(PATTERNS, "abc", strict=True))
        for shape, turn in zip(shapes, ("#", "## ", "#  "), strict=True):
            assert shape == (turn * 60)[: len(shape)]


async def test_a_line_over_a_band_is_seen_without_colours(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot, MONOCHROME.name), SIZE) as (pilot, wire):
        zero = [0.0, 0.0]
        band = Series([0, 1], zero, "batch", kind="band", low=[-1, -1], high=[1, 1])
        plot.set_series([band, Series([0, 1], zero, "mean")], y_range=(-1, 1))
        await settle(pilot, wire)
        drawn = {wire.text(y)[30] for y in range(1, 11)}
        assert len(drawn) == 2, "hatched, and the line"
        assert all(bin(ord(glyph) - 0x2800).count("1") in (2, 4) for glyph in drawn)


async def test_where_there_is_no_braille_curves_are_ascii(terminal: Any) -> None:
    plot = CurvePlot(x_name="t")
    async with terminal(lambda: Stage(plot, DARK.name, PixelMode.ASCII), SIZE) as (pilot, wire):
        plot.set_series([Series(X, Y)], y_range=(0, 1))
        plot.read_at(250)
        await settle(pilot, wire)
        left = re.search("[│┤]", wire.text(3)).end()
        heights = {"'": 2, "-": 1, ".": 0}
        for column in range(left + 15, 60):
            marks = [(y, wire.text(y)[column]) for y in range(12) if wire.text(y)[column] in heights]
            share = (column - left) / (59 - left)
            want = np.sqrt(share) * 35
            assert any(abs(3 * (11 - y) + heights[mark] - want) <= 1.5 for y, mark in marks), column
        assert f"t 250 {Y[250]:.6g}" in wire.text(13)
        pilot.app.pixel_mode = PixelMode.PALETTE
        await settle(pilot, wire)
        assert re.search("[⠁-⣿]", "".join(wire.screen.display))
