"""Bars of loss by timestep."""

import pytest
from helpers import text_of
from textual.app import App, ComposeResult

from difftui.ui.panels.timestep_bars import TimestepBars
from difftui.ui.theme import DARK

VALUES = (0.4, 0.2, 0.1, 0.05, 0.025, 0.0125, 0.006, 0.003, float("nan"), 0.001)


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.bars = TimestepBars()

    def compose(self) -> ComposeResult:
        yield self.bars


def length(row: str) -> float:
    """Cells of bar in a row."""
    eighths = "▏▎▍▌▋▊▉█"
    return sum((eighths.index(glyph) + 1) / 8 for glyph in row if glyph in eighths)


async def test_bars_are_as_long_as_their_figures_say() -> None:
    app = Stage()
    async with app.run_test(size=(40, 10)) as pilot:
        app.bars.show(VALUES, 1000)
        await pilot.pause()
        rows = text_of(app.bars).splitlines()
        assert len(rows) == 10
        whole = length(rows[0])
        for row, value, start in zip(rows, VALUES, range(0, 1000, 100), strict=True):
            assert str(start) in row.split()
            if value == value:
                assert f"{value:.4f}" in row
                assert abs(length(row) - value / 0.4 * whole) <= 1 / 16 + 1e-9
            else:
                assert row.rstrip().endswith("–")
        assert rows[0].startswith("clean")
        assert rows[-1].startswith("noise")


async def test_fewer_rows_show_means_of_neighbours() -> None:
    app = Stage()
    async with app.run_test(size=(40, 6)) as pilot:
        app.bars.show(VALUES, 1000)
        await pilot.pause()
        rows = [row for row in text_of(app.bars).splitlines() if row.strip()]
        means = [0.3, 0.075, 0.01875, 0.0045, 0.001]
        assert [float(row.split()[-1]) for row in rows] == pytest.approx(means, abs=6e-5)
        assert [row.split()[1 if row[0] in "cn" else 0] for row in rows] == ["0", "200", "400", "600", "800"]


async def test_before_the_first_measurement_it_says_so() -> None:
    app = Stage()
    async with app.run_test(size=(40, 10)) as pilot:
        app.bars.show((), 1000, empty="not measured yet")
        await pilot.pause()
        assert "not measured yet" in text_of(app.bars)
