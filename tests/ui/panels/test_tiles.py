"""How pictures share the room: as large as can be, half the size of a digit where 80x24 is all there is."""

from __future__ import annotations

import pytest

from difftui.ui.panels.comparison_words import LINES
from difftui.ui.panels.tiles import TEXT_COLUMNS, Shelf

ROWS_BESIDES = 8


@pytest.mark.parametrize(
    ("count", "lines", "size", "pixels", "columns", "beside"),
    [
        (5, LINES, (80, 24), 15, 5, False),
        (6, LINES, (80, 24), 14, 3, True),
        (10, 0, (80, 24), 14, 5, False),
        (4, LINES, (80, 24), 16, 4, False),
        (5, LINES, (120, 40), 28, 3, True),
        (6, LINES, (120, 40), 28, 3, True),
        (10, 0, (120, 40), 23, 5, False),
        (5, LINES, (200, 60), 28, 5, True),
        (6, LINES, (200, 60), 28, 6, False),
        (10, 0, (200, 60), 28, 5, False),
        (2, LINES, (200, 60), 84, 2, True),
    ],
)
def test_pictures_are_as_large_as_the_room_allows(
    count: int, lines: int, size: tuple[int, int], pixels: int, columns: int, beside: bool
) -> None:
    shelf = Shelf.fitting(count, lines, 28, size[0], size[1] - ROWS_BESIDES)
    assert (shelf.across, shelf.columns, shelf.beside) == (pixels, columns, beside)


def test_nothing_lies_outside_or_over_another() -> None:
    for count in range(1, 11):
        for lines in (0, LINES):
            for width in range(76, 210, 7):
                for rows in range(14, 60, 3):
                    shelf = Shelf.fitting(count, lines, 28, width, rows)
                    assert shelf.columns * shelf.rows >= count
                    assert shelf.columns * shelf.width <= width
                    assert shelf.rows * shelf.height <= rows
                    beside = TEXT_COLUMNS + 1 if shelf.beside else 0
                    assert shelf.across + beside < shelf.width
                    assert 1 + max(shelf.down, lines if shelf.beside else 0) <= shelf.height
                    assert shelf.across % 28 == 0 or shelf.across < 28
