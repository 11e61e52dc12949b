"""CurvePlot: what a terminal shows of a running app."""

import math
import re
import time
from typing import Any

import numpy as np
import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollUp

from difftui.ui.plotting.canvas import GLOWS
from difftui.ui.theme import DARK, LIGHT
from difftui.ui.widgets.plot import CurvePlot, Glow, Line, Marker, Note, Series, Shade

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
    with pytest.raises(ValueError, match="x, y, low and high"):
        plot.set_series([Series([0, 1], [0])])
    with pytest.raises(ValueError, match="range"):
        plot.set_series([Series([0, 1], [0, 1])], x_range=(1, 1))
    with pytest.raises(ValueError, match="range"):
        plot.set_series([Series([0, 1], [0, 1])], y_range=(0, 1), log_y=True)


# The view.


async def test_a_zoomed_view_survives_new_data_and_double_click_shows_everything(terminal: Any) -> None:
    plot = CurvePlot(zoomable=True)
    async with terminal(lambda: Stage(plot), (60, 14)) as (pilot, wire):
        rng = np.random.default_rng(0)
        y = rng.uniform(0.5, 1, 20_000)

        def show(count: int) -> None:
            plot.set_series([Series(np.arange(count), y[:count], kind="band")])

        show(1000)
        await pilot.pause()
        await pilot._post_mouse_events([MouseScrollUp], plot, (30, 5), button=0)
        await pilot._post_mouse_events([MouseScrollUp], plot, (30, 5), button=0)
        await pilot.pause()
        seen = plot.shown
        assert abs((seen[1] - seen[0]) - 999 / 1.5**2) < 1e-6
        assert seen[0] > 100
        assert seen[1] < 900
        wire.take()
        before = dots(wire)
        show(20_000)
        await pilot.pause()
        assert plot.shown == seen
        assert wire.take() == "", "what is looked at has not changed"
        assert dots(wire) == before
        await pilot.click(plot, offset=(30, 5), times=2)
        await pilot.pause()
        assert list(plot.shown) == [0, 19_999]
        assert plot.viewport.live


async def test_dragging_moves_and_the_newest_data_are_followed(terminal: Any) -> None:
    plot = CurvePlot(zoomable=True)
    async with terminal(lambda: Stage(plot), (60, 14)) as (pilot, _):

        def show(count: int) -> None:
            plot.set_series([Series(np.arange(count), np.sin(np.arange(count)))])

        show(1001)
        await pilot.pause()
        plot.zoom(3)
        width = plot.shown[1] - plot.shown[0]
        assert plot.shown[1] == 1000
        show(1101)
        assert list(plot.shown) == [1100 - width, 1100]
        await pilot.mouse_down(plot, offset=(20, 5))
        await pilot.hover(plot, offset=(40, 5))
        await pilot.mouse_up(plot, offset=(40, 5))
        held = plot.shown
        assert held[1] < 1100 - width / 5
        assert abs((held[1] - held[0]) - width) < 1e-6
        show(1201)
        assert plot.shown == held
        plot.pan(50)
        assert plot.shown[1] == 1200


async def test_a_plot_of_empty_curves_can_be_zoomed(terminal: Any) -> None:
    plot = CurvePlot(zoomable=True)
    async with terminal(lambda: Stage(plot), (60, 14)) as (pilot, _):
        plot.set_series([Series([], [])])
        plot.zoom(1)
        plot.pan(-0.5)
        await pilot.pause()
        assert plot.shown == (0.0, 1.0)


async def test_a_zoomed_view_fits_what_it_shows(terminal: Any) -> None:
    plot = CurvePlot(zoomable=True)
    async with terminal(lambda: Stage(plot), (60, 14)) as (pilot, wire):
        x = np.arange(1, 1001)
        loss = np.where(x < 200, 1.0, 0.03 + 1e-5 * (x % 7))
        plot.set_series([Series(x, loss)], log_y=True, lines=[Line(1.0, "predicting nothing")])
        await pilot.pause()
        wire.take()
        assert "predicting nothing" in "\n".join(wire.screen.display)
        plot.zoom(5)
        await pilot.pause()
        wire.take()
        assert "predicting nothing" not in "\n".join(wire.screen.display)
        labels = [float(line.split("┤")[0]) for line in wire.screen.display if "┤" in line]
        assert 0.0299 < min(labels) < max(labels) < 0.0302


async def test_the_wheel_leaves_a_plot_alone_that_is_not_to_be_zoomed(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (60, 14)) as (pilot, _):
        plot.set_series([Series([0, 1], [0, 1])])
        await pilot._post_mouse_events([MouseScrollUp], plot, (30, 5), button=0)
        await pilot.pause()
        assert list(plot.shown) == [0, 1]


async def test_a_note_stands_where_no_data_are_or_not_at_all(terminal: Any) -> None:
    plot = CurvePlot()
    note = Note("It does not go to 0, since the target is noise, which cannot be told at small t.")
    async with terminal(lambda: Stage(plot), (80, 16)) as (pilot, wire):
        x = np.linspace(0, 1, 300)
        falling = [Series(x, np.exp(-8 * x))]
        plot.set_series(falling, lines=[Line(1.0, "nothing")])
        await pilot.pause()
        wire.take()
        before = dots(wire)
        plot.set_series(falling, lines=[Line(1.0, "nothing")], notes=[note])
        await pilot.pause()
        wire.take()
        assert dots(wire) == before
        words = " ".join(re.findall(r"[A-Za-z0-9,.]+", "\n".join(wire.screen.display)))
        assert "It does not go to 0, since the target" in words
        crowd = np.random.default_rng(0).uniform(0, 1, (2, 4000))
        plot.set_series([Series(crowd[0], crowd[1], kind="scatter")], notes=[note])
        await pilot.pause()
        wire.take()
        assert "does not go" not in "\n".join(wire.screen.display)


