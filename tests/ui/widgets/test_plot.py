"""CurvePlot: the reduction in NumPy, and what a terminal shows of a running app."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from difftui.ui.theme import DARK, LIGHT
from difftui.ui.widgets.plot import CurvePlot, Line, Marker, Series, Shade, reduce_to_columns, round_ticks

BRAILLE = {
    (i, j): bit for i, bits in enumerate(((1, 2, 4, 64), (8, 16, 32, 128))) for j, bit in enumerate(bits)
}
"""Unicode's numbering of the dots of a braille cell, by column and row from the top."""


class Stage(App[None]):
    CSS = "Screen { background: $background; }"

    def __init__(self, plot: CurvePlot) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        self.plot = plot

    def compose(self) -> ComposeResult:
        yield self.plot


def dots(wire: Any) -> set[tuple[int, int]]:
    """Lit dots of the whole screen, from its upper left corner."""
    lit = set()
    for y, line in enumerate(wire.screen.display):
        for x, glyph in enumerate(line):
            code = ord(glyph) - 0x2800
            if 0 <= code < 256:
                lit |= {(2 * x + i, 4 * y + j) for (i, j), bit in BRAILLE.items() if code & bit}
    return lit


# The reduction.


@given(st.integers(1, 400), st.integers(1, 40), st.integers(0, 5))
def test_reduction_is_lowest_mean_and_highest_of_each_column(count: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.uniform(-2, 5, count)), rng.normal(size=count)
    y[rng.random(count) < 0.2] = np.nan
    places, low, mean, high = reduce_to_columns(x, y, columns, (-1.0, 4.0))
    inside = (x >= -1) & (x <= 4)
    if inside.sum() <= columns:
        assert np.array_equal(places, x[inside])
        assert np.array_equal(mean, y[inside], equal_nan=True)
        return
    assert len(places) <= columns
    column = np.floor((x - -1.0) / 5.0 * columns).clip(0, columns - 1)
    for i, place in enumerate(places):
        values = y[inside & (column == math.floor((place + 1.0) / 5.0 * columns))]
        values = values[~np.isnan(values)]
        if len(values) == 0:
            assert np.isnan([low[i], mean[i], high[i]]).all()
        else:
            assert abs(mean[i] - values.mean()) < 1e-12
            assert (low[i], high[i]) == (values.min(), values.max())


def test_reduction_takes_points_in_any_order() -> None:
    rng = np.random.default_rng(0)
    x, y = np.arange(1000.0), rng.normal(size=1000)
    order = rng.permutation(1000)
    for ours, sorted_ in zip(
        reduce_to_columns(x[order], y[order], 50, (0.0, 999.0)),
        reduce_to_columns(x, y, 50, (0.0, 999.0)),
        strict=True,
    ):
        assert np.abs(ours - sorted_).max() < 1e-12


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 12))
def test_ticks_are_round_evenly_spaced_and_inside(low: float, span: float, most: int) -> None:
    high = low + span
    if high - low < 1e-9 * abs(low):
        return
    ticks = round_ticks(low, high, most)
    assert len(ticks) >= 2
    steps = np.diff(ticks)
    assert np.abs(steps - steps[0]).max() <= 1e-6 * steps[0]
    mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-6)
    assert min(abs(mantissa - nice) for nice in (1, 2, 2.5, 5, 10)) < 1e-3
    slack = 1e-6 * span
    assert low - slack <= ticks[0]
    assert ticks[-1] <= high + slack
    assert len(ticks) <= max(most, 4)


# On the screen.


async def test_every_point_is_a_dot_at_its_place(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (60, 20)) as (pilot, wire):
        rng = np.random.default_rng(0)
        x, y = rng.uniform(0, 10, 40), rng.uniform(-1, 1, 40)
        plot.set_series([Series(x, y, kind="scatter")], x_range=(0, 10), y_range=(-1, 1))
        await pilot.pause()
        wire.take()
        left = wire.text(3).index("│") + 1 if "│" in wire.text(3) else wire.text(3).index("┤") + 1
        columns, rows = 2 * (60 - left), 4 * 18
        expected = set()
        for a, b in zip(x, y, strict=True):
            across = math.floor(0.5 + a / 10 * (columns - 1))
            up = math.floor(0.5 + (b + 1) / 2 * (rows - 1))
            expected.add((2 * left + across, rows - 1 - up))
        assert dots(wire) == expected


