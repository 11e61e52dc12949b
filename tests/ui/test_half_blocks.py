"""Pixels to cells, without a terminal: every half of every cell against the array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rich.color import Color

from difftui.ui.half_blocks import (
    BACKGROUND,
    RAMP,
    Cell,
    cell_palette,
    encode_row,
    grey_levels,
    intervals,
    slack_mask,
)

RNG = np.random.default_rng(0)


def halves(cells: list[Cell]) -> tuple[list[int], list[int]]:
    """Upper and lower level that each cell shows."""
    shown = {
        "▀": lambda fore, back: (fore, back),
        "▄": lambda fore, back: (back, fore),
        "█": lambda fore, back: (fore, fore),
        " ": lambda fore, back: (back, back),
    }
    pairs = [shown[glyph](fore, back) for glyph, fore, back in cells]
    return [top for top, _ in pairs], [bottom for _, bottom in pairs]


def test_levels_are_the_nearest_greys() -> None:
    every = np.arange(256, dtype=np.uint8)
    shown = np.array(RAMP)[grey_levels(every)]
    nearest = [min(abs(grey - value) for grey in RAMP) for value in range(256)]
    assert np.abs(shown - every.astype(int)).tolist() == nearest
    assert max(nearest) == 8, "just below white; 5 elsewhere"
    assert grey_levels(np.array([-1.0, 1.0, -3.0, 3.0, np.nan])).tolist() == [0, 25, 0, 25, 0]


def test_slack_only_where_a_neighbour_differs_by_two_steps() -> None:
    levels = np.array([[5, 5, 6, 8], [5, 5, 5, 5], [5, 5, 5, 5], [9, 5, 5, 5]], np.uint8)
    expected = [[0, 0, 1, 1], [0, 0, 0, 1], [1, 0, 0, 0], [1, 1, 0, 0]]
    assert slack_mask(levels).astype(int).tolist() == expected
    assert slack_mask(np.stack([levels, levels.T]))[1].astype(int).T.tolist() == expected, "image by image"


ROWS = hnp.arrays(np.uint8, st.tuples(st.just(2), st.integers(1, 30)), elements=st.integers(0, 25))


@given(ROWS)
def test_without_slack_every_half_is_exact(levels: np.ndarray) -> None:
    tops, bottoms = halves(encode_row(*intervals(levels).tolist()))
    assert tops == levels[0].tolist()
    assert bottoms == levels[1].tolist()


@given(ROWS, st.data())
def test_with_slack_no_half_is_more_than_a_step_off(levels: np.ndarray, data: st.DataObject) -> None:
    slack = data.draw(hnp.arrays(np.bool_, levels.shape))
    shown = np.array(halves(encode_row(*intervals(levels, slack).tolist())))
    off = np.abs(shown - levels.astype(int))
    assert (off <= slack).all(), "a step where it was granted, none elsewhere"
    assert shown.min() >= 0
    assert shown.max() <= 25, "never off the ramp"


def test_background_is_never_taken_for_white() -> None:
    levels = np.array([[25, BACKGROUND, 25], [25, BACKGROUND, BACKGROUND]], np.uint8)
    slack = levels == 25
    cells = encode_row(*intervals(levels, slack).tolist())
    assert halves(cells) == ([25, BACKGROUND, 25], [25, BACKGROUND, BACKGROUND])


@given(hnp.arrays(np.uint8, (2, 20), elements=st.sampled_from([0, 1, 25, BACKGROUND])))
def test_background_is_never_a_foreground(levels: np.ndarray) -> None:
    cells = encode_row(*intervals(levels).tolist())
    assert halves(cells) == (levels[0].tolist(), levels[1].tolist())
    assert not any(glyph != " " and fore == BACKGROUND and back != BACKGROUND for glyph, fore, back in cells)


def cost(cells: list[Cell]) -> int:
    """Bytes of a row by a count of its own: 8 a colour, 3 an escape sequence, 1 between two colours."""
    total, fore, back = 0, -1, -1
    for glyph, f, b in cells:
        changes = (glyph != " " and f != fore) + (glyph != "█" and b != back)
        total += (3 + 8 * changes + (changes - 1) if changes else 0) + len(glyph.encode())
        fore, back = (f if glyph != " " else fore), (b if glyph != "█" else back)
    return total


def cheapest(tops: list[int], bottoms: list[int]) -> int:
    """The true minimum, by trying every glyph for every cell with all colours a terminal may have set."""
    best = {(-1, -1): 0}
    for top, bottom in zip(tops, bottoms, strict=True):
        found: dict[tuple[int, int], int] = {}
        for (fore, back), spent in best.items():
            ways = [("▀", top, bottom), ("▄", bottom, top)]
            if top == bottom:
                ways += [(" ", fore, top), ("█", top, back)]
            for glyph, f, b in ways:
                changes = (f != fore) + (b != back)
                bytes_ = spent + (3 + 8 * changes + changes - 1 if changes else 0) + len(glyph.encode())
                found[f, b] = min(found.get((f, b), 10**9), bytes_)
        best = found
    return min(best.values())


@pytest.mark.parametrize("spread", [0.05, 0.3, 1.0])
def test_the_choice_is_close_to_the_true_minimum(spread: float) -> None:
    levels = grey_levels(RNG.normal(-0.5, spread, (2, 2000)))
    pairs = [levels[:, i : i + 40].tolist() for i in range(0, 2000, 40)]
    ours = sum(cost(encode_row(*intervals(np.array(pair, np.uint8)).tolist())) for pair in pairs)
    assert ours <= 1.01 * sum(cheapest(*pair) for pair in pairs)


def test_segments_carry_true_colours_and_runs_are_one() -> None:
    palette = cell_palette(Color.parse("#102030"), Color.parse("#ff8800"))
    row = palette.segments([(" ", 3, 5), (" ", 3, 5), ("▀", 0, 25), ("█", 7, 1), (" ", 2, BACKGROUND)])
    assert [segment.text for segment in row] == ["  ", "▀", "█", " "]
    colours = [(s.style.color.triplet.hex, s.style.bgcolor.triplet.hex) for s in row if s.style]
    assert colours == [
        ("#303030", "#303030"),
        ("#000000", "#ffffff"),
        ("#444444", "#444444"),
        ("#102030", "#102030"),
    ]