async def test_a_redraw_of_a_long_run_is_short(terminal: Any) -> None:
    plot = CurvePlot(zoomable=True)
    async with terminal(lambda: Stage(plot), (150, 30)) as (pilot, _):
        rng = np.random.default_rng(0)
        spent: dict[int, list[float]] = {256: [], 4096: []}
        for length in [*spent] * 7:
            x = np.linspace(0.0, 1e6, length)
            y = rng.uniform(0.02, 0.05, length)
            began = time.process_time()
            plot.set_series(
                [
                    Series(x, y, "each batch", "muted", "band", low=y * 0.8, high=y * 1.3),
                    Series(x, y, "smoothed"),
                    Series(x[::40], y[::40], "validation", "green"),
                ],
                log_y=True,
                lines=[Line(1.0, "predicting nothing")],
            )
            spent[length].append(time.process_time() - began)
            await pilot.pause()
        # Both are as many as its columns. 0.005 s on two quiet cores, whose speed is not tested here.
        assert min(spent[4096]) < 3 * min(spent[256])


async def test_a_glow_is_a_ground_that_follows_its_strength(terminal: Any) -> None:
    plot = CurvePlot()
    places = np.linspace(0, 1, 50)
    strength = np.tile(np.linspace(0, 1, 50), (50, 1))  # brighter to the right
    async with terminal(lambda: Stage(plot), (60, 14)) as (pilot, wire):
        series = [Series([0, 1], [0, 1])]
        limits = {"x_range": (0.0, 1.0), "y_range": (0.0, 1.0)}
        plot.set_series(series, **limits, glow=Glow(places, places, strength))
        await pilot.pause()
        wire.take()
        left = 1 + min(wire.text(9).find("│"), wire.text(9).find("┤"), key=lambda at: at if at >= 0 else 99)
        lightness = [int(wire.screen.buffer[9][x].bg[:2], 16) for x in range(left, 60)]
        assert lightness == sorted(lightness)
        assert len(set(lightness)) == GLOWS + 1
        with_glow = dots(wire)
        plot.set_series(series, **limits)
        await pilot.pause()
        wire.take()
        assert len({wire.screen.buffer[y][x].bg for y in range(12) for x in range(left, 60)}) == 1
        assert dots(wire) == with_glow


async def test_of_a_curve_that_grows_only_the_new_part_is_sent(terminal: Any) -> None:
    plot = CurvePlot()
    x = np.linspace(0, 1, 400)
    y = np.random.default_rng(0).uniform(0, 1, 400)
    async with terminal(lambda: Stage(plot), (120, 30)) as (pilot, wire):

        def show(count: int) -> None:
            plot.set_series([Series(x[:count], y[:count])], x_range=(0, 1), y_range=(0, 1))

        show(300)
        await pilot.pause()
        whole = len(wire.take())
        show(304)
        await pilot.pause()
        assert 0 < len(wire.take()) < whole / 8
        grown = dots(wire)
        plot.set_series([])
        show(304)
        await pilot.pause()
        wire.take()
        assert dots(wire) == grown, "what was sent in parts is the same picture"


async def test_curves_along_y_and_several_in_one_are_drawn_within_their_limits(terminal: Any) -> None:
    plot = CurvePlot()
    async with terminal(lambda: Stage(plot), (60, 16)) as (pilot, wire):
        places, values = np.linspace(-1, 1, 40), np.linspace(0, 3, 40)
        plot.set_series([Series(values, places, "law", along="y"), Series([0, 3], np.zeros((2, 2)))])
        await pilot.pause()
        wire.take()
        assert wire.text(0).split() == ["━━", "law"]
        assert wire.text(15).split()[0] == "0"
        assert wire.text(15).split()[-1] == "3"
        assert plot.dots_high(legend=True) == 4 * 13
    with pytest.raises(ValueError, match=r"\(n,\) each, or y \(k, n\)"):
        plot.set_series([Series([0, 1, 2], np.zeros((2, 2)))])


async def test_a_new_title_sends_the_border_and_not_the_plot(terminal: Any) -> None:
    plot = CurvePlot()
    plot.styles.border = ("round", "white")
    async with terminal(lambda: Stage(plot), (100, 30)) as (pilot, wire):
        plot.set_series([Series(np.arange(400), np.random.default_rng(0).uniform(0, 1, 400))])
        plot.entitle("mean [b]0.1[/]", "theory 0")
        await pilot.pause()
        whole = len(wire.take())
        assert "mean 0.1" in wire.text(0)
        assert "theory 0" in wire.text(29)
        before = dots(wire)
        plot.entitle("mean [b]0.2[/]", "theory 0")
        await pilot.pause()
        assert 0 < len(wire.take()) < whole / 8
        assert "mean 0.2" in wire.text(0)
        assert dots(wire) == before
        plot.entitle("mean [b]0.2[/]", "theory 0")
        await pilot.pause()
        assert wire.take() == ""