async def test_a_long_line_is_drawn_as_its_column_means(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (60, 20)) as (pilot, wire):
        x = np.linspace(0, 1, 20_000)
        plot.set_series([Series(x, np.sin(6 * x))], y_range=(-1, 1))
        await pilot.pause()
        wire.take()
        lit = dots(wire)
        first = min(a for a, _ in lit)
        for across in range(first, 120):
            share = (across - first) / (119 - first)
            want = 4 * 18 - 1 - (math.sin(6 * share) + 1) / 2 * (4 * 18 - 1)
            assert min(abs(b - want) for a, b in lit if a == across) <= 1.5


async def test_nan_and_what_a_logarithm_does_not_take_are_gaps(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (60, 20)) as (pilot, wire):
        x = np.linspace(0, 1, 101)
        y = np.where((x > 0.4) & (x < 0.6), np.nan, 1.0)
        plot.set_series([Series(x, y)])
        await pilot.pause()
        wire.take()

        def lit_columns() -> set[int]:
            return {a // 2 for a, _ in dots(wire)}

        seen = lit_columns()
        first, last = min(seen), max(seen)
        gap = set(range(first, last + 1)) - seen
        assert abs(len(gap) - 0.2 * (last - first)) <= 2
        assert gap == set(range(min(gap), max(gap) + 1))
        plot.set_series([Series(x, np.where((x > 0.4) & (x < 0.6), -1.0, 1.0))], log_y=True)
        await pilot.pause()
        wire.take()
        seen = lit_columns()
        assert set(range(min(seen), max(seen) + 1)) - seen == gap
        plot.set_series([Series(x, np.full(101, np.nan), "nothing yet")])
        await pilot.pause()
        wire.take()
        assert dots(wire) == set()
        assert "nothing yet" in wire.text(0)


async def test_log_axis_has_decades_and_linear_axis_round_numbers(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (60, 20)) as (pilot, wire):
        x = np.arange(1, 46_901)
        loss = 1.2 * 10 ** (-2.2 * x / 46_900)
        plot.set_series([Series(x, loss, "loss")], log_y=True)
        await pilot.pause()
        wire.take()
        labels = [line.split("┤")[0].strip() for line in wire.screen.display if "┤" in line]
        assert labels == ["1", "0.1", "0.01"]
        for y, line in enumerate(wire.screen.display):
            if "0.1┤" in line:
                left = line.index("┤") + 1
                seen = [
                    1.2 * 10 ** (-2.2 * (x - left) / (59 - left)) for x in range(left, 60) if line[x].strip()
                ]
                assert min(abs(math.log10(value / 0.1)) for value in seen) < 0.05, y
        assert wire.text(19).rstrip().endswith("  40 000")
        plot.set_series([Series(x, loss, "loss")])
        await pilot.pause()
        wire.take()
        labels = [line.split("┤")[0].strip() for line in wire.screen.display if "┤" in line]
        assert labels == ["1", "0.75", "0.5", "0.25", "0"]


async def test_less_than_a_decade_still_has_ticks(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (40, 12)) as (pilot, wire):
        for low, high in ((0.02, 0.05), (7.1e-4, 1.4e-3), (3.0, 3.0), (0.5, 20.0)):
            plot.set_series([Series([0, 1], [low, high])], log_y=True)
            await pilot.pause()
            wire.take()
            labels = [
                float(line.split("┤")[0].replace(" ", "")) for line in wire.screen.display if "┤" in line
            ]
            assert len(labels) >= 2
            assert labels == sorted(labels, reverse=True)


async def test_same_curves_again_send_nothing_and_a_marker_few_rows(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (60, 20)) as (pilot, wire):
        x = np.linspace(0, 1, 3000)
        y = np.cos(3 * x)

        def show(at: float) -> None:
            plot.set_series([Series(x, y, "cos")], markers=[Marker(at, f"t = {at}")])

        show(0.5)
        await pilot.pause()
        full = len(wire.take())
        show(0.5)
        await pilot.pause()
        assert wire.take() == ""
        before = dots(wire)
        show(0.502)  # the same column, another label
        await pilot.pause()
        assert 0 < len(wire.take()) < full / 4
        assert dots(wire) == before
        y[1000:] = 0.5  # changed in place: the plot has its own copy and sees it
        show(0.502)
        await pilot.pause()
        assert wire.take() != ""


async def test_words_and_lines_hide_no_data(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (60, 14)) as (pilot, wire):
        x = np.linspace(0, 1, 400)
        hump = np.exp(-(((x - 0.5) / 0.1) ** 2))
        plain = [Series(x, hump, "hump")]
        plot.set_series(plain, y_range=(0, 1.2))
        await pilot.pause()
        wire.take()
        before = dots(wire)
        plot.set_series(
            plain,
            y_range=(0, 1.2),
            lines=[Line(0.5, "half")],
            markers=[Marker(0.5, "middle")],
            shades=[Shade(0.8, 1.0, "unseen")],
        )
        await pilot.pause()
        wire.take()
        assert dots(wire) == before
        text = "\n".join(wire.screen.display)
        assert all(word in text for word in (" half ", " middle ", "unseen"))
        assert wire.text(0).split() == ["━━", "hump"], "all of them found room in the plot"
        assert text.count("┄") > 20

        crowd = np.random.default_rng(0).uniform(0, 1, (2, 4000))
        plot.set_series(
            [Series(crowd[0], crowd[1], "crowd", kind="scatter")],
            lines=[Line(0.5, "half")],
            markers=[Marker(0.3, "here")],
        )
        await pilot.pause()
        wire.take()
        assert wire.text(0).split() == ["⠢⠔", "crowd", "┄┄", "half", "│", "here"], (
            "no room: the legend has them"
        )


async def test_shade_is_a_ground_under_its_columns(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (60, 14)) as (pilot, wire):
        plot.set_series([Series([0, 1], [0, 1])], x_range=(0, 1), shades=[Shade(0.75, 9, "unseen")])
        await pilot.pause()
        wire.take()
        row = [wire.screen.buffer[9][x].bg for x in range(60)]
        ground = row[20]
        shaded = [x for x in range(60) if row[x] != ground]
        assert shaded == list(range(shaded[0], 60))
        left = 1 + min(wire.text(9).find("│"), wire.text(9).find("┤"), key=lambda at: at if at >= 0 else 99)
        assert abs((shaded[0] - left) / (60 - left) - 0.75) < 0.03


async def test_a_change_of_theme_recolours_it(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (60, 14)) as (pilot, wire):
        plot.set_series([Series([0, 1], [0, 1], "up", "orange")])
        await pilot.pause()
        wire.take()
        dark = wire.screen.buffer[5][40].bg
        pilot.app.theme = LIGHT.name
        await pilot.pause()
        await pilot.pause()
        wire.take()
        light = wire.screen.buffer[5][40].bg
        assert int(dark[:2], 16) < 40
        assert int(light[:2], 16) > 215
        assert {wire.screen.buffer[y][x].bg for y in range(14) for x in range(60)} == {light}


async def test_small_empty_and_resized(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (38, 8)) as (pilot, wire):
        plot.set_series([])
        await pilot.pause()
        wire.take()
        assert "".join(wire.screen.display).strip() == ""
        plot.set_series([Series(np.arange(5), np.arange(5), "five")])
        await pilot.pause()
        wire.take()
        assert dots(wire)
        assert wire.text(7).split() == ["0", "1", "2", "3", "4"]
        for size in ((11, 8), (38, 3), (120, 40), (1, 1)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        wire.screen.resize(20, 60)
        wire.take()
        assert max(a for a, _ in dots(wire)) >= 116


@pytest.mark.parametrize("glyphs", ["braille", "fhd", "hd", "dot"])
async def test_every_glyph_set_draws_from_corner_to_corner(terminal: Any, glyphs: str) -> None:
    plot = CurvePlot(glyphs=glyphs)
    async with terminal(lambda: Stage(plot), (40, 12)) as (pilot, wire):
        plot.set_series([Series([0, 1], [0, 1])], y_range=(0, 1))
        await pilot.pause()
        wire.take()
        left = wire.text(1).index("│") + 1
        assert wire.screen.buffer[0][39].data.strip()
        assert wire.screen.buffer[9][left].data.strip()
        assert not wire.screen.buffer[0][left].data.strip()


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="glyphs"):
        CurvePlot(glyphs="crayon")
    plot = CurvePlot()
    with pytest.raises(ValueError, match="x and y"):
        plot.set_series([Series([0, 1], [0])])
    with pytest.raises(ValueError, match="range"):
        plot.set_series([Series([0, 1], [0, 1])], x_range=(1, 1))
    with pytest.raises(ValueError, match="range"):
        plot.set_series([Series([0, 1], [0, 1])], y_range=(0, 1), log_y=True)
