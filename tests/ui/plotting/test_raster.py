"""Dots of curves, against positions worked out one by one, and glyphs against Unicode's own names."""

import unicodedata
from dataclasses import replace
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from difftui.ui.plotting.canvas import Axes, Canvas, Paint
from difftui.ui.plotting.raster import DOTS, PATTERNS, Curve, Dots, broken, draw_dots, glyphs_of, hatched
from difftui.ui.plotting.words import Look


def curve(x: object, y: object, kind: str = "line", low: object = None, high: object = None) -> Curve:
    values = np.array(y, np.float64)
    return Curve(
        np.array(x, np.float64),
        values,
        values if low is None else np.array(low, np.float64),
        values if high is None else np.array(high, np.float64),
        "",
        "accent",
        kind,
        "solid",
        values,
        values,
        values,
    )


def lit(dots: Dots) -> set[tuple[int, int]]:
    """(column, row from below) of the dots that are lit."""
    return {(int(x), len(dots) - 1 - int(y)) for y, x in np.argwhere(dots)}


@given(st.integers(2, 60), st.integers(0, 10))
def test_a_line_lights_every_point_and_has_no_holes(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.uniform(0, 1, count)), rng.uniform(0, 1, count)
    dots = draw_dots(curve(x, y), 200, 40, (0.0, 1.0), (0.0, 1.0))
    there = lit(dots)
    for a, b in zip(x, y, strict=True):
        assert any(abs(a * 199 - i) <= 0.5 and abs(b * 39 - j) <= 1 for i, j in there)
    columns = sorted({i for i, _ in there})
    assert columns == list(range(columns[0], columns[-1] + 1))
    for i in columns:
        rows = sorted(j for k, j in there if k == i)
        assert rows == list(range(rows[0], rows[-1] + 1))
        after = [j for k, j in there if k == i + 1]
        assert not after or (min(after) <= rows[-1] + 1 and max(after) >= rows[0] - 1)


def test_one_spike_among_a_million_points_keeps_its_height_in_a_band() -> None:
    y = np.full(1_000_000, 0.2)
    y[423_456] = 1.0
    there = lit(draw_dots(curve(np.arange(1e6), y, "band"), 100, 21, (0, 999_999), (0, 1)))
    spike = {j for i, j in there if i == 42}
    assert spike == set(range(4, 21))
    assert {j for i, j in there if i not in (41, 42, 43)} == {4}


def test_points_with_extremes_are_filled_from_the_lowest_to_the_highest() -> None:
    there = lit(draw_dots(curve([0, 10], [5, 5], "band", [2, 4], [8, 6]), 11, 11, (0, 10), (0, 10)))
    assert {j for i, j in there if i == 0} == set(range(2, 9))
    assert {j for i, j in there if i == 10} == {4, 5, 6}
    assert {j for i, j in there if i == 5} == set(range(3, 8))


def test_a_line_goes_on_to_the_edge_of_a_view_that_has_no_point() -> None:
    line = curve([0, 100], [0, 100])
    assert lit(draw_dots(line, 11, 11, (40, 50), (40, 50))) == {(i, i) for i in range(11)}


def test_nan_is_a_gap() -> None:
    there = lit(draw_dots(curve([0, 1, 2, 3, 4], [1, 1, np.nan, 1, 1]), 41, 5, (0, 4), (0, 2)))
    assert {i for i, _ in there} == {*range(11), *range(30, 41)}


def test_glyphs_have_the_dots_that_unicode_says() -> None:
    rng = np.random.default_rng(0)
    dots = rng.random((4 * 8, 2 * 32)) < 0.4
    glyphs = glyphs_of([(dots, "line")], "braille").text
    numbering = {(0, 0): 1, (1, 0): 2, (2, 0): 3, (0, 1): 4, (1, 1): 5, (2, 1): 6, (3, 0): 7, (3, 1): 8}
    for row in range(8):
        for column in range(32):
            cell = dots[4 * row : 4 * row + 4, 2 * column : 2 * column + 2]
            numbers = "".join(str(n) for n in sorted(numbering[y, x] for y, x in np.argwhere(cell).tolist()))
            expected = f"BRAILLE PATTERN DOTS-{numbers}" if numbers else "SPACE"
            assert unicodedata.name(glyphs[row][column]) == expected


