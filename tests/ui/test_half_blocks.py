"""Pixels to cells, without a terminal: every half of every cell against the array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rich.color import Color

from difftui.ui.half_blocks import (
    BACKGROUND,
    NOTHING,
    RAMP,
    Cell,
    contrast,
    encode_row,
    grey_levels,
    holds,
    intervals,
)
from difftui.ui.pixels.inks import cell_palette

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


def test_contrast_is_the_largest_difference_to_a_neighbour() -> None:
    levels = np.array([[5, 5, 6, 8], [5, 5, 5, 5], [5, 5, 5, 5], [9, 5, 5, 5]], np.uint8)
    expected = [[0, 1, 2, 3], [0, 0, 1, 3], [4, 0, 0, 0], [4, 4, 0, 0]]
    assert contrast(levels).tolist() == expected
    assert contrast(np.stack([levels, levels.T]))[1].T.tolist() == expected, "image by image"


def exactly(levels: np.ndarray) -> list[list[int]]:
    """What `encode_row` takes for these levels or nothing, and no others."""
    pixels = np.array([*RAMP, *[0] * (BACKGROUND + 1 - len(RAMP))], np.uint8)[levels]
    rows: list[list[int]] = np.where(levels == BACKGROUND, NOTHING, intervals(pixels)).tolist()
    return rows


ROWS = hnp.arrays(np.uint8, st.tuples(st.just(2), st.integers(1, 30)), elements=st.integers(0, 25))


@given(ROWS)
def test_at_rest_every_half_is_exact(levels: np.ndarray) -> None:
    tops, bottoms = halves(encode_row(*exactly(levels)))
    assert tops == levels[0].tolist()
    assert bottoms == levels[1].tolist()


def place(byte: int) -> float:
    """Where a byte lies on the ramp, in steps."""
    below = max(i for i in range(26) if RAMP[i] <= byte)
    return below + (byte - RAMP[below]) / (RAMP[below + 1] - RAMP[below]) if below < 25 else 25.0


@pytest.mark.parametrize(("fewer", "bounds"), [(False, (0.75, 1.5, 2.5)), (True, (1.75, 2.5, 3.25))])
@given(image=hnp.arrays(np.uint8, st.tuples(st.just(4), st.integers(1, 20))))
def test_a_moving_grey_is_off_by_no_more_than_its_surroundings_hide(
    image: np.ndarray, fewer: bool, bounds: tuple[float, float, float]
) -> None:
    allowed = intervals(image, moving=True, fewer=fewer)
    shown = [halves(encode_row(*allowed[y : y + 2].tolist())) for y in (0, 2)]
    levels = np.array([row for pair in shown for row in pair])
    nearest = grey_levels(image).astype(int)
    assert holds(allowed, levels).all(), "what was drawn need not be drawn again"
    around = np.pad(nearest, 1, mode="edge")
    for (y, x), level in np.ndenumerate(levels):
        near = (around[y, x + 1], around[y + 2, x + 1], around[y + 1, x], around[y + 1, x + 2])
        edge = max(abs(nearest[y, x] - other) for other in near)
        bound = bounds[int(edge >= 2) + int(edge >= 4)]
        off = abs(level - place(int(image[y, x])))
        assert off <= bound + 1e-9 or level == nearest[y, x] or (image[y, x] < 13 and level <= 1)
        assert 0 <= level <= 25, "never off the ramp"


def test_background_is_never_taken_for_white() -> None:
    white, nothing = int(intervals(np.array([[255]], np.uint8), moving=True)[0, 0]), NOTHING
    cells = encode_row([white, nothing, white], [white, nothing, nothing])
    assert halves(cells) == ([25, BACKGROUND, 25], [25, BACKGROUND, BACKGROUND])


@given(hnp.arrays(np.uint8, (2, 20), elements=st.sampled_from([0, 1, 25, BACKGROUND])))
def test_background_is_never_a_foreground(levels: np.ndarray) -> None:
    cells = encode_row(*exactly(levels))
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
    ours = sum(cost(encode_row(*exactly(np.array(pair)))) for pair in pairs)
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
