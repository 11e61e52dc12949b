"""Pictures side by side, each with its name and a few lines of figures, as large as the room allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from difftui.ui.widgets.pixels import PixelView
from difftui.ui.widgets.text import ActionText

__all__ = ["TEXT_COLUMNS", "Shelf", "Tile", "Tiles"]

TEXT_COLUMNS = 10
"""Columns that figures have; one more on each side keeps them apart from pictures."""


INSET_COLUMNS, INSET_ROWS = 36, 12
"""The least room of an inset."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where pictures stand.

    Attributes:
        columns: pictures in a row; ``rows`` of them.
        beside: whether the figures stand beside the picture, or below it.
        width, height: of a tile, in cells, its name and figures included.
        across, down: of its picture, in cells.
    """

    columns: int
    rows: int
    beside: bool
    width: int
    height: int
    across: int
    down: int

    @classmethod
    def fitting(cls, count: int, lines: int, side: int, columns: int, rows: int) -> Shelf:
        """The arrangement with the largest pictures; of several the one in fewest rows, then the lowest.

        Args:
            count: pictures.
            lines: of figures with each.
            side: pixels of a picture each way; it grows by whole factors alone, and shrinks to any size.
            columns, rows: cells there are.
        """
        shelves = [
            shelf
            for across in range(1, count + 1)
            for beside in ((False, True) if lines else (False,))
            if (shelf := cls._made(count, lines, side, columns, rows, across, beside)) is not None
        ]
        if not shelves:  # no room for anything: the screen says so itself
            return cls(count, 1, False, 1, 1, 1, 1)
        return max(shelves, key=lambda shelf: (shelf.across, -shelf.rows, -shelf.height * shelf.rows))

    @classmethod
    def _made(
        cls, count: int, lines: int, side: int, columns: int, rows: int, across: int, beside: bool
    ) -> Shelf | None:
        down = -(-count // across)
        width, height = columns // across, rows // down
        room_x = width - 1 - (TEXT_COLUMNS + 1 if beside else 0)
        room_y = height - 1 - (0 if beside else lines)
        pixels = min(room_x, 2 * room_y)
        if pixels < 4 or (beside and height - 1 < lines):
            return None
        pixels = pixels // side * side or pixels
        cells = -(-pixels // 2)
        tall = 1 + (max(cells, lines) if beside else cells + lines)
        close = pixels + TEXT_COLUMNS + 3 if beside else max(pixels, 2 * TEXT_COLUMNS) + 2
        return cls(across, down, beside, min(width, close), tall, pixels, cells)


class Tile(Container):
    """A name, a picture, and figures beside it or below it."""

    def __init__(self) -> None:
        super().__init__(classes="tile")
        self.title = ActionText(classes="tile-title")
        self.picture = PixelView(fit=True)
        self.figures = ActionText(classes="tile-figures")
        self._body = Container(self.picture, self.figures, classes="tile-body")

    def compose(self) -> ComposeResult:
        yield self.title
        yield self._body

    def stand_on(self, shelf: Shelf) -> None:
        """Take a place on this shelf."""
        self._body.styles.layout = "horizontal" if shelf.beside else "vertical"
        self.picture.styles.width, self.picture.styles.height = shelf.across, shelf.down
        self.figures.styles.padding = (0, 0, 0, 1) if shelf.beside else 0
        self.figures.styles.width = TEXT_COLUMNS + 1 if shelf.beside else shelf.width - 1

    def say(self, title: Content, figures: Content) -> None:
        """Its name and figures; draws what is new."""
        self.title.say(title)
        self.figures.say(figures)


class Tiles(Container):
    """Up to so many tiles, as many of them shown as there are pictures."""

    def __init__(self, most: int, inset: Widget, *, id: str) -> None:
        """Make them.

        Args:
            most: tiles.
            inset: takes the place after the last picture where that is free and large enough.
        """
        super().__init__(id=id)
        self.all = [Tile() for _ in range(most)]
        self.inset = inset
        self.shelf = Shelf(1, 1, False, 1, 1, 1, 1)
        self._drawn: list[object] = [None] * most

    def compose(self) -> ComposeResult:
        yield from self.all
        yield self.inset

    def set_out(self, shelf: Shelf, count: int) -> None:
        """Show so many tiles in this arrangement."""
        self.shelf = shelf
        self._drawn = [None] * len(self.all)
        self.styles.grid_size_columns, self.styles.grid_size_rows = shelf.columns, shelf.rows
        self.styles.width, self.styles.height = shelf.columns * shelf.width, shelf.rows * shelf.height
        for index, tile in enumerate(self.all):
            tile.display = index < count
            tile.stand_on(shelf)
        free = count < shelf.columns * shelf.rows
        self.inset.display = free and shelf.width >= INSET_COLUMNS and shelf.height >= INSET_ROWS

    def show(self, pictures: Sequence[NDArray[Any]], marks: Sequence[object], *, moving: bool) -> None:
        """Draw the pictures, each (H, W) or (H, W, 3), whose mark is another than when it was drawn last."""
        for index, (pixels, mark) in enumerate(zip(pictures, marks, strict=True)):
            if self._drawn[index] != mark:
                self._drawn[index] = mark
                self.all[index].picture.show(pixels if pixels.ndim == 2 else pixels[None], moving=moving)

    def clear(self) -> None:
        """Take all pictures and words away."""
        for index, tile in enumerate(self.all):
            if self._drawn[index] is not None:
                self._drawn[index] = None
                tile.picture.clear()
            tile.say(Content(), Content())