def test_sextants_and_quadrants() -> None:
    every = np.array([[bits >> i & 1 for i in range(6)] for bits in range(64)], bool)
    dots = every.reshape(64, 3, 2).transpose(1, 0, 2).reshape(3, 128)
    row = glyphs_of([(dots, "line")], "fhd").text[0]
    for bits, glyph in enumerate(row):
        numbers = "".join(str(i + 1) for i in range(6) if bits >> i & 1)
        special = {"": " ", "135": "▌", "246": "▐", "123456": "█"}
        if numbers in special:
            assert glyph == special[numbers]
        else:
            assert unicodedata.name(glyph) == f"BLOCK SEXTANT-{numbers}"
    one = np.array([[True, False], [False, True]])
    assert glyphs_of([(one, "line")], "hd").text == [["▚"]]


def test_ground_gives_way_without_a_shade() -> None:
    ground, points = np.ones((4, 6), bool), np.zeros((4, 6), bool)
    points[1, 2:4] = True
    drawn = glyphs_of([(ground, "ground"), (points, "scatter")], "braille")
    assert drawn.text == [["⣿", "⠒", "⣿"]]
    assert drawn.owner == [[0, 1, 0]]
    assert drawn.covered == [[False, False, False]]


def test_a_line_over_a_band_stays_thin_and_in_its_own_colour() -> None:
    band, line = np.ones((4, 6), bool), np.zeros((4, 6), bool)
    line[1, 2:4] = True
    for layers in ([(band, "band"), (line, "line")], [(line, "line"), (band, "band")]):
        drawn = glyphs_of(layers, "braille")
        assert drawn.text == [["⣿", "⠒", "⣿"]]
        mine = next(i for i, (_, kind) in enumerate(layers) if kind == "line")
        assert drawn.owner == [[1 - mine, mine, 1 - mine]]
        assert drawn.covered == [[False, True, False]], "its ground can tell that the band goes on"


def test_every_set_of_glyphs_is_drawn_at_its_own_resolution() -> None:
    for name, (wide, high) in DOTS.items():
        drawn = glyphs_of([(np.ones((3 * high, 5 * wide), bool), "line")], name)
        assert (len(drawn.text), len(drawn.text[0])) == (3, 5)
        assert drawn.owner == [[0] * 5] * 3


def test_lines_that_touch_the_same_cells_have_them_in_turn() -> None:
    upper, lower = np.zeros((4, 8), bool), np.zeros((4, 8), bool)
    upper[0], lower[3] = True, True
    drawn = glyphs_of([(upper, "line"), (np.zeros((4, 8), bool), "line"), (lower, "line")], "braille")
    assert drawn.owner == [[0, 2, 0, 2]]
    assert drawn.text == [["⠉", "⣀", "⠉", "⣀"]]


def test_a_curve_along_y_is_the_same_curve_turned() -> None:
    """Its mirror image at the diagonal, on dots as many across as the other has up."""
    places, values = np.linspace(0, 1, 60), np.random.default_rng(1).uniform(0, 1, 60)
    for kind in ("line", "scatter"):
        upright = curve(places, values, kind)
        turned = draw_dots(replace(upright, along="y"), 30, 50, (0.0, 1.0), (0.0, 1.0))
        assert turned.shape == (50, 30)
        assert {(j, i) for i, j in lit(turned)} == lit(draw_dots(upright, 50, 30, (0.0, 1.0), (0.0, 1.0)))


def test_bars_along_y_reach_from_the_axis_to_their_values() -> None:
    bars = replace(curve([0, 1, 2, 3], [4, 2, 0, 9], "band", [0] * 4, [4, 2, 0, 9]), along="y")
    there = lit(draw_dots(bars, 10, 4, (0.0, 9.0), (0.0, 3.0)))
    for row, value in enumerate((4, 2, 0, 9)):
        assert {i for i, j in there if j == row} >= set(range(value + 1))
        assert max(i for i, j in there if j == row) - value in range(6), "neighbours meet half the way"


def test_several_curves_in_one_are_all_of_them() -> None:
    x, y = np.linspace(0, 1, 30), np.random.default_rng(2).uniform(0, 1, (5, 30))
    limits = (60, 24, (0.0, 1.0), (0.0, 1.0))
    together = draw_dots(curve(x, y), *limits)
    assert np.array_equal(together, np.any([draw_dots(curve(x, one), *limits) for one in y], axis=0))
    assert not draw_dots(curve(x, np.empty((0, 30))), *limits).any()


