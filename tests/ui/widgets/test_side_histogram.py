"""The histogram beside a plot: its rows are the plot's, its bars are counts."""

import numpy as np
import pytest
from helpers import text_of
from textual.app import App, ComposeResult
from textual.containers import Horizontal

from difftui.ui.theme import DARK
from difftui.ui.widgets.plot import CurvePlot, Series
from difftui.ui.widgets.side_histogram import Mark, SideHistogram


class Beside(App[None]):
    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield CurvePlot()
            yield SideHistogram()


@pytest.mark.parametrize("height", [7, 8, 9, 12, 23, 40])
async def test_a_value_has_the_row_of_its_dot(height: int) -> None:
    app = Beside()
    async with app.run_test(size=(80, height)) as pilot:
        plot, side = app.query_one(CurvePlot), app.query_one(SideHistogram)
        for value in np.linspace(-1.9, 2.9, 13):
            plot.set_series(
                [Series([0.0, 1.0], [value, value], "here", "accent", "scatter")],
                x_range=(-1.0, 2.0), y_range=(-2.0, 3.0),
            )  # fmt: skip
            side.show(np.array([value] * 3), (-2.0, 3.0), marks=[Mark(float(value), "mark")])
            await pilot.pause()
            dotted = [y for y, line in enumerate(text_of(plot).splitlines()[1:], 1) if _braille(line)]
            barred = [y for y, line in enumerate(text_of(side).splitlines()) if "█" in line]
            marked = [y for y, line in enumerate(text_of(side).splitlines()) if "mark" in line]
            assert dotted == barred == marked, value


async def test_bars_are_as_long_as_counts_are_large() -> None:
    app = Beside()
    async with app.run_test(size=(80, 20)) as pilot:
        side = app.query_one(SideHistogram)
        side.show(np.repeat([0.1, 0.9], [100, 50]), (0.0, 1.0), caption="150 draws")
        await pilot.pause()
        lines = text_of(side).splitlines()
        assert lines[0].startswith("150 draws")
        lengths = [line.count("█") for line in lines if "█" in line]
        assert len(lengths) == 2
        assert lengths[1] == pytest.approx(2 * lengths[0], abs=1)
        side.show(np.array([5.0, np.nan]), (0.0, 1.0))
        await pilot.pause()
        assert "█" not in text_of(side), "what lies outside is left out"


def _braille(line: str) -> bool:
    return any("\u2801" <= glyph <= "\u28ff" for glyph in line)