def test_dashes_are_broken_even_where_colours_tell_lines_apart_and_along_y_too() -> None:
    look, limits = Look("braille", False), (80, 80, (0.0, 1.0), (-1.0, 1.0))
    x = np.linspace(0, 1, 100)
    whole, dashes = (curve(x, np.sin(5 * x), kind) for kind in ("line", "dashes"))
    assert np.array_equal(look.dots_of(whole, *limits), draw_dots(whole, *limits))
    assert lit(look.dots_of(dashes, *limits)) < lit(draw_dots(dashes, *limits))
    level = replace(curve(x, np.zeros(100), "dashes"), along="y")
    seen = lit(look.dots_of(level, 9, 80, (-1.0, 1.0), (0.0, 1.0)))
    assert {i for i, _ in seen} == {4}
    assert 40 < len(seen) < 80, "gaps along its way"


def test_a_broken_line_is_drawn_and_left_out_by_turns_along_its_way() -> None:
    x = np.arange(60.0)
    flat = draw_dots(curve(x, np.full(60, 2.0)), 60, 5, (0, 59), (0, 4))
    for pattern, on, period in (("dashed", 4, 6), ("dotted", 2, 6)):
        there = lit(broken(flat, pattern, 2))
        assert there == {(i, 2) for i in range(60) if i % period < on}
    steep = draw_dots(curve([0, 1], [0, 40]), 2, 41, (0, 1), (0, 40))
    rows = [j for i, j in sorted(lit(broken(steep, "dashed", 2)), key=lambda dot: (dot[0], dot[1]))]
    assert {b - a for a, b in pairwise(rows)} == {1, 3}, "four dots, and two left out, upwards too"
    assert broken(flat, "solid", 2) is flat


def test_no_two_patterns_are_alike_and_none_hides_more_than_two_thirds() -> None:
    flat = draw_dots(curve(np.arange(84.0), np.zeros(84)), 84, 1, (0, 83), (-1, 1))
    drawn = {pattern: lit(broken(flat, pattern, 1)) for pattern in PATTERNS}
    assert len({frozenset(dots) for dots in drawn.values()}) == len(PATTERNS) == 4
    assert all(len(dots) >= 84 / 3 for dots in drawn.values())


def test_a_hatched_band_has_every_other_dot() -> None:
    solid = draw_dots(curve([0, 10], [5, 5], "band", [0, 0], [9, 9]), 11, 10, (0, 10), (0, 9))
    assert lit(hatched(solid)) == {(i, j) for i, j in lit(solid) if (i + 9 - j) % 2 == 0}


def test_ascii_marks_stand_as_high_as_their_dots() -> None:
    for row, mark in ((2, "'"), (1, "-"), (0, ".")):
        dots = draw_dots(curve([0, 1, 2], [row] * 3), 3, 3, (0, 2), (0, 2))
        assert glyphs_of([(dots, "line")], "ascii").text == [[mark] * 3]


def test_a_mark_is_its_point_and_the_dots_to_the_right_and_below_as_far_as_a_cell_has_them() -> None:
    points = curve([0.0, 0.5, 1.0], [0.0, 0.5, 1.0], "marks")
    for glyphs, (wide, high) in DOTS.items():
        marks = lit(Look(glyphs, False).dots_of(points, 21, 21, (0.0, 1.0), (0.0, 1.0)))
        around = {(i, -j) for i in range(1 + (wide > 1)) for j in range(1 + (high > 1))}
        there = {(x + i, x + j) for x in (0, 10, 20) for i, j in around}
        assert marks == {(x, y) for x, y in there if x <= 20 and y >= 0}, glyphs


@pytest.mark.parametrize("glyphs", sorted(DOTS))
@pytest.mark.parametrize("kind", ["line", "band", "scatter"])
def test_a_curve_lies_in_the_row_of_its_tick(kind: str, glyphs: str) -> None:
    """Half way between two dots, as 0 is in the middle of an even number of them, both rise."""
    for rows in range(2, 30):
        for value, (low, high) in ((0.0, (-0.65, 0.65)), (0.5, (0.0, 1.0)), (0.1, (0.0, 0.35))):
            axes = Axes((0.0, 1.0), (low, high), False, (), (), (), (), None)
            high_dots = DOTS[glyphs][1]
            canvas = Canvas(axes, [[None] * 10] * rows, DOTS[glyphs], cast(Paint, None))
            level = curve([0.0, 1.0], [value, value], kind)
            dots = draw_dots(level, 10 * DOTS[glyphs][0], rows * high_dots, (0.0, 1.0), (low, high))
            assert {int(y) // high_dots for y, _ in np.argwhere(dots)} == {canvas.row_of(value)}
